"""Which objects overlap, and which of them are one and the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..contingency import Contingency

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Objects and the voxels they share; 0 is background and no object.

    Attributes
    ----------
    reference_labels : (R,) uint64 array
        Label of each reference object, ascending.
    prediction_labels : (P,) uint64 array
    reference_sizes : (R,) int64 array
        Voxels of each reference object.
    prediction_sizes : (P,) int64 array
    rows, columns : (K,) intp array
        Places of the reference and the predicted object of each pair that overlaps.
    shared : (K,) int64 array
        Voxels of both objects of each pair.
    """

    reference_labels: NDArray[np.uint64]
    prediction_labels: NDArray[np.uint64]
    reference_sizes: NDArray[np.int64]
    prediction_sizes: NDArray[np.int64]
    rows: Places
    columns: Places
    shared: NDArray[np.int64]

    @classmethod
    def of(cls, table: Contingency) -> Overlaps:
        """Objects of a contingency table."""
        # Labels ascend: only the first one can be the background.
        r, p = (int((ids[:1] == 0).sum()) for ids in (table.reference_ids, table.prediction_ids))
        kept = (table.rows >= r) & (table.columns >= p)
        return cls(
            table.reference_ids[r:],
            table.prediction_ids[p:],
            table.reference_sizes[r:],
            table.prediction_sizes[p:],
            table.rows[kept] - r,
            table.columns[kept] - p,
            table.counts[kept],
        )

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Voxels of the two objects of each pair added up, (K,)."""
        total: NDArray[np.int64] = (
            self.reference_sizes[self.rows] + self.prediction_sizes[self.columns]
        )
        return total

    @cached_property
    def union(self) -> NDArray[np.int64]:
        """Voxels of either object of each pair, (K,)."""
        return self.sizes - self.shared

    @cached_property
    def iou(self) -> NDArray[np.float64]:
        """Shared voxels / voxels of either object of each pair, (K,)."""
        return self.shared / self.union

    def matched(self, threshold_percent: int, *, strict: bool = False) -> Places:
        """Places of the pairs that match; see `match_at`."""
        scaled, least = self.shared * 100, self.union * threshold_percent
        pairs = np.flatnonzero(scaled > least if strict else scaled >= least)
        if threshold_percent > 50 or (strict and threshold_percent == 50):
            return pairs
        return self._most(pairs) if self._compete(pairs) else pairs

    def _compete(self, pairs: Places) -> bool:
        """Whether an object is in more than one of these pairs."""
        n_each = (np.bincount(places[pairs], minlength=1) for places in (self.rows, self.columns))
        return any(n.max() > 1 for n in n_each)

    def _most(self, pairs: Places) -> Places:
        """As many of these pairs as can be, no object twice, with the largest sum of IoU."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import min_weight_full_bipartite_matching

        rows, columns = (
            np.unique(p[pairs], return_inverse=True)[1] for p in (self.rows, self.columns)
        )
        n_rows, n_columns = int(rows.max()) + 1, int(columns.max()) + 1
        # One more match outweighs any sum of IoU. Each reference object may also stay alone,
        # which is a column of its own: then a matching of all rows always exists.
        gain = 1 + self.iou[pairs] / (2 * n_rows)
        alone = np.arange(n_rows)
        cost = coo_array(
            (
                np.concatenate([2 - gain, np.full(n_rows, 2.0)]),
                (np.concatenate([rows, alone]), np.concatenate([columns, n_columns + alone])),
            ),
            shape=(n_rows, n_columns + n_rows),
        )
        chosen = min_weight_full_bipartite_matching(cost.tocsr())[1]
        found: Places = pairs[chosen[rows] == columns]
        return found


class Matches(NamedTuple):
    """Objects that match, one of each.

    Attributes
    ----------
    reference_labels, prediction_labels : (K,) uint64 array
    iou : (K,) float64 array
    """

    reference_labels: NDArray[np.uint64]
    prediction_labels: NDArray[np.uint64]
    iou: NDArray[np.float64]


def match_at(table: Contingency, threshold_percent: int, *, strict: bool = False) -> Matches:
    """Match each reference object with one predicted object at most, by their IoU.

    Above 50 % an object has only one partner it could match. Up to 50 % the matching with
    the most pairs is taken, and of several such that with the largest sum of IoU (Kuhn 1955,
    doi:10.1002/nav.3800020109). IoU and threshold are compared as fractions of whole
    numbers: nothing is rounded.

    Parameters
    ----------
    table : Contingency
    threshold_percent : int
        Lowest IoU of a match, from 1 to 100.
    strict : bool
        Whether the IoU must be above the threshold; else it may be equal.

    Returns
    -------
    Matches
        Ascending by reference label.

    Raises
    ------
    ParameterError
        If the threshold is not a whole number from 1 to 100.

    Examples
    --------
    >>> from napari_segsuite.metrics.contingency import contingency_table
    >>> table = contingency_table([4, 4, 5, 5, 0], [1, 1, 1, 2, 2])
    >>> match_at(table, 60).reference_labels.tolist()
    [1]
    >>> found = match_at(table, 30)
    >>> found.prediction_labels.tolist(), found.iou.round(3).tolist()
    ([4, 5], [0.667, 0.333])
    """
    if threshold_percent not in range(1, 101):
        raise ParameterError(
            f"expected a threshold in whole percents from 1 to 100, got {threshold_percent!r}; "
            "give for instance 50 for an IoU of 0.5",
            name="threshold_percent",
        )
    overlaps = Overlaps.of(table)
    pairs = overlaps.matched(threshold_percent, strict=strict)
    return Matches(
        overlaps.reference_labels[overlaps.rows[pairs]],
        overlaps.prediction_labels[overlaps.columns[pairs]],
        overlaps.iou[pairs],
    )
