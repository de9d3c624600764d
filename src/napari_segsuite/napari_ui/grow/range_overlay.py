"""Showing on the image which voxels lie in a range of intensities."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject

from ...growing.limits import Limits, allowed
from ...progress import Progress
from ...typing import ImageArray, MaskArray
from ..adapters import METADATA_KEY
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
        self._source: ImageSource | None = None
        self._job: Job | None = None

    def show(
        self,
        source: ImageSource,
        load: Callable[[], ImageArray],
        value_range: tuple[float, float],
    ) -> None:
        """Show where the intensities that `load` returns lie in a range; newest wins."""

        def work(_progress: Progress) -> MaskArray:
            inside = allowed(load(), Limits(value_range))
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
        self._layer = self._source = None

    def _put(self, source: ImageSource, inside: MaskArray) -> None:
        from napari.layers import Labels
        from napari.utils.colormaps import DirectLabelColormap

        values = inside.view(np.uint8)
        if source.layer not in self._viewer.layers:
            return
        if self._layer in self._viewer.layers and self._shows(source):
            self._layer.data = values
            return
        self.hide()
        self._source = source
        colours = {None: "transparent", 0: "transparent", 1: _COLOUR}
        self._layer = Labels(
            values,
            name=f"{source.name} range",
            opacity=_OPACITY,
            metadata={METADATA_KEY: {}},  # no chooser takes it for seeds by itself
            colormap=DirectLabelColormap(color_dict=colours),
            **source.grid.to_layer_kwargs(),
        )
        self._layer.editable = False
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(layers.index(source.layer) + 1, self._layer)  # beneath what is painted
        layers.selection.active = active

    def _shows(self, source: ImageSource) -> bool:
        shown = self._source
        return (
            shown is not None
            and shown.layer is source.layer
            and (shown.space, shown.shape) == (source.space, source.shape)
        )
