"""Points under a mixture of Gaussians: which component each comes from, and what they sum to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Points at a time: their densities stay in the fastest cache.
_BLOCK = 256
# The rest of a power of e after its powers of 2, as a Taylor series from the highest power on.
_SERIES = tuple(1 / math.factorial(n) for n in range(12, -1, -1))
_LOG_2 = math.log(2)
_PER_LOG_2 = 1 / _LOG_2
# Added to a number, this rounds it to a whole one, which then stands in the lowest bits.
_ROUNDING = 1.5 * 2.0**52

Matrix = NDArray[np.float64]


def component_shares(points: Matrix, logs: Matrix, means: Matrix, roots: Matrix) -> Matrix:
    """How likely points come from each component.

    Parameters
    ----------
    points : (C, n) float64 array
    logs : (K,) float64 array
        Logarithm of the weighted density of each component at its mean.
    means : (K, C) float64 array
    roots : (K, C, C) float64 array
        Lower triangles that whiten: ``roots[k].T @ roots[k]`` is the inverse of a covariance.

    Returns
    -------
    (K, n) float64 array
        Sums to 1 over components.

    Examples
    --------
    >>> means, roots = np.array([[0.0], [4.0]]), np.ones((2, 1, 1))
    >>> component_shares(np.array([[0.0, 2.0]]), np.zeros(2), means, roots).round(3)
    array([[1. , 0.5],
           [0. , 0.5]])
    """
    shares = np.empty((len(logs), points.shape[1]))
    _find_shares(np.ascontiguousarray(points), logs, means, roots, shares)
    return shares


def mixture_sums(
    points: Matrix, weights: Matrix, logs: Matrix, means: Matrix, roots: Matrix
) -> tuple[Matrix, float]:
    """Sum over points what each component has of them: a step of expectation maximisation.

    Parameters
    ----------
    points : (C, n) float64 array
    weights : (n,) float64 array
        How often each point occurs.
    logs, means, roots
        As for `component_shares`.

    Returns
    -------
    sums : (K, 1 + C, 1 + C) float64 array
        Per component the sum of its shares of ``z[:, None] * z``, with 1 and the distances
        from its mean in z.
    likelihood : float
        Sum of the logarithms of the density.
    """
    n_channels = len(points)
    sums = np.zeros((len(logs), 1 + n_channels, 1 + n_channels))
    likelihood = _add_sums(np.ascontiguousarray(points), weights, logs, means, roots, sums)
    lower = np.tril(sums, -1)
    return sums + lower.transpose(0, 2, 1), float(likelihood)


@njit(nogil=True, cache=True, error_model="numpy")
def _find_shares(points: Any, logs: Any, means: Any, roots: Any, shares: Any) -> None:
    room, block = _room(points, logs)
    for start in range(0, points.shape[1], _BLOCK):
        n = min(_BLOCK, points.shape[1] - start)
        _log_densities(points, start, n, logs, means, roots, room, block)
        _to_shares(block, n, room)
        shares[:, start : start + n] = block[:, :n]


@njit(nogil=True, cache=True, error_model="numpy")
def _add_sums(points: Any, weights: Any, logs: Any, means: Any, roots: Any, sums: Any) -> float:
    room, block = _room(points, logs)
    likelihood = 0.0
    for start in range(0, points.shape[1], _BLOCK):
        n = min(_BLOCK, points.shape[1] - start)
        weight = weights[start : start + n]
        _log_densities(points, start, n, logs, means, roots, room, block)
        likelihood += (_to_shares(block, n, room) * weight).sum()
        for k in range(logs.size):
            owned = block[k, :n]
            owned *= weight
            _add_products(points, start, means[k], owned, room, sums[k])
    return likelihood


@njit
def _room(points: Any, logs: Any) -> Any:
    """Rows for each channel and one more, and for each component."""
    return np.empty((points.shape[0] + 1, _BLOCK)), np.empty((logs.size, _BLOCK))


@njit(nogil=True, cache=True, error_model="numpy")
def _log_densities(
    points: Any, start: int, n: int, logs: Any, means: Any, roots: Any, room: Any, block: Any
) -> None:
    """Logarithm of the weighted density of each component, at `n` points."""
    n_channels = points.shape[0]
    whitened = room[n_channels, :n]
    for k in range(logs.size):
        densities = block[k, :n]
        densities[:] = logs[k]
        for c in range(n_channels):
            room[c, :n] = points[c, start : start + n] - means[k, c]
        for c in range(n_channels):
            whitened[:] = 0
            for d in range(c + 1):
                root, away = roots[k, c, d], room[d, :n]
                for i in range(n):
                    whitened[i] += root * away[i]
            for i in range(n):
                densities[i] -= 0.5 * whitened[i] * whitened[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _to_shares(block: Any, n: int, room: Any) -> Any:
    """Make shares of the logarithms at `n` points; returns the logarithms of their sums."""
    highest, total = room[0, :n], room[1, :n]
    highest[:], total[:] = -np.inf, 0
    for k in range(len(block)):
        logs = block[k, :n]
        for i in range(n):
            highest[i] = max(highest[i], logs[i])
    for k in range(len(block)):
        shares = block[k, :n]
        for i in range(n):
            shares[i] = _exp(shares[i] - highest[i])
            total[i] += shares[i]
    for k in range(len(block)):
        block[k, :n] /= total
    return highest + np.log(total)


@njit(error_model="numpy")
def _exp(power: Any) -> Any:
    """e to a power of at most 0, to 13 digits, in steps that processors do for many at once."""
    power = max(power, -700.0)
    rounded = power * _PER_LOG_2 + _ROUNDING
    rest = power - (rounded - _ROUNDING) * _LOG_2
    value = 0.0
    for factor in _SERIES:
        value = value * rest + factor
    exponent = (np.float64(rounded).view(np.int64) + 1023) << 52
    return value * np.int64(exponent).view(np.float64)


# Sums in any order: without that a processor adds one number at a time.
@njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc"})
def _add_products(points: Any, start: int, mean: Any, owned: Any, room: Any, sums: Any) -> None:
    """Add a component's part of some points, to the lower triangle."""
    n = owned.size
    sums[0, 0] += owned.sum()
    for c in range(points.shape[0]):
        away, row = room[c, :n], points[c, start : start + n]
        first = 0.0
        for i in range(n):
            away[i] = row[i] - mean[c]
            first += owned[i] * away[i]
        sums[c + 1, 0] += first
        for d in range(c + 1):
            other, product = room[d, :n], 0.0
            for i in range(n):
                product += owned[i] * away[i] * other[i]
            sums[c + 1, d + 1] += product
