"""Contingency table of two label arrays: all that instance and partition metrics need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..progress import SILENT, Progress
from .label_numbers import is_among
from .label_pairs import as_unsigned, checked_labels, refuse_other_shape

# Labels below this are numbered by a list of all there could be, 1 byte and 8 for each.
_SMALL = 1 << 22


@dataclass(frozen=True, eq=False)
class Contingency:
    """How many voxels each pair of labels shares, listed for the pairs that meet.

    Attributes
    ----------
    reference_ids : (N,) uint64 array
        Labels of the reference in the voxels counted, ascending; 0 among them.
    prediction_ids : (M,) uint64 array
        Labels of the prediction there.
    rows, columns : (K,) intp array
        Places of the two labels of each pair in `reference_ids` and `prediction_ids`;
        ascending by row, then column.
    counts : (K,) int64 array
        Voxels of each pair, at least 1.
    """

    reference_ids: NDArray[np.uint64]
    prediction_ids: NDArray[np.uint64]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    counts: NDArray[np.int64]

    @cached_property
    def reference_sizes(self) -> NDArray[np.int64]:
        """Voxels of each reference label, (N,)."""
        return _sums(self.rows, self.counts, len(self.reference_ids))

    @cached_property
    def prediction_sizes(self) -> NDArray[np.int64]:
        """Voxels of each predicted label, (M,)."""
        return _sums(self.columns, self.counts, len(self.prediction_ids))

    @cached_property
    def total(self) -> int:
        """All voxels counted."""
        return int(self.counts.sum())


def contingency_table(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> Contingency:
    """Count the voxels of every pair of reference and predicted label in one pass.

    Time grows with the voxels, memory with the pairs that meet; how large the labels are
    does not matter.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like
        Labels of equal shape: integers of any size, booleans, or whole floating-point
        numbers.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are left out.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    Contingency

    Raises
    ------
    InputError
        If the shapes differ, an array is empty or holds anything but labels from 0 up.

    Examples
    --------
    >>> table = contingency_table([0, 5, 5, 5], [0, 0, 9, 9])
    >>> table.reference_ids.tolist(), table.prediction_ids.tolist()
    ([0, 9], [0, 5])
    >>> table.rows.tolist(), table.columns.tolist(), table.counts.tolist()
    ([0, 0, 1], [0, 1, 1], [1, 1, 2])
    """
    from ..kernels.cpu.contingency import pair_counts

    predicted, expected = _labels(prediction, "prediction"), _labels(reference, "reference")
    refuse_other_shape(predicted, expected)
    pairs = pair_counts(
        as_unsigned(predicted),
        as_unsigned(expected),
        lambda done: progress(done, "comparing labels"),
    )
    _refuse_negative(pairs[:, 0], expected, "reference")
    _refuse_negative(pairs[:, 1], predicted, "prediction")
    if ignore:
        pairs = pairs[~is_among(pairs[:, 0], ignore)]
    reference_ids, rows = _numbered(pairs[:, 0])
    prediction_ids, columns = _numbered(pairs[:, 1])
    return Contingency(reference_ids, prediction_ids, rows, columns, pairs[:, 2].astype(np.int64))


def _labels(values: ArrayLike, role: str) -> NDArray[Any]:
    """Integers as they are, negative ones unnoticed as yet; anything else as labels."""
    array = np.asarray(values)
    return array if array.dtype.kind == "i" and array.size else checked_labels(array, role)


def _refuse_negative(found: NDArray[np.uint64], labels: NDArray[Any], role: str) -> None:
    """Seen as unsigned, negative labels are the largest: looking here saves a pass."""
    if labels.dtype.kind == "i" and found.max() > np.iinfo(labels.dtype).max:
        checked_labels(labels, role)


def _numbered(labels: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Distinct labels in ascending order, and the place of each label among them."""
    if labels.max(initial=0) >= _SMALL:
        found, places = np.unique(labels, return_inverse=True)
        return found, places.astype(np.intp, copy=False)
    occurs = np.zeros(int(labels.max(initial=0)) + 1, np.bool_)
    occurs[labels] = True
    place = np.cumsum(occurs, dtype=np.intp) - 1
    return np.flatnonzero(occurs).astype(np.uint64), place[labels]


def _sums(places: NDArray[np.intp], counts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    # Sums of counts are whole numbers below 2**53, which float64 holds exactly.
    return np.bincount(places, counts, n).astype(np.int64)
