"""Shortest paths on the graph of an image, from all seeds at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Visits to voxels that one call of compiled code makes: short enough to cancel between.
_VISITS_PER_PIECE = 1 << 19
# Planes between those that tell how much features differ.
_PLANES_APART = 8
# What the numbers of a front are.
_START, _WAITING, _IN_ROUND = 0, 1, 2
_LIMIT, _NEAREST = 0, 1


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
    long. Voxels wait in one queue; those less than about a step further than the nearest are
    visited and pass their paths on, the others go to its end. A voxel reached by a better
    path waits again. Sums of float32 along paths do not depend on the order of the visits,
    so that the result is that of Dijkstra's algorithm.

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
        Of equally short paths, the one from the lowest seed counts. Besides it the queue
        takes 5 bytes per voxel, 9 from 2**31 voxels on.

    References
    ----------
    F. Glover, D. Klingman, N. Phillips, "A new polynomially bounded shortest path algorithm",
    Operations Research 33(1), 1985, doi:10.1287/opre.33.1.65, for the queue with a threshold.

    Examples
    --------
    >>> seeds = np.array([[[1, 0, 0, 0, 2]]], dtype=np.uint8)
    >>> ramp = np.array([[[[0, 0, 0, 3, 3]]]], dtype=np.float32)
    >>> shortest_paths(ramp, seeds, seeds >= 0, (1, 1, 1), 1).labels
    array([[[1, 1, 1, 2, 2]]], dtype=uint8)
    """
    labels = np.where(allowed, seeds, 0).astype(seeds.dtype, copy=False)
    distance = np.where(labels > 0, np.float32(0), np.float32(np.inf))
    # No path is better than one of length -inf.
    distance[~allowed] = -np.inf
    neighbours = _neighbours(seeds.shape, steps, connectivity)
    front = _front(labels)
    patience = max(float(neighbours.lengths.min()), _typical_difference(features))
    visited, n_allowed = 0, int(np.count_nonzero(allowed))
    flat = features.reshape(len(features), -1), labels.reshape(-1), distance.reshape(-1)
    while front.state[_WAITING] > 0:
        visited += _visit(*flat, neighbours, front, patience, _VISITS_PER_PIECE)
        done(1 - 0.5 ** (2 * visited / n_allowed))
    distance[~allowed] = np.inf
    return Paths(labels, distance)


class _Neighbours(NamedTuple):
    """Steps to neighbours, in voxels, along the flat array and in length."""

    shape: tuple[int, ...]
    steps: NDArray[np.int64]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.float32]


class _Front(NamedTuple):
    """Voxels that wait to pass on their paths, in a ring that has room for all.

    `state` is where the ring starts, how many wait, and how many of them do in this round;
    `reach` is up to which distance voxels are visited in this round, and the least one seen
    for the next.
    """

    ring: NDArray[Any]
    is_waiting: NDArray[np.bool_]
    state: NDArray[np.int64]
    reach: NDArray[np.float64]


def _neighbours(
    shape: tuple[int, ...], lengths: tuple[float, float, float], connectivity: int
) -> _Neighbours:
    steps = np.array(
        [o for o in product((-1, 0, 1), repeat=3) if 0 < np.count_nonzero(o) <= connectivity],
        dtype=np.int64,
    )
    return _Neighbours(
        shape,
        steps,
        steps @ np.array([shape[1] * shape[2], shape[2], 1]),
        np.linalg.norm(steps * np.array(lengths), axis=1).astype(np.float32),
    )


def _front(labels: NDArray[Any]) -> _Front:
    """All seeds wait."""
    ring = np.empty(labels.size, dtype=np.int32 if labels.size < 1 << 31 else np.int64)
    seeds = np.flatnonzero(labels)
    ring[: len(seeds)] = seeds
    state = np.array([0, len(seeds), 0])
    return _Front(ring, labels.reshape(-1) > 0, state, np.zeros(2))


def _typical_difference(features: NDArray[np.float32]) -> float:
    """Root mean square of the differences along rows, from some of the planes."""
    change = np.diff(features[:, ::_PLANES_APART], axis=-1)
    return float(np.sqrt(np.square(change).sum(axis=0).mean())) if change.size else 0.0


@njit(nogil=True, cache=True)
def _visit(
    features: Any, labels: Any, distance: Any, neighbours: Any, front: Any, patience: Any,
    n_visits: int,
) -> int:  # fmt: skip
    """Visit voxels of the queue; how many were near enough to pass on their paths."""
    ring, state, reach = front.ring, front.state, front.reach
    passed_on = 0
    for _ in range(n_visits):
        if state[_IN_ROUND] == 0:
            if state[_WAITING] == 0:
                break
            state[_IN_ROUND] = state[_WAITING]
            reach[_LIMIT], reach[_NEAREST] = reach[_NEAREST] + patience, np.inf
        voxel = np.int64(ring[state[_START]])
        state[_START] = (state[_START] + 1) % ring.size
        state[_WAITING] -= 1
        state[_IN_ROUND] -= 1
        front.is_waiting[voxel] = False
        if distance[voxel] < reach[_LIMIT]:
            _pass_on(features, labels, distance, neighbours, front, voxel)
            passed_on += 1
        else:
            _wait(front, voxel, distance[voxel])
    return passed_on


@njit(nogil=True, cache=True)
def _wait(front: Any, voxel: int, distance: Any) -> None:
    ring, state = front.ring, front.state
    front.reach[_NEAREST] = min(front.reach[_NEAREST], distance)
    if not front.is_waiting[voxel]:
        front.is_waiting[voxel] = True
        ring[(state[_START] + state[_WAITING]) % ring.size] = voxel
        state[_WAITING] += 1


@njit(nogil=True, cache=True)
def _pass_on(
    features: Any, labels: Any, distance: Any, neighbours: Any, front: Any, voxel: int
) -> None:
    """Offer the path to `voxel` to its neighbours."""
    shape, steps, offsets, lengths = neighbours
    depth, height, width = shape
    z, y, x = voxel // (height * width), voxel // width % height, voxel % width
    is_inner = 0 < z < depth - 1 and 0 < y < height - 1 and 0 < x < width - 1
    so_far, label = distance[voxel], labels[voxel]
    for n in range(len(offsets)):
        p, q, r = z + steps[n, 0], y + steps[n, 1], x + steps[n, 2]
        if not (is_inner or (0 <= p < depth and 0 <= q < height and 0 <= r < width)):
            continue
        other = voxel + offsets[n]
        best = distance[other]
        if so_far + lengths[n] > best:
            continue
        square = lengths[n] * lengths[n]
        for f in range(len(features)):
            difference = features[f, other] - features[f, voxel]
            square += difference * difference
        length = so_far + np.sqrt(square)
        if length < best or (length == best and label < labels[other]):
            distance[other], labels[other] = length, label
            _wait(front, other, length)
