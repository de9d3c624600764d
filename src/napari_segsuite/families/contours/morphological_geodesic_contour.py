"""Contours of painted or found regions that come to rest on edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Le

from ...boxes import bounding_box, grown
from ...errors import InputError
from ...label_values import unsigned_labels
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import Box, FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..histogram import histogram_of
from ..intensities import in_float32
from ..postprocessing.classes import class_boxes
from ..voxels import check_any_usable, usable_voxels
from .evolution import as_volume, evolve

if TYPE_CHECKING:
    from ...kernels.cpu.crew import Crew

_TITLE = "Geodesic contour"
# Share of the voxels, in percent, that a contour is too slow to be blown over.
_SLOW = 40


@method(
    title=_TITLE,
    family="contours",
    bytes_per_voxel=28,
    stacked_by="watch",
    requires=("numba",),
    references=("10.1023/A:1007979827043", "10.1109/TPAMI.2013.106"),
)
def morphological_geodesic_contour(
    image: ImageArray,
    labels: LabelArray,
    mask: MaskArray | None = None,
    *,
    iterations: Annotated[int, Ge(1), Le(10000)] = 100,
    smoothing: Annotated[int, Ge(0), Le(10)] = 1,
    balloon: Annotated[float, Ge(-1), Le(1)] = 1.0,
    scale: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    steepness: Annotated[float, Ge(0), Le(1e6)] = 100.0,
    threshold: Annotated[float | None, Ge(0), Le(1)] = None,
    watch: Annotated[tuple[int, ...], Ge(0), Le(10000)] = (),
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Move the contour of every class until it rests on edges of the image.

    A contour's speed is 1 where the image is even and falls to 0 at edges. Each iteration
    blows the contour up, or shrinks it, by a voxel where its speed allows, pulls it towards
    lower speed, and smooths it by morphology. A class takes only voxels that no other one
    holds: the first to come keeps a voxel until its own contour draws back, and of two that
    come in the same iteration the lower one gets it. It ends early once nothing changes.
    Beyond the border of the image lies what is at it.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels stay 0.
    labels : (M, N[, P]) unsigned integer array
        Regions whose contours move; 0 is free.
    mask : (M, N[, P]) bool array, optional
        Where the contours may go; voxels outside stay 0.
    iterations : int
        Iterations at most. A contour moves by about a voxel in each.
    smoothing : int
        How often a contour is smoothed in each iteration: 0 leaves it rough.
    balloon : float
        1 blows regions up and -1 shrinks them wherever the speed is above `threshold`;
        between these, above `threshold` divided by its absolute value; 0 leaves contours to
        the pull of edges near them.
    scale : float
        Standard deviation of the Gaussian under which edges are found, in the image's unit
        or in pixels, and one voxel along each axis at least.
    steepness : float
        How fast the speed falls at edges: it is 1 / sqrt(1 + steepness × gradient), with
        the gradient per smallest voxel side in shares of the range that all intensities
        lie in but a thousandth at either end.
    threshold : float, optional
        Speed above which `balloon` acts; None takes the 40th percentile of the speed.
    watch : tuple of int
        Iterations to keep, 0 for the start: the labels then come as a time stack, one frame
        per entry, for watching the contours move, and `iterations` plays no part; empty for
        the end result alone.
    spacing : tuple of float, optional
        Voxel size per axis, for `scale` and the gradient.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        The classes of `labels`, of the same type; 0 outside all contours.

    Raises
    ------
    InputError
        If no voxel counts, labels hold no class there, or intensities are beyond the range
        of float32.

    References
    ----------
    .. [1] V. Caselles, R. Kimmel, G. Sapiro, "Geodesic active contours", International
       Journal of Computer Vision 22(1), 1997, 10.1023/A:1007979827043.
    .. [2] P. Márquez-Neila, L. Baumela, L. Alvarez, "A morphological approach to
       curvature-based evolution of curves and surfaces", IEEE TPAMI 36(1), 2014,
       10.1109/TPAMI.2013.106.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> y, x = np.mgrid[:40, :40]
    >>> image = 100 + 50 * (np.hypot(x - 19, y - 19) < 12)
    >>> labels = (np.hypot(x - 19, y - 19) < 4).astype(np.uint8)
    >>> nss.morphological_geodesic_contour(image, labels)[19, ::4]
    array([0, 0, 1, 1, 1, 1, 1, 1, 0, 0], dtype=uint8)
    """
    from numba import config

    from ...kernels.cpu.crew import Crew

    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    regions = unsigned_labels(labels)
    regions = regions.copy() if usable is None else regions * usable
    boxes = class_boxes(regions)
    if not boxes:
        raise InputError(
            f"{_TITLE}: expected at least one class to start from inside the mask, got none; "
            "paint or find regions first."
        )
    speed = _speed(image, usable, scale, steepness, spacing or (1.0,) * image.ndim)
    if threshold is None:
        counted = speed if usable is None else speed[usable]
        threshold = float(np.percentile(counted, _SLOW))
    last = max(watch, default=iterations)
    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:

        def step(number: int) -> None:
            turns = range(number * smoothing, (number + 1) * smoothing)
            for label in list(boxes):
                # With many classes an iteration takes long: it can be stopped at each.
                progress(number / last, "moving the contours")
                _move(regions, label, boxes, speed, usable, balloon, threshold, turns, crew)

        return evolve(regions.copy, step, iterations, watch, progress)


def _move(
    regions: LabelArray,
    label: int,
    boxes: dict[int, Box],
    speed: FloatArray,
    usable: MaskArray | None,
    balloon: float,
    threshold: float,
    turns: range,
    crew: Crew,
) -> None:
    """Move the contour of one class by an iteration, in place."""
    from ...kernels.cpu.contours import Contour

    # A region grows by a voxel where it is blown up, pulled, and each time it is smoothed.
    box = grown(boxes[label], (3 + len(turns),) * regions.ndim, regions.shape)
    part, near = regions[box], as_volume(speed[box])
    own = part == label
    contour = Contour(as_volume(own), None if usable is None else as_volume(usable[box]), crew)
    if balloon != 0:
        contour.inflate(near, threshold / abs(balloon), outward=balloon > 0)
    contour.descend(near)
    contour.smooth(turns)
    moved = contour.inside.reshape(own.shape) != 0
    moved &= own | (part == 0)
    if usable is not None:
        moved &= usable[box]
    part[own] = 0
    part[moved] = label
    left = bounding_box(moved)
    if left is None:
        del boxes[label]
    else:
        boxes[label] = tuple(
            slice(at.start + side.start, at.start + side.stop)
            for at, side in zip(box, left, strict=True)
        )


def _speed(
    image: ImageArray, usable: MaskArray | None, scale: float, steepness: float, steps: Spacing
) -> FloatArray:
    """1 where the image is even, near 0 on edges."""
    from scipy import ndimage

    grey = in_float32(image, _TITLE)
    if image.dtype.kind == "f":
        # A finite stand-in for NaN, where no contour goes in any case.
        finite = np.isfinite(grey)
        grey[~finite] = grey[finite].mean(dtype=np.float64)
    grey /= np.float32(_contrast(image, usable))
    sigma = [max(1.0, scale / step) for step in steps]
    squares = np.zeros_like(grey)
    for axis, step in enumerate(steps):
        order = [int(axis == other) for other in range(grey.ndim)]
        slope = ndimage.gaussian_filter(grey, sigma, order=order, mode="nearest")
        slope *= np.float32(min(steps) / step)
        squares += np.square(slope, out=slope)
    speed = np.sqrt(squares, out=squares)
    speed *= np.float32(steepness)
    speed += 1
    return np.divide(1, np.sqrt(speed, out=speed), out=speed)


def _contrast(image: ImageArray, usable: MaskArray | None) -> float:
    """Range of the intensities but for the outermost; 1 where there is none."""
    low, high = histogram_of(image, usable, _TITLE).usual_range()
    return float(high - low) or 1.0
