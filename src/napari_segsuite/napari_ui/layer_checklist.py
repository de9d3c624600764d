"""Labels layers to tick."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.compat import isalive
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from .adapters import PREVIEW_KEY

if TYPE_CHECKING:
    from napari.components import ViewerModel

_HEIGHT = 110
_CHECKED = Qt.CheckState.Checked
_LAYER = Qt.ItemDataRole.UserRole


class LayerChecklist(QListWidget):
    """The labels layers of a viewer with a box each, in the order of its layer list.

    Parameters
    ----------
    viewer : ViewerModel
    help_text : str

    Attributes
    ----------
    changed : signal
        Others are ticked, or a ticked one has another name.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, help_text: str) -> None:
        super().__init__()
        self._viewer = viewer
        self.setToolTip(help_text)
        self.setMaximumHeight(_HEIGHT)
        self.itemChanged.connect(lambda _: self.changed.emit())
        # napari's emitters drop whoever is gone by themselves.
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._refresh)
        self._refresh()

    @property
    def ticked(self) -> list[Labels]:
        """The layers that are ticked."""
        items = [item for item in self._items() if item.checkState() == _CHECKED]
        layers = [item.data(_LAYER)() for item in items]
        return [layer for layer in layers if layer is not None]

    def tick(self, layer: Labels, is_on: bool = True) -> None:
        """Tick a layer, or untick it."""
        for item in self._items():
            if item.data(_LAYER)() is layer:
                item.setCheckState(_CHECKED if is_on else Qt.CheckState.Unchecked)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _refresh(self, _event: Any = None) -> None:
        if not isalive(self):
            return
        ticked = self.ticked
        before = self.blockSignals(True)
        self.clear()
        for layer in reversed(self._viewer.layers):
            if isinstance(layer, Labels) and PREVIEW_KEY not in layer.metadata:
                item = QListWidgetItem(layer.name)
                item.setData(_LAYER, weakref.ref(layer))
                is_on = any(layer is other for other in ticked)
                item.setCheckState(_CHECKED if is_on else Qt.CheckState.Unchecked)
                self.addItem(item)
        self.blockSignals(before)
        self.changed.emit()
