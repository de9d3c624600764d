"""The values of one metric: per class, and summed up over classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .counts import Counts
from .metric import Metric

_NO_CLASS = "no class has a value"
_NO_WEIGHT = "no class that has a value occurs in the reference"


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
        Why there is no mean and no micro average; empty if there is a mean.
    micro : float
        The metric of the voxel counts added up of the foreground classes that occur; NaN
        except for overlap metrics.
    weighted : float
        Mean over the foreground classes that have a value, weighted by their voxels in the
        reference; NaN except for overlap metrics.
    weighted_reason : str
        Why there is no weighted average, where there is a mean.
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
    weighted_reason: str = ""
    n_used: int = 0
    n_nan: int = 0
    n_empty: int = 0

    @classmethod
    def of_image(cls, value: float, reason: str) -> Score:
        """A value of the whole image, and why it is NaN where it is."""
        return cls(value, mean_reason=reason)

    @classmethod
    def of_classes(
        cls, values: Mapping[int, float], why: Callable[[int], str], absent: str
    ) -> Score:
        """Values of classes, why the one at a place is NaN, and the reason of absent ones."""
        lacking = {
            label: why(i) for i, (label, value) in enumerate(values.items()) if math.isnan(value)
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
        # True negatives of classes that are nowhere would lift specificity to almost 1.
        occurs = counts.tp + counts.fp + counts.fn > 0
        chosen = [i for i, label in enumerate(self.per_class) if label != 0 and occurs[i]]
        if not chosen:
            return self
        pooled = float(np.atleast_1d(metric.function(counts.pooled(chosen)))[0])
        values = np.array(list(self.per_class.values()))[chosen]
        sizes = np.where(np.isnan(values), 0.0, (counts.tp + counts.fn)[chosen])
        if not sizes.any():
            return replace(self, micro=pooled, weighted_reason=_NO_WEIGHT)
        weighted = float(np.nansum(values * sizes) / sizes.sum())
        return replace(self, micro=pooled, weighted=weighted)
