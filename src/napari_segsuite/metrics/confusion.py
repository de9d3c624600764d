"""Confusion matrix of two label arrays: all that overlap metrics need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import SILENT, Progress
from .blocks import Labels, lies_reversed, read_blocks
from .label_numbers import is_among

MAX_CLASSES = 4096
_BYTE = 256
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often each pair of labels meets.

    Attributes
    ----------
    counts : (N, N) int64 array
        Voxels by reference label (rows) and predicted label (columns).
    labels : tuple of int
        The label of each row and column, ascending.
    """

    counts: NDArray[np.int64]
    labels: tuple[int, ...]


def confusion_matrix(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> Confusion:
    """Count every pair of predicted and reference label in one pass.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like or lazy array
        Labels of equal shape: integers, booleans, or whole floating-point numbers. Arrays of
        dask, zarr or HDF5 and mapped files are read once, block by block.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are left out. Predicting such a
        label elsewhere still counts against the reference's class.
    progress : Progress
        Told "block 3 of 40"; raises `Cancelled` to stop.

    Returns
    -------
    Confusion
        Over all labels that occur in the voxels counted.

    Raises
    ------
    InputError
        If the shapes differ, the arrays are empty, hold anything but labels, or more than
        4096 different ones.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2]).counts.tolist()
    [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    """
    counts, labels = np.zeros((0, 0), np.int64), np.empty(0, np.uint64)
    for _, predicted, expected in read_blocks(prediction, reference, progress):
        counts, labels = _with_block(counts, labels, predicted, expected)
        del predicted, expected  # before the next are read
    counts[is_among(labels, ignore)] = 0
    keep = np.flatnonzero(counts.any(axis=0) | counts.any(axis=1))
    if len(keep) < len(labels):
        counts = counts[np.ix_(keep, keep)]
    return Confusion(counts, tuple(labels[keep].tolist()))


def grown(
    counts: NDArray[np.int64], labels: NDArray[np.uint64], found: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Counts with a row and a column also for the labels of `found`.

    Parameters
    ----------
    counts : (..., N, N) array
    labels, found : (N,) and (K,) arrays of ascending labels

    Returns
    -------
    (counts, labels)
        The arrays themselves where nothing is new.

    Raises
    ------
    InputError
        If there would be more than 4096 labels.
    """
    every = np.union1d(labels, found)
    if len(every) == len(labels):
        return counts, labels
    _check_few(every)
    wider = np.zeros((*counts.shape[:-2], len(every), len(every)), np.int64)
    places = np.searchsorted(every, labels)
    wider[..., places[:, None], places] = counts
    return wider, every


def numbered(
    prediction: Labels, reference: Labels, n_direct: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.uint64]]:
    """Number the labels that occur in two arrays from 0 up.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) arrays of labels
    n_direct : int, at most 256
        If all labels are below it, each is its own number; others between them may be
        absent. This saves a pass.

    Returns
    -------
    (prediction, reference, labels)
        Numbers as uint8 or uint16, without a copy where they are that already, and the
        label that each number stands for, ascending.

    Raises
    ------
    InputError
        If there are more than 4096 labels.
    """
    top = max(int(prediction.max()), int(reference.max()))
    if top < n_direct:
        predicted, expected = (a.astype(np.uint8, copy=False) for a in (prediction, reference))
        return predicted, expected, np.arange(top + 1, dtype=np.uint64)
    found = np.union1d(_distinct(prediction, top), _distinct(reference, top))
    _check_few(found)
    dtype = np.dtype(np.uint8 if len(found) <= _BYTE else np.uint16)
    table = _number_table(found, dtype) if top < _CHUNK else None
    predicted, expected = (_looked_up(a, found, table, dtype) for a in (prediction, reference))
    return predicted, expected, found


def _with_block(
    counts: NDArray[np.int64],
    labels: NDArray[np.uint64],
    prediction: Labels,
    reference: Labels,
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Counts with those of a block added, and the labels of their rows."""
    from ..kernels.cpu.confusion import (
        add_confusion,
        add_confusion_wide,
        empty_counts,
        total_counts,
    )

    if lies_reversed(prediction):
        return _with_block(counts, labels, prediction.T, reference.T)
    predicted, expected, found = numbered(prediction, reference, _BYTE)
    counts, labels = grown(counts, labels, found)
    places = np.searchsorted(labels, found)
    if predicted.dtype == np.uint16:
        # A table of its own for each block would cost more than the block.
        add_confusion_wide(predicted.reshape(-1), expected.reshape(-1), places, counts)
    else:
        block = empty_counts(len(found))
        add_confusion(predicted.reshape(-1), expected.reshape(-1), block)
        counts[np.ix_(places, places)] += total_counts(block)
    return counts, labels


def _check_few(labels: NDArray[np.uint64]) -> None:
    if len(labels) > MAX_CLASSES:
        raise InputError(
            f"expected at most {MAX_CLASSES} different labels, got {len(labels)}; "
            "these look like instances: compare them as one class, for instance labels > 0"
        )


def _distinct(array: Labels, top: int) -> NDArray[np.uint64]:
    """The labels that occur, ascending."""
    if top < _CHUNK:
        seen = np.zeros(top + 1, np.bool_)
        for part in _flat_parts(array):
            seen[part] = True
        return np.flatnonzero(seen).astype(np.uint64)
    found = np.empty(0, np.uint64)
    for part in _flat_parts(array):
        # Few labels a part: the list of them stays short even where ids are huge.
        found = np.union1d(found, np.unique(part).astype(np.uint64))
    return found


def _number_table(found: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[Any]:
    table = np.zeros(int(found[-1]) + 1, dtype)
    table[found.astype(np.intp)] = np.arange(len(found))
    return table


def _looked_up(
    array: Labels, found: NDArray[np.uint64], table: NDArray[Any] | None, dtype: np.dtype[Any]
) -> NDArray[Any]:
    numbers = np.empty(array.shape, dtype)
    flat, start = numbers.reshape(-1), 0
    for part in _flat_parts(array):
        stop = start + part.size
        if table is None:
            flat[start:stop] = np.searchsorted(found, part.astype(np.uint64))
        else:
            flat[start:stop] = table[part]
        start = stop
    return numbers


def _flat_parts(array: Labels) -> Iterator[Labels]:
    """Pieces in C order, so small that an index per voxel is no burden."""
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        yield flat[start : start + _CHUNK]
