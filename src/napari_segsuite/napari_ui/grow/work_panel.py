"""Saving a session, by hand and by itself, and going on with it later."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from qtpy.compat import getopenfilename, getsavefilename
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from ...growing.work_file import ImageIdentity, Work, load_work, save_work
from ...growing.work_places import ENDING, autosave_path, matching_work, work_path_for
from ...progress import Progress
from ..form_parts import text_label
from ..runner import Job, Runner

AUTOSAVE_MS = 3 * 60 * 1000
_FILTER = f"Session (*{ENDING})"
_GUIDE_ENDING = ".guide.npz"

Identify = Callable[[], ImageIdentity]


class Guide(Protocol):
    """What the strokes taught."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file."""


class Snapshot(NamedTuple):
    """What there is to save.

    `identify` reads the image, and `make` turns its identity into the work: both take
    their time.
    """

    name: str
    path: str | None
    identify: Identify
    make: Callable[[ImageIdentity], Work]


class _Found(NamedTuple):
    """Saved work, and when it was saved."""

    path: Path
    seconds: float


class WorkPanel(QWidget):
    """Buttons to save and to resume; saves by itself what was edited since.

    Parameters
    ----------
    runner : Runner
    snapshot : callable
        Returns what there is to save, or None.
    guide : callable
        Returns what was learned from the strokes, or None.

    Attributes
    ----------
    restored : signal of (Work, bool)
        A session was read; whether it belongs to the image that was last looked for.
    guide_chosen : signal of Path
        A saved guide is to be used on the chosen image.
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    restored = Signal(object, bool)
    guide_chosen = Signal(object)
    said = Signal(str, bool)

    def __init__(
        self,
        runner: Runner,
        snapshot: Callable[[], Snapshot | None],
        guide: Callable[[], Guide | None],
    ) -> None:
        super().__init__()
        self._runner = runner
        self._snapshot = snapshot
        self._guide = guide
        self._identify: Identify | None = None
        self._found: Path | None = None
        self._job: Job | None = None
        self._search: Job | None = None
        self._is_edited = False
        self.save_button = QPushButton("Save session…")
        self.save_button.setToolTip("Seeds, result, classes and settings in one file.")
        self.open_button = QPushButton("Open session…")
        self.open_button.setToolTip("Go on with a session that was saved.")
        self.guide_button = QPushButton("Save guide…")
        self.guide_button.setToolTip(
            "Write what was learned from the strokes to a file, to be used on other images."
        )
        self.use_button = QPushButton("Use guide…")
        self.use_button.setToolTip("Label the chosen image by what was learned in another one.")
        self.resume_button = QPushButton("Resume")
        self.state = text_label()
        buttons = QGridLayout()
        shown = (self.save_button, self.open_button, self.guide_button, self.use_button)
        for place, button in enumerate(shown):
            buttons.addWidget(button, *divmod(place, 2))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.state)
        self.state.setVisible(False)
        self.resume_button.setVisible(False)
        self.save_button.clicked.connect(self.save)
        self.open_button.clicked.connect(self.open)
        self.guide_button.clicked.connect(self.save_guide)
        self.use_button.clicked.connect(self.use_guide)
        self.resume_button.clicked.connect(self.resume)
        self._clock = QTimer(self)
        self._clock.setInterval(AUTOSAVE_MS)
        self._clock.timeout.connect(self.autosave)
        # A dock that outlives the viewer's window has nobody left to save for it.
        runner.destroyed.connect(self._clock.stop)
        self._clock.start()

    def note_edit(self) -> None:
        """There is something new to save."""
        self._is_edited = True

    def save(self) -> None:
        """Write the session to a file that the user names."""
        shot = self._snapshot()
        if shot is None:
            self.said.emit("There is nothing to save yet: choose an image and paint.", True)
            return
        proposal = work_path_for(shot.path or shot.name)
        path, _ = getsavefilename(self, "Save the session", str(proposal), _FILTER)
        if path:
            file = _ending_in(path, ENDING)
            self._save(shot, lambda _identity: file).finished.connect(
                lambda _path: self.said.emit(f"The session is saved in {file.name}.", False)
            )

    def save_guide(self) -> None:
        """Write what was learned from the strokes to a file that the user names."""
        guide = self._guide()
        if guide is None:
            self.said.emit("Nothing is learned yet: preview with a guide other than none.", True)
            return
        path, _ = getsavefilename(
            self, "Save the guide", f"strokes{_GUIDE_ENDING}", f"Guide (*{_GUIDE_ENDING})"
        )
        if path:
            file = _ending_in(path, _GUIDE_ENDING)
            self._job = self._start(lambda _progress: guide.save(file), "Save guide")
            self._job.finished.connect(
                lambda _none: self.said.emit(f"The guide is saved in {file.name}.", False)
            )

    def use_guide(self) -> None:
        """Have the chosen image labelled by a guide from a file that the user names."""
        path, _ = getopenfilename(self, "Use a guide", "", f"Guide (*{_GUIDE_ENDING})")
        if path:
            self.guide_chosen.emit(Path(path))

    def autosave(self) -> None:
        """Write what was edited since into the user's data folder, without being asked."""
        shot = self._snapshot() if self._is_edited and self._job is None else None
        if shot is not None:
            self._save(shot, lambda identity: autosave_path(identity.name, identity.sha256))

    def open(self) -> None:
        """Go on with a session from a file that the user names."""
        path, _ = getopenfilename(self, "Open a session", "", _FILTER)
        if path:
            self.load(Path(path))

    def resume(self) -> None:
        """Go on with the session that was found for the image."""
        if self._found is not None:
            self.load(self._found)

    def load(self, path: Path) -> None:
        """Read a session in the background and hand it on."""
        identify = self._identify

        def work(_progress: Progress) -> tuple[Work, bool]:
            work = load_work(path)
            return work, identify is not None and work.image.is_same_image(identify())

        self._job = self._start(work, "Open session")
        self._job.finished.connect(self._on_loaded)

    def look_for(self, identify: Identify | None) -> None:
        """Look for saved work on an image, to offer going on with it; None for no image."""
        self._identify = identify
        self._offer(None)
        if self._search is not None:
            self._search.cancel()
        if identify is None:
            return

        def work(_progress: Progress) -> _Found | None:
            path = matching_work(identify())
            return None if path is None else _Found(path, path.stat().st_mtime)

        self._search = self._runner.run_in_background(
            work, "Look for saved work", self, uses_kernels=False
        )
        self._search.finished.connect(self._offer)

    # --- parts ------------------------------------------------------------------------
    def _save(self, shot: Snapshot, place: Callable[[ImageIdentity], Path]) -> Job:
        self._is_edited = False

        def work(_progress: Progress) -> Path:
            identity = shot.identify()
            path = place(identity)
            save_work(path, shot.make(identity))
            return path

        self._job = self._start(work, "Save session")
        self._job.finished.connect(self._on_saved)
        self._job.failed.connect(lambda _sentence: self.note_edit())
        return self._job

    def _start(self, work: Callable[[Progress], object], title: str) -> Job:
        job = self._runner.run_in_background(work, title, self, uses_kernels=False)
        job.failed.connect(lambda sentence: self.said.emit(sentence, True))
        job.ended.connect(self._on_ended)
        return job

    def _on_saved(self, path: Path) -> None:
        self.state.setText(f"Saved at {time.strftime('%H:%M')}: {path.name}")
        self.state.setToolTip(str(path))
        self.state.setVisible(True)

    def _on_loaded(self, loaded: tuple[Work, bool]) -> None:
        self._offer(None)
        self.restored.emit(*loaded)

    def _on_ended(self) -> None:
        if self.sender() is self._job:
            self._job = None

    def _offer(self, found: _Found | None) -> None:
        self._found = None if found is None else found.path
        self.resume_button.setVisible(found is not None)
        if found is not None:
            when = time.strftime("%d %b %H:%M", time.localtime(found.seconds))
            self.resume_button.setText(f"Resume the session of {when}")
            self.resume_button.setToolTip(
                f"Add the seeds and the result that were saved for this image: {found.path}"
            )


def _ending_in(path: str, ending: str) -> Path:
    return Path(path if path.endswith(ending) else f"{path}{ending}")
