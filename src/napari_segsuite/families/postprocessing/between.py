"""What lies between two labelled slices: shapes that move and change into each other."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...boxes import grown
from ...typing import Box, FloatArray, LabelArray, MaskArray, Spacing
from .classes import class_boxes, is_any

# Parts without overlap are one object if no farther apart than this many times their radii.
_FARTHEST = 2.0
# Of the parts on the other slice that one may be paired with.
_MOST_LOOKED_AT = 8


class _Morph(NamedTuple):
    """One object on both slices, or on one of them.

    Attributes
    ----------
    label : int
    box : tuple of slice
        Where in the plane `start` and `end` lie.
    start, end : (M, N) float32 array
        Signed distances to the object's outline, positive inside.
    way : (2,) array
        From the object's centre on the first slice to that on the last, in pixels.
    """

    label: int
    box: Box
    start: FloatArray
    end: FloatArray
    way: NDArray[np.float64]

    def at(self, t: float) -> FloatArray:
        """Signed distances at the fraction `t` of the way."""
        here: FloatArray = (1 - t) * _moved(self.start, t * self.way)
        here += t * _moved(self.end, (t - 1) * self.way)
        return here

    @property
    def depth(self) -> float:
        """Half the width of the object where it is widest."""
        return float(max(self.start.max(), self.end.max()))


def between(
    first: LabelArray,
    last: LabelArray,
    n_slices: int,
    classes: Collection[int],
    pixel: Spacing,
) -> Iterator[LabelArray]:
    """Labels of the slices between two.

    Parts that overlap are one object, and of those left over the nearest ones are. Both
    shapes of an object are moved to the place on the line between their centres and their
    signed distances are mixed. An object that is on one slice only tapers off half-way.

    Parameters
    ----------
    first, last : (M, N) unsigned integer array
    n_slices : int
        How many to make.
    classes : collection of int
        Classes to interpolate, all if empty.
    pixel : tuple of float
        Pixel size per axis.

    Yields
    ------
    (M, N) array, dtype of `first`
        0 outside the chosen classes. A pixel in the reach of several objects belongs to the
        one that is deepest there for its size. One that is well inside of labels on both
        slices is labelled, so that neighbours stay neighbours.
    """
    boxes = class_boxes(np.stack([first, last]), classes)
    morphs = [
        morph
        for label, (_, *box) in boxes.items()
        for morph in _morphs(label, tuple(box), first, last, pixel)
    ]
    empty = _signed_distance(~is_any(first, classes), pixel)
    empty_last = _signed_distance(~is_any(last, classes), pixel)
    for i in range(1, n_slices + 1):
        t = i / (n_slices + 1)
        least = np.minimum((1 - t) * empty + t * empty_last, 0)
        plane = np.zeros_like(first)
        deepest = np.full(first.shape, -np.inf, dtype=np.float32)
        for morph in morphs:
            here = morph.at(t)
            is_in = here > least[morph.box]
            here /= morph.depth
            is_in &= here > deepest[morph.box]
            np.copyto(deepest[morph.box], here, where=is_in)
            np.copyto(plane[morph.box], first.dtype.type(morph.label), where=is_in)
        yield plane


class _Part(NamedTuple):
    """An object on one slice: its pixels within `box`, and their centre."""

    mask: MaskArray
    box: Box
    centre: NDArray[np.float64]

    def within(self, box: Box) -> MaskArray:
        """The pixels in a larger box."""
        mask = np.zeros([side.stop - side.start for side in box], dtype=bool)
        corner = [a.start - b.start for a, b in zip(self.box, box, strict=True)]
        inner = tuple(slice(c, c + n) for c, n in zip(corner, self.mask.shape, strict=True))
        mask[inner] = self.mask
        return mask

    def radius(self, pixel: Spacing) -> float:
        """Radius of a disk of this area."""
        return math.sqrt(self.mask.sum() * math.prod(pixel) / math.pi)


def _morphs(
    label: int, box: Box, first: LabelArray, last: LabelArray, pixel: Spacing
) -> Iterator[_Morph]:
    """The objects of one class, which lies in `box`."""
    from scipy import ndimage

    # Within a slice pixels are joined by corners too, across slices where they overlap.
    joined = np.zeros((3, 3, 3), dtype=bool)
    joined[1] = joined[:, 1, 1] = True
    numbers, n = ndimage.label(np.stack([first[box], last[box]]) == label, joined)
    lone_starts: list[_Part] = []
    lone_ends: list[_Part] = []
    for number, (_, *inner) in enumerate(ndimage.find_objects(numbers), 1):
        start, end = (_part(plane[tuple(inner)] == number, inner, box) for plane in numbers)
        if start is not None and end is not None:
            yield _morph(label, start, end, first.shape, pixel)
        elif start is not None:
            lone_starts.append(start)
        elif end is not None:
            lone_ends.append(end)
    reach = _FARTHEST if n > 2 else math.inf
    for start, end in _nearest_pairs(lone_starts, lone_ends, pixel, reach):
        yield _morph(label, start, end, first.shape, pixel)
    for start in lone_starts:
        yield _tapering(label, start, first.shape, pixel)
    for end in lone_ends:
        ending = _tapering(label, end, first.shape, pixel)
        yield ending._replace(start=ending.end, end=ending.start)


def _part(mask: MaskArray, inner: Collection[slice], box: Box) -> _Part | None:
    """The object in a box within a box; None if there is none."""
    if not mask.any():
        return None
    place = tuple(
        slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, box, strict=True)
    )
    corner = [side.start for side in place]
    return _Part(mask, place, np.argwhere(mask).mean(axis=0) + corner)


def _nearest_pairs(
    starts: list[_Part], ends: list[_Part], pixel: Spacing, reach: float
) -> Iterator[tuple[_Part, _Part]]:
    """Take pairs out of both lists, the nearest first, while they are within reach."""
    if not starts or not ends:
        return
    from scipy.spatial import KDTree

    tree = KDTree([end.centre * pixel for end in ends])
    found: list[tuple[float, int, int]] = []
    for i, start in enumerate(starts):
        distances, near = tree.query(start.centre * pixel, k=[*range(1, 1 + _MOST_LOOKED_AT)])
        for distance, j in zip(distances, near, strict=True):
            if j < len(ends):
                radii = start.radius(pixel) + ends[j].radius(pixel)
                found.append((distance / radii, i, int(j)))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for apart, i, j in sorted(found):
        if apart <= reach and i not in pairs and j not in taken:
            pairs[i] = j
            taken.add(j)
    yield from [(starts[i], ends[j]) for i, j in pairs.items()]
    starts[:] = [part for i, part in enumerate(starts) if i not in pairs]
    ends[:] = [part for j, part in enumerate(ends) if j not in taken]


def _morph(label: int, start: _Part, end: _Part, shape: tuple[int, ...], pixel: Spacing) -> _Morph:
    way = end.centre - start.centre
    both = tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(start.box, end.box, strict=True)
    )
    box = grown(both, [1 + math.ceil(abs(step)) for step in way], shape)
    fields = [_signed_distance(part.within(box), pixel) for part in (start, end)]
    for field, other in (fields, fields[::-1]):
        if np.isinf(field[0, 0]):
            # It fills the slice: as deep as what comes up, or goes down, in its midst.
            deepest = -float(other.min())
            field[...] = deepest if 0 < deepest < math.inf else min(pixel)
    return _Morph(label, box, fields[0], fields[1], way)


def _tapering(label: int, part: _Part, shape: tuple[int, ...], pixel: Spacing) -> _Morph:
    """An object that is gone half-way to the other slice."""
    box = grown(part.box, (1, 1), shape)
    field = _signed_distance(part.within(box), pixel)
    if np.isinf(field[0, 0]):
        field[...] = min(pixel)
    return _Morph(label, box, field, np.full_like(field, -field.max()), np.zeros(2))


def _signed_distance(mask: MaskArray, pixel: Spacing) -> FloatArray:
    """Distance to the outline, positive inside; infinite where there is none."""
    from ...kernels.cpu.distance import squared_distance

    inside, outside = squared_distance(mask, pixel), squared_distance(~mask, pixel)
    distance: FloatArray = np.sqrt(inside) - np.sqrt(outside)
    return distance


def _moved(field: FloatArray, way: NDArray[np.float64]) -> FloatArray:
    from scipy import ndimage

    if not way.any():
        return field
    moved: FloatArray = ndimage.shift(field, way, order=1, mode="nearest")
    return moved
