"""From the parts of the form to an order for the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...growing.limits import Limits
from ...growing.planner import Planner
from ...typing import Box, LabelArray
from ..class_table import ClassTable
from ..settings import preferences
from .apply_panel import ApplyPanel
from .controller import Order
from .engine_panel import EnginePanel
from .inputs_panel import InputsPanel, check_grid
from .limits_panel import LimitsPanel
from .regions import box_of_layer, step_of
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel


class OrderMaker:
    """Reads the parts of the form.

    Parameters
    ----------
    viewer : ViewerModel
    inputs, classes, engine, limits, applying : QWidget
    """

    def __init__(
        self,
        viewer: ViewerModel,
        inputs: InputsPanel,
        classes: ClassTable,
        engine: EnginePanel,
        limits: LimitsPanel,
        applying: ApplyPanel,
    ) -> None:
        self._viewer = viewer
        self._inputs = inputs
        self._classes = classes
        self._engine = engine
        self._limits = limits
        self._applying = applying

    def order(self) -> Order:
        """What the form asks for now.

        Raises
        ------
        SegSuiteError
            If something is missing or does not fit.
        """
        source = self._inputs.source()
        seeds = self._inputs.seeds_layer(source)
        if not isinstance(seeds.data, np.ndarray):
            raise InputError(
                f"expected seeds in memory, but '{seeds.name}' is lazy; make a new seeds layer."
            )
        if seeds is self._inputs.image.value or seeds is self._applying.target.value:
            raise InputError("expected different layers for seeds and result; choose another one.")
        time = self.time(source)
        return Order(
            source=source,
            seeds=seeds,
            time=time,
            planner=self._planner(source, time),
        )

    def time(self, source: ImageSource) -> int | None:
        """The time point on display; None without an axis of time."""
        axis = source.layer_time_axis
        if axis is None:
            return None
        step = step_of(self._viewer, source.layer)[axis]
        return int(np.clip(step, 0, source.shape[axis] - 1))

    # --- parts ------------------------------------------------------------------------
    def _planner(self, source: ImageSource, time: int | None) -> Planner:
        channels = self._inputs.chosen_channels()

        def load(box: Box) -> Any:
            return source.load(time, channels, box)

        mask, result = self._limits.mask.value, self._applying.target.value
        locked = self._classes.locked_classes()
        return Planner(
            load=load,
            grid=source.grid,
            shape=source.grid_shape,
            n_channels=len(channels) or source.n_channels,
            method=self._engine.method_id,
            settings=self._engine.settings(),
            limits=self._bounds(source, time, locked),
            mask=self._frame(mask, "mask", source, time),
            result=self._frame(result if locked else None, "result", source, time),
            others=self._inputs.other_images(time),
            smoothing=float(self._applying.smoothing.value),
            background=self._applying.background_class,
            memory_limit=preferences().memory_limit,
        )

    def _bounds(self, source: ImageSource, time: int | None, locked: tuple[int, ...]) -> Limits:
        region, box = self._limits.region.value, None
        if region == "box":
            if self._limits.box.value is None:
                raise InputError("Choose the layer in which the box is drawn, under 'Box'.")
            box = box_of_layer(self._limits.box.value, source, time)
        return Limits(
            value_range=self._limits.value_range,
            box=box,
            margin=float(self._limits.margin.value) if region == "seeds" else None,
            locked=locked,
        )

    @staticmethod
    def _frame(layer: Any, name: str, source: ImageSource, time: int | None) -> LabelArray | None:
        if layer is None:
            return None
        check_grid(layer, name, source)
        return frame_of(layer.data, source, time)
