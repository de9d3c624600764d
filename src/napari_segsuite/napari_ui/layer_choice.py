"""Choosing the layers that a method works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import napari.layers
from magicgui.widgets import ComboBox

from ..method import Input, Method
from .adapters import METADATA_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

_NOTHING = "none"
# Families whose "image" is a segmentation to work on.
_ON_LABELS = ("postprocessing",)
_WATCHED = ("data", "scale", "translate", "rotate", "shear", "affine", "units")


class LayerChooser(ComboBox):
    """Drop-down of the layers that can serve as one input.

    Parameters
    ----------
    viewer : ViewerModel
    entry : Input
    kinds : tuple of layer class
        What is offered.
    """

    def __init__(
        self, viewer: ViewerModel, entry: Input, kinds: tuple[type[napari.layers.Layer], ...]
    ) -> None:
        self._viewer = viewer
        self._entry = entry
        self._kinds = kinds
        super().__init__(
            choices=lambda _widget: self._offered(),
            name=entry.name,
            label=entry.name.capitalize(),
            tooltip=entry.help,
        )
        self._choose()

    def refresh(self) -> None:
        """Offer the layers there are now; choose a likely one where none is chosen."""
        before: Any = self.get_value()
        self.reset_choices()
        if before is None or before not in self._viewer.layers:
            self._choose()

    def _choose(self) -> None:
        self.value = self._likely() if self._entry.required else None

    def _offered(self) -> list[tuple[str, Any]]:
        layers: list[tuple[str, Any]] = [
            (layer.name, layer) for layer in self._viewer.layers if isinstance(layer, self._kinds)
        ]
        must_be_one = self._entry.required and self._likely() is not None
        return layers if must_be_one else [(_NOTHING, None), *layers]

    def _likely(self) -> Any:
        """The layer named like the input, else the first that is no result."""
        layers = [layer for layer in self._viewer.layers if isinstance(layer, self._kinds)]
        sources = [layer for layer in layers if METADATA_KEY not in layer.metadata]
        named = [layer for layer in sources if self._entry.name in layer.name.lower()]
        return next(iter([*named, *sources]), None)


class LayerChoice:
    """The choosers of all inputs of a method, kept up with the viewer.

    Parameters
    ----------
    viewer : ViewerModel
    method : Method
    on_change : callable
        Called without arguments when another layer is chosen, or a chosen one changes.
    """

    def __init__(self, viewer: ViewerModel, method: Method, on_change: Any) -> None:
        self._viewer = viewer
        self._on_change = on_change
        self._watched: list[napari.layers.Layer] = []
        self.choosers = {
            entry.name: LayerChooser(viewer, entry, _kinds(method, entry))
            for entry in method.inputs
        }
        for chooser in self.choosers.values():
            chooser.changed.connect(self._on_choice)
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self.refresh)
        self._watch()

    @property
    def layers(self) -> Mapping[str, Any]:
        """The chosen layers by input; without those left open."""
        chosen = {name: chooser.value for name, chooser in self.choosers.items()}
        return {name: layer for name, layer in chosen.items() if layer is not None}

    def refresh(self, _event: Any = None) -> None:
        """Offer the layers there are now."""
        for chooser in self.choosers.values():
            chooser.refresh()
        self._on_choice()

    def close(self, _sender: Any = None) -> None:
        """Listen to the viewer no more; the drop-downs may be gone already."""
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.disconnect(self.refresh)
        self._unwatch()

    def _on_choice(self, _value: Any = None) -> None:
        self._watch()
        self._on_change()

    def _watch(self) -> None:
        self._unwatch()
        self._watched = list({id(layer): layer for layer in self.layers.values()}.values())
        for layer in self._watched:
            for name in _WATCHED:
                getattr(layer.events, name).connect(self._on_layer)

    def _unwatch(self) -> None:
        for layer in self._watched:
            for name in _WATCHED:
                getattr(layer.events, name).disconnect(self._on_layer)
        self._watched = []

    def _on_layer(self, _event: Any = None) -> None:
        self._on_change()


def _kinds(method: Method, entry: Input) -> tuple[type[napari.layers.Layer], ...]:
    if entry.name == "image" and method.family not in _ON_LABELS:
        return (napari.layers.Image,)
    return (napari.layers.Labels,)
