"""Which labels several raters give one voxel together, and how often each such pattern occurs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Done = Callable[[float], None]

# Voxels of a block: what is marked in it, one byte each, stays in the cache.
_BLOCK = 1 << 18
# Runs are kept from the first pass for the second where they take a byte per voxel at most.
_BYTES_OF_RUN = 8
# Raters read at once. For fewer, the last one stands in for those that lack: this changes
# nothing, and each other number of raters would have to be compiled on its own.
_ABREAST = 4
_FREE = -1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


class VotePatterns:
    """The patterns that occur among the voxels, each with its number of voxels.

    Two passes over the voxels, `count` and then `write`, are all that needs them: whatever
    depends on the votes alone is worked out per pattern between the two. Voxels are read in
    the order in which they lie in memory, in runs of equal patterns. Where these are long,
    as in segmentations, they are kept for the second pass, at a byte per voxel at most. Of
    noise, each voxel is looked up in both passes, and the patterns of up to eight raters
    take up to 50 bytes each: time and memory grow in proportion to voxels and patterns.

    Parameters
    ----------
    raters : sequence of (M, N[, P]) arrays of integers
        The labels by each rater, of one shape.
    labels : (K,) array of integers, ascending
        At most 256, all labels that occur among them.

    Attributes
    ----------
    labels : (K,) array of integers
    codes : (N, R) uint8 array
        Place in `labels` of what each rater gave, one row per pattern, in the order in
        which the patterns first occur in the memory of the first rater.
    counts : (N,) int64 array
        Voxels that have the pattern.
    """

    def __init__(self, raters: Sequence[Labels], labels: NDArray[np.integer[Any]]) -> None:
        self._axes = np.argsort([-abs(step) for step in raters[0].strides], kind="stable")
        self._raters = [rater.transpose(self._axes) for rater in raters]
        self.labels = labels
        self._is_place = bool(np.array_equal(labels, np.arange(len(labels))))
        self._blocks = _blocks(self._raters[0])
        self._table = _Table(-(-len(raters) // 8))
        # Starts of the runs and their patterns, by the first row of the block.
        self._kept: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = {}

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Of the patterns found so far."""
        n_raters = len(self._raters)
        return np.ascontiguousarray(self._table.votes.view(np.uint8)[:, :n_raters])

    @property
    def counts(self) -> NDArray[np.int64]:
        """Of the patterns found so far."""
        return self._table.counts

    def count(self, done: Done) -> None:
        """Find the patterns in one pass; `done` is told the share of the voxels read."""
        for block, starts, votes in self._runs(self._blocks):
            lengths = np.subtract(starts[1:], starts[:-1], dtype=np.int64)
            patterns = self._table.add(votes, lengths)
            if _BYTES_OF_RUN * len(patterns) <= starts[-1]:
                self._kept[block.start] = starts.copy(), patterns
            done(min(block.stop / len(self._raters[0]), 1))

    def write(self, values: NDArray[Any], out: NDArray[Any], done: Done) -> None:
        """Give each voxel of `out` the entry of its pattern in `values`."""
        turned = out.transpose(self._axes)
        for block in self._blocks:
            if block.start in self._kept:
                starts, patterns = self._kept[block.start]
            else:
                _, starts, votes = next(self._runs([block]))
                patterns = self._table.find(votes)
            _write(starts, patterns, values, turned[block])
            done(min(block.stop / len(turned), 1))

    def _runs(
        self, blocks: Sequence[slice]
    ) -> Iterator[tuple[slice, NDArray[np.int32], NDArray[np.uint64]]]:
        """Rows of each block, the starts of its runs, and the votes in each run.

        The starts are overwritten by those of the next block.
        """
        n_raters, room = len(self._raters), self._raters[0][blocks[0]].size
        # The same memory for all blocks: fresh pages would take longer than the counting.
        changes, starts = np.empty(-(-room // 8) * 8, np.uint8), np.empty(room + 1, np.int32)
        for block in blocks:
            rows = [self._places(rater[block].reshape(-1)) for rater in self._raters]
            groups = [_abreast(rows, i) for i in range(0, n_raters, _ABREAST)]
            changes[0], changes[1:] = 1, 0
            for group in groups:
                _mark_changes(changes, *group)
            n_runs = _find_starts(changes, len(rows[0]), starts)
            votes = np.zeros((n_runs, -(-n_raters // 8)), np.uint64)
            for i, group in enumerate(groups):
                _gather(starts, votes.view(np.uint8), _ABREAST * i, *group)
            yield block, starts[: n_runs + 1], votes

    def _places(self, part: Labels) -> NDArray[np.uint8]:
        """Places of the labels; not to be written to, since they may be a rater's own."""
        if self._is_place:
            places = np.asarray(part).astype(np.uint8, copy=False).view()
        else:
            places = np.searchsorted(self.labels, part).astype(np.uint8)
        places.flags.writeable = False
        return places


class _Table:
    """Patterns and how often they occur, each found by a hash of its votes.

    Parameters
    ----------
    n_words : int
        Votes of a voxel, in words of eight bytes.

    Attributes
    ----------
    votes : (N, W) uint64 array
    counts : (N,) int64 array
    """

    def __init__(self, n_words: int) -> None:
        self._votes = np.zeros((128, n_words), np.uint64)
        self._counts = np.zeros(128, np.int64)
        self._slots = np.full(256, _FREE, np.int32)
        self._n = 0

    @property
    def votes(self) -> NDArray[np.uint64]:
        return self._votes[: self._n]

    @property
    def counts(self) -> NDArray[np.int64]:
        return self._counts[: self._n]

    def add(self, votes: NDArray[np.uint64], n_voxels: NDArray[np.int64]) -> NDArray[np.int32]:
        """Add voxels that have the (N, W) `votes`; returns the (N,) numbers of the patterns."""
        patterns = np.empty(len(votes), np.int32)
        start = 0
        while start < len(votes):
            start, self._n = _add(
                votes, n_voxels, start, self._slots, self._votes, self._counts, self._n, patterns
            )
            if start < len(votes):
                self._grow()
        return patterns

    def find(self, votes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The (N,) numbers of the patterns with the (N, W) `votes`, all of them known."""
        patterns = np.empty(len(votes), np.int32)
        _find(votes, self._slots, self._votes, patterns)
        return patterns

    def _grow(self) -> None:
        self._votes = np.concatenate([self._votes, np.zeros_like(self._votes)])
        self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._slots = np.full(2 * len(self._slots), _FREE, np.int32)
        _place_all(self._slots, self._votes, self._n)


def _blocks(array: Labels) -> list[slice]:
    """Rows or planes that together hold about as many voxels as a block should."""
    depth = max(1, _BLOCK * len(array) // array.size)
    return [slice(i, i + depth) for i in range(0, len(array), depth)]


def _abreast(rows: list[NDArray[np.uint8]], i: int) -> list[NDArray[np.uint8]]:
    """As many rows from `i` on as are read at once."""
    return (rows[i : i + _ABREAST] + rows[-1:] * _ABREAST)[:_ABREAST]


def _write(
    starts: NDArray[np.int32],
    patterns: NDArray[np.int32],
    values: NDArray[Any],
    out: NDArray[Any],
) -> None:
    if out.flags.c_contiguous:
        _fill(starts, patterns, values, out.reshape(-1))
    else:
        flat = np.empty(out.size, out.dtype)
        _fill(starts, patterns, values, flat)
        out[...] = flat.reshape(out.shape)


@njit(nogil=True, cache=True)
def _mark_changes(changes: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """Make non-zero where a voxel has other votes than the one before.

    Without branches, so that the compiler makes vector instructions of it.
    """
    for i in range(1, a.size):
        here = (a[i] ^ a[i - 1]) | (b[i] ^ b[i - 1]) | (c[i] ^ c[i - 1]) | (d[i] ^ d[i - 1])
        changes[i] |= here


@njit(nogil=True, cache=True)
def _find_starts(changes: Any, n: int, starts: Any) -> int:
    """Store where runs start among `n` voxels, then `n`; returns the number of runs.

    Eight voxels without a change are passed over at once; `changes` are filled up to eights
    by zeros.
    """
    n_runs = 0
    eights = changes.view(np.uint64)
    for eight in range(-(-n // 8)):
        if eights[eight]:
            for i in range(8 * eight, 8 * eight + 8):
                starts[n_runs] = i
                n_runs += changes[i] != 0
    starts[n_runs] = n
    return n_runs


@njit(nogil=True, cache=True)
def _gather(starts: Any, votes: Any, first: int, a: Any, b: Any, c: Any, d: Any) -> None:
    """Copy what four raters from `first` on give the start of each run."""
    for run in range(len(votes)):
        i = starts[run]
        votes[run, first] = a[i]
        votes[run, first + 1] = b[i]
        votes[run, first + 2] = c[i]
        votes[run, first + 3] = d[i]


@njit(nogil=True, cache=True)
def _fill(starts: Any, patterns: Any, values: Any, out: Any) -> None:
    """Give each run the value of its pattern; neighbours of one value are written at once."""
    n, run = len(patterns), 0
    while run < n:
        start, value = starts[run], values[patterns[run]]
        run += 1
        while run < n and values[patterns[run]] == value:
            run += 1
        out[start : starts[run]] = value


@njit(nogil=True, cache=True)
def _slot_of(mixed: int, votes: Any, row: int, slots: Any, known: Any) -> Any:
    """Where the pattern of a row of votes stands, or the free slot where it is to stand.

    `mixed` is the hash of the row. With a call for it in here, the compiler would no longer
    inline this function, and searching would take four times as long.
    """
    mask = len(slots) - 1
    slot = mixed & mask
    while slots[slot] != _FREE and not _is_same(votes, row, known, slots[slot]):
        slot = (slot + 1) & mask
    return slot


@njit(nogil=True, cache=True)
def _hash(votes: Any, row: int) -> Any:
    mixed = np.uint64(0)
    for word in range(votes.shape[1]):
        mixed = (mixed ^ votes[row, word]) * _GOLDEN
        mixed ^= mixed >> _HALF
    return np.int64((mixed * _GOLDEN) >> _HALF)


@njit(nogil=True, cache=True)
def _is_same(votes: Any, row: int, known: Any, pattern: int) -> Any:
    word = 0
    while word < votes.shape[1] and votes[row, word] == known[pattern, word]:
        word += 1
    return word == votes.shape[1]


@njit(nogil=True, cache=True)
def _add(
    votes: Any,
    n_voxels: Any,
    start: int,
    slots: Any,
    known: Any,
    counts: Any,
    n_found: int,
    patterns: Any,
) -> tuple[int, int]:
    """Number the rows of votes from `start` on, as long as there is room for new patterns.

    Returns where it stopped and the number of patterns.
    """
    for row in range(start, len(votes)):
        slot = _slot_of(_hash(votes, row), votes, row, slots, known)
        if slots[slot] == _FREE:
            if n_found == len(counts):
                return row, n_found
            slots[slot] = n_found
            known[n_found] = votes[row]
            n_found += 1
        patterns[row] = slots[slot]
        counts[slots[slot]] += n_voxels[row]
    return len(votes), n_found


@njit(nogil=True, cache=True)
def _find(votes: Any, slots: Any, known: Any, patterns: Any) -> None:
    for row in range(len(votes)):
        patterns[row] = slots[_slot_of(_hash(votes, row), votes, row, slots, known)]


@njit(nogil=True, cache=True)
def _place_all(slots: Any, known: Any, n_found: int) -> None:
    for pattern in range(n_found):
        slots[_slot_of(_hash(known, pattern), known, pattern, slots, known)] = pattern
