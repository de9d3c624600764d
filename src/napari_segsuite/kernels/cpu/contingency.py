"""How often each pair of labels meets, for labels of any size and number.

Pairs are kept as rows of three uint64 numbers: reference label, predicted label, voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .confusion import add_confusion, empty_counts, total_counts

Rows = NDArray[np.uint64]
_Labels = NDArray[np.unsignedinteger[Any]]

_PIECE = 1 << 16
_FIRST_SLOTS = 1 << 12
# With more pairs than this, almost as many as voxels, the table by hash leaves the caches and
# each voxel waits for memory: sorting is faster.
_MANY_PAIRS = 1 << 16
_FEW_VOXELS_A_PAIR = 8
# Voxels sorted at a time; 8 bytes each, twice.
_BLOCK = 1 << 24
# 2**64 divided by the golden ratio, and another odd number without pattern.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_SPREAD_AGAIN = np.uint64(0xD6E8FEB86659FD93)
_HALF, _LOW_HALF, _BYTE = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(255)


def pair_counts(
    prediction: _Labels, reference: _Labels, done: Callable[[float], None] = lambda _: None
) -> Rows:
    """Count the voxels of every pair of labels.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array of unsigned integers
        Of equal shape and any memory order.
    done : callable
        Called after each piece with the fraction done; may raise `Cancelled`.

    Returns
    -------
    (K, 3) uint64 array
        Reference label, predicted label, voxels; ascending by the first two.

    Examples
    --------
    >>> pair_counts(np.array([1, 1, 2], np.uint8), np.array([7, 7, 0], np.uint8)).tolist()
    [[0, 2, 1], [7, 1, 2]]
    """
    if prediction.dtype.itemsize == reference.dtype.itemsize == 1:
        return _counts_of_bytes(prediction, reference, done)
    rows = _counts_by_hash(prediction, reference, done)
    return _counts_by_sorting(prediction, reference, done) if rows is None else rows


def _flat_pairs(
    prediction: _Labels, reference: _Labels, piece: int, done: Callable[[float], None]
) -> Iterator[tuple[_Labels, _Labels]]:
    """Matching flat pieces of one type; only what is not contiguous or narrower is copied."""
    size = max(prediction.dtype.itemsize, reference.dtype.itemsize)
    pieces = np.nditer(
        [prediction, reference],
        ["external_loop", "buffered"],
        [["readonly"], ["readonly"]],
        [np.dtype(f"u{size}")] * 2,
        order="K",
        buffersize=piece,
    )
    n_done = 0
    for predicted, expected in pieces:
        yield predicted, expected
        n_done += predicted.size
        done(n_done / prediction.size)


def _counts_of_bytes(
    prediction: _Labels, reference: _Labels, done: Callable[[float], None]
) -> Rows:
    counts = empty_counts()
    for predicted, expected in _flat_pairs(prediction, reference, _PIECE, done):
        add_confusion(predicted, expected, counts)
    total = total_counts(counts)
    met = np.nonzero(total)
    return np.stack([*met, total[met]], axis=1).astype(np.uint64)


def _counts_by_hash(
    prediction: _Labels, reference: _Labels, done: Callable[[float], None]
) -> Rows | None:
    """Pairs through a table by hash; None where there are too many for it."""
    slots, used, n_voxels = np.zeros((_FIRST_SLOTS, 3), np.uint64), 0, 0
    for predicted, expected in _flat_pairs(prediction, reference, _PIECE, done):
        runs, start = _runs(predicted, expected), 0
        while start < len(runs):
            start, used = _add_rows(runs, start, slots, used)
            if 2 * used >= len(slots):
                slots = _grown(slots)
        n_voxels += expected.size
        if used > _MANY_PAIRS and n_voxels < _FEW_VOXELS_A_PAIR * used:
            return None
    rows = slots[slots[:, 2] > 0]
    in_order: Rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    return in_order


def _runs(prediction: _Labels, reference: _Labels) -> Rows:
    """Runs of equal pairs as rows; comparing whole arrays is faster than any loop."""
    differs = (reference[1:] != reference[:-1]) | (prediction[1:] != prediction[:-1])
    starts = np.append(0, np.flatnonzero(differs) + 1)
    runs = np.empty((len(starts), 3), np.uint64)
    runs[:, 0], runs[:, 1] = reference[starts], prediction[starts]
    runs[:, 2] = np.diff(starts, append=reference.size)
    return runs


@njit(nogil=True, cache=True)
def _add_rows(rows: Rows, start: int, slots: Rows, used: int) -> tuple[int, int]:
    """Add rows until half the slots are used; where it stopped, slots used."""
    i = start
    while i < len(rows) and 2 * used < len(slots):
        used += _add(slots, rows[i, 0], rows[i, 1], rows[i, 2])
        i += 1
    return i, used


@njit(nogil=True, cache=True)
def _add(slots: Rows, reference: np.uint64, prediction: np.uint64, n: np.uint64) -> int:
    """Add to the slot of a pair; how many slots that fills."""
    mask = np.uint64(len(slots) - 1)
    mixed = (reference * _SPREAD ^ prediction) * _SPREAD_AGAIN
    slot = (mixed ^ (mixed >> _HALF)) & mask
    while slots[slot, 2] and (slots[slot, 0] != reference or slots[slot, 1] != prediction):
        slot = (slot + np.uint64(1)) & mask
    is_new = slots[slot, 2] == 0
    slots[slot, 0], slots[slot, 1] = reference, prediction
    slots[slot, 2] += n
    return 1 if is_new else 0


@njit(nogil=True, cache=True)
def _grown(slots: Rows) -> Rows:
    larger = np.zeros((4 * len(slots), 3), np.uint64)
    for i in range(len(slots)):
        if slots[i, 2]:
            _add(larger, slots[i, 0], slots[i, 1], slots[i, 2])
    return larger


def _counts_by_sorting(
    prediction: _Labels, reference: _Labels, done: Callable[[float], None]
) -> Rows:
    """Pairs through sorted blocks, merged like with like: each row is merged a few times."""
    predicted_ids, prediction = _below_32_bits(prediction)
    expected_ids, reference = _below_32_bits(reference)
    blocks: list[Rows] = []
    for predicted, expected in _flat_pairs(prediction, reference, _BLOCK, done):
        keys = expected.astype(np.uint64) << _HALF
        keys |= predicted
        blocks.append(_counted(_by_digits(keys, np.empty_like(keys))))
        while len(blocks) > 1 and 2 * len(blocks[-1]) > len(blocks[-2]):
            blocks.append(_merged(blocks.pop(), blocks.pop()))
    while len(blocks) > 1:
        blocks.append(_merged(blocks.pop(), blocks.pop()))
    rows = blocks[0]
    for column, ids in enumerate((expected_ids, predicted_ids)):
        if ids is not None:
            rows[:, column] = ids[rows[:, column]]
    return rows


def _below_32_bits(labels: _Labels) -> tuple[_Labels | None, _Labels]:
    """Distinct labels and their numbers, where labels need more than 32 bits."""
    if labels.dtype.itemsize < 8 or labels.max() <= _LOW_HALF:
        return None, labels
    ids, numbers = np.unique(labels, return_inverse=True)
    return ids, numbers.reshape(labels.shape).astype(np.uint32)


@njit(nogil=True, cache=True)
def _by_digits(keys: Rows, spare: Rows) -> Rows:
    """Sorted keys: byte by byte from the lowest, leaving out bytes equal in all.

    Both arrays are overwritten; one of them is returned.
    """
    varies = np.uint64(0)
    for key in keys:
        varies |= key ^ keys[0]
    for byte in range(8):
        shift = np.uint64(8 * byte)
        if (varies >> shift) & _BYTE:
            _scatter(keys, spare, shift)
            keys, spare = spare, keys
    return keys


@njit(nogil=True, cache=True)
def _scatter(keys: Rows, out: Rows, shift: np.uint64) -> None:
    """Copy keys in the order of one byte, those with an equal byte as they come."""
    place = np.zeros(257, np.int64)
    for key in keys:
        place[((key >> shift) & _BYTE) + np.uint64(1)] += 1
    for digit in range(256):
        place[digit + 1] += place[digit]
    for key in keys:
        digit = (key >> shift) & _BYTE
        out[place[digit]] = key
        place[digit] += 1


@njit(nogil=True, cache=True)
def _counted(keys: Rows) -> Rows:
    """Rows of sorted keys, which hold the reference label in the upper half."""
    n = 1
    for i in range(1, len(keys)):
        n += keys[i] != keys[i - 1]
    rows, last = np.empty((n, 3), np.uint64), -1
    for i in range(len(keys)):
        if i == 0 or keys[i] != keys[i - 1]:
            last += 1
            rows[last, 0], rows[last, 1] = keys[i] >> _HALF, keys[i] & _LOW_HALF
            rows[last, 2] = 0
        rows[last, 2] += np.uint64(1)
    return rows


@njit(nogil=True, cache=True)
def _merged(first: Rows, second: Rows) -> Rows:
    """Two sorted tables as one, rows of one pair added up."""
    out, n = np.empty((len(first) + len(second), 3), np.uint64), 0
    i = j = 0
    while i < len(first) and j < len(second):
        order = _compare(first[i], second[j])
        out[n] = second[j] if order > 0 else first[i]
        if order == 0:
            out[n, 2] += second[j, 2]
        i += order <= 0
        j += order >= 0
        n += 1
    n_left = len(first) - i + len(second) - j
    out[n : n + n_left] = first[i:] if i < len(first) else second[j:]
    return out[: n + n_left].copy()


@njit(nogil=True, cache=True)
def _compare(row: Rows, other: Rows) -> int:
    """-1, 0 or 1 as the pair of a row comes before, is, or comes after that of another."""
    for column in range(2):
        if row[column] != other[column]:
            return -1 if row[column] < other[column] else 1
    return 0
