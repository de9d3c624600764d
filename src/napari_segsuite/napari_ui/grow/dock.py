"""Grow from seeds: paint, and watch the labels follow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...errors import SegSuiteError
from ...growing.channels import first_channel
from ...growing.limits import suggest_range
from ...growing.live import Growth
from ...progress import Progress
from ...typing import ImageArray
from ...warmup import wake_numba
from ..class_table import ClassTable
from ..form_parts import FittingScrollArea, Fold
from ..runner import runner_for
from .apply_panel import ApplyPanel
from .certainty_panel import CertaintyPanel
from .cleaning_panel import CleaningPanel
from .command_bar import CommandBar
from .controller import TITLE, GrowController, Order
from .engine_panel import EnginePanel
from .inputs_panel import NO_IMAGE, NO_SEEDS, InputsPanel
from .limits_panel import LimitsPanel
from .order_maker import OrderMaker
from .range_overlay import RangeOverlay
from .results_desk import ResultsDesk
from .shortcuts import bind
from .source import ImageSource, frame_of
from .status import describe
from .time_panel import TimePanel
from .work_desk import WorkDesk

if TYPE_CHECKING:
    import napari.viewer

_READY = "Paint a stroke of each of two classes at least, and press Preview."


class GrowDock(QWidget):
    """Paint seeds, preview what they grow to, apply it to a result.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    inputs, engine, limits, applying, certainty, cleaning, time, commands : QWidget
        The parts of the form.
    classes : ClassTable
    controller : GrowController
    desk : ResultsDesk
        Applies, cleans, and takes back.
    work : WorkDesk
        Saves and resumes.
    message : str
        What the status line says.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.controller = GrowController(self._viewer, self)
        self.inputs = InputsPanel(self._viewer)
        self.classes = ClassTable(self._viewer)
        self.engine = EnginePanel()
        self.limits = LimitsPanel(self._viewer)
        self.applying = ApplyPanel(self._viewer)
        self.certainty = CertaintyPanel(self._viewer, self.controller)
        self.cleaning = CleaningPanel()
        self.time = TimePanel(self._viewer, self.controller)
        self.commands = CommandBar()
        self._maker = OrderMaker(
            self._viewer, self.inputs, self.classes, self.engine, self.limits, self.applying
        )
        self.desk = ResultsDesk(self._viewer, self)
        self.work = WorkDesk(self._viewer, self)
        self._overlay = RangeOverlay(self._viewer, self)
        self._shown_time: int | None = None
        self._is_closed = False
        self._shown_layers: tuple[Any, Any] = (None, None)
        self._lay_out()
        self._connect()
        self._on_inputs()
        runner_for(self._viewer).run_in_background(wake_numba, TITLE, self)

    @property
    def message(self) -> str:
        """What the status line says."""
        return str(self.commands.message.text())

    # --- what the buttons do ----------------------------------------------------------
    def preview(self) -> None:
        """Start growing; once there is a preview, bring it up to date."""
        if self.controller.is_on:
            self.controller.update()
            return
        with self._saying_problems():
            if not self.controller.resume(self.time_of(self.inputs.source())):
                self.controller.start(self._maker.order())
            self.say("Growing …")

    def cancel(self) -> None:
        """Take the preview away; nothing else changes."""
        was_on = self.controller.is_on
        self.controller.stop()
        if was_on:
            self.say("The preview is gone; seeds and results are as they were.")

    def new_seeds(self) -> None:
        """Add an empty layer on the grid of the image, and paint into it."""
        with self._saying_problems():
            self.inputs.new_seeds()

    def toggle_live(self) -> None:
        """Follow every stroke, or wait for Update now."""
        self.commands.live.toggle()

    def say(self, text: str, is_problem: bool = False) -> None:
        """Show a sentence below the buttons."""
        self.commands.say(text, is_problem=is_problem)

    def changeEvent(self, event: QEvent) -> None:
        """End the preview once the dock is closed; it may be opened again."""
        if event.type() == QEvent.Type.ParentChange:
            self._is_closed = self.parent() is None
            if self._is_closed:
                self.controller.stop()
                self._overlay.hide()
            else:
                self._on_layers()
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        self._time_fold = Fold("Time", self.time)
        area = FittingScrollArea(
            [
                self.inputs,
                self.classes,
                self.engine,
                Fold("Where growth may go", self.limits),
                Fold("Result", self.applying),
                Fold("How sure it is", self.certainty),
                Fold("Clean up", self.cleaning),
                self._time_fold,
                Fold("Save and resume", self.work.panel),
            ]
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.work.panel.resume_button)
        layout.addWidget(area)
        layout.addWidget(self.commands)
        layout.addStretch()

    def _connect(self) -> None:
        commands, controller = self.commands, self.controller
        actions = {
            "preview": self.preview,
            "pause": self.toggle_live,
            "apply": self.desk.apply,
            "cancel": self.cancel,
            "undo": self.desk.keeper.undo,
            "redo": self.desk.keeper.redo,
            "least_certain": self.certainty.go_to_least_certain,
        }
        bind(self, actions)
        for name in ("preview", "apply", "cancel", "undo", "redo"):
            getattr(commands, name).clicked.connect(lambda _on=False, do=actions[name]: do())
        self.inputs.new_button.clicked.connect(lambda _on=False: self.new_seeds())
        commands.live_changed.connect(lambda on: controller.follow(on=on))
        controller.grown.connect(self._on_grown)
        controller.failed.connect(lambda sentence: self.say(sentence, True))
        controller.state_changed.connect(self._on_state)
        for panel in (self.certainty, self.time, self.desk, self.work):
            panel.said.connect(self.say)
        self.inputs.changed.connect(self._on_inputs)
        for changed in (self.engine.changed, self.limits.changed, self.applying.changed):
            changed.connect(self._on_settings)
        self.applying.target_changed.connect(self._on_target)
        self.classes.locks_changed.connect(self._on_settings)
        self.classes.changed.connect(self._on_classes)
        self.limits.range_changed.connect(self._show_range)
        self.limits.suggestion_wanted.connect(self._suggest_range)
        # napari's emitters drop whoever is gone by themselves.
        for name in ("inserted", "removed", "reordered", "renamed"):
            getattr(self._viewer.layers.events, name).connect(self._on_layers)
        self._viewer.dims.events.current_step.connect(self._on_slider)

    @contextlib.contextmanager
    def _saying_problems(self) -> Any:
        try:
            yield
        except SegSuiteError as error:
            self.say(str(error), True)

    # --- what happens elsewhere -------------------------------------------------------
    def _is_in_use(self) -> bool:
        return isalive(self) and not self._is_closed

    def _on_layers(self, _event: Any = None) -> None:
        if not self._is_in_use():
            return
        order = self.controller.order
        if order is not None and not (
            order.seeds in self._viewer.layers
            and order.source.layer in self._viewer.layers
            and self.controller.preview.layer is not None
        ):
            self._end_preview("as one of its layers was removed")
        for part in (self.inputs, self.limits, self.applying.target):
            part.refresh()

    def _on_inputs(self) -> None:
        """Show what belongs to the chosen image; a preview of another one ends."""
        if not self._is_in_use():
            return
        source = self._source()
        unit = None if source is None else source.grid.unit
        for panel in (self.engine, self.limits, self.applying, self.cleaning, self.time):
            panel.set_unit(unit)
        if self.controller.order is not None:
            self._check_fit(self.controller.order)
        self._time_fold.setVisible(source is not None and source.time_axis is not None)
        self._on_state()
        self.work.look_for(self.inputs.image.value)
        image = self.inputs.image.value
        self._show_what_is_missing()
        if image is not None:
            self.limits.set_image_range(*(float(v) for v in image.contrast_limits_range))
        self._show_range()
        self._on_settings()

    def _show_what_is_missing(self) -> None:
        if self.controller.is_on:
            return
        if self.inputs.image.value is None:
            self.say(NO_IMAGE)
        elif self.inputs.seeds.value is None:
            self.say(NO_SEEDS)
        elif self.message in (NO_IMAGE, NO_SEEDS):
            self.say(_READY)

    def _check_fit(self, order: Order) -> None:
        """End the preview if image or seeds are not any more what it is made of."""
        try:
            source = self.inputs.source()
            seeds = self.inputs.seeds_layer(source)
        except SegSuiteError as error:
            self._end_preview(str(error), is_problem=True)
            return
        if (source.space, source.shape) != (order.source.space, order.source.shape):
            self._end_preview("as the image lies on another grid")
        elif seeds is not order.seeds:
            self._end_preview("as other seeds were chosen")

    def _end_preview(self, reason: str, is_problem: bool = False) -> None:
        self.controller.stop()
        words = f"The preview ended: {reason}" if is_problem else f"The preview ended, {reason}."
        self.say(words, is_problem)

    def time_of(self, source: ImageSource) -> int | None:
        """The time point on display; None without an axis of time."""
        return self._maker.time(source)

    def _source(self) -> ImageSource | None:
        try:
            return self.inputs.source()
        except SegSuiteError:
            return None

    def _on_settings(self) -> None:
        self.controller.forget()
        self.controller.start_soon(self._maker.order)

    def _on_target(self) -> None:
        if self.classes.locked_classes():
            self._on_settings()

    def _on_slider(self, _event: Any = None) -> None:
        """Go on at the time point on display."""
        source = self._source() if self._is_in_use() else None
        if source is None or source.time_axis is None:
            return
        time, order = self._maker.time(source), self.controller.order
        if time != self._shown_time:
            self._shown_time = time
            self._show_range()
        if order is not None and order.time != time:
            self.controller.start_soon(self._maker.order)

    def _on_classes(self) -> None:
        self.applying.set_classes({entry.id: entry.name for entry in self.classes.classes()})

    def _on_state(self) -> None:
        controller = self.controller
        self.commands.show_state(is_on=controller.is_on, can_start=self._source() is not None)
        self.commands.show_progress(controller.progress)
        layers = (self.inputs.seeds.value, controller.preview.layer)
        if layers != self._shown_layers:
            self._shown_layers = layers
            self.classes.set_layers(*layers)

    def _on_grown(self, growth: Growth) -> None:
        self.work.panel.note_edit()
        self.classes.update_counts(growth.counts)
        order, live = self.controller.order, self.controller.growth
        assert order is not None
        assert live is not None
        self.say(describe(growth, live.plan.region, order))

    # --- the range of intensities -----------------------------------------------------
    def _show_range(self) -> None:
        source, chosen = self._source(), self.limits.value_range
        if source is None or chosen is None or not self.limits.shows_range:
            self._overlay.hide()
        else:
            self._overlay.show(source, self._intensities(source), chosen)

    def _intensities(self, source: ImageSource) -> Callable[[], ImageArray]:
        """What loads the channel that the range bounds, at the time point on display."""
        channels = self.inputs.chosen_channels()[:1] or (0,)
        time = self._maker.time(source)
        return lambda: first_channel(source.load(time, channels))

    def _suggest_range(self) -> None:
        try:
            source = self.inputs.source()
            layer = self.inputs.seeds_layer(source)
        except SegSuiteError as error:
            self.say(str(error), True)
            return
        load, current = self._intensities(source), int(layer.selected_label)
        seeds = frame_of(layer.data, source, self.time_of(source))

        def work(_progress: Progress) -> tuple[float, float]:
            return suggest_range(load(), seeds, [current])

        job = runner_for(self._viewer).run_in_background(work, "Range", self, uses_kernels=False)
        job.finished.connect(lambda found: self.limits.set_range(*found))
        job.failed.connect(lambda sentence: self.say(sentence, True))
