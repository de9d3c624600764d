"""Counting the values of an image, and labels by value, each in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew

N_CODES = 1 << 16
_SLAB = 1 << 20
# Runs of equal values would add to one cell over and over, each addition waiting for the
# store of the one before; histograms taken in turn keep them apart.
_IN_TURN = 4


def count_codes(
    image: NDArray[Any], usable: NDArray[np.bool_] | None, low: float, scale: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count the voxels of each code, ``floor((value - low) * scale)`` up to 65535.

    Parameters
    ----------
    image : (M, N[, P]) array of integers or floating-point numbers
    usable : (M, N[, P]) bool array, optional
        Voxels that count.
    low, scale : float
        Integers of up to 16 bits are taken exactly, for which `scale` has to be 1.

    Returns
    -------
    counts : (65536,) int64 array
    means : (65536,) float64 array
        Of the values of each code; 0 where there are none. Of integers of up to 16 bits,
        which are known, all are 0.
    """
    slabs = _slabs(image)
    origin = _origin(low, scale)
    counts = np.zeros((len(slabs), N_CODES), np.int64)
    sums = np.zeros((len(slabs), 1 if _is_narrow(image) else N_CODES), np.float64)

    def count(number: int, rows: slice) -> None:
        values, kept = _flat(image, usable, rows)
        if _is_narrow(image):
            in_turn = np.zeros((_IN_TURN, N_CODES), np.int64)
            _count_integers(values, kept, int(low), in_turn)
            counts[number] = in_turn.sum(axis=0)
        else:
            _count_floats(values, kept, low, scale, origin, counts[number], sums[number])

    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        crew.run(count, list(enumerate(slabs)))
    # Added in the order of the slabs, whichever thread counted them.
    total = counts.sum(axis=0)
    means = sums.sum(axis=0) / np.maximum(total, 1)
    means[total[: len(means)] > 0] += origin
    return total, means


def labels_of_codes(
    image: NDArray[Any],
    usable: NDArray[np.bool_] | None,
    low: float,
    scale: float,
    table: NDArray[Any],
) -> NDArray[Any]:
    """Label each voxel by the entry of its code in `table`; see `count_codes`.

    Returns
    -------
    (M, N[, P]) array, dtype of `table`
        0 where a voxel does not count.
    """
    labels = np.empty(image.shape, table.dtype)

    def label(rows: slice) -> None:
        values, kept = _flat(image, usable, rows)
        out = labels[rows].reshape(-1)
        if _is_narrow(image):
            _label_integers(values, kept, int(low), table, out)
        else:
            _label_floats(values, kept, low, scale, table, out)

    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        crew.run(label, [(rows,) for rows in _slabs(image)])
    return labels


def _origin(low: float, scale: float) -> float:
    """What sums leave out: on a high plateau they would lose the digits that differ."""
    return low if abs(low) * scale > N_CODES else 0.0


def _slabs(image: NDArray[Any]) -> list[slice]:
    """Rows or planes, about a million voxels at a time."""
    depth = max(1, _SLAB * len(image) // max(image.size, 1))
    return [slice(start, start + depth) for start in range(0, len(image), depth)]


def _flat(
    image: NDArray[Any], usable: NDArray[np.bool_] | None, rows: slice
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    values = np.ascontiguousarray(image[rows]).reshape(-1)
    if values.dtype == bool:
        values = values.view(np.uint8)
    everything = np.empty(0, np.bool_)
    return values, everything if usable is None else np.ascontiguousarray(usable[rows]).reshape(-1)


def _is_narrow(image: NDArray[Any]) -> bool:
    return bool(image.dtype.kind in "bui" and image.dtype.itemsize <= 2)


@njit(nogil=True, cache=True)
def _count_integers(values: Any, usable: Any, low: Any, counts: Any) -> None:
    if usable.size:
        for i in range(values.size):
            counts[i % _IN_TURN, np.int64(values[i]) - low] += usable[i]
        return
    whole = values.size - values.size % _IN_TURN
    for i in range(0, whole, _IN_TURN):
        for turn in range(_IN_TURN):
            counts[turn, np.int64(values[i + turn]) - low] += 1
    for i in range(whole, values.size):
        counts[0, np.int64(values[i]) - low] += 1


@njit(nogil=True, cache=True)
def _count_floats(
    values: Any, usable: Any, low: Any, scale: Any, origin: Any, counts: Any, sums: Any
) -> None:
    for i in range(values.size):
        if usable.size == 0 or usable[i]:
            value = np.float64(values[i])
            code = min(np.int64((value - low) * scale), N_CODES - 1)
            counts[code] += 1
            sums[code] += value - origin


@njit(nogil=True, cache=True)
def _label_integers(values: Any, usable: Any, low: Any, table: Any, labels: Any) -> None:
    for i in range(values.size):
        labels[i] = table[np.int64(values[i]) - low]
    if usable.size:
        for i in range(values.size):
            labels[i] *= usable[i]


@njit(nogil=True, cache=True)
def _label_floats(values: Any, usable: Any, low: Any, scale: Any, table: Any, labels: Any) -> None:
    for i in range(values.size):
        if usable.size == 0 or usable[i]:
            code = min(np.int64((np.float64(values[i]) - low) * scale), N_CODES - 1)
            labels[i] = table[code]
        else:
            labels[i] = 0
