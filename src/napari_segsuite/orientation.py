"""Axis order and direction, changed without touching a voxel."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .image import Image, Segmentation
from .space import Space

Placed = TypeVar("Placed", bound=Image | Segmentation)


def closest_canonical(value: Placed) -> Placed:
    """Permute and flip the spatial axes so that each runs along its world axis.

    Afterwards the largest entry in every column of the index → world matrix is positive
    and on the diagonal. Every voxel keeps its place in the world; arrays are views.

    Parameters
    ----------
    value : Image or Segmentation
        Oblique grids stay oblique, turned by less than they were.

    Returns
    -------
    Image or Segmentation
        Of the same type; `value` itself where there is nothing to change. Extra outputs
        whose last axes are those of the labels turn with them.

    Examples
    --------
    >>> flipped = Space.from_matrix(np.diag([2.0, 1.0, -1.0, 1.0]), unit="mm")
    >>> image = Image(np.arange(24).reshape(2, 3, 4), flipped)
    >>> turned = closest_canonical(image)
    >>> turned.data[0, 0].tolist(), turned.space.matrix[2].tolist()
    ([3, 2, 1, 0], [0.0, 0.0, 1.0, -3.0])
    """
    return _turned(value, _directions(value.space))


def turned_to(value: Placed, space: Space) -> Placed:
    """Permute and flip the spatial axes so that each runs along the same one of a space.

    Every voxel keeps its place in the world; arrays are views, and lazy ones stay lazy.

    Parameters
    ----------
    value : Image or Segmentation
    space : Space
        With as many spatial axes.

    Returns
    -------
    Image or Segmentation
        Of the same type; `value` itself where there is nothing to change.

    Examples
    --------
    >>> flipped = Space.from_matrix(np.diag([2.0, 1.0, -1.0, 1.0]), unit="mm")
    >>> image = Image(np.arange(24).reshape(2, 3, 4), Space.regular(3, (2, 1, 1), "mm"))
    >>> turned_to(image, flipped).data[0, 0].tolist()
    [3, 2, 1, 0]
    """
    directions = np.linalg.solve(_directions(space), _directions(value.space))
    return _turned(value, np.asarray(directions, np.float64))


def _directions(space: Space) -> NDArray[np.float64]:
    """Index → world without the origin: a column per spatial axis."""
    matrix: NDArray[np.float64] = space.without("channel").without("time").matrix
    return matrix[:-1, :-1]


def _turned(value: Placed, directions: NDArray[np.float64]) -> Placed:
    """The axes that are the columns, in the order and direction of the rows."""
    data = value.data if isinstance(value, Image) else value.labels
    spatial = [i for i, axis in enumerate(value.space.axes) if axis.kind == "space"]
    matrix = value.space.without("channel").without("time").matrix
    order, flipped = _nearest(directions)
    if order == tuple(range(len(spatial))) and not any(flipped):
        return value
    steps = _index_change(order, flipped, [data.shape[spatial[i]] for i in order])
    space = _replaced(value.space, spatial, matrix @ steps)
    axes = list(range(data.ndim))
    index: list[slice] = [slice(None)] * data.ndim
    for place, source, flip in zip(spatial, order, flipped, strict=True):
        axes[place] = spatial[source]
        index[place] = slice(None, None, -1) if flip else slice(None)
    turned = data.transpose(axes)[tuple(index)]
    if isinstance(value, Image):
        return replace(value, data=turned, space=space)
    extras = {
        name: _turn_last(extra, axes, index) if extra.shape[-data.ndim :] == data.shape else extra
        for name, extra in value.extras.items()
    }
    return replace(value, labels=turned, space=space, extras=extras)


def _nearest(linear: NDArray[np.float64]) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Which old axis becomes which new one, and whether it turns round."""
    cosines = linear / np.linalg.norm(linear, axis=0)
    n = len(linear)
    order = max(permutations(range(n)), key=lambda p: sum(abs(cosines[i, p[i]]) for i in range(n)))
    return order, tuple(bool(cosines[i, order[i]] < 0) for i in range(n))


def _index_change(
    order: tuple[int, ...], flipped: tuple[bool, ...], sizes: list[int]
) -> NDArray[np.float64]:
    """Homogeneous matrix from new indices to old ones."""
    n = len(order)
    change = np.zeros((n + 1, n + 1))
    change[n, n] = 1
    for new, (old, flip, size) in enumerate(zip(order, flipped, sizes, strict=True)):
        change[old, new] = -1 if flip else 1
        change[old, n] = size - 1 if flip else 0
    return change


def _replaced(space: Space, spatial: list[int], matrix: NDArray[np.float64]) -> Space:
    """`space` with another matrix over its spatial axes; time and channels stay."""
    fresh = Space.from_matrix(matrix, space.spatial[0].unit)
    axes = list(space.axes)
    for place, axis in zip(spatial, fresh.axes, strict=True):
        axes[place] = axis
    if fresh.affine is None:
        return Space(tuple(axes))
    world = [i for i, axis in enumerate(axes) if axis.kind != "channel"]
    rows = [world.index(i) for i in spatial] + [len(world)]
    affine = np.eye(len(world) + 1)
    affine[np.ix_(rows, rows)] = fresh.affine
    return Space(tuple(axes), affine=tuple(tuple(float(v) for v in row) for row in affine))


def _turn_last(extra: NDArray[Any], axes: list[int], index: list[slice]) -> NDArray[Any]:
    leading = extra.ndim - len(axes)
    order = [*range(leading), *(leading + axis for axis in axes)]
    return extra.transpose(order)[(*[slice(None)] * leading, *index)]
