"""Where superpixels begin: the cells of a regular grid over the voxels that count."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# How near the number of cells comes to the wanted one where a mask cuts into the grid.
_TOLERANCE = 0.05
_ROUNDS = 12


class Seeds(NamedTuple):
    """The first partition of an image.

    Attributes
    ----------
    labels : (L, M, N) int32 array
        Cell of each voxel, from 0; -1 where none is.
    number : int
        How many cells there are.
    step : float
        Side of a cubic cell, in physical units.
    """

    labels: NDArray[np.int32]
    number: int
    step: float


def seed_cells(
    usable: NDArray[np.bool_], wanted: int, spacing: tuple[float, float, float]
) -> Seeds:
    """Cut an image into about as many cells as wanted, as cubic as the voxels allow.

    Inside a mask, cells of the grid over its bounding box count if they hold at least half
    as many voxels as the mean cell does; the grid is made finer or coarser until about as
    many count as are wanted.

    Parameters
    ----------
    usable : (L, M, N) bool array
        Voxels that count, at least one.
    wanted : int
        Cells, from 1 up.
    spacing : tuple of float
        Voxel size per axis.

    References
    ----------
    B. Irving, "maskSLIC: regional superpixel generation with application to local pathology
    characterisation in medical images", 2016, arXiv:1606.09518.

    Examples
    --------
    >>> seed_cells(np.ones((1, 2, 4), dtype=bool), 2, (1.0, 1.0, 1.0)).labels
    array([[[0, 0, 1, 1],
            [0, 0, 1, 1]]], dtype=int32)
    """
    box = _bounding_box(usable)
    inside = usable[box]
    target = wanted * inside.size / np.count_nonzero(inside)
    for _ in range(_ROUNDS):
        cells, step = _grid(inside.shape, target, spacing)
        where = _cell_of_index(inside.shape, cells)
        filled = _voxels_in_cells(inside, *where, math.prod(cells))
        kept = 2 * filled >= filled[filled > 0].mean()
        count = int(np.count_nonzero(kept))
        if abs(count / wanted - 1) <= _TOLERANCE or inside.all():
            break
        target *= wanted / count
    number = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    labels = np.full(usable.shape, -1, np.int32)
    _number_cells(inside, *where, number, labels[box])
    return Seeds(labels, count, step)


def _bounding_box(usable: NDArray[np.bool_]) -> tuple[slice, ...]:
    ends = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(usable.any(axis=others))
        ends.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(ends)


def _grid(
    shape: tuple[int, ...], target: float, spacing: tuple[float, ...]
) -> tuple[tuple[int, ...], float]:
    """Cells per axis, and the side they would all have if they could."""
    extents = np.multiply(shape, spacing)
    finest, coarsest = min(spacing), float(extents.max())
    for _ in range(60):
        step = math.sqrt(finest * coarsest)
        if np.clip(extents / step, 1, shape).prod() > target:
            finest = step
        else:
            coarsest = step
    # The solution lies between whole numbers of cells.
    exact = np.clip(extents / coarsest, 1, shape)
    choices = itertools.product(
        *({math.floor(n + 1e-9), math.ceil(n - 1e-9)} for n in exact.tolist())
    )
    cells = min(choices, key=lambda c: (abs(math.log(math.prod(c) / target)), -math.prod(c), c))
    return cells, coarsest


def _cell_of_index(shape: tuple[int, ...], cells: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """What each index adds to the number of the cell, for each axis."""
    pitch = (cells[1] * cells[2], cells[2], 1)
    return [np.arange(n) * c // n * p for n, c, p in zip(shape, cells, pitch, strict=True)]


@njit(nogil=True, cache=True)
def _voxels_in_cells(inside: Any, of_z: Any, of_y: Any, of_x: Any, n_cells: Any) -> Any:
    filled = np.zeros(n_cells, np.int64)
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            for x in range(inside.shape[2]):
                filled[of_z[z] + of_y[y] + of_x[x]] += inside[z, y, x]
    return filled


@njit(nogil=True, cache=True)
def _number_cells(inside: Any, of_z: Any, of_y: Any, of_x: Any, number: Any, labels: Any) -> None:
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            for x in range(inside.shape[2]):
                if inside[z, y, x]:
                    labels[z, y, x] = number[of_z[z] + of_y[y] + of_x[x]]
