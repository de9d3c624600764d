"""The values of one metric: per class, and summed up over classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .counts import Counts
from .metric import Metric

_NO_CLASS = "no class has a value"


@dataclass(frozen=True)
class Score:
    """What one metric found.

    Attributes
    ----------
    mean : float
        Mean over the foreground classes that have a value, each counting the same (macro
        average); of metrics of the whole image, their value.
    per_class : mapping of label to float
        Background (0) included; NaN where there is no value. Empty for metrics of the whole
        image.
    reasons : mapping of label to str
        Why a class has no value.
    mean_reason : str
        Why there is no mean; empty if there is one.
    micro : float
        The metric of the foreground classes' voxel counts added up; NaN except for overlap
        metrics.
    weighted : float
        Mean over the foreground classes that have a value, weighted by their voxels in the
        reference; NaN except for overlap metrics.
    n_used, n_nan, n_empty : int
        Foreground classes that entered the mean, that had no value, and of these the ones
        absent from both prediction and reference.
    """

    mean: float
    per_class: Mapping[int, float] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    mean_reason: str = ""
    micro: float = math.nan
    weighted: float = math.nan
    n_used: int = 0
    n_nan: int = 0
    n_empty: int = 0

    @classmethod
    def of_image(cls, value: float, reason: str) -> Score:
        """A value of the whole image, and why it has none if it is NaN."""
        return cls(value, mean_reason=reason if math.isnan(value) else "")

    @classmethod
    def of_classes(cls, values: Mapping[int, float], why: Sequence[str], absent: str) -> Score:
        """Values of classes, why each could be NaN, and the reason of classes not there."""
        lacking = {
            label: reason
            for (label, value), reason in zip(values.items(), why, strict=True)
            if math.isnan(value)
        }
        foreground = [value for label, value in values.items() if label != 0]
        used = [value for value in foreground if not math.isnan(value)]
        return cls(
            float(np.mean(used)) if used else math.nan,
            values,
            lacking,
            "" if used else _NO_CLASS,
            n_used=len(used),
            n_nan=len(foreground) - len(used),
            n_empty=sum(reason == absent for label, reason in lacking.items() if label != 0),
        )

    def with_averages(self, metric: Metric, counts: Counts) -> Score:
        """The same with micro and weighted average, from the counts of the same classes."""
        chosen = [i for i, label in enumerate(self.per_class) if label != 0]
        if not chosen:
            return self
        pooled = float(np.atleast_1d(metric.function(counts.pooled(chosen)))[0])
        values = np.array(list(self.per_class.values()))[chosen]
        sizes = np.where(np.isnan(values), 0.0, (counts.tp + counts.fn)[chosen])
        weighted = float(np.nansum(values * sizes) / sizes.sum()) if sizes.any() else math.nan
        return replace(self, micro=pooled, weighted=weighted)
