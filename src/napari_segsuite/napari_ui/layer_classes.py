"""The class table that labels layers carry: one table, the same on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from ..image import CLASS_COLOURS, RGBA, LabelClass
from .adapters import (
    ColoursOf,
    class_colormap,
    classes_in,
    features_with_classes,
    names_classes,
)

if TYPE_CHECKING:
    from napari.layers import Labels

_HIDDEN = (0.0, 0.0, 0.0, 0.0)
_ALIKE = 0.1  # in each part of two colours that cannot be told apart
_COLOUR_STEP = 0.6 / 255  # what rounding to 8 bits may change


class LayerClasses:
    """The classes of labels layers, kept in their features and colormaps.

    The first layer leads: its table holds for all of them, and whatever a further layer
    names beyond is added. Changes made elsewhere are followed. Labels themselves are never
    touched.

    Attributes
    ----------
    changed : signal
        The table is another one.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._layers: list[Labels] = []
        self._classes: tuple[LabelClass, ...] = ()
        self._taken_off: dict[int, LabelClass] = {}
        self._is_writing = False

    @property
    def layers(self) -> tuple[Labels, ...]:
        """The layers, the leading one first."""
        return tuple(self._layers)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in ascending order of id, every one with a colour."""
        return self._classes

    def get(self, index: int) -> LabelClass | None:
        """The class of an id, None if it is not in the table."""
        return next((entry for entry in self._classes if entry.id == index), None)

    def attach(self, layers: Iterable[Labels]) -> None:
        """Work on these layers from now on, and on no others."""
        self.detach()
        self._layers = list(layers)
        self._taken_off = {}
        table: dict[int, LabelClass] = {}
        for layer in reversed(self._layers):
            table |= {entry.id: entry for entry in _named_in(layer)}
        self._set(table.values())
        for layer in self._layers:
            layer.events.features.connect(self._on_layer)
            layer.events.colormap.connect(self._on_layer)
        self.changed.emit()

    def detach(self, *_: object) -> None:
        """Listen to no layer any more."""
        for layer in self._layers:
            layer.events.features.disconnect(self._on_layer)
            layer.events.colormap.disconnect(self._on_layer)
        self._layers = []
        self._classes = ()

    # --- changes ----------------------------------------------------------------------
    def edit(self, index: int, **changes: Any) -> None:
        """Change the name, colour or state of a class."""
        self._change(
            replace(entry, **changes) if entry.id == index else entry for entry in self._classes
        )

    def edit_all(self, **changes: Any) -> None:
        """Change the state of all classes."""
        self._change(replace(entry, **changes) for entry in self._classes)

    def add(self) -> LabelClass:
        """Add a class with the lowest free id and a colour that no other has."""
        taken = {entry.id for entry in self._classes}
        index = next(number for number in range(1, len(taken) + 2) if number not in taken)
        colour = next((one for one in CLASS_COLOURS if not self._has_colour_like(one)), None)
        added = LabelClass(index, f"class {index}", colour)
        self._change([*self._classes, added])
        return added

    def remove(self, index: int) -> None:
        """Take a class off the table."""
        self._change(entry for entry in self._classes if entry.id != index)

    def put(self, classes: Iterable[LabelClass]) -> None:
        """Replace the table."""
        self._change(classes)

    def adopt(self, ids: Iterable[int]) -> None:
        """Take ids into the table that occur in the data; one taken off gets its name back."""
        table = {entry.id: entry for entry in self._classes}
        new = [index for index in ids if index > 0 and index not in table]
        if new:
            known = (self._taken_off.get(i, LabelClass(i, f"class {i}")) for i in new)
            self._change([*self._classes, *known])

    def _has_colour_like(self, colour: RGBA) -> bool:
        colours = [entry.colour for entry in self._classes if entry.colour is not None]
        return any(np.allclose(colour, other, atol=_ALIKE) for other in colours)

    def _change(self, classes: Iterable[LabelClass]) -> None:
        before = self._classes
        self._set(classes)
        kept = {entry.id for entry in self._classes}
        self._taken_off |= {entry.id: entry for entry in before if entry.id not in kept}
        if self._classes != before:
            self.changed.emit()

    def _set(self, classes: Iterable[LabelClass]) -> None:
        """Take over a table, and write it to the layers that have another one."""
        if not self._layers:
            return
        colour_of = _colours_for_new(self._layers[0].colormap)
        ordered = sorted((entry for entry in classes if entry.id > 0), key=lambda entry: entry.id)
        self._classes = tuple(
            replace(entry, colour=_rounded(entry.colour or colour_of(entry.id)))
            for entry in ordered
        )
        self._is_writing = True
        try:
            for layer in self._layers:
                _write(layer, self._classes)
        finally:
            self._is_writing = False

    # --- what others change -----------------------------------------------------------
    def _on_layer(self, event: Any) -> None:
        if self._is_writing:
            return
        layer = event.source
        found = self._recoloured(layer.colormap)
        if names_classes(layer.features):
            found = classes_in(layer.features, layer.colormap)
        # A result may name but the classes that it has: only the leading layer takes any off.
        is_leading = layer is self._layers[0]
        table = {} if is_leading else {entry.id: entry for entry in self._classes}
        self._change((table | {entry.id: entry for entry in found}).values())

    def _recoloured(self, colormap: Any) -> tuple[LabelClass, ...]:
        colours = ColoursOf(colormap)
        return tuple(
            replace(entry, colour=colours[entry.id]) if entry.visible else entry
            for entry in self._classes
        )


def _named_in(layer: Labels) -> tuple[LabelClass, ...]:
    """Classes with a name: a colormap lists far more ids than there are classes."""
    named = names_classes(layer.features)
    return classes_in(layer.features, layer.colormap) if named else ()


def _colours_for_new(colormap: Any) -> Callable[[int], RGBA]:
    """The colour that a class without one has in a layer, or napari's usual one."""
    from napari.utils.colormaps import label_colormap

    shown, usual = ColoursOf(colormap), ColoursOf(label_colormap())
    listed = getattr(colormap, "color_dict", None)

    def colour_of(index: int) -> RGBA:
        if listed is None or (index in listed and listed[index][3] > 0):
            return shown[index]
        return usual[index]

    return colour_of


def _write(layer: Labels, classes: tuple[LabelClass, ...]) -> None:
    """Give a layer this table, where it has another one."""
    named = classes_in(layer.features, None)
    if (names_classes(layer.features) or classes) and _states(named) != _states(classes):
        layer.features = features_with_classes(layer.features, classes)
    colours = ColoursOf(layer.colormap)
    wanted = [entry.colour or _HIDDEN if entry.visible else _HIDDEN for entry in classes]
    if not np.allclose([colours[entry.id] for entry in classes], wanted, atol=_COLOUR_STEP):
        colormap = class_colormap(classes, layer.colormap)
        # A layer does not tell a new colormap which label alone is to be shown.
        colormap.selection = layer.selected_label
        colormap.use_selection = layer.show_selected_label
        layer.colormap = colormap


def _states(classes: tuple[LabelClass, ...]) -> list[LabelClass]:
    """What the features say of classes: of colours, only those of hidden ones."""
    return [replace(e, colour=None if e.visible else _rounded(e.colour)) for e in classes]


def _rounded(colour: Any) -> Any:
    """A colour in 8 bits, as all files and dialogues have them."""
    return None if colour is None else tuple(round(255 * part) / 255 for part in colour)
