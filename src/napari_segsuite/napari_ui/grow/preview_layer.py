"""The layer that shows what the seeds grow to; it comes and goes with the preview."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ...growing.live import Growth
from ...typing import LabelArray
from ..adapters import METADATA_KEY
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    import napari.layers
    from napari.components import ViewerModel

_OPACITY = 0.5


class PreviewLayer:
    """The plugin's own labels layer beneath the seeds.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Any = None
        self._source: ImageSource | None = None

    @property
    def layer(self) -> Any:
        """The layer, None while there is none in the viewer."""
        return self._layer if self._layer in self._viewer.layers else None

    def open(self, source: ImageSource, seeds: napari.layers.Labels) -> None:
        """Have an empty layer for this image and these seeds, unless it is there already."""
        if self.layer is not None and self._source is not None:
            if self._source.space == source.space and self._source.shape == source.shape:
                return
            self.close()
        self._source = source
        active = self._viewer.layers.selection.active
        layers = self._viewer.layers
        self._layer = _labels_layer(source, seeds)
        layers.insert(layers.index(seeds) if seeds in layers else len(layers), self._layer)
        layers.selection.active = active

    def frame(self, time: int | None) -> LabelArray:
        """View of the labels of one time point."""
        assert self._source is not None
        return frame_of(self._layer.data, self._source, time)

    def write(self, growth: Growth, time: int | None) -> bool:
        """Show what a step brought; True if the array had to be replaced by a wider one."""
        layer = self.layer
        if layer is None:
            return False
        is_wider = bool(growth.labels.dtype.itemsize > layer.data.dtype.itemsize)
        if is_wider:
            layer.data = layer.data.astype(growth.labels.dtype)
        self.frame(time)[growth.box] = growth.labels
        self.refresh()
        return is_wider

    def clear(self, time: int | None) -> None:
        """Show nothing at one time point."""
        if self.layer is not None:
            self.frame(time)[...] = 0
            self.refresh()

    def refresh(self) -> None:
        """Draw anew what the array holds; not the thumbnail, which takes as long again."""
        if self._layer.visible:
            self._layer.refresh(extent=False, thumbnail=False, highlight=False)

    def close(self) -> None:
        """Take the layer away."""
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)
        self._layer = None


def _labels_layer(source: ImageSource, seeds: napari.layers.Labels) -> Any:
    from napari.layers import Labels

    layer = Labels(
        # The system hands out pages of zeros as they are first written to.
        np.zeros(source.labels_shape, np.uint8),
        name=f"{source.name} preview",
        opacity=_OPACITY,
        metadata={METADATA_KEY: {}},  # no chooser takes it for seeds by itself
        features=seeds.features.copy(),
        colormap=copy.deepcopy(seeds.colormap),
        **source.labels_space.to_layer_kwargs(),
    )
    layer.editable = False
    return layer
