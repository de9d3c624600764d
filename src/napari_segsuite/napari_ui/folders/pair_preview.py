"""Which files of two folders belong together, shown while folders and pattern are typed."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QListWidget, QVBoxLayout, QWidget

from ...metrics.folders.pairs import Pairing, pair_files
from ..form_parts import Fold, text_label
from ..runner import Job, runner_for

if TYPE_CHECKING:
    from napari.components import ViewerModel

_DELAY_MS = 200
_LIST_HEIGHT = 110


class PairPreview(QWidget):
    """How many pairs there are, and the names of what has a partner and what has none.

    Parameters
    ----------
    viewer : ViewerModel
        Whose runner looks through the folders.

    Attributes
    ----------
    pairing : Pairing or None
        What was found last; None while there is nothing to pair.
    problem : str
        Why there are no pairs, in a sentence.
    found : signal
        `pairing` and `problem` are new.
    """

    found = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._wanted: tuple[Path, Path, str] | None = None
        self._job: Job | None = None
        self.pairing: Pairing | None = None
        self.problem = ""
        self.sentence = text_label()
        self.list = QListWidget()
        self.list.setMaximumHeight(_LIST_HEIGHT)
        self._fold = Fold("Pairs, and files without partner", self.list)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY_MS)
        self._timer.timeout.connect(self._look)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sentence)
        layout.addWidget(self._fold)
        self._show(None, "")

    def look_at(self, predictions: Path | None, references: Path | None, pattern: str) -> None:
        """Pair the files of two folders, a moment after the last call."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        self._wanted = None
        if predictions is None or references is None:
            self._timer.stop()
            self._show(None, "Choose the folder of the predictions and that of the references.")
            return
        self._wanted = (predictions, references, pattern)
        self._timer.start()

    @property
    def is_looking(self) -> bool:
        """Whether pairs are still to come."""
        return self._timer.isActive() or self._job is not None

    def _look(self) -> None:
        assert self._wanted is not None
        predictions, references, pattern = self._wanted
        self._job = runner_for(self._viewer).run_in_background(
            lambda _progress: pair_files(predictions, references, pattern=pattern),
            "Pair files",
            self,
            uses_kernels=False,
        )
        self._job.finished.connect(lambda pairing: self._show(pairing, ""))
        self._job.failed.connect(lambda sentence: self._show(None, sentence))

    def _show(self, pairing: Pairing | None, problem: str) -> None:
        self._job = None
        self.pairing, self.problem = pairing, problem
        self.list.clear()
        if pairing is not None:
            self.sentence.setText(sentence_of(pairing))
            self.list.addItems(_lines(pairing))
        self.sentence.setVisible(pairing is not None)
        self._fold.setVisible(pairing is not None)
        self.found.emit()


def sentence_of(pairing: Pairing) -> str:
    """How many files have a partner, and how many have none.

    Examples
    --------
    >>> sentence_of(Pairing(pairs=(), only_predictions=(Path("a.nii"),)))
    '0 pairs, 1 prediction without partner'
    """
    lone = [
        _number(files, noun)
        for files, noun in (
            (pairing.only_predictions, "prediction"),
            (pairing.only_references, "reference"),
        )
        if files
    ]
    counted = _number(pairing.pairs, "pair")
    return f"{counted}, {' and '.join(lone)} without partner" if lone else counted


def _lines(pairing: Pairing) -> list[str]:
    lines = [f"without reference: {file}" for file in pairing.only_predictions]
    lines += [f"without prediction: {file}" for file in pairing.only_references]
    return lines + [pair.name for pair in pairing.pairs]


def _number(entries: Sized, noun: str) -> str:
    n = len(entries)
    return f"{n} {noun}{'' if n == 1 else 's'}"
