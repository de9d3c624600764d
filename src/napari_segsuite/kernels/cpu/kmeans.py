"""Points to their nearest centre, and what the points of each centre sum to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Points at a time: their coordinates and distances stay in the fastest cache.
_BLOCK = 512
# Runs of equal labels would add to one cell over and over, each addition waiting for the
# store of the one before; sums taken in turn keep them apart.
_IN_TURN = 4
# A row that is empty stands for one of ones.
_ONES = np.empty(0, np.float32)


def nearest(
    points: NDArray[np.float32], centres: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Find the nearest of some centres for each point.

    Parameters
    ----------
    points : (C, n) float32 array
        One row per coordinate.
    centres : (K, C) float32 array
        At most 256. Of equally near ones the first is taken.

    Returns
    -------
    label : (n,) uint8 array
    distance : (n,) float32 array
        Squared, Euclidean.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[0, 4, 9]], dtype=np.float32)
    >>> nearest(points, np.array([[1], [8]], dtype=np.float32))
    (array([0, 0, 1], dtype=uint8), array([1., 9., 1.], dtype=float32))
    """
    label = np.zeros(points.shape[1], np.uint8)
    distance = np.full(points.shape[1], np.inf, np.float32)
    _find_nearest(np.ascontiguousarray(points), np.ascontiguousarray(centres), label, distance)
    return label, distance


def cluster_sums(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    centres: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Sum the points that are nearest to each centre.

    Parameters
    ----------
    points : (C, n) float32 array
    weights : (n,) float64 array
        Empty where each point counts 1.
    centres : (K, C) float32 array

    Returns
    -------
    (K, C + 2) float64 array
        Per centre the sum of its points, of their weights and of their squared distances.
    """
    label, distance = nearest(points, centres)
    sums = np.zeros((_IN_TURN, len(points) + 2, len(centres)))
    for i, row in enumerate((*points, _ONES, distance)):
        _add_row(np.ascontiguousarray(row), weights, label, sums[:, i])
    total: NDArray[np.float64] = sums.sum(axis=0).T
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _find_nearest(points: Any, centres: Any, label: Any, distance: Any) -> None:
    n_channels, n = points.shape
    squares = np.empty(_BLOCK, np.float32)
    for start in range(0, n, _BLOCK):
        size = min(_BLOCK, n - start)
        best, which = distance[start : start + size], label[start : start + size]
        for k in range(centres.shape[0]):
            squares[:size] = 0
            for c in range(n_channels):
                row, centre = points[c, start : start + size], centres[k, c]
                for i in range(size):
                    squares[i] += (row[i] - centre) * (row[i] - centre)
            for i in range(size):
                is_nearer = squares[i] < best[i]
                best[i] = squares[i] if is_nearer else best[i]
                which[i] = k if is_nearer else which[i]


@njit(nogil=True, cache=True)
def _add_row(row: Any, weights: Any, label: Any, sums: Any) -> None:
    for i in range(label.size):
        value = np.float64(row[i]) if row.size else 1.0
        sums[i % _IN_TURN, label[i]] += value * weights[i] if weights.size else value
