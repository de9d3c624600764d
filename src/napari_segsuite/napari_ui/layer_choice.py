"""Choosing the layers that a method works on."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import napari.layers
from magicgui.widgets import ComboBox

from ..method import Input, Method
from .adapters import METADATA_KEY, PREVIEW_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

_NOTHING = "none"
_WATCHED = ("data", "scale", "translate", "rotate", "shear", "affine", "units")


class LayerChooser(ComboBox):
    """Drop-down of the layers that can serve as one input.

    Parameters
    ----------
    viewer : ViewerModel
    entry : Input
    kinds : tuple of layer class
        What is offered.
    prefers_results : bool
        Choose the newest result by itself rather than a layer that is none.
    """

    # magicgui keeps the choice of its null value to itself; "none" is a choice like any other.
    null_value: Any = object()

    def __init__(
        self,
        viewer: ViewerModel,
        entry: Input,
        kinds: tuple[type[napari.layers.Layer], ...],
        *,
        prefers_results: bool = False,
    ) -> None:
        self._viewer = viewer
        self._entry = entry
        self._kinds = kinds
        self._prefers_results = prefers_results
        self._guess: Callable[[], Any] = lambda: None
        super().__init__(
            choices=lambda _widget: self._offered(),
            name=entry.name,
            label=entry.name.capitalize(),
            tooltip=entry.help,
        )
        self._choose()

    def refresh(self) -> None:
        """Offer the layers there are now; choose a likely one where none was chosen by hand."""
        before: Any = self.get_value()
        is_there = before is not None and before in self._viewer.layers
        with self.changed.blocked():
            self.reset_choices()
            if is_there:
                self.value = before  # a layer with a new name is dropped from the list first
        if not is_there or self._has_better(before):
            self._choose()

    def _has_better(self, before: Any) -> bool:
        """Whether a guess should give way: layers come one by one, the likeliest perhaps last."""
        # "Image" is what napari calls any image: no reason to leave one that is being worked on.
        is_guess = before is self._guess() and self._entry.name != "image"
        return is_guess and self._fits(self._likely()) and not self._fits(before)

    def _choose(self) -> None:
        self.value = self._likely() if self._entry.required else None
        if self.value is not None:
            self._guess = weakref.ref(self.value)

    def _offered(self) -> list[tuple[str, Any]]:
        layers: list[tuple[str, Any]] = [(layer.name, layer) for layer in self._candidates()]
        must_be_one = self._entry.required and self._likely() is not None
        return layers if must_be_one else [(_NOTHING, None), *layers]

    def _candidates(self) -> list[Any]:
        layers = [layer for layer in self._viewer.layers if isinstance(layer, self._kinds)]
        return [layer for layer in layers if PREVIEW_KEY not in layer.metadata]

    def _likely(self) -> Any:
        """A layer that fits, else the first that is no result."""
        layers = self._candidates()
        fitting = [layer for layer in layers if self._fits(layer)]
        if self._prefers_results:
            fitting.reverse()
        return next((layer for layer in [*fitting, *layers] if self._may_guess(layer)), None)

    def _may_guess(self, layer: Any) -> bool:
        return self._prefers_results or METADATA_KEY not in layer.metadata

    def _fits(self, layer: Any) -> bool:
        """Whether it is named like the input, or is a result where those are preferred."""
        if layer is None:
            return False
        is_result = METADATA_KEY in layer.metadata
        if self._prefers_results:
            return is_result
        return not is_result and self._entry.name in layer.name.lower()


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
    if entry.name == "image" and not method.takes_labels:
        return (napari.layers.Image,)
    return (napari.layers.Labels,)
