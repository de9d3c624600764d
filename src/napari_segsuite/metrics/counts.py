"""Voxel counts per class, out of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .confusion import Confusion
from .metric import Values


@dataclass(frozen=True, eq=False)
class Counts:
    """Voxel counts of the classes reported on, as float64.

    Attributes
    ----------
    tp, fp, fn, tn : (C,) array
    total : float
        All voxels counted.
    agreed : float
        Voxels whose labels agree, classes not reported on included.
    predicted_squares : float
        Sum over all labels of the squared number of voxels predicted so.
    voxel_volume : float
        In the report's unit of volume.
    beta : float
        How many times as much recall counts as precision in F-beta.
    """

    tp: Values
    fp: Values
    fn: Values
    tn: Values
    total: float
    agreed: float
    predicted_squares: float
    voxel_volume: float = 1.0
    beta: float = 2.0

    @classmethod
    def of(
        cls,
        confusion: Confusion,
        classes: tuple[int, ...],
        voxel_volume: float = 1.0,
        beta: float = 2.0,
    ) -> Counts:
        """Counts per class out of a confusion matrix, which may hold more labels."""
        counts = confusion.counts.astype(np.float64)
        row = {label: i for i, label in enumerate(confusion.labels)}
        rows, columns, diagonal = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()

        def of_class(values: Values) -> Values:
            return np.array([values[row[c]] if c in row else 0.0 for c in classes])

        tp = of_class(diagonal)
        fp, fn = of_class(columns) - tp, of_class(rows) - tp
        total = float(counts.sum())
        tn = total - tp - fp - fn
        agreed, squares = float(diagonal.sum()), float(np.square(columns).sum())
        return cls(tp, fp, fn, tn, total, agreed, squares, voxel_volume, beta)

    def pooled(self, chosen: Sequence[int]) -> Counts:
        """The counts of some classes added up, as if of one class.

        Parameters
        ----------
        chosen : sequence of int
            Places of the classes.

        Examples
        --------
        >>> table = Confusion(np.array([[5, 1], [2, 2]]), (0, 1))
        >>> Counts.of(table, (0, 1)).pooled([0, 1]).tp
        array([7.])
        """
        places = list(chosen)
        tp, fp, fn, tn = (
            counts[places].sum(keepdims=True) for counts in (self.tp, self.fp, self.fn, self.tn)
        )
        return replace(self, tp=tp, fp=fp, fn=fn, tn=tn)
