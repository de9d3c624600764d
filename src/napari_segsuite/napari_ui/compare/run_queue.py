"""Entries of a comparison run one after the other, off the main thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from ...comparing import Entry, Scene, names_of
from ...compute import JobRequest
from ...errors import SegSuiteError
from ...image import Segmentation
from ...warmup import miniature
from ..runner import Job, runner_for
from ..settings import preferences

if TYPE_CHECKING:
    from napari.components import ViewerModel


class CompareQueue(QObject):
    """Runs entries, scores them and tells of each row.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject
        What the jobs are for.

    Attributes
    ----------
    progressed : signal of (float, str, float)
        Fraction of the whole queue, what is being done, and -1.
    row_found : signal of (object, object)
        A `Row`, and its `Segmentation` or None.
    ended : signal of bool
        The queue is empty, or was stopped (False).
    """

    progressed = Signal(float, str, float)
    row_found = Signal(object, object)
    ended = Signal(bool)

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._scene: Scene | None = None
        self._waiting: list[tuple[str, Entry]] = []
        self._n = 0
        self._job: Job | None = None

    @property
    def is_running(self) -> bool:
        """Whether there are entries whose row is still to come."""
        return self._scene is not None

    def start(self, scene: Scene, entries: list[Entry]) -> None:
        """Run the entries on a scene."""
        self._scene = scene
        self._waiting = list(zip(names_of(entries), entries, strict=True))
        self._n = len(entries)
        self._next()

    def cancel(self) -> None:
        """Stop; the rows that were found stay."""
        self._waiting = []
        if self._job is not None:
            self._job.cancel()

    # --- the steps of one entry -------------------------------------------------------
    def _next(self) -> None:
        if not self._waiting:
            self._end(is_complete=True)
            return
        _name, entry = self._waiting[0]
        settings = preferences()
        try:
            request = self._the_scene.request(
                entry, settings.device, memory_limit=settings.memory_limit
            )
        except SegSuiteError as error:
            self._fail(str(error))
            return
        # A run on a few voxels first: the time shall have no compiling and loading in it.
        rehearsal = replace(miniature(request), device=request.device)
        self._submit(rehearsal, lambda _: self._run(request), lambda _: self._run(request))

    def _run(self, request: JobRequest) -> None:
        self._submit(request, self._judge, self._fail)

    def _judge(self, result: Segmentation) -> None:
        assert self._job is not None
        name, entry = self._waiting[0]
        scene, seconds = self._the_scene, self._job.elapsed
        job = runner_for(self._viewer).run_in_background(
            lambda _progress: scene.judge(name, entry, result, seconds), "Scoring", self
        )
        self._follow(job, lambda found: self._found(*found), self._fail)

    def _fail(self, sentence: str) -> None:
        name, entry = self._waiting[0]
        self._found(self._the_scene.row(name, entry, sentence), None)

    def _found(self, row: Any, result: Segmentation | None) -> None:
        self._waiting.pop(0)
        self.row_found.emit(row, result)
        self._next()

    # --- jobs -------------------------------------------------------------------------
    @property
    def _the_scene(self) -> Scene:
        assert self._scene is not None
        return self._scene

    def _submit(
        self, request: JobRequest, done: Callable[[Any], None], failed: Callable[[str], None]
    ) -> None:
        self._follow(runner_for(self._viewer).submit(request, self), done, failed)

    def _follow(self, job: Job, done: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        self._job = job
        job.progressed.connect(self._on_progress)
        job.finished.connect(done)
        job.failed.connect(failed)
        job.cancelled.connect(lambda: self._end(is_complete=False))

    def _on_progress(self, fraction: float, message: str, _seconds_left: float) -> None:
        if self._waiting:
            done = self._n - len(self._waiting)
            name = self._waiting[0][0]
            self.progressed.emit((done + fraction) / self._n, f"{name}: {message}", -1.0)

    def _end(self, *, is_complete: bool) -> None:
        self._scene, self._waiting, self._job = None, [], None
        self.ended.emit(is_complete)
