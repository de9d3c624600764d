"""Confusion matrix of two label arrays: all that overlap metrics need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..label_values import integer_labels

MAX_CLASSES = 4096
_CHUNK = 1 << 20
_Labels = NDArray[np.integer[Any]]


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
    prediction: ArrayLike, reference: ArrayLike, *, ignore: tuple[int, ...] = ()
) -> Confusion:
    """Count every pair of predicted and reference label in one pass.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like
        Labels of equal shape: integers, booleans, or whole floating-point numbers.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are left out. Predicting such a
        label elsewhere still counts against the reference's class.

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
    predicted, expected = _checked(prediction, "prediction"), _checked(reference, "reference")
    if predicted.shape != expected.shape:
        raise InputError(
            f"expected prediction and reference of one shape, got {predicted.shape} and "
            f"{expected.shape}; resample one onto the grid of the other"
        )
    if predicted.dtype == expected.dtype == np.uint8:
        full = Confusion(_count_bytes(predicted, expected), tuple(range(256)))
    else:
        full = _count_any(predicted, expected)
    return _trimmed(full, ignore)


def _checked(values: ArrayLike, role: str) -> _Labels:
    try:
        labels = integer_labels(values)
    except InputError as error:
        raise InputError(f"{role}: {error}") from error
    return labels.view(np.uint8) if labels.dtype == np.bool_ else cast("_Labels", labels)


def _count_bytes(
    prediction: _Labels, reference: _Labels, found: NDArray[np.uint64] | None = None
) -> NDArray[np.int64]:
    """Counts of uint8 labels, or of the places that other labels have in `found`."""
    from ..kernels.cpu.confusion import add_confusion, empty_counts, total_counts

    counts = empty_counts()
    for part, other in _flat_pairs(prediction, reference):
        if found is None:
            add_confusion(part, other, counts)
        else:
            places = (_numbered(flat, found, np.uint8) for flat in (part, other))
            add_confusion(*places, counts)
    return total_counts(counts)


def _count_any(prediction: _Labels, reference: _Labels) -> Confusion:
    """Number the labels that occur, then count in chunks of those numbers."""
    from ..kernels.cpu.confusion import add_confusion_wide

    found = np.union1d(_distinct(prediction), _distinct(reference))
    if len(found) > MAX_CLASSES:
        raise InputError(
            f"expected at most {MAX_CLASSES} different labels, got {len(found)}; "
            "these look like instances: compare them as one class, for instance labels > 0"
        )
    labels = tuple(int(label) for label in found)
    if len(labels) <= 256:
        n = len(labels)
        counts = _count_bytes(prediction, reference, found)
        return Confusion(counts[:n, :n], labels)
    wide = np.zeros((len(labels), len(labels)), np.int64)
    for part, other in _flat_pairs(prediction, reference):
        add_confusion_wide(
            _numbered(part, found, np.uint16), _numbered(other, found, np.uint16), wide
        )
    return Confusion(wide, labels)


def _distinct(array: _Labels) -> NDArray[np.uint64]:
    found = np.empty(0, np.uint64)
    for part, _ in _flat_pairs(array, array):
        # Few labels a chunk: the list of them stays short even where ids are huge.
        found = np.union1d(found, np.unique(part).astype(np.uint64))
    return found


def _numbered(
    part: _Labels, found: NDArray[np.uint64], dtype: type[np.uint8 | np.uint16]
) -> NDArray[np.unsignedinteger[Any]]:
    if found[-1] < _CHUNK:
        table = np.zeros(int(found[-1]) + 1, dtype)
        table[found.astype(np.intp)] = np.arange(len(found))
        return table[part]
    return np.searchsorted(found, part.astype(np.uint64)).astype(dtype)


def _trimmed(full: Confusion, ignore: tuple[int, ...]) -> Confusion:
    counts = full.counts.copy()
    left_out = [i for i, label in enumerate(full.labels) if label in ignore]
    counts[left_out] = 0
    keep = np.flatnonzero(counts.any(axis=0) | counts.any(axis=1))
    return Confusion(counts[np.ix_(keep, keep)], tuple(full.labels[i] for i in keep))


def _flat_pairs(first: _Labels, second: _Labels) -> Iterator[tuple[_Labels, _Labels]]:
    """Matching flat pieces; only pieces of arrays that are not contiguous are copied."""
    if not first.flags.c_contiguous and first.flags.f_contiguous and second.flags.f_contiguous:
        first, second = first.T, second.T
    if first.flags.c_contiguous and second.flags.c_contiguous:
        first, second = first.reshape(-1), second.reshape(-1)
        for start in range(0, first.size, _CHUNK):
            yield first[start : start + _CHUNK], second[start : start + _CHUNK]
        return
    if first.size <= _CHUNK or first.ndim == 0:
        yield first.reshape(-1), second.reshape(-1)
        return
    step = max(1, _CHUNK * len(first) // first.size)
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        if step == 1:
            yield from _flat_pairs(first[start], second[start])
        else:
            yield first[part].reshape(-1), second[part].reshape(-1)
