"""Shortest paths on the graph of an image, from all seeds at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Voxels handed to compiled code at once: short enough to cancel between pieces.
_VOXELS_PER_PIECE = 1 << 19


class Paths(NamedTuple):
    """Shortest paths.

    Attributes
    ----------
    labels : (A, B, C) integer array
        Seed at the start of the path to each voxel; 0 where none leads.
    distance : (A, B, C) float32 array
        Length of the path; infinite where none leads.
    """

    labels: NDArray[Any]
    distance: NDArray[np.float32]


def shortest_paths(
    features: NDArray[np.float32],
    seeds: NDArray[Any],
    allowed: NDArray[np.bool_],
    steps: tuple[float, float, float],
    connectivity: int,
    done: Callable[[float], None] = lambda share: None,
) -> Paths:
    """Find the shortest path to every voxel from any seed.

    A step between neighbours is ``sqrt(length**2 + sum over features of difference**2)``
    long. Scans forth and back relax each voxel from the neighbours scanned before it, until
    none changes; planes around which nothing changed are left out. Sums of float32 along
    paths do not depend on the order of the scans, so that the result is that of Dijkstra's
    algorithm.

    Parameters
    ----------
    features : (F, A, B, C) float32 array
    seeds : (A, B, C) unsigned integer array
        Seeds that are not allowed are ignored.
    allowed : (A, B, C) bool array
        Where paths may go.
    steps : tuple of float
        Length of a step along each axis.
    connectivity : int
        Neighbours differ in at most this many axes.
    done : callable
        Called with the share done, roughly, after each piece; may raise `Cancelled`.

    Returns
    -------
    Paths
        Of equally short paths, the one from the lowest seed counts.

    Examples
    --------
    >>> seeds = np.array([[[1, 0, 0, 0, 2]]], dtype=np.uint8)
    >>> ramp = np.array([[[[0, 0, 0, 3, 3]]]], dtype=np.float32)
    >>> shortest_paths(ramp, seeds, seeds >= 0, (1, 1, 1), 1).labels
    array([[[1, 1, 1, 2, 2]]], dtype=uint8)
    """
    labels = np.where(allowed, seeds, 0).astype(seeds.dtype)
    distance = np.where(labels > 0, np.float32(0), np.float32(np.inf))
    offsets = _offsets_before(connectivity)
    lengths = np.linalg.norm(offsets * np.array(steps), axis=1).astype(np.float32)
    changed = np.ones(len(seeds), dtype=np.bool_)
    thick = max(1, _VOXELS_PER_PIECE // max(1, seeds[0].size))
    scan = 0
    while changed.any():
        # A plane is scanned if it or one beside it changed in the last scan or changes in this.
        stale, changed = changed, np.zeros_like(changed)
        side = 1 if scan % 2 == 0 else -1
        for start in range(0, len(seeds), thick):
            _scan(
                *(features, allowed, labels, distance, offsets * side, lengths, stale, changed),
                *(start, min(start + thick, len(seeds)), side),
            )
            done(1 - 0.6 ** (scan + start / len(seeds)))
        scan += 1
    return Paths(labels, distance)


def _offsets_before(connectivity: int) -> NDArray[np.int64]:
    """Offsets to the neighbours that a scan has passed."""
    offsets = [o for o in product((-1, 0, 1), repeat=3) if o < (0, 0, 0)]
    return np.array([o for o in offsets if np.count_nonzero(o) <= connectivity], dtype=np.int64)


@njit(nogil=True, cache=True)
def _scan(
    features: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    labels: NDArray[Any],
    distance: NDArray[np.float32],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.float32],
    stale: NDArray[np.bool_],
    changed: NDArray[np.bool_],
    start: int,
    stop: int,
    side: int,
) -> None:
    """Relax planes `start` to `stop` of the scan, which runs backwards for `side` -1."""
    depth, height, width = distance.shape
    for i in range(start, stop):
        z = i if side > 0 else depth - 1 - i
        before = min(max(z - side, 0), depth - 1)
        if not (stale[z] or stale[before] or changed[before]):
            continue
        for j in range(height):
            y = j if side > 0 else height - 1 - j
            for k in range(width):
                x = k if side > 0 else width - 1 - k
                if allowed[z, y, x] and _relax(
                    features, labels, distance, offsets, lengths, z, y, x
                ):
                    changed[z] = True


@njit(nogil=True, cache=True)
def _relax(
    features: NDArray[np.float32],
    labels: NDArray[Any],
    distance: NDArray[np.float32],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.float32],
    z: int,
    y: int,
    x: int,
) -> bool:
    """Take the shortest path through one of the neighbours; whether it is a better one."""
    depth, height, width = distance.shape
    best, label = distance[z, y, x], labels[z, y, x]
    is_better = False
    for n in range(len(offsets)):
        p, q, r = z + offsets[n, 0], y + offsets[n, 1], x + offsets[n, 2]
        if p < 0 or q < 0 or r < 0 or p >= depth or q >= height or r >= width:
            continue
        so_far = distance[p, q, r]
        if not so_far + lengths[n] <= best or labels[p, q, r] == 0:
            continue
        square = lengths[n] * lengths[n]
        for f in range(len(features)):
            difference = features[f, p, q, r] - features[f, z, y, x]
            square += difference * difference
        length = so_far + np.sqrt(square)
        if length < best or (length == best and labels[p, q, r] < label):
            best, label = length, labels[p, q, r]
            is_better = True
    if is_better:
        distance[z, y, x], labels[z, y, x] = best, label
    return is_better
