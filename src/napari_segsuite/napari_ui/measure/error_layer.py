"""The layer that shows where a prediction errs, and the way there."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from ...boxes import bounding_box
from ...image import Segmentation
from ...metrics.error_labels import CONFUSED, MISSED, RIGHT, TOO_MUCH, error_labels
from ...progress import Progress
from ...space import Space
from ..adapters import METADATA_KEY, PREVIEW_KEY, layer_data
from ..grow.regions import go_to, step_of
from ..runner import Job, runner_for
from .compared import compared, compared_objects, has_only_objects, matches
from .results import Place, Result, Results

if TYPE_CHECKING:
    from napari.components import ViewerModel

_NAME = "errors"
_OPACITY = 0.7
_COLOURS = {RIGHT: "green", TOO_MUCH: "orange", MISSED: "blue", CONFUSED: "pink"}
# An object is shown with this many times its size around it, but at least some voxels.
_AROUND = 4
_LEAST_VOXELS = 24
# Less volume than this is left of a unit cube that napari has made flat.
_FLAT = 1e-6
_NO_SLICES = (
    "napari cannot show slices along {}: the layer's axes are exchanged. The layer of errors is "
    "there; choose another axis."
)
_MIXED = " Hide the other labels to see these colours alone."


@dataclass(frozen=True, eq=False)
class _Errors:
    """What is shown of a place.

    Attributes
    ----------
    labels : Segmentation
    n_marked : (H[, I]) int64 array or None
        Marked voxels by index along the hidden axes; None of an object.
    size : tuple of int
        Of the box around an object, in voxels.
    """

    labels: Segmentation
    n_marked: NDArray[np.int64] | None = None
    size: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no voxel is marked."""
        return not (any(self.size) if self.n_marked is None else self.n_marked.any())


class ErrorLayer(QObject):
    """One labels layer of right and wrong voxels, which goes where the user points.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject, optional
        When it is deleted, so is this.

    Attributes
    ----------
    shown : signal of str
        What the colours of the layer mean, in a sentence.
    failed : signal of str
        Why there is nothing to show, in a sentence.
    """

    shown = Signal(str)
    failed = Signal(str)

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Any = None
        self._space: Space | None = None
        self._job: Job | None = None

    @property
    def layer(self) -> Any:
        """The layer, None while there is none in the viewer."""
        return self._layer if self._layer in self._viewer.layers else None

    @property
    def is_busy(self) -> bool:
        """Whether a layer is being made ready."""
        return self._job is not None and self._job.is_running

    def show(self, results: Results, place: Place) -> None:
        """Show the errors of a result, and go to a place; the newest call wins."""
        result = results.named(place.result)
        if result is None:
            return
        hidden = self._hidden_axes(results.reference, place)
        self._job = runner_for(self._viewer).run_in_background(
            functools.partial(_find, results, result, place, hidden),
            "Errors",
            self,
            supersedes=self._job,
            uses_kernels=False,
        )
        self._job.finished.connect(lambda errors: self._on_found(errors, place, hidden))
        self._job.failed.connect(self.failed)

    def remove(self) -> None:
        """Take the layer away."""
        if self._job is not None:
            self._job.cancel()
        self._take_away()

    # --- the layer --------------------------------------------------------------------
    def _on_found(self, errors: _Errors, place: Place, hidden: tuple[int, ...]) -> None:
        if not isalive(self):
            return
        self._put(errors.labels)
        is_mixed = not errors.is_empty and any(map(self._mixes, self._viewer.layers))
        self.shown.emit(_in_words(errors, place) + (_MIXED if is_mixed else ""))
        if place.axis is not None and place.index is not None:
            self._show_slice(place.axis, place.index)
        elif place.centre is not None:
            self._show_object(place.centre, errors.size)
        elif errors.n_marked is not None:
            self._show_most(errors.n_marked, hidden)

    def _put(self, labels: Segmentation) -> None:
        """Show these labels in the layer, in a new one if they lie elsewhere."""
        data, kwargs, _ = layer_data(labels)
        layer = self.layer
        if layer is None or self._space != labels.space:
            self._take_away()
            self._add(data, kwargs)
            self._space = labels.space
            return
        layer.data = data
        layer.features, layer.colormap = kwargs["features"], kwargs["colormap"]
        layer.editable = False  # napari takes that back with each new array
        layer.visible = True

    def _take_away(self) -> None:
        if self.layer is not None:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _add(self, data: Any, kwargs: dict[str, Any]) -> None:
        from napari.layers import Labels

        layers = self._viewer.layers
        selected = set(layers.selection)
        # A result's mark, without a history, and that of a preview: no chooser offers it.
        kwargs["metadata"] = {METADATA_KEY: {}, PREVIEW_KEY: True}
        self._layer = Labels(data, **kwargs | {"name": _NAME, "opacity": _OPACITY})
        layers.append(self._layer)
        self._layer.editable = False
        layers.selection.intersection_update(selected)
        layers.selection.update(selected)

    def _mixes(self, layer: Any) -> bool:
        """Whether colours of another layer shine through."""
        from napari.layers import Labels

        return isinstance(layer, Labels) and layer is not self._layer and bool(layer.visible)

    # --- the way there ----------------------------------------------------------------
    def _hidden_axes(self, grid: Segmentation, place: Place) -> tuple[int, ...]:
        """Axes of the reference that the viewer does not, or will not, show."""
        ndim, dims = grid.labels.ndim, self._viewer.dims
        if dims.ndim < ndim or place.axis is not None:
            return ()
        displayed = {axis - (dims.ndim - ndim) for axis in dims.displayed}
        return tuple(axis for axis in range(ndim) if axis not in displayed)

    def _show_slice(self, axis: int, index: int) -> None:
        """Show one slice along an axis of the layer, which is hidden for that."""
        if self._layer.ndim < 3:
            return
        if not self._has_slices(axis):
            self.failed.emit(_NO_SLICES.format(self._layer.axis_labels[axis]))
            return
        dims = self._viewer.dims
        world_axis = axis + dims.ndim - self._layer.ndim
        if dims.ndisplay == 3:
            dims.ndisplay = 2
        if world_axis in dims.displayed:
            others = [other for other in dims.order if other != world_axis]
            dims.order = (*others[:-2], world_axis, *others[-2:])
        go_to(self._viewer, self._layer, axis, index)

    def _has_slices(self, axis: int) -> bool:
        """Whether napari can draw slices along an axis: what it drops must not flatten them."""
        origin, *ends = (self._layer.data_to_world(p) for p in _corner_points(self._layer.ndim))
        steps = np.array(ends) - origin
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        kept = np.delete(np.delete(steps, axis, 0), axis, 1)
        return bool(abs(np.linalg.det(kept)) > _FLAT)

    def _show_object(self, centre: tuple[float, ...], size: tuple[int, ...]) -> None:
        """Put an object into the middle of the view, with its surroundings."""
        if not np.isfinite(centre).all():
            return
        # The viewer's own attribute until napari 0.9.
        dims, camera = self._viewer.dims, getattr(self._viewer, "scene", self._viewer).camera
        offset = dims.ndim - self._layer.ndim
        for axis, place in enumerate(centre):
            if axis + offset not in dims.displayed:
                go_to(self._viewer, self._layer, axis, round(place))
        angles = camera.angles
        self._viewer.reset_view()
        camera.angles = angles
        camera.zoom *= self._closer(size)
        world = self._layer.data_to_world(centre)
        shown = [world[axis - offset] for axis in dims.displayed]
        camera.center = (*camera.center[: -len(shown)], *shown)

    def _closer(self, size: tuple[int, ...]) -> float:
        """How much closer than the whole view an object of that size is looked at."""
        offset = self._viewer.dims.ndim - self._layer.ndim
        displayed = [axis for axis in self._viewer.dims.displayed if axis >= offset]
        steps = np.abs(self._layer.scale)[[axis - offset for axis in displayed]]
        sizes = np.array([size[axis - offset] for axis in displayed]) * _AROUND
        low, high = self._viewer.layers.extent.world[:, displayed]
        wanted = np.maximum(sizes, _LEAST_VOXELS) * steps
        return max(1.0, float(np.max(high - low) / np.max(wanted)))

    def _show_most(self, n_marked: NDArray[np.int64], hidden: tuple[int, ...]) -> None:
        """Go to the slice with most marked voxels, unless the present one has some."""
        if not hidden or not n_marked.any():
            return
        steps = step_of(self._viewer, self._layer)
        here = tuple(steps[axis] for axis in hidden)
        inside = all(0 <= i < n for i, n in zip(here, n_marked.shape, strict=True))
        if inside and n_marked[here]:
            return
        best = np.unravel_index(int(n_marked.argmax()), n_marked.shape)
        for axis, index in zip(hidden, best, strict=True):
            go_to(self._viewer, self._layer, axis, int(index))


def _corner_points(ndim: int) -> NDArray[np.float64]:
    """The first voxel, and the next one along each axis."""
    return np.vstack([np.zeros(ndim), np.eye(ndim)])


def _in_words(errors: _Errors, place: Place) -> str:
    if errors.is_empty:
        return f"Errors of {place.result}: there is no such voxel."
    meanings = (f"{entry.name} ({_COLOURS[entry.id]})" for entry in errors.labels.classes)
    return f"Errors of {place.result}: {', '.join(meanings)}."


def _find(
    results: Results, result: Result, place: Place, hidden: tuple[int, ...], progress: Progress
) -> _Errors:
    both, mapping = compared(results, result), None
    if place.objects is not None:
        both = compared_objects(results, result)
    elif place.label is None and has_only_objects(result):
        both, mapping = compared_objects(results, result), matches(result)
    labels = error_labels(
        both.prediction,
        both.reference,
        label=place.label,
        predicted=place.predicted,
        objects=place.objects,
        ignore=both.ignore,
        mapping=mapping,
        progress=progress,
    )
    _prepare_colours(labels)
    if place.centre is not None:
        return _Errors(labels, size=_size(labels.labels))
    return _Errors(labels, _marked(labels.labels, hidden))


def _prepare_colours(labels: Segmentation) -> None:
    """Have napari compile, here and not in the window's thread, what colours labels."""
    _, kwargs, _ = layer_data(labels)
    kwargs["colormap"].map(np.zeros(1, labels.labels.dtype))


def _marked(labels: NDArray[Any], hidden: tuple[int, ...]) -> NDArray[np.int64]:
    """Marked voxels by index along the hidden axes: errors, or what is right without any."""
    is_marked = labels > RIGHT
    if not is_marked.any():
        is_marked = labels > 0
    shown = tuple(axis for axis in range(labels.ndim) if axis not in hidden)
    counts: NDArray[np.int64] = is_marked.sum(axis=shown, dtype=np.int64)
    return counts


def _size(labels: NDArray[Any]) -> tuple[int, ...]:
    box = bounding_box(labels)
    return (0,) * labels.ndim if box is None else tuple(part.stop - part.start for part in box)
