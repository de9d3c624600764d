"""Joint histograms of two label arrays in one pass."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Rows whose length is a power of two would all fall into the same few sets of the L1 cache,
# and so would the four histograms without a row between them; with both, many labels count
# four times as fast.
_PADDING = 8
# Shorter rows of one slice are not worth a histogram of their own.
_SHORT = 16
_EIGHT_ONES = np.uint64(0x0101010101010101)


def empty_counts(n: int = 256) -> NDArray[np.int64]:
    """Zeroed histograms for `add_confusion` of labels below `n`."""
    return np.zeros((4, n + 1, n + _PADDING), np.int64)


def total_counts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The (n, n) confusion matrix, rows by reference, of filled histograms."""
    total: NDArray[np.int64] = counts[:, :-1, :-_PADDING].sum(axis=0)
    return total


def add_confusion(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add the pairs of two flat arrays to the histograms of `empty_counts`.

    The caller guarantees that every value is below the `n` of those.
    """
    prediction, reference = np.ascontiguousarray(prediction), np.ascontiguousarray(reference)
    whole = prediction.size - prediction.size % 8
    words = (array[:whole].view(np.uint64) for array in (prediction, reference))
    _add_words(*words, prediction, reference, counts)
    _add_bytes(prediction[whole:], reference[whole:], counts)


@njit(nogil=True, cache=True)
def _add_words(
    prediction_words: NDArray[np.uint64],
    reference_words: NDArray[np.uint64],
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add eight pairs at once where they are all the same, as inside an object they are."""
    for word in range(prediction_words.size):
        i = 8 * word
        p, r = np.uint64(prediction[i]), np.uint64(reference[i])
        if prediction_words[word] == p * _EIGHT_ONES and reference_words[word] == r * _EIGHT_ONES:
            counts[word & 3, reference[i], prediction[i]] += 8
        else:
            _add_four(prediction, reference, i, counts)
            _add_four(prediction, reference, i + 4, counts)


@njit(nogil=True, cache=True)
def _add_bytes(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    counts: NDArray[np.int64],
) -> None:
    """Add pair after pair."""
    whole = prediction.size - prediction.size % 4
    for i in range(0, whole, 4):
        _add_four(prediction, reference, i, counts)
    for i in range(whole, prediction.size):
        counts[0, reference[i], prediction[i]] += 1


@njit(nogil=True, cache=True)
def _add_four(
    prediction: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    i: int,
    counts: NDArray[np.int64],
) -> None:
    """Add four pairs from `i` on, each to a histogram of its own.

    Runs of equal labels would add to one cell over and over, each addition waiting for the
    store of the one before; four histograms taken in turn keep them apart.
    """
    counts[0, reference[i], prediction[i]] += 1
    counts[1, reference[i + 1], prediction[i + 1]] += 1
    counts[2, reference[i + 2], prediction[i + 2]] += 1
    counts[3, reference[i + 3], prediction[i + 3]] += 1


@njit(nogil=True, cache=True)
def add_confusion_wide(
    prediction: NDArray[np.uint16],
    reference: NDArray[np.uint16],
    places: NDArray[np.intp],
    counts: NDArray[np.int64],
) -> None:
    """Add the pairs of two flat arrays to ``counts[places[reference], places[prediction]]``.

    The caller guarantees that every value is below ``len(places)`` and every place below
    ``len(counts)``.
    """
    for i in range(prediction.size):
        counts[places[reference[i]], places[prediction[i]]] += 1


@njit(nogil=True, cache=True)
def slice_tables(
    prediction: NDArray[np.uint8], reference: NDArray[np.uint8], n: int
) -> NDArray[np.int64]:
    """Confusion matrix of each slice along the middle one of three axes.

    Parameters
    ----------
    prediction, reference : (O, S, I) contiguous arrays
        Every value is below `n`; the caller guarantees it.

    Returns
    -------
    (S, n, n) int64 array
        Rows by reference.
    """
    n_outer, n_slices, n_inner = prediction.shape
    tables = np.zeros((n_slices, n, n), np.int64)
    if n_inner < _SHORT:
        for o in range(n_outer):
            for s in range(n_slices):
                for i in range(n_inner):
                    tables[s, reference[o, s, i], prediction[o, s, i]] += 1
        return tables
    counts = np.zeros((4, n + 1, n + _PADDING), np.int64)
    for s in range(n_slices):
        counts[:] = 0
        for o in range(n_outer):
            _add_bytes(prediction[o, s], reference[o, s], counts)
        for lane in range(4):
            for r in range(n):
                for p in range(n):
                    tables[s, r, p] += counts[lane, r, p]
    return tables
