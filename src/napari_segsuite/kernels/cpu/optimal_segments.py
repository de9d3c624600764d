"""Cut a weighted sequence of values into segments of least variance, exactly.

The best cut of the first j values into m segments ends with a segment that starts at some
i, after the best cut of the first i into m - 1. That start never moves left while j grows,
so starts found for a few j bound the search for those between.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Starts whose gains are computed before they are compared: they stay in the fastest cache.
_BLOCK = 512
# Fewer starts than this are not worth a call for vector registers.
_FEW = 24


def optimal_segments(
    values: NDArray[np.float64], counts: NDArray[np.int64], n_segments: int
) -> NDArray[np.int64]:
    """Cut ascending values where the squares within the segments sum to the least.

    This is K-means in one dimension and the criterion of Otsu for several classes, at the
    global optimum, in time O(K B log B) and 4 K B bytes.

    Parameters
    ----------
    values : (B,) float64 array
        Ascending, each once.
    counts : (B,) int64 array
        How often each value occurs, at least 1.
    n_segments : int
        K, at least 1.

    Returns
    -------
    (min(K, B),) int64 array
        Where each segment starts; the first at 0. Of equally good cuts it is one with early
        starts: each start but the first is the earliest that fits those after it.

    References
    ----------
    .. [1] H. Wang, M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by
       dynamic programming", The R Journal 3(2), 2011, 10.32614/RJ-2011-015.
    .. [2] A. Grønlund, K. G. Larsen, A. Mathiasen, J. S. Nielsen, "Fast exact k-means,
       k-medians and Bregman divergence clustering in 1D", 2017, arXiv:1701.07204.

    Examples
    --------
    >>> values, counts = np.array([1.0, 2, 10, 11, 30]), np.array([5, 5, 3, 3, 1])
    >>> optimal_segments(values, counts, 3).tolist()
    [0, 2, 4]
    """
    n_segments = min(n_segments, len(values))
    weights = np.concatenate(([0.0], np.cumsum(counts, dtype=np.float64)))
    sums = np.concatenate(([0.0], np.cumsum(_centred(values, counts) * counts)))
    starts: NDArray[np.int64] = _cut(weights, sums, n_segments)
    return starts


def _centred(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Differences from the value nearest to the mean: their sums lose few digits.

    From a value rather than the mean: whole numbers stay whole, and ties stay ties. The
    scale is a power of two that lets squares neither overflow nor vanish.
    """
    above = values - values[0]
    above = np.ldexp(above, -np.frexp(above[-1])[1])
    mean = np.average(above, weights=counts)
    centred: NDArray[np.float64] = above - above[np.abs(above - mean).argmin()]
    return centred


@njit(nogil=True, cache=True)
def _cut(weights: Any, sums: Any, n_segments: int) -> Any:
    n = weights.size - 1
    last_start = np.zeros((n_segments, n + 1), np.int32)
    gain = np.zeros(n + 1)
    gain[1:] = sums[1:] * sums[1:] / weights[1:]
    for m in range(1, n_segments):
        # Of the last segment only the end of all values is asked for.
        first = n if m == n_segments - 1 else m + 1
        gain = _append_segment(weights, sums, gain, m, first, last_start[m])
    starts = np.zeros(n_segments, np.int64)
    end = n
    for m in range(n_segments - 1, 0, -1):
        starts[m] = end = last_start[m, end]
    return starts


@njit(nogil=True, cache=True)
def _append_segment(
    weights: Any, sums: Any, before: Any, n_before: int, first: int, last_start: Any
) -> Any:
    """Best gain and last start for all ends from `first` on, with one segment more."""
    n = weights.size - 1
    after = np.full(n + 1, -np.inf)
    row = np.empty(_BLOCK)
    # Found first, the start for the last end bounds all others.
    after[n], last_start[n] = _best_start(weights, sums, before, n_before, n - 1, n, row)
    stride = 1
    while stride <= n - first:
        stride *= 2
    while stride > 0:
        for j in range(first + stride - 1, n, 2 * stride):
            low = last_start[j - stride] if j - stride >= first else n_before
            high = min(last_start[min(j + stride, n)], j - 1)
            if high - low < _FEW:
                after[j], last_start[j] = _best_of_few(weights, sums, before, low, high, j)
            else:
                after[j], last_start[j] = _best_start(weights, sums, before, low, high, j, row)
        stride //= 2
    return after


@njit(nogil=True, cache=True, error_model="numpy")
def _best_of_few(weights: Any, sums: Any, before: Any, low: int, high: int, j: int) -> Any:
    """The greatest gain of a start from `low` to `high`, and the first that has it."""
    best, which = -np.inf, np.int64(low)
    weight, total = weights[j], sums[j]
    for i in range(np.uint64(low), np.uint64(high + 1)):
        rest = total - sums[i]
        gain = before[i] + rest * rest / (weight - weights[i])
        is_better = gain > best
        best = gain if is_better else best
        which = np.int64(i) if is_better else which
    return best, which


@njit(nogil=True, cache=True)
def _best_start(weights: Any, sums: Any, before: Any, low: int, high: int, j: int, row: Any) -> Any:
    """Do what `_best_of_few` does for many starts, by blocks in vector registers."""
    best, which = np.int64(-1), low  # the bits of the gain
    for start in range(low, high + 1, _BLOCK):
        stop = min(start + _BLOCK, high + 1)
        gains = row[: stop - start]
        _gains(
            weights[start:stop], sums[start:stop], weights[j], sums[j], before[start:stop], gains
        )
        most = _greatest(gains)
        if most > best:
            best, which = most, start + _first(gains, most)
    return np.int64(best).view(np.float64), which


@njit(nogil=True, cache=True, error_model="numpy")
def _gains(weights: Any, sums: Any, weight: float, total: float, before: Any, gains: Any) -> None:
    for i in range(gains.size):
        rest = total - sums[i]
        gains[i] = before[i] + rest * rest / (weight - weights[i])


@njit(nogil=True, cache=True)
def _greatest(gains: Any) -> Any:
    """The greatest of some gains, none of them negative, as the integer with its bits."""
    # Such integers are in the order of the gains, and compared many at a time.
    bits = gains.view(np.int64)
    most = np.int64(0)
    for i in range(bits.size):
        most = max(most, bits[i])
    return most


@njit(nogil=True, cache=True)
def _first(gains: Any, greatest: Any) -> Any:
    bits = gains.view(np.int64)
    i = 0
    while bits[i] != greatest:
        i += 1
    return i
