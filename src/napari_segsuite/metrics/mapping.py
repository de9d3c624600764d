"""Predicted labels read as other classes, before anything is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..boxes import slabs, whole
from ..errors import ParameterError
from ..label_values import present_labels
from .confusion import Confusion

_LARGEST = np.iinfo(np.uint64).max
_PIECE = 1 << 18


def check_mapping(mapping: Mapping[int, int] | None) -> dict[int, int]:
    """The mapping as plain integers.

    Raises
    ------
    ParameterError
        If it holds anything but label numbers from 0 up.
    """
    pairs = {} if mapping is None else mapping
    if not isinstance(pairs, Mapping):
        raise _no_mapping(pairs)
    for number in (*pairs, *pairs.values()):
        is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not is_whole or not 0 <= number <= _LARGEST:
            raise _no_mapping(number)
    return {int(label): int(into) for label, into in pairs.items()}


def _no_mapping(got: Any) -> ParameterError:
    return ParameterError(
        f"expected label numbers from 0 up in 'mapping', got {got!r}; "
        "give for instance {3: 1} to count predicted label 3 as class 1",
        name="mapping",
    )


def map_confusion(confusion: Confusion, mapping: Mapping[int, int]) -> Confusion:
    """The confusion matrix with predicted labels (columns) counted as others.

    Examples
    --------
    >>> table = Confusion(np.array([[5, 0, 1], [0, 0, 4], [0, 0, 0]]), (0, 1, 7))
    >>> mapped = map_confusion(table, {7: 1})
    >>> mapped.labels, mapped.counts.tolist()
    ((0, 1), [[5, 1], [0, 4]])
    """
    if not mapping:
        return confusion
    into = [mapping.get(label, label) for label in confusion.labels]
    labels = tuple(sorted({*confusion.labels, *into}))
    place = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), np.int64)
    rows = [place[label] for label in confusion.labels]
    for column, target in enumerate(into):
        counts[rows, place[target]] += confusion.counts[:, column]
    keep = np.flatnonzero(counts.any(axis=0) | counts.any(axis=1))
    return Confusion(counts[np.ix_(keep, keep)], tuple(labels[i] for i in keep))


def map_labels(labels: NDArray[Any], mapping: Mapping[int, int]) -> NDArray[Any]:
    """Labels with some of them replaced; those not named stay as they are.

    Examples
    --------
    >>> map_labels(np.array([0, 1, 7], np.uint8), {7: 1, 1: 300})
    array([  0, 300,   1], dtype=uint16)
    """
    if not mapping:
        return labels
    found = np.array([0, *present_labels(labels)], dtype=np.uint64)
    targets = [mapping.get(int(label), int(label)) for label in found]
    table = np.array(targets, dtype=np.min_scalar_type(max(targets)))
    out = np.empty(labels.shape, table.dtype)
    for box in slabs(whole(labels.shape), _PIECE):
        piece = labels[box].astype(np.uint64, copy=False)
        out[box] = table[np.searchsorted(found, piece)]
    return out
