"""The layers that a form made: shown, brought up to date, never taken from the user."""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING, Any

from ..image import Image, Segmentation
from ..space import Space
from .adapters import LayerData, extra_data, layer_data, space_of

if TYPE_CHECKING:
    import napari.layers
    from napari.components import ViewerModel


class ResultLayers:
    """The result layers of one form.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._own: dict[str, weakref.ref[Any]] = {}
        self._edited: weakref.WeakSet[Any] = weakref.WeakSet()
        self._is_writing = False

    @property
    def layer(self) -> Any:
        """The layer of the run before, None while there is none."""
        return self._present("")

    def show(
        self,
        result: Segmentation | Image,
        *,
        update: bool,
        seeds: napari.layers.Labels | None = None,
    ) -> tuple[str, str]:
        """Show a result and its further outputs.

        Parameters
        ----------
        result : Segmentation or Image
        update : bool
            Write into the layer of the run before, where that is possible.
        seeds : Labels, optional
            The result is put beneath this layer and takes its colours.

        Returns
        -------
        name, notice : str
            Of the layer, and why it is not the one of the run before.
        """
        data = layer_data(result)
        if seeds is not None and seeds not in self._viewer.layers:
            seeds = None
        if seeds is not None:
            data[1]["colormap"] = copy.deepcopy(seeds.colormap)
        active = self._viewer.layers.selection.active
        notice = self._why_kept(data, result.space) if update else ""
        update = update and not notice
        layer = self._put("", data, update, seeds)
        if isinstance(result, Segmentation):
            for name in result.extras:
                self._put(name, extra_data(result, name), update, layer)
        if seeds is not None and active is not None:
            self._viewer.layers.selection.active = active
        return layer.name, notice

    def _put(
        self, key: str, data: LayerData, update: bool, beneath: napari.layers.Layer | None
    ) -> Any:
        layer = self._present(key) if update else None
        if layer is None or layer in self._edited or layer.data.shape != data[0].shape:
            layer = self._add(data, beneath)
            self._own[key] = weakref.ref(layer)
            return layer
        self._is_writing = True
        try:
            layer.data = data[0]
        finally:
            self._is_writing = False
        for name in ("metadata", "features", "colormap"):
            if name in data[1]:
                setattr(layer, name, data[1][name])
        return layer

    def _add(self, data: LayerData, beneath: napari.layers.Layer | None) -> Any:
        from napari.layers import Layer

        layer = Layer.create(*data)
        layers = self._viewer.layers
        layers.insert(len(layers) if beneath is None else layers.index(beneath), layer)
        layer.events.data.connect(self._on_edit)
        if hasattr(layer.events, "paint"):
            layer.events.paint.connect(self._on_edit)
        return layer

    def _present(self, key: str) -> Any:
        layer = self._own[key]() if key in self._own else None
        return layer if layer is not None and layer in self._viewer.layers else None

    def _why_kept(self, data: LayerData, space: Space) -> str:
        """Why the layer of the run before cannot take the new values; empty if it can."""
        layer = self._present("")
        if layer is None:
            return ""
        if layer in self._edited:
            return f"'{layer.name}' was edited by hand and is kept as it is."
        if layer.data.shape != data[0].shape or not space_of(layer).is_close(space):
            return f"'{layer.name}' lies on another grid and is kept as it is."
        return ""

    def _on_edit(self, event: Any) -> None:
        if not self._is_writing:
            self._edited.add(event.source)
