"""Which folders are evaluated: predictions, references, and how their names belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from ..form_parts import form_rows
from .folder_field import FolderField
from .pair_preview import PairPreview

if TYPE_CHECKING:
    from napari.components import ViewerModel

_PREDICTIONS = "Label files to be judged."
_REFERENCES = "Label files taken as true."
_PATTERN = (
    "How a prediction's name is made of the name of its reference, both without extension: "
    "{name} if they are the same, {name}_pred if the prediction of case7 is case7_pred."
)


class FolderForm(QWidget):
    """Two folders, the pattern of names, and the pairs that these make.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    predictions, references : FolderField
    pattern_line : QLineEdit
    preview : PairPreview
    changed : signal
        Folders, pattern or pairs are others.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.predictions = FolderField("Folder of the predictions", _PREDICTIONS)
        self.references = FolderField("Folder of the references", _REFERENCES)
        self.pattern_line = QLineEdit("{name}")
        self.pattern_line.setToolTip(_PATTERN)
        self.preview = PairPreview(viewer)
        rows = form_rows()
        for title, widget, help_text in (
            ("Predictions", self.predictions, _PREDICTIONS),
            ("References", self.references, _REFERENCES),
            ("Name pattern", self.pattern_line, _PATTERN),
        ):
            label = QLabel(title)
            label.setToolTip(help_text)
            rows.addRow(label, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.preview)
        self.predictions.changed.connect(self._on_change)
        self.references.changed.connect(self._on_change)
        self.pattern_line.textChanged.connect(self._on_change)
        self.preview.found.connect(self.changed)
        self._on_change()

    @property
    def pattern(self) -> str:
        """Prediction's name, made of the reference's "{name}"."""
        return str(self.pattern_line.text()).strip()

    @property
    def problem(self) -> str:
        """Why there is nothing to evaluate, in a sentence; empty if there is."""
        problem: str = self.preview.problem
        return problem

    def _on_change(self, _text: str = "") -> None:
        self.preview.look_at(self.predictions.path, self.references.path, self.pattern)
        self.changed.emit()
