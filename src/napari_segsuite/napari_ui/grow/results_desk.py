"""Applying a preview, cleaning up, taking back: everything that writes results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from ... import jobs
from ...errors import InputError, SegSuiteError
from ...growing.merging import merge
from ...growing.stamp import provenance_of, with_cleaning
from ...image import Image
from ...label_values import compact_labels, present_labels
from ...progress import Progress
from ...registry import get_method
from ...typing import LabelArray
from ..adapters import (
    METADATA_KEY,
    class_colormap,
    classes_in,
    features_with_classes,
    names_classes,
)
from ..runner import runner_for
from .cleaning_panel import Cleaning
from .result_keeper import Made, ResultKeeper
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

    from .controller import Order
    from .dock import GrowDock

APPLY = "Apply"
Clean = Callable[[LabelArray, Progress], LabelArray]


class ResultsDesk(QObject):
    """What the buttons do to results.

    Parameters
    ----------
    viewer : ViewerModel
    dock : GrowDock

    Attributes
    ----------
    keeper : ResultKeeper
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, dock: GrowDock) -> None:
        super().__init__(dock)
        self._dock = dock
        self._viewer = viewer
        self.keeper = ResultKeeper(viewer, self)
        self.keeper.written.connect(self._on_written)
        self.keeper.failed.connect(lambda sentence: self.said.emit(sentence, True))
        self._is_waiting = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._apply_if_settled)
        dock.cleaning.wanted.connect(self.clean)
        dock.controller.state_changed.connect(self._soon.start)
        dock.controller.failed.connect(self._wait_no_more)
        viewer.layers.events.removed.connect(self._on_removed)

    def apply(self) -> None:
        """Write the preview into the result, by the rule of the form, once it has caught up."""
        controller = self._dock.controller
        self._is_waiting = controller.is_on and not controller.is_settled
        if self._is_waiting:
            self.said.emit("The preview is catching up, and is applied then …", False)
            return
        try:
            self._apply()
            self.said.emit(f"{APPLY} …", False)
        except SegSuiteError as error:
            self.said.emit(str(error), True)

    def clean(self, cleaning: Cleaning, chosen_only: bool, target: str) -> None:
        """Run a post-processing method on the result, or on the seeds."""
        try:
            self._clean(cleaning, chosen_only, target)
            self.said.emit(f"{cleaning.title} …", False)
        except SegSuiteError as error:
            self.said.emit(str(error), True)

    # --- applying ---------------------------------------------------------------------
    def _apply_if_settled(self) -> None:
        controller = self._dock.controller
        if not controller.is_on:
            self._wait_no_more()
        elif self._is_waiting and controller.is_settled:
            self.apply()

    def _wait_no_more(self, _sentence: str = "") -> None:
        self._is_waiting = False

    def _apply(self) -> None:
        controller, panel = self._dock.controller, self._dock.applying
        order, growth = controller.order, controller.growth
        if order is None or growth is None or growth.engine is None:
            raise InputError("Nothing has grown yet; press Preview, or Update now.")
        rule = {
            "rule": panel.rule.value,
            "classes": self._chosen_class() if panel.rule.value == "classes" else (),
            "locked": self._dock.classes.locked_classes(),
            "background": panel.background_class,
        }
        plan = growth.plan
        # Painting may go on, and with it the preview, while this is written.
        grown = growth.shown[plan.region].copy()
        seeds = growth.engine.seeds.copy()

        def make(result: LabelArray, _progress: Progress) -> Made:
            record = provenance_of(plan, seeds, rule).to_dict()
            return Made(merge(result, grown, box=plan.region, **rule), record)

        target = self._target(order)
        is_new = target not in self._viewer.layers
        self.keeper.change(
            target, order.source, order.time, make, APPLY, beneath=order.seeds if is_new else None
        )

    def _target(self, order: Order) -> Labels:
        """The layer to write to, a new one where none is chosen."""
        target = self._dock.applying.target.value
        if target is None:
            name = f"{order.source.name} {get_method(order.planner.method).title}"
            return self.keeper.new_layer(order.source, order.seeds, name)
        self._require_result(target)
        return target

    def _require_result(self, layer: Labels) -> None:
        order = self._dock.controller.order
        if order is not None and layer in (order.seeds, self._dock.controller.preview.layer):
            raise InputError(
                f"expected a layer for the result, got '{layer.name}', which is what grows; "
                f"choose another one under 'Result', or none for a new one."
            )

    def _chosen_class(self) -> tuple[int]:
        current = self._dock.classes.current()
        if current is None:
            raise InputError("Choose a class in the table first.")
        return (current.id,)

    # --- cleaning ---------------------------------------------------------------------
    def _clean(self, cleaning: Cleaning, chosen_only: bool, target: str) -> None:
        source = self._dock.inputs.source()
        time = self._dock.time_of(source)
        work = self._cleaner(cleaning, self._chosen_class() if chosen_only else (), source)
        if target == "seeds":
            self._clean_seeds(self._dock.inputs.seeds_layer(source), source, time, work, cleaning)
            return
        layer = self._dock.applying.target.value
        if layer is None:
            raise InputError("Choose the result to clean under 'Result', or apply the preview.")
        self._require_result(layer)
        record = layer.metadata.get(METADATA_KEY, {})

        def make(labels: LabelArray, progress: Progress) -> Made:
            noted = with_cleaning(record, cleaning.method, cleaning.settings) if record else record
            return Made(work(labels, progress), noted)

        self.keeper.change(layer, source, time, make, cleaning.title)

    def _cleaner(self, cleaning: Cleaning, chosen: tuple[int, ...], source: ImageSource) -> Clean:
        """What a cleaning makes of labels; locked classes keep their voxels."""
        locked = self._dock.classes.locked_classes()
        if set(chosen) & set(locked):
            raise InputError("The chosen class is locked; unlock it in the table, or choose all.")
        method, grid = get_method(cleaning.method), source.grid

        def clean(labels: LabelArray, progress: Progress) -> LabelArray:
            classes = chosen
            if locked and not chosen:
                classes = tuple(i for i in present_labels(labels) if i not in locked)
                if not classes:
                    return labels
            settings = {**cleaning.settings, "classes": classes}
            image = Image(compact_labels(labels), grid)
            cleaned = jobs.segment(method, image, progress=progress, **settings).labels
            return merge(labels, cleaned, locked=locked)

        return clean

    def _clean_seeds(
        self, layer: Any, source: ImageSource, time: int | None, clean: Clean, cleaning: Cleaning
    ) -> None:
        """Through the layer's own editing, so that its own undo takes it back."""
        before = frame_of(np.asarray(layer.data), source, time).copy()
        largest = np.iinfo(layer.data.dtype).max

        def work(progress: Progress) -> tuple[Any, LabelArray]:
            after = clean(before, progress)
            places = np.nonzero(after != before)
            values = after[places]
            if values.max(initial=0) > largest:
                raise InputError(
                    f"expected seeds that hold labels up to {values.max()}, but '{layer.name}' "
                    f"holds up to {largest}; right-click it and convert its data type."
                )
            return places, values

        def put(found: tuple[Any, LabelArray]) -> None:
            places, values = found
            now = frame_of(layer.data, source, time)[places]
            untouched = now == before[places]  # since then somebody may have painted on
            places, values = tuple(index[untouched] for index in places), values[untouched]
            if layer in self._viewer.layers and len(values):
                layer.data_setitem(source.places_in(layer, places, time), values)
            self.said.emit(f"{cleaning.title}: {len(values)} voxels of '{layer.name}'.", False)

        job = runner_for(self._viewer).run_in_background(work, cleaning.title, self)
        job.finished.connect(put)
        job.failed.connect(lambda sentence: self.said.emit(sentence, True))

    # --- what happened ----------------------------------------------------------------
    def _on_written(self, name: str, layer: Any, is_changed: bool) -> None:
        self._show_steps()
        if name == APPLY:
            self._end_preview(layer)
        if is_changed:
            self._dock.work.panel.note_edit()
            self._dock.applying.target_changed.emit()
        if not self._dock.controller.is_on:
            self._dock.classes.update_counts(np.asarray(layer.data))
        words = f"{name}: '{layer.name}'." if is_changed else f"{name}: nothing to change."
        self.said.emit(words, False)

    def _end_preview(self, layer: Any) -> None:
        seeds = self._dock.inputs.seeds.value
        if seeds is not None:
            _hand_on_classes(seeds, layer, keeps_own=not self.keeper.is_own(layer))
        target = self._dock.applying.target
        if target.value is not layer and layer in self._viewer.layers:
            target.refresh()
            target.value = layer
        self._dock.controller.park()
        layer.visible = True

    def _on_removed(self, _event: Any = None) -> None:
        if isalive(self):
            self._show_steps()

    def _show_steps(self) -> None:
        self._dock.commands.show_steps(self.keeper.undo_name, self.keeper.redo_name)


def _hand_on_classes(seeds: Labels, layer: Labels, *, keeps_own: bool) -> None:
    """Give a result the classes of the seeds, but for those that are to stay its own."""
    given, own = (
        {entry.id: entry for entry in classes_in(one.features, one.colormap)}
        if names_classes(one.features)
        else {}
        for one in (seeds, layer)
    )
    table = given | own if keeps_own else own | given
    classes = tuple(table[index] for index in sorted(table))
    if classes != tuple(own.values()):
        layer.features = features_with_classes(layer.features, classes)
        layer.colormap = class_colormap(classes, layer.colormap)
