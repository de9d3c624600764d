"""What to run for a look at one slice, and the histogram that thresholds are chosen on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compute import JobRequest
from .errors import InputError
from .image import Image, Segmentation
from .job_frames import time_axis
from .job_inputs import as_image
from .job_memory import check_memory
from .method import Method
from .progress import SILENT, Progress
from .registry import get_method
from .space import Axis, Space
from .typing import ImageArray, LabelArray, MaskArray

_LARGEST_SLAB = 2 << 20
_LARGEST_VOLUME = 16 << 20
# Gaussians are cut off there, in standard deviations; windows end earlier.
_REACH = 4
# Slices on either side for derivatives, which have no length of their own.
_MARGIN = 2

Place = tuple[int | None, ...]
Box = tuple[slice, ...]


class Shown(NamedTuple):
    """What a preview found.

    Attributes
    ----------
    value : Segmentation or Image
        Of the part seen; one voxel thick along each axis that is hidden.
    threshold : float or None
        Intensity that divides the slice in two, where the method has a threshold to choose
        on the histogram and found one itself.
    """

    value: Segmentation | Image
    threshold: float | None


@dataclass(frozen=True, eq=False)
class SlicePreview:
    """A run of a method on the slice seen, or on as much around it as the result depends on.

    Make it with `slice_preview`.

    Attributes
    ----------
    request : JobRequest
        On a part of the image, one time point of it.
    seen : Box
        What to show, on the grid of that part.
    slice_seen : Box
        The slice among this.
    space : Space
        Where it lies, with the time axis if the image has one.
    note : str
        What a run will do differently; empty where it does not.
    """

    request: JobRequest
    seen: Box
    slice_seen: Box
    space: Space
    note: str

    def detached(self) -> SlicePreview:
        """The same with its own copy of all labels, so that painting on does not reach it."""
        inputs = {name: _copy(value) for name, value in self.request.inputs.items()}
        image = self.request.image
        if isinstance(image, Segmentation):
            image = _copy(image)
        return replace(self, request=replace(self.request, image=image, inputs=inputs))

    def is_like(self, other: SlicePreview) -> bool:
        """Whether both show the same."""
        mine, theirs = self.request, other.request
        return (
            mine.settings == theirs.settings
            and self.is_at(other)
            and mine.inputs.keys() == theirs.inputs.keys()
            and all(
                np.array_equal(_array(value), _array(theirs.inputs[name]))
                for name, value in mine.inputs.items()
            )
        )

    def is_at(self, other: SlicePreview) -> bool:
        """Whether both are of the same part of the same image."""
        mine, theirs = _array(self.request.image), _array(other.request.image)
        is_same = _is_same_memory(mine, theirs)
        if isinstance(self.request.image, Segmentation):
            is_same = np.array_equal(mine, theirs)
        return is_same and (self.seen, self.space) == (other.seen, other.space)

    def run(self, progress: Progress = SILENT) -> Shown:
        """Run the method and keep what is seen.

        Raises
        ------
        SegSuiteError
        Cancelled
            If `progress` raised it.
        """
        progress(0.0, "")
        request = self.request
        method = get_method(request.method)
        image = as_image(request.image)
        check_memory(method, image, request.memory_limit, request.settings)
        inputs = {name: _array(value) for name, value in request.inputs.items()}
        space = image.space
        offered: dict[str, Any] = {
            "spacing": space.spacing if space.is_physical else None,
            "channel_axis": space.channel_axis,
            "device": "cpu",
            "rng": request.rng,
            "progress": progress,
        }
        injected = {name: offered[name] for name in offered.keys() & set(method.injected)}
        data = np.ascontiguousarray(image.data)
        result = np.asarray(method.function(data, **inputs, **request.settings, **injected))
        return Shown(self._value(method, result), self._threshold(method, data, inputs, result))

    def _value(self, method: Method, result: NDArray[Any]) -> Segmentation | Image:
        part = result[self.seen]
        when = time_axis(self.space)
        if when is not None:
            part = np.expand_dims(part, when)
        if method.output != "image":
            return Segmentation(part, self.space, name="preview")
        space = self.space
        if part.ndim > space.ndim:
            space = replace(space, axes=(*space.axes, Axis("c", "channel")))
        return Image(part, space, "preview")

    def _threshold(
        self, method: Method, data: ImageArray, inputs: dict[str, ImageArray], result: ImageArray
    ) -> float | None:
        places = [param.name for param in method.params if param.picked_on == "histogram"]
        if len(places) != 1 or result.shape != data.shape:
            return None
        mask = inputs["mask"][self.slice_seen] > 0 if "mask" in inputs else None
        return dividing_value(data[self.slice_seen], result[self.slice_seen], mask)


def slice_preview(request: JobRequest, place: Place) -> SlicePreview:
    """Plan the preview of a job.

    Parameters
    ----------
    request : JobRequest
        The whole job, valid; its arrays are not copied.
    place : tuple of int or None
        Index of what is seen along each axis of the image, channels left out; None for the
        axes that are on display.

    Raises
    ------
    InputError
        If there is no slice to be seen that a preview could be of.
    """
    method = get_method(request.method)
    image = as_image(request.image)
    grid = image.space.without("channel")
    _check_place(request, grid, place)
    box = [
        slice(0, n) if index is None else slice(index, index + 1)
        for n, index in zip(image.spatial_shape, place, strict=True)
    ]
    seen, here, note = list(box), tuple(box), ""
    for axis, index in enumerate(place):
        if index is not None and grid.axes[axis].kind == "space":
            box[axis], note = _surroundings(method, image, request, axis, index)
            if method.preview == "volume" and box[axis] == slice(0, image.spatial_shape[axis]):
                seen[axis] = box[axis]  # all of it, as it is there
    part = _part_of_request(request, tuple(box))
    return SlicePreview(
        part, _within(seen, box, grid), _within(here, box, grid), grid.crop(seen), note
    )


def _check_place(request: JobRequest, grid: Space, place: Place) -> None:
    if time_axis(grid) is not None and request.frames != "each":
        raise InputError("No preview of time points taken together; run the method to see it.")
    on_display = [axis.kind for axis, i in zip(grid.axes, place, strict=True) if i is None]
    if "time" in on_display:
        raise InputError("No preview: the time axis is on display; show the axes of space.")
    if len(on_display) < 2:
        raise InputError("No preview: two axes of the image have to be on display.")


def _surroundings(
    method: Method, image: Image, request: JobRequest, axis: int, index: int
) -> tuple[slice, str]:
    """The slices that a preview of one of them works on, and what to say about it."""
    kinds = [entry.kind for entry in image.space.without("channel").axes]
    shape = image.spatial_shape
    sizes = [n for n, kind in zip(shape, kinds, strict=True) if kind == "space"]
    is_whole = method.preview == "volume" and math.prod(sizes) <= _LARGEST_VOLUME
    if is_whole:
        return slice(0, shape[axis]), ""
    largest = _LARGEST_VOLUME if method.preview == "volume" else _LARGEST_SLAB
    room = max(1, largest // (math.prod(sizes) // shape[axis]))
    wanted = shape[axis] if method.preview == "volume" else _reach(method, image, request, axis)
    half = min(wanted, (room - 1) // 2)
    slab = slice(max(0, index - half), min(shape[axis], index + half + 1))
    n_slices = slab.stop - slab.start
    if method.preview == "volume":
        around = f"{n_slices} slices around this one" if n_slices > 1 else "this slice alone"
        return slab, f"The preview goes by the values of {around}; a run goes by all."
    if n_slices == 1:
        return slab, "The preview is of this slice; a run makes the volume."
    return slab, (
        f"The preview is of this slice and sees {n_slices} slices around it; "
        "a run sees all and makes the volume."
    )


def _reach(method: Method, image: Image, request: JobRequest, axis: int) -> int:
    """How many slices away a voxel may play a part."""
    if method.is_pixelwise:
        return 0
    lengths = [0.0]
    for param in method.params:
        value = request.settings.get(param.name, param.default)
        if param.unit == "physical" and value is not None:
            lengths += [abs(float(item)) for item in np.atleast_1d(value)]
    space = image.space.without("channel")
    step = abs(space.axes[axis].scale) if space.is_physical else 1.0
    return _MARGIN + math.ceil(_REACH * max(lengths) / step)


def _part_of_request(request: JobRequest, box: Box) -> JobRequest:
    grid = as_image(request.image).space.without("channel")
    kinds = [axis.kind for axis in grid.axes]
    inputs: dict[str, Segmentation | Image] = {}
    for name, value in request.inputs.items():
        has_time = _array(value).ndim == len(box)
        own = box if has_time else _without_time(box, kinds)
        inputs[name] = _part(value, own, value.space)
    image = _part(request.image, box, request.image.space)
    return replace(request, image=image, inputs=inputs)


def _without_time(box: Box, kinds: list[Any]) -> Box:
    return tuple(part for part, kind in zip(box, kinds, strict=True) if kind != "time")


def _part(value: Any, box: Box, space: Space) -> Any:
    """Part of an image or of labels, without its time axis, as a view."""
    full = list(box)
    if space.channel_axis is not None:
        full.insert(space.channel_axis, slice(None))
    cropped = space.crop(full).without("time")
    data = _array(value)[tuple(full)]
    when = time_axis(space)
    if when is not None:
        data = data.squeeze(when)
    key = "labels" if isinstance(value, Segmentation) else "data"
    return replace(value, space=cropped, **{key: data})


def _within(part: Sequence[slice], whole: Sequence[slice], grid: Space) -> Box:
    """A box inside another, along the axes of space."""
    return tuple(
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer, axis in zip(part, whole, grid.axes, strict=True)
        if axis.kind == "space"
    )


def _array(value: Segmentation | Image) -> ImageArray:
    return value.labels if isinstance(value, Segmentation) else value.data


def _copy(value: Any) -> Any:
    key = "labels" if isinstance(value, Segmentation) else "data"
    return replace(value, **{key: np.array(_array(value), order="C")})


def _is_same_memory(a: ImageArray, b: ImageArray) -> bool:
    """Whether two views are of the very same voxels."""
    mine, theirs = a.__array_interface__, b.__array_interface__
    return all(mine[key] == theirs[key] for key in ("data", "shape", "typestr")) and (
        a.strides == b.strides
    )


def dividing_value(
    values: ImageArray, labels: LabelArray, mask: MaskArray | None = None
) -> float | None:
    """The intensity at which labels go from 0 to something else; None where there is none.

    Of integers it is the highest value on the lower side, of others the middle of the gap.

    Parameters
    ----------
    values : (M, N[, P]) array
    labels : (M, N[, P]) array
    mask : (M, N[, P]) bool array, optional
        Voxels that count.

    Examples
    --------
    >>> dividing_value(np.array([[3, 9, 4]]), np.array([[0, 1, 0]]))
    4.0
    """
    counted = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if mask is not None:
        counted &= mask
    without, within = values[counted & (labels == 0)], values[counted & (labels != 0)]
    if not (without.size and within.size):
        return None
    for lower, upper in ((without, within), (within, without)):
        low, high = float(lower.max()), float(upper.min())
        if low <= high:
            return (low + high) / 2 if values.dtype.kind == "f" else low
    return None


@dataclass(frozen=True, eq=False)
class IntensityHistogram:
    """How often intensities occur, in bins of equal width.

    Attributes
    ----------
    edges : (B + 1,) float64 array
    counts : (B,) int64 array
    is_integer : bool
        Whether the image holds whole numbers.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    is_integer: bool


def intensity_histogram(image: Image, n_bins: int = 256) -> IntensityHistogram:
    """Count the intensities of an image of one channel; those not finite are left out.

    Parameters
    ----------
    image : Image
    n_bins : int
        At most; whole numbers that span less have a bin each.

    Raises
    ------
    InputError
        If the image has several channels, or no finite value.

    Examples
    --------
    >>> image = Image.from_array(np.array([[5, 5, 7]], dtype=np.uint8))
    >>> histogram = intensity_histogram(image)
    >>> histogram.edges.tolist(), histogram.counts.tolist()
    ([4.5, 5.5, 6.5, 7.5], [2, 0, 1])
    """
    from .families.histogram import histogram_of

    if image.space.channel_axis is not None:
        raise InputError(
            f"Histogram: expected an image of one channel, got {image.data.shape}; pick one."
        )
    found = histogram_of(image.data, None, "Histogram")
    is_integer = image.data.dtype.kind in "bui"
    edges = _edges(float(found.values[0]), float(found.values[-1]), n_bins, is_integer)
    counts, _ = np.histogram(found.values, edges, weights=found.counts)
    return IntensityHistogram(edges, counts.astype(np.int64), is_integer)


def _edges(low: float, high: float, n_bins: int, is_integer: bool) -> NDArray[np.float64]:
    if is_integer:
        # As many whole numbers in each bin, or the histogram would have teeth.
        width = math.ceil((high - low + 1) / n_bins)
        n_needed = math.ceil((high - low + 1) / width)
        return low - 0.5 + width * np.arange(n_needed + 1, dtype=np.float64)
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, n_bins + 1)
