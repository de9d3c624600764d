"""Noticing that layers were edited, and saying so once it has been quiet for a while."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_QUIET_MS = 400
# Where a layer lies, and what its classes are called, counts as much as its voxels.
_SIGNS = (
    "paint", "labels_update", "data", "visible", "features",
    "scale", "translate", "rotate", "shear", "affine", "units",
)  # fmt: skip


class LayerWatch(QObject):
    """Tells when one of some labels layers has been edited, after 400 ms without an edit.

    Painting tells by itself. Undo and redo only make a layer draw itself again, as does
    going to another slice: a layer that draws itself where it did before counts as edited.
    What is undone in a hidden layer shows, and counts, once it is shown again.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject

    Attributes
    ----------
    settled : signal
        There were edits, and then quiet.
    """

    settled = Signal()

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: list[Labels] = []
        self._views: dict[int, Any] = {}
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_QUIET_MS)
        self._quiet.timeout.connect(self.settled)

    def watch(self, layers: Iterable[Labels]) -> None:
        """Watch these layers and no others; edits not told of yet still are."""
        self._leave()
        self._layers = list(layers)
        for layer in self._layers:
            self._views[id(layer)] = self._view()
            layer.events.set_data.connect(self._on_drawn)
            for name in _SIGNS:
                getattr(layer.events, name).connect(self.edited)

    def stop(self, _sender: Any = None) -> None:
        """Watch no layer any more, and forget edits not told of."""
        self._leave()
        if isalive(self):
            self._quiet.stop()

    def edited(self, _event: Any = None) -> None:
        """Take something for edited: wait for quiet, then tell."""
        if isalive(self):
            self._quiet.start()

    def _leave(self) -> None:
        for layer in self._layers:
            layer.events.set_data.disconnect(self._on_drawn)
            for name in _SIGNS:
                getattr(layer.events, name).disconnect(self.edited)
        self._layers, self._views = [], {}

    def _on_drawn(self, event: Any) -> None:
        view = self._view()
        if self._views.get(id(event.source)) == view:
            self.edited()
        self._views[id(event.source)] = view

    def _view(self) -> Any:
        dims = self._viewer.dims
        return dims.point, dims.order, dims.ndisplay
