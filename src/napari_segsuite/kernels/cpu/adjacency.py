"""Which regions touch, over how many faces, and how much the image changes across them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew
from .planes import pieces, three_axes, with_next

_FIRST_SLOTS = 1 << 10
_EMPTY = -1
# 2**64 divided by the golden ratio: multiples of it spread evenly.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Adjacency(NamedTuple):
    """The pairs of regions that touch.

    Attributes
    ----------
    pairs : (E, 2) int32 array
        Numbers of the two regions, the smaller first, in lexicographic order.
    lengths : (E,) int64 array
        Neighbouring voxels on either side of their border: faces, with connectivity 1.
    strengths : (E,) float64 array
        Sum over these of the difference of intensity, the Euclidean one of channels.
    """

    pairs: NDArray[np.int32]
    lengths: NDArray[np.int64]
    strengths: NDArray[np.float64]


def region_adjacency(
    regions: NDArray[np.int32],
    channels: Sequence[NDArray[Any]] = (),
    *,
    connectivity: int = 1,
    threads: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> Adjacency:
    """List all pairs of regions that touch.

    One pass over the image in pieces that are counted on their own and added in order, so
    that the number of threads makes no difference.

    Parameters
    ----------
    regions : (M, N[, P]) int32 array
        Number of each voxel's region, at least 0; 0 is no region.
    channels : sequence of (M, N[, P]) array
        Intensities whose differences across borders are summed; none for sums of zero.
    connectivity : int
        Voxels touch that differ in at most this many axes: 1 = faces, 2 = edges, 3 = corners.
    threads : int, optional
        As many as numba would use by default.
    done : callable
        Called after each piece; may raise `Cancelled`.

    Returns
    -------
    Adjacency

    References
    ----------
    A. Tremeau, P. Colantoni, "Regions adjacency graph applied to color image segmentation",
    IEEE TIP 9(4), 2000, doi:10.1109/83.841950.

    Examples
    --------
    >>> regions = np.array([[1, 1, 2], [1, 3, 2]], dtype=np.int32)
    >>> found = region_adjacency(regions, [np.array([[5, 5, 9], [5, 6, 9]])])
    >>> found.pairs.tolist(), found.lengths.tolist(), found.strengths.tolist()
    ([[1, 2], [1, 3], [2, 3]], [1, 2, 1], [4.0, 2.0, 3.0])
    """
    offsets = _forward(regions.ndim, connectivity)
    all_rows = pieces(regions.shape)
    found: list[tuple[NDArray[Any], ...]] = [()] * len(all_rows)

    def count(number: int, rows: slice) -> None:
        wider = with_next(rows)
        labels = np.ascontiguousarray(three_axes(regions[wider]))
        n_planes = rows.stop - rows.start
        found[number] = _count_pairs(labels, _values(channels, wider), n_planes, offsets)

    n_threads = int(config.NUMBA_NUM_THREADS) if threads is None else threads
    with Crew(n_threads) as crew:
        crew.run(count, list(enumerate(all_rows)), done)
    return _added([np.concatenate(parts) for parts in zip(*found, strict=True)])


def _forward(ndim: int, connectivity: int) -> NDArray[np.int64]:
    """Steps to the neighbours that come later in scan order, as (plane, row, column)."""
    steps = [
        step
        for step in product((-1, 0, 1), repeat=ndim)
        if step > (0,) * ndim and np.abs(step).sum() <= connectivity
    ]
    return np.array([(first, 0, *rest) if ndim == 2 else (first, *rest) for first, *rest in steps])


def _values(channels: Sequence[NDArray[Any]], rows: slice) -> NDArray[np.float64]:
    if not channels:
        return np.empty((0, 0, 0, 0))
    return np.stack([three_axes(channel[rows]) for channel in channels], dtype=np.float64)


def _added(parts: Sequence[NDArray[Any]]) -> Adjacency:
    """Sum what the pieces counted for the same pair."""
    every_key, counts, sums = parts
    keys, place = np.unique(every_key, return_inverse=True)
    lengths = np.zeros(len(keys), np.int64)
    np.add.at(lengths, place, counts)
    pairs = np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)
    strengths = np.bincount(place, sums, len(keys)).astype(np.float64)
    return Adjacency(pairs, lengths, strengths)


@njit(nogil=True, cache=True)
def _count_pairs(
    regions: NDArray[np.int32],
    values: NDArray[np.float64],
    n_planes: int,
    offsets: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Packed pairs, counts and sums of the first `n_planes` planes, in a table by hash."""
    keys = np.full(_FIRST_SLOTS, _EMPTY, np.int64)
    counts = np.zeros(_FIRST_SLOTS, np.int64)
    sums = np.zeros(_FIRST_SLOTS, np.float64)
    used, slot = 0, 0
    planes, rows, columns = regions.shape
    for k in range(len(offsets)):
        dz, dy, dx = offsets[k]
        for z in range(min(n_planes, planes - dz)):
            for y in range(max(0, -dy), rows - max(0, dy)):
                for x in range(max(0, -dx), columns - max(0, dx)):
                    a, b = regions[z, y, x], regions[z + dz, y + dy, x + dx]
                    if a == b or a == 0 or b == 0:
                        continue
                    key = (np.int64(min(a, b)) << 32) | np.int64(max(a, b))
                    # Most often the same two regions as a voxel ago.
                    if keys[slot] != key:
                        slot = _slot_of(keys, key)
                    if keys[slot] == _EMPTY:
                        keys[slot] = key
                        used += 1
                    counts[slot] += 1
                    if values.size:
                        sums[slot] += _distance(values, (z, y, x), (z + dz, y + dy, x + dx))
                    if 2 * used > len(keys):
                        keys, counts, sums = _doubled(keys, counts, sums)
                        slot = _slot_of(keys, key)
    kept = np.flatnonzero(keys != _EMPTY)
    return keys[kept], counts[kept], sums[kept]


@njit(nogil=True, cache=True)
def _slot_of(keys: NDArray[np.int64], key: Any) -> Any:
    """Where a key is in the table, or where it goes."""
    last = len(keys) - 1
    slot = np.int64((np.uint64(key) * _SPREAD) >> np.uint64(32)) & last
    while keys[slot] != key and keys[slot] != _EMPTY:
        slot = (slot + 1) & last
    return slot


@njit(nogil=True, cache=True)
def _doubled(
    keys: NDArray[np.int64], counts: NDArray[np.int64], sums: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The same table with twice the slots."""
    wide_keys = np.full(2 * len(keys), _EMPTY, np.int64)
    wide_counts = np.zeros(len(wide_keys), np.int64)
    wide_sums = np.zeros(len(wide_keys), np.float64)
    for old in range(len(keys)):
        if keys[old] != _EMPTY:
            slot = _slot_of(wide_keys, keys[old])
            wide_keys[slot], wide_counts[slot] = keys[old], counts[old]
            wide_sums[slot] = sums[old]
    return wide_keys, wide_counts, wide_sums


@njit(nogil=True, cache=True)
def _distance(values: NDArray[np.float64], a: tuple[int, int, int], b: tuple[int, int, int]) -> Any:
    total = 0.0
    for channel in range(len(values)):
        step = values[channel, a[0], a[1], a[2]] - values[channel, b[0], b[1], b[2]]
        total += step * step
    return np.sqrt(total)
