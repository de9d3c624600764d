"""Saving a session, by hand and by itself, and going on with it later."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from qtpy.compat import getopenfilename, getsavefilename
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...growing.work_file import ImageIdentity, Work, load_work, save_work
from ...growing.work_places import autosave_path, matching_work, work_path_for
from ...image import Image
from ...progress import Progress
from ..form_parts import text_label
from ..runner import Job, Runner

AUTOSAVE_MS = 3 * 60 * 1000
_FILTER = "Session (*.segsuite.zip)"


class Snapshot(NamedTuple):
    """What there is to save, the arrays copied already.

    `make` turns the identity of the image into the work.
    """

    image: Image
    path: str | None
    make: Callable[[ImageIdentity], Work]


class WorkPanel(QWidget):
    """Buttons to save and to resume; saves by itself what was edited since.

    Parameters
    ----------
    runner : Runner
    snapshot : callable
        Returns what there is to save, or None.

    Attributes
    ----------
    restored : signal of Work
        A session was read.
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    restored = Signal(object)
    said = Signal(str, bool)

    def __init__(self, runner: Runner, snapshot: Callable[[], Snapshot | None]) -> None:
        super().__init__()
        self._runner = runner
        self._snapshot = snapshot
        self._identity: tuple[weakref.ref[Any], ImageIdentity] | None = None
        self._found: Path | None = None
        self._job: Job | None = None
        self._search: Job | None = None
        self._is_edited = False
        self.save_button = QPushButton("Save session…")
        self.save_button.setToolTip("Seeds, result, classes and settings in one file.")
        self.open_button = QPushButton("Open session…")
        self.resume_button = QPushButton("Resume")
        self.resume_button.setVisible(False)
        self.state = text_label()
        buttons = QHBoxLayout()
        for button in (self.save_button, self.open_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.state)
        layout.addLayout(buttons)
        self.save_button.clicked.connect(self.save)
        self.open_button.clicked.connect(self.open)
        self.resume_button.clicked.connect(self.resume)
        self._clock = QTimer(self)
        self._clock.setInterval(AUTOSAVE_MS)
        self._clock.timeout.connect(self.autosave)
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
        proposal = work_path_for(shot.path or shot.image.name)
        path, _ = getsavefilename(self, "Save the session", str(proposal), _FILTER)
        if path:
            self._save(shot, lambda _identity: Path(path))

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
        self._job = self._start(lambda _progress: load_work(path), "Open session")
        self._job.finished.connect(self._on_loaded)

    def look_for(self, image: Image | None, path: str | None) -> None:
        """Look for saved work on an image, to offer going on with it."""
        self._offer(None)
        if self._search is not None:
            self._search.cancel()
        if image is None:
            return

        def work(_progress: Progress) -> Path | None:
            return matching_work(self._identify(image, path))

        self._search = self._runner.run_in_background(
            work, "Look for saved work", self, uses_kernels=False
        )
        self._search.finished.connect(self._offer)

    # --- parts ------------------------------------------------------------------------
    def _save(self, shot: Snapshot, place: Callable[[ImageIdentity], Path]) -> None:
        self._is_edited = False

        def work(_progress: Progress) -> Path:
            identity = self._identify(shot.image, shot.path)
            path = place(identity)
            save_work(path, shot.make(identity))
            return path

        self._job = self._start(work, "Save session")
        self._job.finished.connect(self._on_saved)

    def _start(self, work: Callable[[Progress], object], title: str) -> Job:
        job = self._runner.run_in_background(work, title, self, uses_kernels=False)
        job.failed.connect(lambda sentence: self.said.emit(sentence, True))
        job.ended.connect(self._on_ended)
        return job

    def _identify(self, image: Image, path: str | None) -> ImageIdentity:
        """The identity of an image; its values are read once."""
        known = self._identity
        if known is None or known[0]() is not image.data:
            known = (weakref.ref(image.data), ImageIdentity.of(image, path))
            self._identity = known
        return known[1]

    def _on_saved(self, path: Path) -> None:
        self.state.setText(f"Saved at {time.strftime('%H:%M')}: {path.name}")
        self.state.setToolTip(str(path))

    def _on_loaded(self, work: Work) -> None:
        self._offer(None)
        self.restored.emit(work)

    def _on_ended(self) -> None:
        self._job = None

    def _offer(self, path: Path | None) -> None:
        self._found = path
        self.resume_button.setVisible(path is not None)
        if path is not None:
            when = time.strftime("%d %b %H:%M", time.localtime(path.stat().st_mtime))
            self.resume_button.setText(f"Resume the session of {when}")
            self.resume_button.setToolTip(str(path))
