"""How many voxels each class has, and what volume that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal

from ..label_values import label_counts
from .adapters import space_of
from .runner import Job, runner_for

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

Counts = Mapping[int, int]

_QUIET_MS = 300
_MM3_PER_ML = 1000
_NARROW_SPACE = "\u202f"


@dataclass(frozen=True)
class VoxelVolume:
    """The volume of a voxel, or the area of a pixel.

    Attributes
    ----------
    size : float
        In `unit`.
    unit : str
        "mm³", "µm²", "ml", …
    """

    size: float
    unit: str

    @classmethod
    def of(cls, layer: Labels) -> VoxelVolume | None:
        """The one of a layer; None where the layer does not say how large its voxels are."""
        space = space_of(layer).without("time")
        if not space.is_physical:
            return None
        size = abs(float(np.linalg.det(space.matrix[:-1, :-1])))
        unit = (space.unit or "unit").replace("um", "µm")
        return cls(size, f"{unit}{'²' if space.ndim == 2 else '³'}")

    def readable(self, largest: int) -> VoxelVolume:
        """The same in millilitres, where `largest` voxels are at least one."""
        if self.unit == "mm³" and largest * self.size >= _MM3_PER_ML:
            return VoxelVolume(self.size / _MM3_PER_ML, "ml")
        return self


def amount_text(value: float) -> str:
    """Write an amount with three digits, or with all before the point.

    Examples
    --------
    >>> amount_text(0.12345), amount_text(12.0)
    ('0.123', '12')
    """
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}".replace(",", _NARROW_SPACE)


class VoxelCounter(QObject):
    """Counts the labels of layers, off the main thread, and again after each edit.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject

    Attributes
    ----------
    counted : signal of list of dict
        Voxels by label, for each array.
    """

    counted = Signal(object)

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: list[Labels] = []
        self._views: dict[int, Any] = {}
        self._job: Job | None = None
        self._waiting: Sequence[NDArray[Any]] | None = None
        self._quiet = QTimer(self)
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(_QUIET_MS)
        self._quiet.timeout.connect(self._count_layers)

    def watch(self, layers: Iterable[Labels]) -> None:
        """Count these layers now, and whenever they were edited; no others any more."""
        self.stop()
        self.cancel()
        self._layers = [layer for layer in layers if isinstance(layer.data, np.ndarray)]
        for layer in self._layers:
            self._views[id(layer)] = self._view()
            layer.events.set_data.connect(self._on_set_data)
            layer.events.paint.connect(self._on_edit)
            layer.events.data.connect(self._on_edit)
        self._count_layers()

    def stop(self) -> None:
        """Watch no layer any more."""
        for layer in self._layers:
            layer.events.set_data.disconnect(self._on_set_data)
            layer.events.paint.disconnect(self._on_edit)
            layer.events.data.disconnect(self._on_edit)
        self._layers, self._views = [], {}
        if isalive(self._quiet):
            self._quiet.stop()

    def cancel(self) -> None:
        """Drop the count under way."""
        self._waiting = None
        if self._job is not None:
            self._job.cancel()

    def count(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Count these arrays, once the count under way is over."""
        # Dropping that one instead would leave nothing to show while strokes follow quickly.
        self._waiting = arrays
        self._start_next()

    def _start_next(self) -> None:
        if self._waiting is None or (self._job is not None and self._job.is_running):
            return
        arrays, self._waiting = self._waiting, None
        self._job = runner_for(self._viewer).run_in_background(
            lambda progress: [label_counts(array, progress) for array in arrays],
            "Count voxels",
            self,
            uses_kernels=False,
        )
        self._job.finished.connect(self.counted)
        self._job.ended.connect(self._start_next)

    def _count_layers(self) -> None:
        if self._layers:
            self.count([layer.data for layer in self._layers])

    def _on_edit(self, _event: Any = None) -> None:
        self._quiet.start()

    def _on_set_data(self, event: Any) -> None:
        # Undo and redo say no more than this, and so does going to another slice.
        view = self._view()
        if self._views.get(id(event.source)) == view:
            self._quiet.start()
        self._views[id(event.source)] = view

    def _view(self) -> Any:
        dims = self._viewer.dims
        return dims.point, dims.order, dims.ndisplay
