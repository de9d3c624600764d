"""Distance from every element of one surface to the nearest one of another.

A distance map of the whole volume would be made for the few per cent of it that are surface.
Instead every row holds the distance along the row, and each element looks through the rows
around it, nearest first, until no row left can beat what was found: two rows or so where
surfaces lie close to each other. Where they do not, the map is the better way after all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew
from .distance import squared_distance

_Volume = NDArray[np.uint8]
_Distances = NDArray[np.float32]
_Weights = NDArray[np.float64]
_SAMPLE = 1000
# Rows looked through per voxel of the volume beyond which a map of distances is faster.
_MANY_ROWS = 4
# Voxels of a volume in which starting threads takes longer than searching.
_SMALL = 1 << 15
_UNLIMITED = np.iinfo(np.int64).max


def distances_both_ways(
    first: _Volume,
    second: _Volume,
    weights: _Weights,
    spacing: tuple[float, ...],
    done: Callable[[], None] = lambda: None,
) -> list[tuple[_Distances, _Weights]]:
    """Distance of each element of either surface to the nearest of the other, and its weight.

    Parameters
    ----------
    first, second : (M, N, P) uint8 arrays
        Not 0 where there is an element.
    weights : (256,) float64 array
        By the number an element has.
    spacing : tuple of 3 float
        Grid step per axis.
    done : callable
        Called after each direction, and on the way where surfaces are far apart; may raise
        `Cancelled`.

    Returns
    -------
    two pairs of (n,) float32 and float64 array
        In the order of the grid, the last axis running fastest. Distances to a surface
        without elements are NaN.

    Examples
    --------
    >>> points = np.array([[[1, 0, 0, 2]]], np.uint8)
    >>> weights, spacing = np.arange(256.0), (1.0, 1.0, 0.5)
    >>> distances_both_ways(points, points * (points == 1), weights, spacing)[0]
    (array([0. , 1.5], dtype=float32), array([1., 2.]))
    """
    found: list[Any] = [None, None]
    pieces = (0, first, second), (1, second, first)

    def search(place: int, elements: _Volume, others: _Volume) -> None:
        found[place] = _near_distances(elements, others, weights, spacing)

    threads = 1 if first.size < _SMALL else min(2, int(config.NUMBA_NUM_THREADS))
    with Crew(threads) as crew:
        crew.run(search, pieces, done)
    # One after the other: a map takes four bytes per voxel.
    for place, elements, others in pieces:
        if found[place] is None:
            found[place] = _far_distances(elements, others, weights, spacing, done)
    return found


def _near_distances(
    elements: _Volume, others: _Volume, weights: _Weights, spacing: tuple[float, ...]
) -> tuple[_Distances, _Weights] | None:
    """Distances and weights by searching; None where that would take too long."""
    n = int(np.count_nonzero(elements))
    if not others.any():
        return np.full(n, np.nan, np.float32), weights[elements[elements != 0]]
    gaps = _row_gaps(others)
    squares = np.square(np.array(spacing, np.float64))
    every = 1 + n // _SAMPLE
    n_sample = n // every
    sample = np.empty(n_sample, np.float32), np.empty(n_sample)
    most_rows = _MANY_ROWS * elements.size * n_sample // max(n, 1)
    if not _search(elements, gaps, weights, squares, every, most_rows, *sample):
        return None
    distances, areas = np.empty(n, np.float32), np.empty(n)
    _search(elements, gaps, weights, squares, 1, _UNLIMITED, distances, areas)
    return distances, areas


def _far_distances(
    elements: _Volume,
    others: _Volume,
    weights: _Weights,
    spacing: tuple[float, ...],
    done: Callable[[], None],
) -> tuple[_Distances, _Weights]:
    """The same by a map of distances, in a time that does not depend on what they are."""
    squared = squared_distance(others == 0, spacing, done)
    chosen = elements != 0
    return np.sqrt(squared[chosen]), weights[elements[chosen]]


def _row_gaps(elements: _Volume) -> NDArray[Any]:
    """Steps along the last axis to the nearest element; the axis's length if there is none."""
    width = elements.shape[-1]
    gaps = np.empty(elements.shape, np.min_scalar_type(width))
    _fill_gaps(elements, gaps)
    return gaps


@njit(nogil=True, cache=True)
def _fill_gaps(elements: _Volume, gaps: NDArray[Any]) -> None:
    depth, height, width = elements.shape
    for z in range(depth):
        for y in range(height):
            row, out = elements[z, y], gaps[z, y]
            last = -1
            for x in range(width):
                if row[x] == 0:
                    continue
                if last < 0:
                    for i in range(x):
                        out[i] = x - i
                else:
                    for i in range(last + 1, x):
                        out[i] = min(i - last, x - i)
                out[x] = 0
                last = x
            for i in range(last + 1, width):
                out[i] = width if last < 0 else i - last


@njit(nogil=True, cache=True)
def _search(
    elements: _Volume,
    gaps: NDArray[Any],
    weights: _Weights,
    squares: NDArray[np.float64],
    every: int,
    most_rows: int,
    distances: _Distances,
    areas: _Weights,
) -> bool:
    """Search for one element out of `every`; whether `most_rows` rows in all were enough."""
    depth, height, width = elements.shape
    rows, written, skipped = 0, 0, 0
    for z in range(depth):
        for y in range(height):
            row = elements[z, y]
            for x in range(width):
                if row[x] == 0:
                    continue
                skipped += 1
                if skipped < every:
                    continue
                skipped = 0
                square, seen = _nearest(gaps, z, y, x, squares)
                distances[written], areas[written] = np.sqrt(square), weights[row[x]]
                written += 1
                rows += seen
                if rows > most_rows:
                    return False
    return True


@njit(nogil=True, cache=True)
def _nearest(
    gaps: NDArray[Any], z: int, y: int, x: int, squares: NDArray[np.float64]
) -> tuple[float, int]:
    """Square of the distance from a point to the nearest element, and rows looked through."""
    depth = gaps.shape[0]
    best, seen = np.inf, 0
    if gaps[z, y, x] == 0:
        return 0.0, 1
    for dz in range(max(z + 1, depth - z)):
        away = dz * dz * squares[0]
        if away >= best:
            break
        if z - dz >= 0:
            best, seen = _nearest_in_plane(gaps[z - dz], y, x, squares, away, best, seen)
        if dz and z + dz < depth:
            best, seen = _nearest_in_plane(gaps[z + dz], y, x, squares, away, best, seen)
    return best, seen


@njit(nogil=True, cache=True)
def _nearest_in_plane(
    gaps: NDArray[Any],
    y: int,
    x: int,
    squares: NDArray[np.float64],
    away: float,
    best: float,
    seen: int,
) -> tuple[float, int]:
    height, width = gaps.shape
    for dy in range(max(y + 1, height - y)):
        least = away + dy * dy * squares[1]
        if least >= best:
            break
        seen += 1
        gap = width
        if y - dy >= 0:
            gap = gaps[y - dy, x]
        if y + dy < height:
            gap = min(gap, gaps[y + dy, x])
        if gap < width:
            best = min(best, least + np.float64(gap) * np.float64(gap) * squares[2])
    return best, seen
