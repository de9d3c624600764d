"""Bounding boxes of all labels of a volume in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...typing import LabelArray

_Boxes = NDArray[np.int64]


def label_boxes(labels: LabelArray, classes: Sequence[int]) -> tuple[_Boxes, _Boxes]:
    """First voxel of each label's bounding box, and the one after its last.

    Parameters
    ----------
    labels : (M, N, P) unsigned integer array
        In any memory order; quickest where rows lie along the last axis.
    classes : sequence of C int
        Labels looked for, in any order, each once; background (0) is taken as absent.

    Returns
    -------
    begin, end : (C, 3) int64 arrays
        For a label that does not occur, `begin` is the shape and `end` is 0.

    Examples
    --------
    >>> begin, end = label_boxes(np.array([[[0, 7, 7], [3, 0, 7]]], np.uint8), (3, 5, 7))
    >>> begin.tolist(), end.tolist()
    ([[0, 1, 0], [1, 2, 3], [0, 0, 1]], [[1, 2, 1], [0, 0, 0], [1, 2, 3]])
    """
    asked = np.array(classes, dtype=np.uint64)
    order = np.argsort(asked)
    begin = np.tile(np.array(labels.shape, np.int64), (len(asked), 1))
    end = np.zeros_like(begin)
    native = labels.dtype.newbyteorder("=")
    for z, plane in enumerate(labels):
        _extend(np.ascontiguousarray(plane, native), z, asked[order], order, begin, end)
    return begin, end


@njit(nogil=True, cache=True)
def _extend(
    plane: NDArray[Any],
    z: int,
    ascending: NDArray[np.uint64],
    places: NDArray[np.intp],
    begin: _Boxes,
    end: _Boxes,
) -> None:
    """Let the boxes take in one plane, run of equal labels by run."""
    width = plane.shape[1]
    for y in range(plane.shape[0]):
        row = plane[y]
        stop = 0
        while stop < width:
            start, label = stop, row[stop]
            stop += 1
            while stop < width and row[stop] == label:
                stop += 1
            if label == 0:
                continue
            found = np.searchsorted(ascending, np.uint64(label))
            if found == len(ascending) or ascending[found] != label:
                continue
            i = places[found]
            begin[i, 0], end[i, 0] = min(begin[i, 0], z), z + 1
            begin[i, 1], end[i, 1] = min(begin[i, 1], y), max(end[i, 1], y + 1)
            begin[i, 2], end[i, 2] = min(begin[i, 2], start), max(end[i, 2], stop)
