"""Handing what was found at one time point on to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import FloatSpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ...growing.next_frame import seeds_from_result
from ...progress import Progress
from ...typing import LabelArray
from ..form_parts import add_row, form_rows
from ..runner import Job, runner_for
from .controller import GrowController
from .regions import go_to
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_EROSION = 2.0
_LARGEST = 1e6


class TimePanel(QWidget):
    """Seeds of the next time point from the eroded preview of this one.

    Parameters
    ----------
    viewer : ViewerModel
    controller : GrowController

    Attributes
    ----------
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, controller: GrowController) -> None:
        super().__init__()
        self._viewer = viewer
        self._controller = controller
        self._job: Job | None = None
        self.erosion = FloatSpinBox(
            value=_EROSION,
            min=0,
            max=_LARGEST,
            label="Erosion",
            tooltip="How far borders may move from one time point to the next.",
        )
        self.button = QPushButton("Propagate to the next time point")
        self.button.setToolTip(
            "Seed the next time point with the eroded preview of this one. What is painted "
            "there already stays; Ctrl+Z takes the seeds back."
        )
        self.button.clicked.connect(self.propagate)
        rows = form_rows()
        add_row(rows, self.erosion)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.button)

    def set_unit(self, unit: str | None) -> None:
        """Show the erosion in the unit of the image."""
        self.erosion.native.setSuffix(f" {unit or 'px'}")

    def propagate(self) -> None:
        """Seed the next time point, and go there."""
        order = self._controller.order
        if order is None or order.time is None:
            self.said.emit("Start the preview on a time series first.", True)
            return
        axis = order.source.time_axis
        assert axis is not None
        if order.seeds.ndim == order.source.grid.ndim:
            self.said.emit(
                "These seeds hold for all time points; make a new seeds layer to seed each.",
                True,
            )
            return
        following = order.time + 1
        if following >= order.source.labels_shape[axis]:
            self.said.emit("This is the last time point.", True)
            return
        result = self._controller.preview.frame(order.time).copy()
        painted = frame_of(order.seeds.data, order.source, following).copy()
        spacing, erosion = order.source.grid.spacing, float(self.erosion.value)

        def work(_progress: Progress) -> tuple[tuple[Any, ...], LabelArray]:
            seeds = seeds_from_result(result, spacing, erosion, keep=painted)
            places = np.nonzero(seeds != painted)
            return places, seeds[places]

        self._job = runner_for(self._viewer).run_in_background(
            work, "Propagate", self, supersedes=self._job
        )
        self._job.finished.connect(
            lambda found: self._seed(order.seeds, order.source, following, *found)
        )
        self._job.failed.connect(lambda sentence: self.said.emit(sentence, True))

    def _seed(
        self,
        layer: Any,
        source: ImageSource,
        time: int,
        places: tuple[Any, ...],
        values: LabelArray,
    ) -> None:
        axis = source.time_axis
        if axis is None or layer not in self._viewer.layers:
            return
        if len(values):
            layer.data_setitem(source.places_in(layer, places, time), values)
        go_to(self._viewer, layer, axis, time)
        self.said.emit(f"Time point {time} is seeded; correct it where it needs to be.", False)
