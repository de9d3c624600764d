"""Showing on the image which voxels lie in a range of intensities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject

from ...growing.channels import first_channel
from ...growing.limits import Limits, allowed
from ...progress import Progress
from ...typing import MaskArray
from ..runner import Job, runner_for
from .source import ImageSource

if TYPE_CHECKING:
    from napari.components import ViewerModel

_COLOUR = (0.0, 1.0, 1.0, 1.0)
_OPACITY = 0.25


class RangeOverlay(QObject):
    """A layer of the plugin's own, computed in the background for each range.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject
    """

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Any = None
        self._job: Job | None = None

    def show(self, source: ImageSource, time: int | None, value_range: tuple[float, float]) -> None:
        """Show where the first channel lies in a range; newest wins."""

        def work(_progress: Progress) -> MaskArray:
            image = source.load(time, channels=(0,))
            inside = allowed(first_channel(image), Limits(value_range))
            assert inside is not None
            return inside

        self._job = runner_for(self._viewer).run_in_background(
            work, "Range", self, supersedes=self._job, uses_kernels=False
        )
        self._job.finished.connect(lambda inside: self._put(source, inside))

    def hide(self) -> None:
        """Take the layer away."""
        if self._job is not None:
            self._job.cancel()
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _put(self, source: ImageSource, inside: MaskArray) -> None:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        values = inside.view(np.uint8)
        layer = self._layer
        if layer is not None and layer in self._viewer.layers and layer.data.shape == values.shape:
            layer.data = values
            return
        self.hide()
        colours = {None: "transparent", 0: "transparent", 1: _COLOUR}
        self._layer = Labels(
            values,
            name=f"{source.name} range",
            opacity=_OPACITY,
            colormap=DirectLabelColormap(color_dict=colours),
            **source.grid.to_layer_kwargs(),
        )
        self._layer.editable = False
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(self._layer)
        self._viewer.layers.selection.active = active
