"""Where jobs of the viewer run: in the viewer's compute process if torch, else in a thread.

Each job has a thread here, which does the work or waits for the process that does. It
never touches Qt: it leaves reports and outcome where a timer of the main thread finds
them. So nothing can be delivered to a window or widget that is gone.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QApplication

from ..compute import ComputeProcess, JobRequest, needs_torch
from ..errors import Cancelled, SegSuiteError
from ..image import Segmentation
from ..progress import Progress
from ..registry import get_method
from ..warmup import prepare

if TYPE_CHECKING:
    from napari.components import ViewerModel

Work = Callable[[Progress], Any]

_POLL_MS = 15
_REPORT_INTERVAL = 0.05
_SHOWN_AFTER = 0.5
_CLOSING_SECONDS = 0.5

_log = logging.getLogger(__name__)

# numba's simplest threading layer ends the process when two threads run kernels at once.
_kernels = threading.Lock()


class Executor(Protocol):
    """Something that runs a job while the calling thread waits."""

    def run(self, request: JobRequest, progress: Progress) -> Segmentation:
        """Run a job to its end; `progress` raises `Cancelled` to stop it."""


class ThreadExecutor:
    """Runs jobs in the calling thread, compiled code made ready beforehand."""

    def run(self, request: JobRequest, progress: Progress) -> Segmentation:
        """Run a job to its end; `progress` raises `Cancelled` to stop it."""
        prepare(request, progress)
        result: Segmentation = _one_at_a_time(request.run, progress)
        return result


def _one_at_a_time(work: Work, progress: Progress) -> Any:
    while not _kernels.acquire(timeout=0.1):
        progress(0.0, "waiting for another job …")
    try:
        return work(progress)
    finally:
        _kernels.release()


class _Task:
    """Work in a thread of its own; `report` and `outcome` are for the main thread to read."""

    def __init__(self, work: Work, title: str) -> None:
        self.report = (0.0, f"{title} …")
        self.outcome: tuple[str, tuple[Any, ...]] | None = None
        self.is_cancelled = False
        self._title = title
        self.thread = threading.Thread(
            target=self._run, args=(work,), name=f"segsuite {title}", daemon=True
        )

    def _progress(self, fraction: float, message: str = "") -> None:
        if self.is_cancelled:
            raise Cancelled
        self.report = (float(fraction), str(message))

    def _run(self, work: Work) -> None:
        try:
            self.outcome = ("finished", (work(self._progress),))
        except Cancelled:
            self.outcome = ("cancelled", ())
        except SegSuiteError as error:
            self.outcome = ("failed", (str(error),))
        except MemoryError:
            text = f"{self._title} ran out of memory; use a smaller image or close other programs."
            self.outcome = ("failed", (text,))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the user has to know
            _log.warning("%s failed", self._title, exc_info=True)
            text = f"{self._title} failed ({type(error).__name__}: {error}); please report this."
            self.outcome = ("failed", (text,))


class _ActivityBar:
    """A job's bar in napari's activity dock."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._is_wanted = False
        self._is_over = False

    def show(self, fraction: float) -> None:
        """Show that `fraction` is done."""
        if not self._is_wanted:
            from napari.utils import progress

            self._is_wanted = True
            bar = progress(total=100, desc=self._title)
            # napari processes events while it makes a bar: the job may be over by now.
            if self._is_over:
                bar.close()
            else:
                self._bar = bar
        if self._bar is not None:
            self._bar.update(round(100 * fraction) - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        self._is_over = True
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _make_first_bar() -> None:
    from napari.utils import progress

    progress(total=1).close()


class Job(QObject):
    """A job under way.

    All signals come on the main thread: any number of `progressed`, then one of
    `finished`, `failed` and `cancelled`, then `ended`. None comes any more once the viewer
    is closed or the parent deleted; the job is cancelled then.

    Attributes
    ----------
    progressed : signal of (float, str, float)
        Fraction done, what is being done, and seconds left, -1 while unknown; at most
        twenty times a second.
    finished : signal of object
        The result.
    failed : signal of str
        What went wrong, and what to do, in a sentence.
    cancelled : signal
    ended : signal
    """

    progressed = Signal(float, str, float)
    finished = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()

    def __init__(self, task: _Task, title: str, parent: QObject | None) -> None:
        super().__init__(parent)
        self._task = task
        self._bar = _ActivityBar(title)
        self._started = time.monotonic()
        self._stopped: float | None = None
        self._reported: tuple[float, str] | None = None
        self._last_report = -1.0
        self._first_fraction: tuple[float, float] | None = None

    def cancel(self) -> None:
        """Ask the job to stop; whatever it still returns is dropped."""
        self._task.is_cancelled = True

    @property
    def is_running(self) -> bool:
        """Whether the outcome is still to come."""
        return self._stopped is None

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or from start to end."""
        return (self._stopped or time.monotonic()) - self._started

    def _tell(self, in_activity_dock: bool) -> None:
        """Emit what is new about the progress."""
        now, report = time.monotonic(), self._task.report
        if report == self._reported or now - self._last_report < _REPORT_INTERVAL:
            return
        self._reported, self._last_report = report, now
        if in_activity_dock and self.elapsed > _SHOWN_AFTER:
            self._bar.show(report[0])
        if isalive(self) and self.is_running:
            self.progressed.emit(*report, self._seconds_left(report[0], now))

    def _end(self, signal: str, arguments: tuple[Any, ...]) -> None:
        """Emit the outcome, and that this was all."""
        self._stopped = time.monotonic()
        self._bar.close()
        getattr(self, signal).emit(*arguments)
        if isalive(self):
            self.ended.emit()
        if isalive(self):
            self.setParent(None)  # from here on it lives as long as somebody refers to it

    def _seconds_left(self, fraction: float, now: float) -> float:
        if self._first_fraction is None or fraction < self._first_fraction[0]:
            # Preparations, during which the fraction stays 0, say nothing about the speed.
            self._first_fraction = (fraction, now) if fraction > 0 else None
            return -1.0
        done, passed = fraction - self._first_fraction[0], now - self._first_fraction[1]
        return passed * (1 - fraction) / done if done > 0.01 and passed > 0.5 else -1.0


class Runner(QObject):
    """Starts the jobs of one viewer and delivers what becomes of them.

    Get it with `runner_for`.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._compute = ComputeProcess()
        self._thread = ThreadExecutor()
        self._running: list[tuple[_Task, Job]] = []
        self._in_activity_dock = hasattr(parent, "_qt_viewer")
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._deliver)
        if self._in_activity_dock:
            # napari takes 60 ms to make its first bar: not in the middle of a run.
            first_bar = QTimer(self)
            first_bar.setSingleShot(True)
            first_bar.timeout.connect(_make_first_bar)
            first_bar.start(0)
        self.destroyed.connect(functools.partial(_shut_down, self._running, self._compute))

    def submit(
        self, request: JobRequest, parent: QObject | None = None, supersedes: Job | None = None
    ) -> Job:
        """Start a job.

        Parameters
        ----------
        request : JobRequest
        parent : QObject, optional
            What the job is for; when it is deleted, the job is cancelled.
        supersedes : Job, optional
            An older job that is cancelled, and whose result is dropped.

        Returns
        -------
        Job
            Signals come from the event loop, so there is time to connect them.
        """
        method = get_method(request.method)
        executor: Executor = self._thread
        if needs_torch(method, request.device):
            executor = self._compute
        return self._start(
            functools.partial(executor.run, request), method.title, parent, supersedes
        )

    def run_in_background(
        self,
        work: Work,
        title: str,
        parent: QObject | None = None,
        supersedes: Job | None = None,
        *,
        uses_kernels: bool = True,
    ) -> Job:
        """Call ``work(progress)`` in a thread; `finished` carries what it returns.

        `work` may neither touch the viewer nor load torch. Jobs with compiled kernels wait
        for one another; one that only reads, writes or compares need not.
        """
        if uses_kernels:
            work = functools.partial(_one_at_a_time, work)
        return self._start(work, title, parent, supersedes)

    def close(self) -> None:
        """Cancel all jobs and end the compute process."""
        self._timer.stop()
        _shut_down(self._running, self._compute)

    def _start(self, work: Work, title: str, parent: QObject | None, supersedes: Job | None) -> Job:
        if supersedes is not None:
            supersedes.cancel()
        task = _Task(work, title)
        job = Job(task, title, parent)
        task.thread.start()
        self._running.append((task, job))
        self._timer.start()
        return job

    def _deliver(self) -> None:
        """Emit what came in since; a slot may start jobs, or close the viewer."""
        for entry in list(self._running):
            if entry in self._running:
                self._deliver_one(*entry)
            if not isalive(self):
                return
        if not self._running:
            self._timer.stop()

    def _deliver_one(self, task: _Task, job: Job) -> None:
        outcome = task.outcome
        if not isalive(job):
            task.is_cancelled = True
            job._bar.close()  # noqa: SLF001 - two halves of one thing
        if outcome is None:
            if isalive(job):
                job._tell(self._in_activity_dock)  # noqa: SLF001
            return
        self._running.remove((task, job))
        task.outcome = None  # it may be large, and the job live long
        if isalive(job):
            job._end(*(("cancelled", ()) if task.is_cancelled else outcome))  # noqa: SLF001


def runner_for(viewer: ViewerModel) -> Runner:
    """The runner of a viewer, made when first asked for and closed with the window."""
    window = _window_of(viewer)
    existing = window.findChild(Runner, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return existing if existing is not None else Runner(window)


def _window_of(viewer: ViewerModel) -> QObject:
    # Plugins get the viewer in a proxy that hides the window.
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    return QApplication.instance() if window is None else window._qt_window  # noqa: SLF001


def _shut_down(running: list[tuple[_Task, Job]], compute: ComputeProcess, *_: object) -> None:
    for task, job in running:
        task.is_cancelled = True
        job._bar.close()  # noqa: SLF001
    compute.close()
    deadline = time.monotonic() + _CLOSING_SECONDS
    for task, _job in running:
        task.thread.join(max(0.0, deadline - time.monotonic()))
    running.clear()
