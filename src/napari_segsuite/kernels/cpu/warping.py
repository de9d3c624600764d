"""Warping of binary images that keeps objects and holes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Map = NDArray[np.uint8]
# Steps to the neighbours, as rows and columns, anticlockwise from the right; even ones share
# an edge with the pixel.
_ROWS = np.array([0, -1, -1, -1, 0, 1, 1, 1])
_COLUMNS = np.array([1, 1, 0, -1, -1, -1, 0, 1])


def simple_table() -> NDArray[np.bool_]:
    """Whether a pixel can be flipped without changing the topology, by its neighbourhood.

    Foreground is 4-connected and background 8-connected. A pixel is simple if its
    connectivity number (Yokoi et al. 1975, doi:10.1016/0146-664X(75)90012-4) is 1.

    Returns
    -------
    (256,) bool array
        By the sum of 2**k over the foreground neighbours k, counted anticlockwise from the
        right.

    Examples
    --------
    >>> simple_table()[[0, 1, 17, 255]].tolist()
    [False, True, False, False]
    """
    set_ = np.arange(256)[:, np.newaxis] >> np.arange(8) & 1
    number = sum(set_[:, k] * (1 - set_[:, k + 1] * set_[:, (k + 2) % 8]) for k in range(0, 8, 2))
    return np.asarray(number == 1)


_SIMPLE = simple_table()


def warp(reference: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flip simple pixels of the reference that differ from the prediction, until none is left.

    Parameters
    ----------
    reference, prediction : (M, N) bool array
        Around them is background.

    Returns
    -------
    (M, N) bool array
        The reference warped.

    Examples
    --------
    >>> warp(np.array([[True, False, False]]), np.array([[False, True, True]]))
    array([[False,  True,  True]])
    >>> warp(np.array([[True, False, True]]), np.array([[True, True, True]]))
    array([[ True, False,  True]])
    """
    warped, target = (np.pad(image.view(np.uint8), 1) for image in (reference, prediction))
    _warp(warped, target, np.argwhere(warped != target))
    return warped[1:-1, 1:-1].view(np.bool_)


@njit(nogil=True, cache=True)
def _warp(warped: _Map, target: _Map, different: NDArray[np.int64]) -> None:
    """Warp in place, taking the different pixels from a ring of those to look at."""
    ring, first, n_waiting = different.copy(), 0, len(different)
    waits = warped != target
    while n_waiting:
        row, column = ring[first]
        first, n_waiting = (first + 1) % len(ring), n_waiting - 1
        waits[row, column] = False
        if not _SIMPLE[_neighbourhood(warped, row, column)]:
            continue
        warped[row, column] = target[row, column]
        for k in range(8):
            y, x = row + _ROWS[k], column + _COLUMNS[k]
            if warped[y, x] != target[y, x] and not waits[y, x]:
                waits[y, x] = True
                last = (first + n_waiting) % len(ring)
                ring[last, 0], ring[last, 1] = y, x
                n_waiting += 1


@njit(nogil=True, cache=True)
def _neighbourhood(image: _Map, row: int, column: int) -> int:
    code = 0
    for k in range(8):
        code += int(image[row + _ROWS[k], column + _COLUMNS[k]]) << k
    return code
