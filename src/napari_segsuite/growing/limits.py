"""Where growth may go: a range of intensities, a mask, a box, locked classes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..boxes import (
    bounding_box,
    contains,
    grown,
    in_voxels,
    intersection,
    outside,
    shape_of,
    slabs,
    union,
    whole,
)
from ..errors import InputError, ParameterError
from ..space import Space
from ..typing import Box, ImageArray, LabelArray, MaskArray

# A region grows by eighths of an axis, so that few strokes make it grow.
_BLOCKS = 8
_SMALLEST_BLOCK = 8
# Percentiles of painted intensities between which most of a class lies.
_TAILS = (0.5, 99.5)
_WIDER = 0.1


@dataclass(frozen=True)
class Limits:
    """What bounds growth besides a mask.

    Attributes
    ----------
    value_range : (float, float) or None
        Lowest and highest intensity that may be labelled, both included.
    box : tuple of slice or None
        Part of the grid in which to work.
    margin : float or None
        Physical distance from the seeds up to which to work; None for no such bound.
    locked : tuple of int
        Classes of a result whose voxels nothing may grow into.

    Raises
    ------
    ParameterError
        If the range is upside down or the margin negative.
    """

    value_range: tuple[float, float] | None = None
    box: Box | None = None
    margin: float | None = None
    locked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.value_range is not None and not self.value_range[0] <= self.value_range[1]:
            raise ParameterError(
                f"expected a lowest intensity not above the highest, got {self.value_range}; "
                f"exchange them",
                name="value_range",
            )
        if self.margin is not None and not 0 <= self.margin < math.inf:
            raise ParameterError(
                f"expected a margin of 0 or more, got {self.margin}; give a length in the unit "
                f"of the image, or None for no margin",
                name="margin",
            )


def region(
    seeds: LabelArray,
    spacing: Sequence[float],
    margin: float,
    keep: Box | None = None,
    within: Box | None = None,
) -> Box | None:
    """Box around the painted voxels in which to grow, stable while painting goes on.

    Its faces lie at eighths of the axes, and it never gives up voxels of `keep`: of many
    strokes few change it, at most a handful along each axis.

    Parameters
    ----------
    seeds : (M, N[, P]) integer array
    spacing : tuple of float
        Voxel size per axis.
    margin : float
        Physical distance that growth may go beyond the seeds, at least.
    keep : tuple of slice, optional
        The region so far. It comes back as it is while it reaches far enough.
    within : tuple of slice, optional
        The region stays inside this box.

    Returns
    -------
    tuple of slice or None
        None where nothing is painted and there is no `keep`.

    Examples
    --------
    >>> seeds = np.zeros((100, 100), np.uint8)
    >>> seeds[50, 20:30] = 1
    >>> first = region(seeds, (1, 1), margin=5)
    >>> first
    (slice(39, 65, None), slice(13, 39, None))
    >>> seeds[58, 30] = 2
    >>> region(seeds, (1, 1), margin=5, keep=first) is first
    True
    """
    frame = whole(seeds.shape) if within is None else within
    painted = bounding_box(seeds[frame])
    if painted is None:
        return keep
    reach = in_voxels(margin, spacing)
    needed = outside(grown(painted, reach, shape_of(frame)), frame)
    if keep is not None and contains(keep, needed):
        return keep
    return union(keep, intersection(_in_blocks(needed, seeds.shape), frame))


def _in_blocks(box: Box, shape: Sequence[int]) -> Box:
    """The box with its faces moved outwards to multiples of an eighth of each axis."""
    blocks = [max(math.ceil(n / _BLOCKS), _SMALLEST_BLOCK) for n in shape]
    return tuple(
        slice(part.start // size * size, -(-part.stop // size) * size)
        for part, size in zip(box, blocks, strict=True)
    )


def allowed(
    image: ImageArray,
    limits: Limits,
    *,
    mask: MaskArray | None = None,
    result: LabelArray | None = None,
) -> MaskArray | None:
    """Where growth may go, by mask, intensity range and locked classes together.

    Takes one byte per voxel for what it returns; other temporaries have the size of a
    slab of a million voxels.

    Parameters
    ----------
    image : (M, N[, P]) array
        One channel, of the region alone where there is one. NaN is outside any range.
    limits : Limits
        Its box and margin play no role here.
    mask : (M, N[, P]) bool array, optional
    result : (M, N[, P]) integer array, optional
        Where the locked classes lie.

    Returns
    -------
    (M, N[, P]) bool array or None
        None where growth may go everywhere; `mask` itself where nothing else bounds it.

    Raises
    ------
    InputError
        If the arrays differ in shape.

    Examples
    --------
    >>> allowed(np.array([1, 5, 9, 5]), Limits((4, 8), locked=(2,)), result=np.array([0, 0, 0, 2]))
    array([False,  True, False, False])
    """
    for name, array in (("mask", mask), ("result", result)):
        if array is not None and array.shape != image.shape:
            raise InputError(
                f"expected a {name} of the image's shape {image.shape}, got {array.shape}; "
                f"put the {name} on the grid of the image"
            )
    locked = result if limits.locked else None
    if limits.value_range is None and locked is None:
        return mask
    free = np.ones(image.shape, bool)
    for slab in slabs(whole(image.shape)):
        part = free[slab]
        if mask is not None:
            part &= mask[slab]
        if limits.value_range is not None:
            lowest, highest = limits.value_range
            part &= image[slab] >= lowest
            part &= image[slab] <= highest
        if locked is not None:
            part &= ~np.isin(locked[slab], limits.locked)
    return free


def box_from_points(points: ArrayLike, space: Space, shape: Sequence[int]) -> Box:
    """Box of voxels that encloses points of the world, such as the corners of shapes.

    Along an axis on which all points lie in one slice the box takes all slices: a
    rectangle drawn on a slice bounds the volume to both sides of it.

    Parameters
    ----------
    points : (K, n) array of float
        World coordinates in the order of the axes; with fewer columns than the space
        has axes they are those of the last ones. Give all `corners` of a box.
    space : Space
        Of the grid, without channels.
    shape : tuple of int
        Of the grid.

    Returns
    -------
    tuple of slice
        Every voxel that a point touches is inside.

    Raises
    ------
    InputError
        If there are no points, or the box lies outside the grid.

    Examples
    --------
    >>> space = Space.regular(3, (3.0, 0.5, 0.5))
    >>> box_from_points([(6, 1, 1), (6, 3, 2)], space, (9, 20, 20))
    (slice(0, 9, None), slice(2, 7, None), slice(2, 5, None))
    """
    places = np.asarray(points, dtype=np.float64)
    if places.ndim != 2 or not 0 < places.shape[1] <= space.ndim or not len(places):
        raise InputError(
            f"expected corners with {space.ndim} coordinates each, got an array of shape "
            f"{places.shape}; draw a shape around the region"
        )
    n = places.shape[1]
    matrix = space.matrix
    indices = np.linalg.solve(
        matrix[-n - 1 : -1, -n - 1 : -1], (places - matrix[-n - 1 : -1, -1]).T
    )
    first, last = (np.floor(end(indices, axis=1) + 0.5).astype(int) for end in (np.min, np.max))
    box = whole(shape)[: space.ndim - n] + tuple(
        slice(0, size) if low == high and 0 <= low < size else slice(int(low), int(high) + 1)
        for low, high, size in zip(first, last, shape[-n:], strict=True)
    )
    clipped = intersection(box, whole(shape))
    if clipped is None:
        raise InputError(
            "expected a region that overlaps the image, got one outside; draw it on the image"
        )
    return clipped


def corners(lowest: Sequence[float], highest: Sequence[float]) -> NDArray[np.float64]:
    """The 2ⁿ corners of a box in the world, for `box_from_points`.

    Examples
    --------
    >>> corners((0, 5), (1, 6)).tolist()
    [[0.0, 5.0], [0.0, 6.0], [1.0, 5.0], [1.0, 6.0]]
    """
    return np.array(list(product(*zip(lowest, highest, strict=True))), dtype=np.float64)


def suggest_range(
    image: ImageArray, seeds: LabelArray, classes: Collection[int]
) -> tuple[float, float]:
    """Range of intensities that the painted voxels of some classes suggest.

    From the 0.5th to the 99.5th percentile of what is painted, widened on both sides by a
    tenth of that; whole numbers for images of integers.

    Parameters
    ----------
    image : (M, N[, P]) array
        One channel.
    seeds : (M, N[, P]) integer array
    classes : collection of int
        Which classes are to lie in the range.

    Raises
    ------
    InputError
        If none of them is painted on voxels with a finite intensity.

    Examples
    --------
    >>> suggest_range(np.array([0, 100, 110, 120, 900]), np.array([2, 1, 1, 1, 2]), [1])
    (98.0, 122.0)
    """
    painted = np.nonzero(seeds)
    chosen = np.isin(seeds[painted], list(classes))
    values = image[tuple(index[chosen] for index in painted)].astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError(
            f"expected seeds of the classes {sorted(classes)} to take intensities from, got none; "
            f"paint some first"
        )
    low, high = np.percentile(values, _TAILS)
    widening = _WIDER * (high - low)
    low, high = low - widening, high + widening
    if image.dtype.kind in "bui":
        low, high = math.floor(low), math.ceil(high)
    return float(low), float(high)
