"""Medoids of points by FasterPAM: swaps that lower the sum of distances, until none does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# A swap has to gain more than rounding could feign.
_LEAST_GAIN = 1e-9
# Pairs of points looked at between two reports: some hundredths of a second.
_COMPARED = 1 << 24


def faster_pam(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    medoids: NDArray[np.int64],
    done: Callable[[], None] = lambda: None,
) -> tuple[NDArray[np.int64], float]:
    """Swap medoids for other points, eagerly, as long as that lowers the sum of distances.

    Distances are Euclidean and computed when they are asked for, so that memory grows with
    the number of points and not with its square.

    Parameters
    ----------
    points : (C, n) float32 array
    weights : (n,) float64 array
        How much each point counts.
    medoids : (K,) int64 array
        Points to start from, each once.
    done : callable
        Called now and then; may raise `Cancelled`.

    Returns
    -------
    medoids : (K,) int64 array
    cost : float
        Weighted sum of the distances of all points to their nearest medoids.

    References
    ----------
    .. [1] E. Schubert, P. J. Rousseeuw, "Fast and eager k-medoids clustering", Information
       Systems 101, 2021, 10.1016/j.is.2021.101804.

    Examples
    --------
    >>> points = np.array([[0, 1, 2, 10, 11, 12]], dtype=np.float32)
    >>> medoids, cost = faster_pam(points, np.ones(6), np.array([0, 1]))
    >>> sorted(medoids.tolist()), cost
    ([1, 4], 4.0)
    """
    medoids = medoids.astype(np.int64)
    first = np.empty(points.shape[1], np.int64)
    distances = np.empty((2, points.shape[1]), np.float32)
    points = np.ascontiguousarray(points)
    cost = _two_nearest(points, weights, medoids, first, distances)
    n = points.shape[1]
    last_swap = np.array([n - 1])
    step = max(1, _COMPARED // n)
    pieces = [(start, min(start + step, n)) for start in range(0, n, step)]
    for piece in itertools.cycle(pieces):
        is_better, cost = _swap_in_turn(
            points, weights, medoids, first, distances, *piece, last_swap, cost
        )
        done()
        if not is_better:
            break
    return medoids, float(cost)


@njit(nogil=True, cache=True, error_model="numpy")
def _two_nearest(points: Any, weights: Any, medoids: Any, first: Any, distances: Any) -> float:
    """Find the nearest medoid of each point and the distances of the two nearest ones."""
    n = points.shape[1]
    nearest, second = distances[0], distances[1]
    nearest[:], second[:] = np.inf, np.inf
    away = np.empty(n, np.float32)
    for k in range(medoids.size):
        _distances_from(points, medoids[k], away)
        for i in range(n):
            if away[i] < nearest[i]:
                second[i], nearest[i], first[i] = nearest[i], away[i], k
            elif away[i] < second[i]:
                second[i] = away[i]
    if medoids.size == 1:
        # The one medoid goes in any case: a bound that no distance exceeds serves as well.
        second[:] = np.float32(2.1) * nearest.max()
    cost = 0.0
    for i in range(n):
        cost += weights[i] * nearest[i]
    return cost


@njit(nogil=True, cache=True, error_model="numpy")
def _distances_from(points: Any, centre: int, away: Any) -> None:
    away[:] = 0
    for c in range(points.shape[0]):
        row = points[c]
        for i in range(away.size):
            away[i] += (row[i] - row[centre]) * (row[i] - row[centre])
    for i in range(away.size):
        away[i] = np.sqrt(away[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _removal_losses(weights: Any, first: Any, distances: Any, losses: Any) -> None:
    """How much the cost grows when a medoid goes and its points take their second nearest."""
    losses[:] = 0
    for i in range(first.size):
        losses[first[i]] += weights[i] * (distances[1, i] - distances[0, i])


@njit(nogil=True, cache=True, error_model="numpy")
def _swap_in_turn(
    points: Any, weights: Any, medoids: Any, first: Any, distances: Any, start: int, stop: int,
    last_swap: Any, cost: float,
) -> Any:  # fmt: skip
    """Try points from `start` to `stop` as medoids; tell whether to go on, and the cost.

    All points tried since the last swap without a further one: nothing is left to gain.
    """
    away = np.empty(points.shape[1], np.float32)
    losses, changes = np.empty(medoids.size), np.empty(medoids.size)
    _removal_losses(weights, first, distances, losses)
    for candidate in range(start, stop):
        _distances_from(points, candidate, away)
        changes[:] = losses
        gain = _add_changes(weights, first, distances, away, changes)
        k = changes.argmin()
        if gain + changes[k] < -_LEAST_GAIN * cost:
            medoids[k] = candidate
            cost = _two_nearest(points, weights, medoids, first, distances)
            _removal_losses(weights, first, distances, losses)
            last_swap[0] = candidate
        elif candidate == last_swap[0]:
            return False, cost
    return True, cost


@njit(nogil=True, cache=True, error_model="numpy")
def _add_changes(weights: Any, first: Any, distances: Any, away: Any, changes: Any) -> float:
    """Add what a new medoid changes, by the medoid that goes; return what holds for each."""
    nearest, second = distances[0], distances[1]
    gain = 0.0
    for i in range(away.size):
        if away[i] <= second[i]:
            if away[i] < nearest[i]:
                gain += weights[i] * (away[i] - nearest[i])
                changes[first[i]] += weights[i] * (nearest[i] - second[i])
            else:
                changes[first[i]] += weights[i] * (away[i] - second[i])
    return gain
