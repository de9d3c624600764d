"""Medoids of weighted values on a line, exactly: a cut into segments, each with its median.

As for least squares (see `optimal_segments`), the start of the last segment never moves
left while the end moves right, so starts found for a few ends bound those between.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def optimal_medoids(
    values: NDArray[np.float64], counts: NDArray[np.int64], n_medoids: int
) -> NDArray[np.int64]:
    """Find the values to which the distances of all values sum to the least.

    This is K-medoids in one dimension at the global optimum: a median of weighted values
    is found among them. It takes 4 K B bytes.

    Parameters
    ----------
    values : (B,) float64 array
        Ascending, each once.
    counts : (B,) int64 array
        How often each value occurs, at least 1.
    n_medoids : int
        K, at least 1.

    Returns
    -------
    (min(K, B),) int64 array
        Which of the values are the medoids, in ascending order.

    References
    ----------
    .. [1] A. Grønlund, K. G. Larsen, A. Mathiasen, J. S. Nielsen, "Fast exact k-means,
       k-medians and Bregman divergence clustering in 1D", 2017, arXiv:1701.07204.

    Examples
    --------
    >>> values, counts = np.array([1.0, 2, 10, 11, 30]), np.array([5, 5, 3, 3, 1])
    >>> optimal_medoids(values, counts, 3).tolist()
    [0, 2, 4]
    """
    above = values - values[0]
    # A power of two keeps sums from overflowing and whole numbers whole.
    above = np.ldexp(above, -np.frexp(above[-1])[1])
    upto = np.concatenate(([0.0], np.cumsum(counts, dtype=np.float64)))
    sums = np.concatenate(([0.0], np.cumsum(above * counts)))
    medoids = np.empty(min(n_medoids, len(values)), np.int64)
    _find_medoids(above, upto, sums, medoids)
    return medoids


@njit(nogil=True, cache=True)
def _find_medoids(values: Any, upto: Any, sums: Any, medoids: Any) -> None:
    n, n_segments = values.size, medoids.size
    last_start = np.zeros((n_segments, n + 1), np.int32)
    costs = np.zeros(n + 1)
    median = 0
    for j in range(1, n + 1):
        median = _median_from(upto, median, 0, j)
        costs[j] = _cost(values, upto, sums, 0, median, j)
    for m in range(1, n_segments):
        # Of the last segment only the end of all values is asked for.
        first = n if m == n_segments - 1 else m + 1
        costs = _append_segment(values, upto, sums, costs, m, first, last_start[m])
    end = n
    for m in range(n_segments - 1, -1, -1):
        start = last_start[m, end]
        medoids[m] = _median_from(upto, start, start, end)
        end = start


@njit(nogil=True, cache=True)
def _append_segment(
    values: Any, upto: Any, sums: Any, before: Any, n_before: int, first: int, last_start: Any
) -> Any:
    """Least cost and last start for all ends from `first` on, with one segment more."""
    n = values.size
    after = np.full(n + 1, np.inf)
    stride = 1
    while stride <= n - first:
        stride *= 2
    while stride > 0:
        for j in range(first + stride - 1, n + 1, 2 * stride):
            low = last_start[j - stride] if j - stride >= first else n_before
            high = last_start[j + stride] if j + stride <= n else j - 1
            median = np.searchsorted(upto, (upto[low] + upto[j]) / 2) - 1
            for i in range(low, min(high, j - 1) + 1):
                median = _median_from(upto, median, i, j)
                cost = before[i] + _cost(values, upto, sums, i, median, j)
                if cost < after[j]:
                    after[j] = cost
                    last_start[j] = i
        stride //= 2
    return after


@njit(nogil=True, cache=True)
def _median_from(upto: Any, median: int, i: int, j: int) -> int:
    """Median of the values i to j - 1, which is at `median` or beyond."""
    half = (upto[i] + upto[j]) / 2
    median = max(median, i)
    while upto[median + 1] < half:
        median += 1
    return median


@njit(nogil=True, cache=True)
def _cost(values: Any, upto: Any, sums: Any, i: int, median: int, j: int) -> Any:
    """Sum of the distances of the values i to j - 1 from one of them."""
    below = values[median] * (upto[median] - upto[i]) - (sums[median] - sums[i])
    return below + (sums[j] - sums[median]) - values[median] * (upto[j] - upto[median])
