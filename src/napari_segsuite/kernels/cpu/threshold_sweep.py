"""All thresholds of a probability map, from the highest down, in one walk.

Positives and negatives come apart, each as ascending values with the number of voxels that
have them, so that a walk merges the two and no voxel has to be ordered among the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEGATIVE, POSITIVE, LEFT_OUT = 0, 1, 2


@njit(nogil=True, cache=True)
def part_values(
    values: NDArray[Any],
    kinds: NDArray[np.uint8],
    both: NDArray[Any],
    n_positive: int,
    n_negative: int,
) -> tuple[int, int, int]:
    """Move values of positives to the front of `both` and of negatives to its back.

    Returns the numbers of positives and negatives there now, and of NaN passed over.
    """
    n_nan = 0
    for i in range(values.size):
        if kinds[i] == LEFT_OUT:
            continue
        if values[i] != values[i]:
            n_nan += 1
        elif kinds[i] == POSITIVE:
            both[n_positive] = values[i]
            n_positive += 1
        else:
            n_negative += 1
            both[both.size - n_negative] = values[i]
    return n_positive, n_negative, n_nan


@njit(nogil=True, cache=True)
def count_values(
    values: NDArray[np.unsignedinteger[Any]],
    kinds: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add the voxels of each kind to ``counts[kind, value]``."""
    for i in range(values.size):
        counts[kinds[i], values[i]] += 1


@njit(nogil=True, cache=True)
def sweep(
    positives: NDArray[Any],
    n_of_positive: NDArray[np.int64],
    negatives: NDArray[Any],
    n_of_negative: NDArray[np.int64],
    edges: NDArray[np.float64],
    bins: NDArray[np.float64],
) -> tuple[int, float, int, float, float, float]:
    """Walk all thresholds once.

    Parameters
    ----------
    positives, negatives : (V,), (W,) array
        Ascending values.
    n_of_positive, n_of_negative : (V,), (W,) int64 array
        Voxels with each.
    edges : (B + 1,) float64 array
        Bins lie between consecutive ones, the upper edge included.
    bins : (B, 3) float64 array
        Sums of values, positives and voxels are added here.

    Returns
    -------
    n_thresholds : int
    gained : float
        Sum over thresholds of the positives gained times the precision there.
    doubled_wins : int
        Twice the pairs in which a positive has the larger value, plus the ties.
    best_dice, best_threshold : float
        NaN where there is no positive.
    squares : float
        Sum of squared differences between the value and 1 or 0.
    """
    total = n_of_positive.sum()
    i, j, place = len(positives) - 1, len(negatives) - 1, len(bins) - 1
    tp, fp, n_thresholds, doubled_wins = 0, 0, 0, 0
    # Sums of millions of small numbers: the second entry holds what rounding has lost.
    gained, squares = np.zeros(2), np.zeros(2)
    best_dice, best_threshold = np.nan, np.nan
    while i >= 0 or j >= 0:
        value, i_next, j_next = _next(positives, i, negatives, j)
        gain, loss = (
            n_of_positive[i_next + 1 : i + 1].sum(),
            n_of_negative[j_next + 1 : j + 1].sum(),
        )
        i, j = i_next, j_next
        doubled_wins += loss * (2 * tp + gain)
        tp, fp = tp + gain, fp + loss
        n_thresholds += 1
        _add(gained, gain * tp / (tp + fp))
        _add(squares, gain * (1 - value) ** 2 + loss * value**2)
        while place > 0 and value <= edges[place]:
            place -= 1
        bins[place, 0] += (gain + loss) * value
        bins[place, 1] += gain
        bins[place, 2] += gain + loss
        dice = 2 * tp / (tp + fp + total)
        if total > 0 and not dice <= best_dice:
            best_dice, best_threshold = dice, value
    return (
        n_thresholds,
        gained[0] + gained[1],
        doubled_wins,
        best_dice,
        best_threshold,
        (squares[0] + squares[1]),
    )


@njit(nogil=True, cache=True)
def trace(
    positives: NDArray[Any],
    n_of_positive: NDArray[np.int64],
    negatives: NDArray[Any],
    n_of_negative: NDArray[np.int64],
    steps: tuple[int, int],
    points: NDArray[np.float64],
) -> int:
    """Write threshold, true and false positives where either grew by its step or more.

    Parameters
    ----------
    positives, n_of_positive, negatives, n_of_negative
        As in `sweep`.
    steps : (int, int)
        Positives and negatives to pass between two points.
    points : (M, 3) float64 array
        With room for ``V // steps[0] + W // steps[1] + 2`` voxels' worth of points. The
        first and the last threshold are always among them.

    Returns
    -------
    int
        Points written.
    """
    i, j = len(positives) - 1, len(negatives) - 1
    tp, fp, tp_kept, fp_kept, n = 0, 0, 0, 0, 0
    while i >= 0 or j >= 0:
        value, i_next, j_next = _next(positives, i, negatives, j)
        tp += n_of_positive[i_next + 1 : i + 1].sum()
        fp += n_of_negative[j_next + 1 : j + 1].sum()
        i, j = i_next, j_next
        is_end = n == 0 or (i < 0 and j < 0)
        if is_end or tp - tp_kept >= steps[0] or fp - fp_kept >= steps[1]:
            points[n, 0], points[n, 1], points[n, 2] = value, tp, fp
            tp_kept, fp_kept, n = tp, fp, n + 1
    return n


@njit(nogil=True, cache=True)
def _next(positives: Any, i: int, negatives: Any, j: int) -> Any:
    """The largest value left and the places of the next smaller ones."""
    if i < 0 or (j >= 0 and negatives[j] > positives[i]):
        value = negatives[j]
    else:
        value = positives[i]
    while i >= 0 and positives[i] == value:
        i -= 1
    while j >= 0 and negatives[j] == value:
        j -= 1
    return np.float64(value) + 0.0, i, j  # -0.0 is no other threshold than 0.0


@njit(nogil=True, cache=True)
def _add(total: Any, value: float) -> None:
    """Add to a sum, and to the digits it loses (Neumaier 1974, doi:10.1002/zamm.19740540106)."""
    grown = total[0] + value
    if abs(total[0]) >= abs(value):
        total[1] += (total[0] - grown) + value
    else:
        total[1] += (value - grown) + total[0]
    total[0] = grown
