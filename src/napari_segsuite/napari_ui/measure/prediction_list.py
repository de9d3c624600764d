"""Choosing the layers that are measured."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...method import Input
from ..adapters import METADATA_KEY, space_of
from ..layer_checklist import LayerChecklist
from ..layer_choice import LayerChooser

if TYPE_CHECKING:
    from napari.components import ViewerModel

_REFERENCE = Input("reference", True, "The labels taken as true.")
_REFERENCE_WORDS = ("reference", "truth")
_HELP = "Tick the labels to be measured against the reference."
_LAYER = Qt.ItemDataRole.UserRole
_ROW = 16
_ROW_MARGIN = 4
_LEAST_ROWS = 2
_MOST_HEIGHT = 110


class ReferenceChooser(LayerChooser):
    """Drop-down of labels layers; one named like a reference, or the truth, is guessed.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, _REFERENCE, (Labels,))

    def _fits(self, layer: Any) -> bool:
        if layer is None or METADATA_KEY in layer.metadata:
            return False
        return any(word in layer.name.lower() for word in _REFERENCE_WORDS)


class PredictionList(QWidget):
    """The labels layers besides the reference, each with a box to tick.

    Until the user ticks something, the newest result is ticked, or the topmost labels
    where there is none.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    changed : signal
        Others are ticked, or a ticked one has another name.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._reference: Callable[[], Any] = lambda: None
        self._is_guess = True
        self._is_busy = False
        self._seen: tuple[set[int], set[int]] = (set(), set())
        self.checklist = LayerChecklist(viewer, _HELP)
        self.all_button = QPushButton("All results of this image")
        self.all_button.setToolTip(
            "Tick every result made from the reference's image, and all other labels on the "
            "reference's grid but those that results were made from, such as seeds."
        )
        self.none_button = QPushButton("None")
        self.none_button.setToolTip("Tick no layer.")
        self._lay_out()
        self.checklist.changed.connect(self._on_change)
        self.all_button.clicked.connect(self.tick_all)
        self.none_button.clicked.connect(self.tick_none)

    @property
    def ticked(self) -> list[Labels]:
        """The layers to be measured, in the order of the list."""
        reference = self._reference()
        return [layer for layer in self.checklist.ticked if layer is not reference]

    def set_reference(self, layer: Labels | None) -> None:
        """Leave this layer out."""
        self._reference = (lambda: None) if layer is None else weakref.ref(layer)
        self._on_change()

    def tick(self, layer: Labels, is_on: bool = True) -> None:
        """Tick a layer, or untick it."""
        self.checklist.tick(layer, is_on)

    def tick_all(self) -> None:
        """Tick the results of the reference's image."""
        reference = self._reference()
        others = self._others()
        wanted = others if reference is None else results_of(reference, others)
        self._is_guess = False
        self._tick_only(wanted)

    def tick_none(self) -> None:
        """Untick all."""
        self._is_guess = False
        self._tick_only([])

    # --- keeping up -------------------------------------------------------------------
    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.all_button, 1)
        buttons.addWidget(self.none_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.checklist)
        layout.addLayout(buttons)

    def _others(self) -> list[Any]:
        """The layers of the list, topmost first, without the reference."""
        rows = (self.checklist.item(row) for row in range(self.checklist.count()))
        layers = [item.data(_LAYER)() for item in rows]
        reference = self._reference()
        return [layer for layer in layers if layer is not None and layer is not reference]

    def _on_change(self) -> None:
        if self._is_busy:
            return
        offered, ticked = self._seen
        if _ids(self._others()) == offered and _ids(self.ticked) != ticked:
            self._is_guess = False  # no layer came or went: it was the user
        reference = self._reference()
        for row in range(self.checklist.count()):
            item = self.checklist.item(row)
            is_reference = reference is not None and item.data(_LAYER)() is reference
            item.setHidden(is_reference)
        if self._is_guess:
            self._tick_only(self._likely())
        else:
            self._tell()

    def _likely(self) -> list[Any]:
        others = self._others()
        results = [layer for layer in others if METADATA_KEY in layer.metadata]
        return (results or others)[:1]

    def _tick_only(self, wanted: list[Any]) -> None:
        self._is_busy = True
        try:
            for layer in self._others():
                self.checklist.tick(layer, any(layer is other for other in wanted))
        finally:
            self._is_busy = False
        self._tell()

    def _tell(self) -> None:
        rows = max(_LEAST_ROWS, len(self._others()))
        height = rows * max(self.checklist.sizeHintForRow(0), _ROW) + 2 * _ROW_MARGIN
        self.checklist.setFixedHeight(min(height, _MOST_HEIGHT))
        self._seen = _ids(self._others()), _ids(self.ticked)
        self.changed.emit()


def results_of(reference: Labels, layers: list[Any]) -> list[Any]:
    """Which layers segment the image that a reference belongs to.

    Results do if they lie on the reference's grid, or name an image that the reference or
    a result on its grid was made from. Other labels do if they lie on the reference's grid
    and no result was made from them.

    Parameters
    ----------
    reference : Labels
    layers : list of Labels
    """
    on_grid = [layer for layer in layers if _on_one_grid(layer, reference)]
    images = {_image_digest(layer) for layer in (reference, *on_grid)} - {None}
    used = {
        str(entry.get("name"))
        for layer in (reference, *layers)
        for entry in _inputs(layer).values()
        if isinstance(entry, Mapping)
    }
    return [
        layer
        for layer in layers
        if (
            layer in on_grid or _image_digest(layer) in images
            if METADATA_KEY in layer.metadata
            else layer in on_grid and layer.name not in used
        )
    ]


def _ids(layers: Iterable[Any]) -> set[int]:
    return {id(layer) for layer in layers}


def _on_one_grid(layer: Any, reference: Any) -> bool:
    same_shape = layer.data.shape == reference.data.shape
    return bool(same_shape and space_of(layer).is_close(space_of(reference)))


def _inputs(layer: Any) -> Mapping[str, Any]:
    """What a result says it was made from, in metadata that anybody may have written."""
    record = layer.metadata.get(METADATA_KEY)
    inputs = record.get("inputs") if isinstance(record, Mapping) else None
    return inputs if isinstance(inputs, Mapping) else {}


def _image_digest(layer: Any) -> Any:
    image = _inputs(layer).get("image")
    return str(image.get("sha256")) if isinstance(image, Mapping) else None
