"""Keeping a preview in line with the seeds: what is computed when, never on the main thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QObject, QTimer, Signal

from ...boxes import whole
from ...errors import SegSuiteError
from ...growing.live import Growth, LiveGrowth
from ...growing.planner import Planner
from ...progress import Progress
from ...warmup import prepare_growth
from ..runner import Job, runner_for
from .preview_layer import PreviewLayer
from .seed_watch import SeedWatch
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    import napari.layers
    from napari.components import ViewerModel

TITLE = "Grow from seeds"
# A stroke is often followed by the next: learning waits for a moment of rest.
_REST_MS = 150
# Turning a knob changes settings many times a second; growing starts anew once it rests.
_RENEWAL_MS = 300

Task = Literal["start", "follow", "adopt"]
Outcome = tuple[LiveGrowth, Growth | None]


@dataclass(frozen=True)
class Order:
    """What is to be grown.

    Attributes
    ----------
    source : ImageSource
    seeds : Labels
    time : int or None
        The time point, where there is an axis of time.
    planner : Planner
    """

    source: ImageSource
    seeds: napari.layers.Labels
    time: int | None
    planner: Planner


class GrowController(QObject):
    """Runs one live growth: start, follow each edit, learn in moments of rest.

    One job at a time works on the growth. Edits made meanwhile are taken up by the next
    one, which compares all seeds. Learning runs beside them and is taken over when done.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject

    Attributes
    ----------
    grown : signal of Growth
        A step is on display.
    failed : signal of str
    state_changed : signal
        Growing started or stopped, a job began, got on or ended.
    is_following : bool
        Whether edits are taken up by themselves.
    progress : (float, str) or None
        How far the present job is.
    """

    grown = Signal(object)
    failed = Signal(str)
    state_changed = Signal()

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.preview = PreviewLayer(viewer)
        self._watch = SeedWatch(self)
        self._watch.edited.connect(self._on_edit)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._learn_if_stale)
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.setInterval(_RENEWAL_MS)
        self._renewal.timeout.connect(self._renew)
        self._make_order: Callable[[], Order] | None = None
        self._order: Order | None = None
        self._growth: LiveGrowth | None = None
        self._job: Job | None = None
        self._task: Task | None = None
        self._study: Job | None = None
        self._learned: Any = None
        self._parked: tuple[Order, LiveGrowth] | None = None
        self._is_behind = False
        self._gave_up = False
        self.is_following = True
        self.progress: tuple[float, str] | None = None

    # --- what a dock asks -------------------------------------------------------------
    @property
    def is_on(self) -> bool:
        """Whether there is a preview."""
        return self._order is not None

    @property
    def task(self) -> Task | None:
        """What is being computed."""
        return self._task

    @property
    def is_settled(self) -> bool:
        """Whether the preview shows all that can be known about the seeds as they are."""
        stale = self._growth is not None and self._growth.is_stale and not self._gave_up
        waits = self._is_behind or self._renewal.isActive() or self._study is not None
        return self._job is None and not waits and not stale

    @property
    def growth(self) -> LiveGrowth | None:
        """What grows; to be touched only while no task is under way."""
        return self._growth

    @property
    def order(self) -> Order | None:
        """What is being grown."""
        return self._order

    # --- commands ---------------------------------------------------------------------
    def start(self, order: Order) -> None:
        """Grow by this order from now on; a preview that is there already is updated."""
        self._drop_job()
        self._renewal.stop()
        self._growth = self._parked = None
        self._open(order)
        self._run("start")

    def start_soon(self, make_order: Callable[[], Order]) -> None:
        """Grow by another order once no further change of it comes; without a preview, don't."""
        if self._order is not None:
            self._make_order = make_order
            self._renewal.start()

    def park(self) -> None:
        """Take the preview away, but keep what was computed for `resume`."""
        # A step under way may not be disturbed, and nobody could tell when it ends.
        is_idle = self._job is None
        parked = self._order, self._growth
        self.stop()
        if is_idle and parked[0] is not None and parked[1] is not None:
            self._parked = parked[0], parked[1]

    def resume(self, time: int | None) -> bool:
        """Go on with what was parked; False if there is nothing for this time point."""
        if self._parked is None:
            return False
        (order, growth), self._parked = self._parked, None
        if order.seeds not in self._viewer.layers or order.time != time:
            return False
        self._growth = growth
        self._open(order)
        self._growth.shown = self.preview.frame(order.time)
        self._growth.forget_shown()
        self._run("follow")
        return True

    def forget(self) -> None:
        """Give up what was parked: it does not fit any more."""
        self._parked = None

    def stop(self) -> None:
        """End growing and take the preview away."""
        self._drop_job()
        self._rest.stop()
        self._renewal.stop()
        self._watch.watch(None)
        self._order = self._growth = self._parked = None
        self._is_behind = False
        self.preview.close()
        self.state_changed.emit()

    def follow(self, *, on: bool) -> None:
        """Follow every edit, or wait for `update`."""
        self.is_following = on
        if on:
            self.update()

    def update(self) -> None:
        """Take up all edits now."""
        if self._order is None:
            return
        if self._job is not None:
            self._is_behind = True
        else:
            self._run("follow")

    def _open(self, order: Order) -> None:
        self._order = order
        self._is_behind = False
        self._watch.watch(order.seeds)
        self.preview.open(order.source, order.seeds)

    # --- jobs -------------------------------------------------------------------------
    def _on_edit(self) -> None:
        if self.is_following:
            self.update()

    def _run(self, task: Task) -> None:
        assert self._order is not None
        self._rest.stop()
        if task != "adopt":
            self._is_behind = self._gave_up = False
        self._task = task
        work = self._work(task, self._order)
        job = runner_for(self._viewer).run_in_background(work, TITLE, self)
        self._job = job
        job.finished.connect(self._on_finished)
        job.failed.connect(self._on_failed)
        job.cancelled.connect(self._on_cancelled)
        job.progressed.connect(self._on_progress)
        self.state_changed.emit()

    def _work(self, task: Task, order: Order) -> Callable[[Progress], Outcome]:
        growth, source, time = self._growth, order.source, order.time
        shown = self.preview.frame(time)
        data = order.seeds.data
        learned = self._learned

        def start(progress: Progress) -> Outcome:
            seeds = frame_of(data, source, time)
            plan = order.planner.plan(seeds, progress)
            prepare_growth(plan, seeds[plan.region], progress)
            live = LiveGrowth(plan, shown)
            return live, live.follow(seeds, progress)

        def follow(progress: Progress) -> Outcome:
            seeds = frame_of(data, source, time)
            if growth is None or not order.planner.still_fits(growth.plan, seeds):
                return start(progress)
            return growth, growth.follow(seeds, progress)

        def adopt(_progress: Progress) -> Outcome:
            assert growth is not None
            return growth, growth.adopt(learned)

        return {"start": start, "follow": follow, "adopt": adopt}[task]

    def _on_finished(self, outcome: Outcome) -> None:
        assert self._order is not None
        before = self._growth
        self._growth, growth = outcome
        if self._growth is not before:
            self._drop_learning()
        self._end_job()
        time = self._order.time
        if growth is not None:
            is_part = self._growth.plan.region != whole(self._order.source.grid_shape)
            if self._growth is not before and is_part:
                self.preview.clear(time)
            if self.preview.write(growth, time):
                self._growth.shown = self.preview.frame(time)
            self._growth.confirm(growth)
            self.grown.emit(growth)
        self._go_on()

    def _on_failed(self, sentence: str) -> None:
        # It would fail again: nothing more is tried until the seeds are others.
        self._gave_up = True
        self._end_job()
        self.failed.emit(sentence)
        self._go_on()

    def _on_cancelled(self) -> None:
        if self.sender() is self._job:
            self._end_job()
            self._go_on()

    def _on_progress(self, fraction: float, message: str, _seconds_left: float) -> None:
        self.progress = (fraction, message)
        self.state_changed.emit()

    def _end_job(self) -> None:
        self._job = self._task = None
        self.progress = None
        self.state_changed.emit()

    def _go_on(self) -> None:
        if self._order is None:
            return
        if self._learned is not None:
            self._run("adopt")
            self._learned = None
        elif self._is_behind:
            self._run("follow")
        elif self._growth is not None and self._growth.is_stale and not self._gave_up:
            self._rest.start()

    def _renew(self) -> None:
        assert self._make_order is not None
        try:
            self.start(self._make_order())
        except SegSuiteError as error:
            self.failed.emit(str(error))

    # --- learning ---------------------------------------------------------------------
    def _learn_if_stale(self) -> None:
        growth = self._growth
        if self._study is not None or growth is None or not growth.is_stale:
            return
        # It computes with kernels of this package alone, which may run beside others.
        job = runner_for(self._viewer).run_in_background(
            growth.study, "Learn from the seeds", self, uses_kernels=False
        )
        self._study = job
        job.finished.connect(lambda study: self._on_learned(job, study))
        job.failed.connect(lambda sentence: self._on_learning_failed(job, sentence))
        job.progressed.connect(self._on_progress)
        self.state_changed.emit()

    def _on_learned(self, job: Job, study: Any) -> None:
        if job is self._study:
            self._study, self.progress = None, None
            self._learned = study
            if self._job is None:
                self._go_on()

    def _on_learning_failed(self, job: Job, sentence: str) -> None:
        if job is self._study:
            self._study, self.progress = None, None
            # A step under way brings other seeds, with which it is worth another try.
            self._gave_up = self._job is None
            self.failed.emit(sentence)
            self.state_changed.emit()

    def _drop_learning(self) -> None:
        if self._study is not None:
            self._study.progressed.disconnect(self._on_progress)
            self._study.cancel()
            self.progress = None
        self._study = self._learned = None

    def _drop_job(self) -> None:
        self._drop_learning()
        if self._job is not None:
            job, self._job, self._task = self._job, None, None
            self.progress = None
            job.progressed.disconnect(self._on_progress)
            job.finished.disconnect(self._on_finished)
            job.failed.disconnect(self._on_failed)
            job.cancelled.disconnect(self._on_cancelled)
            job.cancel()
