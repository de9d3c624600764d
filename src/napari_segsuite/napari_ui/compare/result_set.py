"""The layers of a comparison: one per entry, shown one at a time or side by side."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ...image import Segmentation
from ..results import ResultLayers

if TYPE_CHECKING:
    from napari.components import ViewerModel

_LINKED = ("opacity", "contour", "blending")


class ResultSet:
    """Layers of results, linked in how they look.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._writers: dict[str, ResultLayers] = {}
        self._layers: dict[str, weakref.ref[Any]] = {}

    @property
    def layers(self) -> dict[str, Any]:
        """The layers that are still there, by name of the entry."""
        found = {name: reference() for name, reference in self._layers.items()}
        return {
            name: layer
            for name, layer in found.items()
            if layer is not None and layer in self._viewer.layers
        }

    @property
    def _grid(self) -> Any:
        # The viewer's own attribute until napari 0.9.
        return getattr(self._viewer, "canvas", self._viewer).grid

    def put(self, name: str, result: Segmentation) -> str:
        """Show a result in the layer of its entry, and say why if that is a new one.

        Parameters
        ----------
        name : str
            Of the entry.
        result : Segmentation
        """
        writer = self._writers.setdefault(name, ResultLayers(self._viewer))
        active = self._viewer.layers.selection.active
        layer_name, notice = writer.show(result, update=True)
        layer = self._viewer.layers[layer_name]
        if self.layers.get(name) is not layer:
            self._layers[name] = weakref.ref(layer)
            self._link()
        if active is not None:
            self._viewer.layers.selection.active = active
        if not self._grid.enabled:
            self.show_only(name)
        return notice

    def show_only(self, name: str) -> None:
        """Hide the other results; side by side, all stay and this one is selected."""
        for other, layer in self.layers.items():
            layer.visible = other == name or self._grid.enabled
        if name in self.layers:
            self._viewer.layers.selection.active = self.layers[name]

    def set_side_by_side(self, is_on: bool, name: str | None) -> None:
        """Show every layer in a cell of its own, or one result on the image again."""
        self._grid.enabled = is_on
        shown = name if name in self.layers else next(reversed(self.layers), None)
        for other, layer in self.layers.items():
            layer.visible = is_on or other == shown
        # What filled the canvas is too large for a cell of it, and the other way round.
        self._viewer.reset_view()

    def _link(self) -> None:
        layers = list(self.layers.values())
        if len(layers) > 1:
            self._viewer.layers.link_layers(layers, _LINKED)
