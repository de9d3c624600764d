"""Boxes of voxels: a slice with start and stop per axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .typing import Box

_SLAB = 1 << 20


def whole(shape: Sequence[int]) -> Box:
    """The box of all voxels of a shape."""
    return tuple(slice(0, n) for n in shape)


def shape_of(box: Box) -> tuple[int, ...]:
    """Number of voxels along each axis.

    Examples
    --------
    >>> shape_of((slice(2, 5), slice(0, 4)))
    (3, 4)
    """
    return tuple(part.stop - part.start for part in box)


def bounding_box(array: NDArray[Any]) -> Box | None:
    """Smallest box that holds all voxels that are not 0 or False; None where there are none.

    No temporary of the array's size is made.

    Examples
    --------
    >>> bounding_box(np.array([[0, 0, 0], [0, 3, 3]]))
    (slice(1, 2, None), slice(1, 3, None))
    """
    box = whole(array.shape)
    for axis in range(array.ndim):
        others = tuple(other for other in range(array.ndim) if other != axis)
        hits = np.flatnonzero(array[box].any(axis=others))
        if not len(hits):
            return None
        found = slice(int(hits[0]), int(hits[-1]) + 1)
        box = (*box[:axis], found, *box[axis + 1 :])
    return box


def union(one: Box | None, other: Box | None) -> Box | None:
    """Smallest box that holds both; None stands for an empty one."""
    if one is None or other is None:
        return one if other is None else other
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )


def intersection(one: Box, other: Box) -> Box | None:
    """The voxels in both; None where there are none."""
    common = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return common if all(part.start < part.stop for part in common) else None


def contains(outer: Box, inner: Box) -> bool:
    """Whether every voxel of `inner` is one of `outer`."""
    return all(a.start <= b.start and b.stop <= a.stop for a, b in zip(outer, inner, strict=True))


def inside(box: Box, frame: Box) -> Box:
    """The same voxels, counted from the corner of `frame`.

    Examples
    --------
    >>> inside((slice(5, 7),), frame=(slice(4, 9),))
    (slice(1, 3, None),)
    """
    return tuple(
        slice(part.start - outer.start, part.stop - outer.start)
        for part, outer in zip(box, frame, strict=True)
    )


def outside(box: Box, frame: Box) -> Box:
    """The same voxels, where `box` counts from the corner of `frame`: inverse of `inside`."""
    return tuple(
        slice(part.start + outer.start, part.stop + outer.start)
        for part, outer in zip(box, frame, strict=True)
    )


def grown(box: Box, widths: Sequence[int], shape: Sequence[int]) -> Box:
    """The box wider by so many voxels per axis on every side, clipped to the grid."""
    return tuple(
        slice(max(part.start - width, 0), min(part.stop + width, n))
        for part, width, n in zip(box, widths, shape, strict=True)
    )


def in_voxels(length: float, spacing: Sequence[float]) -> tuple[int, ...]:
    """A physical length in voxels along each axis, rounded up.

    Examples
    --------
    >>> in_voxels(2.0, (3.0, 0.7, 0.5))
    (1, 3, 4)
    """
    # Three voxels of 0.1 are three voxels, though 0.3 / 0.1 is a little more.
    return tuple(math.ceil(length / size - 1e-6) for size in spacing)


def slabs(box: Box, voxels: int = _SLAB) -> Iterator[Box]:
    """The box cut along its first axis into pieces of about `voxels` voxels, in order.

    Work done slab by slab needs temporaries of a slab's size only.
    """
    first, *rest = box
    plane = math.prod(shape_of(tuple(rest)))
    step = max(1, voxels // max(plane, 1))
    for start in range(first.start, first.stop, step):
        yield (slice(start, min(start + step, first.stop)), *rest)
