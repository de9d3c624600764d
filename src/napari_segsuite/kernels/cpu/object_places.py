"""Sizes of objects and sums of their voxel indices, in one pass over runs of equal labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .planes import pieces, three_axes


def object_places(
    labels: NDArray[Any], ids: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the voxels of each object and sum their indices.

    Unlike `region_sums.sizes_and_places` this takes labels of any size, most of which may be
    none of those asked for.

    Parameters
    ----------
    labels : (M, N[, P]) array of integers from 0 up
    ids : (K,) uint64 array
        Labels of the objects, ascending.

    Returns
    -------
    sizes : (K,) int64 array
    places : (K, 2 or 3) int64 array
        Sum of the indices along each axis.

    Examples
    --------
    >>> object_places(np.array([[5, 5, 2]]), np.array([2, 5], np.uint64))
    (array([1, 2]), array([[0, 2], [0, 1]]))
    """
    sizes, places = np.zeros(len(ids), np.int64), np.zeros((len(ids), 3), np.int64)
    for rows in pieces(labels.shape):
        part = np.ascontiguousarray(three_axes(labels[rows]), np.uint64)
        _add_places(part, rows.start, ids, sizes, places)
    return sizes, np.delete(places, [1] if labels.ndim == 2 else [], axis=1)


@njit(nogil=True, cache=True)
def _add_places(
    labels: NDArray[np.uint64],
    first_plane: int,
    ids: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    places: NDArray[np.int64],
) -> None:
    planes, rows, columns = labels.shape
    for z in range(planes):
        for y in range(rows):
            x = 0
            while x < columns:
                label, start = labels[z, y, x], x
                x += 1
                while x < columns and labels[z, y, x] == label:
                    x += 1
                at = np.searchsorted(ids, label)
                if at < len(ids) and ids[at] == label:
                    n = x - start
                    sizes[at] += n
                    places[at, 0] += n * (first_plane + z)
                    places[at, 1] += n * y
                    places[at, 2] += n * (start + x - 1) // 2
