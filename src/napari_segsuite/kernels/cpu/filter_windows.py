"""Filters that pick one of the values in a small window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import numpy as np

from .boxes import Ints, slices
from .filters import Planes


@dataclass(frozen=True)
class Extremes:
    """The least and the largest value in a window around each voxel.

    Parameters
    ----------
    reach : tuple of 2 or 3 ints
        Voxels that the window extends to either side along each axis.
    """

    reach: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""
        return ("minimum", "maximum")

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of a box."""
        reach = (0,) * (3 - len(self.reach)) + self.reach
        least = largest = _surroundings(image, low, shape, reach)
        for axis, r in enumerate(reach):
            least = _slide(np.minimum, least, axis, r)
            largest = _slide(np.maximum, largest, axis, r)
        return np.stack([least, largest])


@dataclass(frozen=True)
class Median:
    """The median of the 3 × 3 values around each voxel, in the plane of the last two axes."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""
        return ("median",)

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of a box."""
        around = _surroundings(image, low, shape, (0, 1, 1))
        values = [around[slices((0, y, x), shape)] for y, x in product(range(3), repeat=2)]
        # Neither the least nor the largest of any six of nine is their median: both are
        # dropped and another one joins, until one is left.
        kept = _without_extremes(values[:6])
        for value in values[6:]:
            kept = _without_extremes([*kept, value])
        return kept[0][np.newaxis]


def _surroundings(image: Planes, low: Ints, shape: Ints, reach: Sequence[int]) -> Planes:
    """A box and what is around it, mirrored where the image ends."""
    index = []
    for a, size, r, n in zip(low, shape, reach, image.shape, strict=True):
        place = np.arange(a - r, a + size + r) % (2 * n)
        index.append(np.minimum(place, 2 * n - 1 - place))
    return np.asarray(image[np.ix_(*index)])


def _slide(
    function: Callable[[Planes, Planes], Planes], values: Planes, axis: int, reach: int
) -> Planes:
    """Fold every ``2 * reach + 1`` neighbours along an axis into one."""
    lines = np.moveaxis(values, axis, 0)
    size = len(lines) - 2 * reach
    folded = reduce(function, [lines[k : k + size] for k in range(2 * reach + 1)])
    return np.moveaxis(folded, 0, axis)


def _without_extremes(values: list[Planes]) -> list[Planes]:
    """Order values, place by place, so far that the least and the largest can be left out."""
    first, *rest = values
    above = []
    for value in rest:
        above.append(np.maximum(first, value))
        first = np.minimum(first, value)
    last, *rest = above
    between = []
    for value in rest:
        between.append(np.minimum(last, value))
        last = np.maximum(last, value)
    return between
