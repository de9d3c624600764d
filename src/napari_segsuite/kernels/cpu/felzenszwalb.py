"""Regions of a graph of neighbouring voxels, joined along edges of ascending weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew

# An edge is sorted as 31 bits of weight before 33 bits that say which edge it is.
_EDGE_BITS = 33
MOST_EDGES = 1 << _EDGE_BITS

_VOXELS_PER_PIECE = 1 << 18
_EDGES_PER_PIECE = 1 << 19
# Weights are told apart by their first 16 bits when they are dealt to parts that are sorted
# one by one.
_N_CODES = 1 << 16
_N_PARTS = 64


def graph_regions(
    features: NDArray[np.float32],
    usable: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    k: float,
    smallest: float,
    done: Callable[[float], None] = lambda fraction: None,
) -> tuple[NDArray[np.int32], int]:
    """Join voxels into regions that differ less within than between each other.

    The weight of an edge is the Euclidean distance of the intensities at its ends. Edges come
    in ascending order, equal ones in scan order of their first voxel and then of `offsets`.
    The regions at the ends become one if the weight is at most ``w + k / n`` of either, with
    `w` the largest weight within it and `n` its voxels. Thereafter regions that are too small
    are joined with others along the same edges.

    Parameters
    ----------
    features : (C, L, M, N) float32 array
        Finite everywhere.
    usable : (L, M, N) bool array
        Voxels that count.
    offsets : (K, 3) int64 array
        Steps from a voxel to neighbours later in scan order.
    k : float
        Higher values give larger regions.
    smallest : float
        Regions of fewer voxels are joined with neighbours.
    done : callable
        Called with the share of the work that is done; may raise `Cancelled`.

    Returns
    -------
    regions : (L, M, N) int32 array
        1 … `count` in scan order, 0 where a voxel does not count. While at work there are
        12 bytes per voxel, and 8 per edge whose weight is not 0.
    count : int

    References
    ----------
    P. F. Felzenszwalb, D. P. Huttenlocher, "Efficient graph-based image segmentation", IJCV
    59(2), 2004, doi:10.1023/B:VISI.0000022288.19776.77.

    Examples
    --------
    >>> row = np.array([[[[1, 2, 1, 9, 8, 9]]]], dtype=np.float32)
    >>> graph_regions(row, row[0] > 0, np.array([[0, 0, 1]]), 3, 1)[0]
    array([[[1, 1, 1, 2, 2, 2]]], dtype=int32)
    """
    parents = np.arange(usable.size, dtype=np.int32)
    sizes = np.ones(usable.size, np.int32)
    limits = np.full(usable.size, k, np.float32)
    edges = _sorted_edges(features, usable, offsets, k, (parents, sizes, limits), done)
    pitch = np.array([usable.shape[1] * usable.shape[2], usable.shape[2], 1])
    graph = parents, sizes, limits, offsets @ pitch
    starts = range(0, edges.size, _EDGES_PER_PIECE)
    for start in starts:
        done(0.5 + 0.3 * start / edges.size)
        _join_similar(edges[start : start + _EDGES_PER_PIECE], *graph, k)
    for start in starts:
        done(0.8 + 0.1 * start / edges.size)
        _join_small(edges[start : start + _EDGES_PER_PIECE], *graph, smallest)
    del edges, limits, graph
    done(0.9)
    regions = np.zeros(usable.shape, np.int32)
    count = _number(parents, sizes, usable.reshape(-1), regions.reshape(-1))
    return regions, count


def _sorted_edges(
    features: NDArray[np.float32],
    usable: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    k: float,
    graph: tuple[Any, Any, Any],
    done: Callable[[float], None],
) -> NDArray[np.uint64]:
    """Edges in ascending order; those of no weight, which come first, are joined right away."""
    image = features, usable, offsets
    rows = usable.shape[0] * usable.shape[1]
    length = max(1, _VOXELS_PER_PIECE // usable.shape[2])
    pieces = [(first, min(first + length, rows)) for first in range(0, rows, length)]
    counts = np.zeros(_N_CODES, np.int64)
    for i, piece in enumerate(pieces):
        done(0.1 * i / len(pieces))
        _count_weights(*image, *piece, counts, *graph, k)
    before = np.cumsum(counts) - counts
    part_of_code = before * _N_PARTS // max(1, counts.sum())
    begins = np.searchsorted(part_of_code, np.arange(_N_PARTS + 1))
    bounds = np.append(before, counts.sum())[begins]
    edges, ends = np.empty(counts.sum(), np.uint64), bounds[:-1].copy()
    for i, piece in enumerate(pieces):
        done(0.1 + 0.1 * i / len(pieces))
        _deal_edges(*image, *piece, part_of_code, edges, ends)
    sorted_parts = iter(range(_N_PARTS))
    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        crew.run(
            lambda low, high: edges[low:high].sort(),
            list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)),
            lambda: done(0.2 + 0.3 * next(sorted_parts) / _N_PARTS),
        )
    return edges


@njit(nogil=True, cache=True)
def _ends(usable: Any, offset: Any, z: Any, y: Any) -> Any:
    """Columns from which an offset leads to another voxel, and its row; none if it leads out."""
    planes, rows, columns = usable.shape
    to_z, to_y = z + offset[0], y + offset[1]
    if to_z < 0 or to_z >= planes or to_y < 0 or to_y >= rows:
        return 0, 0, 0, 0
    return max(0, -offset[2]), columns - max(0, offset[2]), to_z, to_y


@njit(nogil=True, cache=True)
def _weight(features: Any, z: Any, y: Any, x: Any, to_z: Any, to_y: Any, to_x: Any) -> Any:
    squares = np.float32(0)
    for c in range(features.shape[0]):
        difference = features[c, z, y, x] - features[c, to_z, to_y, to_x]
        squares += difference * difference
    return np.sqrt(squares)


@njit(nogil=True, cache=True)
def _count_weights(
    features: Any, usable: Any, offsets: Any, first: Any, last: Any, counts: Any,
    parents: Any, sizes: Any, limits: Any, k: Any,
) -> None:  # fmt: skip
    """Count the edges from some rows by the code of their weight; join those of no weight."""
    _, rows, columns = usable.shape
    for row in range(first, last):
        z, y = row // rows, row % rows
        for o in range(len(offsets)):
            start, stop, to_z, to_y = _ends(usable, offsets[o], z, y)
            for x in range(start, stop):
                to_x = x + offsets[o, 2]
                if usable[z, y, x] and usable[to_z, to_y, to_x]:
                    weight = _weight(features, z, y, x, to_z, to_y, to_x)
                    if weight == 0:
                        i, j = row * columns + x, (to_z * rows + to_y) * columns + to_x
                        a, b = _root(parents, i), _root(parents, j)
                        if a != b:
                            _join(parents, sizes, limits, a, b, weight, k)
                    else:
                        counts[np.float32(weight).view(np.uint32) >> 16] += 1


@njit(nogil=True, cache=True)
def _deal_edges(
    features: Any, usable: Any, offsets: Any, first: Any, last: Any, part_of_code: Any,
    edges: Any, ends: Any,
) -> None:  # fmt: skip
    """Append the edges from some rows to the parts of their weights."""
    _, rows, columns = usable.shape
    for row in range(first, last):
        z, y = row // rows, row % rows
        for o in range(len(offsets)):
            start, stop, to_z, to_y = _ends(usable, offsets[o], z, y)
            for x in range(start, stop):
                to_x = x + offsets[o, 2]
                if usable[z, y, x] and usable[to_z, to_y, to_x]:
                    weight = _weight(features, z, y, x, to_z, to_y, to_x)
                    if weight > 0:
                        bits = np.float32(weight).view(np.uint32)
                        edge = (row * columns + x) * len(offsets) + o
                        part = part_of_code[bits >> 16]
                        edges[ends[part]] = (np.uint64(bits) << _EDGE_BITS) | np.uint64(edge)
                        ends[part] += 1


@njit(nogil=True, cache=True)
def _root(parents: Any, i: Any) -> Any:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def _join(parents: Any, sizes: Any, limits: Any, a: Any, b: Any, weight: Any, k: Any) -> None:
    """Make two regions one, whose largest weight within is `weight`."""
    if sizes[a] < sizes[b]:
        a, b = b, a
    parents[b] = a
    sizes[a] += sizes[b]
    limits[a] = weight + np.float32(k / sizes[a])


@njit(nogil=True, cache=True)
def _join_similar(edges: Any, parents: Any, sizes: Any, limits: Any, steps: Any, k: Any) -> None:
    mask = np.uint64((1 << _EDGE_BITS) - 1)
    for key in edges:
        edge = np.int64(key & mask)
        i = edge // steps.size
        a, b = _root(parents, i), _root(parents, i + steps[edge % steps.size])
        if a != b:
            weight = np.uint32(key >> np.uint64(_EDGE_BITS)).view(np.float32)
            if weight <= min(limits[a], limits[b]):
                _join(parents, sizes, limits, a, b, weight, k)


@njit(nogil=True, cache=True)
def _join_small(
    edges: Any, parents: Any, sizes: Any, limits: Any, steps: Any, smallest: Any
) -> None:
    mask = np.uint64((1 << _EDGE_BITS) - 1)
    for key in edges:
        edge = np.int64(key & mask)
        i = edge // steps.size
        a, b = _root(parents, i), _root(parents, i + steps[edge % steps.size])
        if a != b and min(sizes[a], sizes[b]) < smallest:
            _join(parents, sizes, limits, a, b, np.float32(0), 0.0)


@njit(nogil=True, cache=True)
def _number(parents: Any, sizes: Any, usable: Any, regions: Any) -> Any:
    """Number the regions from 1 up in scan order; the sizes are lost."""
    count = 0
    for i in range(parents.size):
        if usable[i]:
            root = _root(parents, i)
            if sizes[root] > 0:
                count += 1
                sizes[root] = -count
            regions[i] = -sizes[root]
    return count
