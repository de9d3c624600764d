"""The layer that shows a preview; it belongs to the form, not to the user."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...image import Image, Segmentation
from ..adapters import METADATA_KEY, PREVIEW_KEY, layer_data

if TYPE_CHECKING:
    import napari.layers
    from napari.components import ViewerModel

_NAME = "preview"
# What places a layer, but for where it starts: a slice moves along with the slider.
_GRID = ("scale", "rotate", "shear", "affine", "units", "axis_labels", "rgb")


class PreviewOverlay:
    """A layer that comes with the first preview and goes with `hide`.

    Parameters
    ----------
    viewer : ViewerModel
    on_removed : callable
        Called without arguments when the user removes the layer.
    """

    def __init__(self, viewer: ViewerModel, on_removed: Callable[[], object]) -> None:
        self._viewer = viewer
        self._on_removed = on_removed
        self._layer: Any = None
        self._grid: dict[str, Any] = {}
        self._covered: weakref.ref[Any] | None = None
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def layer(self) -> Any:
        """The layer, None while there is none."""
        return self._layer

    def show(
        self,
        value: Segmentation | Image,
        *,
        colours_of: napari.layers.Labels | None = None,
        covers: napari.layers.Layer | None = None,
    ) -> None:
        """Show a preview.

        Parameters
        ----------
        value : Segmentation or Image
        colours_of : Labels, optional
            The preview takes the colours of this layer and lies beneath it.
        covers : Layer, optional
            An older result, out of sight while there is a preview.
        """
        data, kwargs, kind = layer_data(value)
        grid = {name: kwargs.get(name) for name in _GRID}
        if self._layer is None or not _is_same(grid, self._grid):
            self.hide()
            self._add(data, kwargs, kind, colours_of)
            self._grid = grid
        else:
            self._layer.data = data
            if tuple(self._layer.translate) != tuple(kwargs["translate"]):
                self._layer.translate = kwargs["translate"]
        self._layer.editable = False  # napari takes that back with each new array
        if covers is not None and covers.visible:
            covers.visible = False
            self._covered = weakref.ref(covers)

    def hide(self) -> None:
        """Take the layer away, and show again what it covered."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        covered = self._covered() if self._covered is not None else None
        self._covered = None
        if covered is not None:
            covered.visible = True

    def close(self) -> None:
        """Take the layer away for good."""
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)
        self.hide()

    def _add(
        self, data: Any, kwargs: dict[str, Any], kind: str, beneath: napari.layers.Labels | None
    ) -> None:
        from napari.layers import Layer

        # A result's mark, without a history: nothing takes it for the user's own labels.
        marks = {METADATA_KEY: {}, PREVIEW_KEY: True}
        layer = Layer.create(data, {**kwargs, "name": _NAME, "metadata": marks}, kind)
        layers = self._viewer.layers
        if beneath is not None and kind == "labels":
            layer.colormap = copy.deepcopy(beneath.colormap)
        active = layers.selection.active
        self._layer = layer
        layers.insert(layers.index(beneath) if beneath in layers else len(layers), layer)
        layers.selection.active = active

    def _on_layer_removed(self, event: Any) -> None:
        if self._layer is not None and event.value is self._layer:
            self.hide()
            self._on_removed()


def _is_same(grid: dict[str, Any], other: dict[str, Any]) -> bool:
    return grid.keys() == other.keys() and all(
        np.array_equal(grid[name], other[name]) for name in grid
    )
