"""What became of each object: matched, missed, made up, split or merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .overlaps import Overlaps, Places

Role = Literal["reference", "prediction"]
Status = Literal["matched", "missed", "spurious", "split", "merged"]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ObjectRow:
    """One object of the reference or of the prediction.

    Attributes
    ----------
    role : {"reference", "prediction"}
        Which of the two the object belongs to.
    label : int
    size : int
        Voxels.
    match : int
        Label of the object it shares an IoU above 1/2 with; 0 where there is none.
    iou, dice : float
        Overlap with its match, else with the object that it overlaps best; 0 without any.
    status : {"matched", "missed", "spurious", "split", "merged"}
        See `Fates`.
    centroid : tuple of float
        Mean voxel index along each axis; empty unless asked for.
    """

    role: Role
    label: int
    size: int
    match: int
    iou: float
    dice: float
    status: Status
    centroid: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Fates:
    """Which objects are matched, which are split and which are merged.

    An object is matched if it shares an IoU above 1/2 with one of the other array; there is
    one such object at most. A reference object is split where two predicted objects or more
    lie in it with over half of their voxels each; a predicted object is merged where it holds
    over half of the voxels of each of two reference objects or more. Matched objects can be
    split or merged as well. Objects that are neither matched nor whole or part of these are
    missed, if of the reference, or spurious.

    Attributes
    ----------
    overlaps : Overlaps
    """

    overlaps: Overlaps

    @cached_property
    def matched(self) -> Places:
        """Pairs with an IoU above 1/2."""
        return self.overlaps.matched(50, strict=True)

    @cached_property
    def is_split(self) -> _Flags:
        """Whether each reference object is split, (R,)."""
        o = self.overlaps
        return np.bincount(o.rows[self._in_reference], minlength=len(o.reference_labels)) > 1

    @cached_property
    def is_merged(self) -> _Flags:
        """Whether each predicted object is a merger, (P,)."""
        o = self.overlaps
        return np.bincount(o.columns[self._in_prediction], minlength=len(o.prediction_labels)) > 1

    @cached_property
    def is_missed(self) -> _Flags:
        """Whether each reference object is lost, (R,)."""
        o, found = self.overlaps, self.is_split.copy()
        found[o.rows[self.matched]] = True
        found[o.rows[self._in_prediction & self.is_merged[o.columns]]] = True
        return ~found

    @cached_property
    def is_spurious(self) -> _Flags:
        """Whether each predicted object is made up, (P,)."""
        o, real = self.overlaps, self.is_merged.copy()
        real[o.columns[self.matched]] = True
        real[o.columns[self._in_reference & self.is_split[o.rows]]] = True
        return ~real

    @cached_property
    def _in_reference(self) -> _Flags:
        """Whether the predicted object of each pair lies mainly in the reference object."""
        return 2 * self.overlaps.shared > self.overlaps.prediction_sizes[self.overlaps.columns]

    @cached_property
    def _in_prediction(self) -> _Flags:
        return 2 * self.overlaps.shared > self.overlaps.reference_sizes[self.overlaps.rows]

    def rows(self) -> tuple[ObjectRow, ...]:
        """All objects: those of the reference, then those of the prediction."""
        o = self.overlaps
        expected = _filled("merged", self.is_split, "split", self.is_missed, "missed")
        predicted = _filled("split", self.is_merged, "merged", self.is_spurious, "spurious")
        mine = (o.reference_labels, o.reference_sizes, o.rows, expected)
        other = (o.prediction_labels, o.prediction_sizes, o.columns, predicted)
        return (
            *self._rows("reference", *mine, o.prediction_labels[o.columns]),
            *self._rows("prediction", *other, o.reference_labels[o.rows]),
        )

    def _rows(
        self,
        role: Role,
        labels: NDArray[np.uint64],
        sizes: NDArray[np.int64],
        places: Places,
        status: NDArray[Any],
        partners: NDArray[np.uint64],
    ) -> Iterator[ObjectRow]:
        match = np.zeros(len(labels), np.uint64)
        match[places[self.matched]] = partners[self.matched]
        status[places[self.matched]] = "matched"
        best = best_pairs(places, self.overlaps.iou, len(labels))
        # Place -1, of objects that overlap none, is that of the 0 put last.
        iou = np.append(self.overlaps.iou, 0.0)[best]
        dice = np.append(2 * self.overlaps.shared / self.overlaps.sizes, 0.0)[best]
        columns = (column.tolist() for column in (labels, sizes, match, iou, dice, status))
        for values in zip(*columns, strict=True):
            yield ObjectRow(role, *values)


def _filled(
    rest: Status, first: _Flags, first_status: Status, second: _Flags, second_status: Status
) -> NDArray[Any]:
    return np.where(first, first_status, np.where(second, second_status, rest)).astype(object)


def best_pairs(places: Places, iou: NDArray[np.float64], n: int) -> Places:
    """The pair with the highest IoU of each of `n` objects, the first one of equals.

    Parameters
    ----------
    places : (K,) intp array
        Which object each pair belongs to.
    iou : (K,) float64 array
    n : int

    Returns
    -------
    (n,) intp array
        -1 for objects without a pair.

    Examples
    --------
    >>> best_pairs(np.array([0, 0, 2]), np.array([0.1, 0.3, 0.2]), 3).tolist()
    [1, -1, 2]
    """
    order = np.lexsort((-np.arange(len(places)), iou, places))
    best = np.full(n, -1, np.intp)
    best[places[order]] = order
    return best
