"""Noticing that seeds were edited, however that came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    import napari.layers

# Painting and filling tell; taking them back only makes the layer draw itself again.
_SIGNS = ("paint", "labels_update", "set_data", "data")
# A hidden layer is silent whatever becomes of it.
_LOOK_AT_HIDDEN_MS = 500


class SeedWatch(QObject):
    """Tells when a labels layer may have been edited.

    Which voxels changed, if any, whoever listens finds out by comparing: the events of
    the layer do not say, and some come from mere scrolling.

    Attributes
    ----------
    edited : signal
        The values may have changed.
    """

    edited = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._layer: Any = None
        # A stroke gives several signs at once: the first is passed on, and what follows
        # is summed up, as it may tell of more.
        self._more = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._sum_up)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_AT_HIDDEN_MS)
        self._timer.timeout.connect(self._look_at_hidden)

    def watch(self, layer: napari.layers.Labels | None) -> None:
        """Watch this layer and no other; None for none."""
        if self._layer is not None:
            for name in _SIGNS:
                getattr(self._layer.events, name).disconnect(self._on_sign)
        self._layer = layer
        if layer is None:
            self._timer.stop()
            return
        for name in _SIGNS:
            getattr(layer.events, name).connect(self._on_sign)
        self._timer.start()

    def _on_sign(self, _event: Any = None) -> None:
        if not isalive(self):
            return
        if self._soon.isActive():
            self._more = True
        else:
            self._soon.start()
            self.edited.emit()

    def _sum_up(self) -> None:
        if self._more:
            self._more = False
            self.edited.emit()

    def _look_at_hidden(self) -> None:
        if not self._layer.visible:
            self.edited.emit()
