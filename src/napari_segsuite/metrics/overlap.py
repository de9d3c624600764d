"""Overlap metrics: arithmetic on a confusion matrix, one small function and one row each.

A new metric is a function and its entry in `METRICS`. Per class, tp, fp, fn and tn count
voxels; a metric without a value (0/0) is NaN, and so is every overlap metric of a class
that occurs in neither array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confusion import Confusion

Values = NDArray[np.float64]


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
    voxel_volume : float
        In `volume_unit`.
    volume_unit : str
    """

    tp: Values
    fp: Values
    fn: Values
    tn: Values
    total: float
    agreed: float
    voxel_volume: float = 1.0
    volume_unit: str = "voxels"

    @classmethod
    def of(
        cls,
        confusion: Confusion,
        classes: tuple[int, ...],
        voxel_volume: float = 1.0,
        volume_unit: str = "voxels",
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
        return cls(tp, fp, fn, tn, total, float(diagonal.sum()), voxel_volume, volume_unit)


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics.

    Attributes
    ----------
    name, title : str
        As in code, and as in a table.
    formula : str
        Definition, printed with every result.
    function : callable
        `Counts` to one value per class, or to a single number.
    per_class : bool
        Whether there is a value per class; else one for the whole image.
    group : str
        Name under which metrics are asked for together.
    has_volume_unit : bool
        Whether values are volumes; else they are plain numbers.
    """

    name: str
    title: str
    formula: str
    function: Callable[[Counts], Values | float]
    per_class: bool = True
    group: str = "overlap"
    has_volume_unit: bool = False


def _ratio(numerator: Values, denominator: Values) -> Values:
    out: Values = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def dice(c: Counts) -> Values:
    """2 tp / (2 tp + fp + fn) (Dice 1945, doi:10.2307/1932409)."""
    return _ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn)


def iou(c: Counts) -> Values:
    """tp / (tp + fp + fn), the index of Jaccard (1912, doi:10.1111/j.1469-8137.1912.tb05611.x)."""
    return _ratio(c.tp, c.tp + c.fp + c.fn)


def precision(c: Counts) -> Values:
    """tp / (tp + fp); undefined where the class is never predicted."""
    return _ratio(c.tp, c.tp + c.fp)


def recall(c: Counts) -> Values:
    """tp / (tp + fn); undefined where the reference lacks the class."""
    return _ratio(c.tp, c.tp + c.fn)


def specificity(c: Counts) -> Values:
    """tn / (tn + fp); undefined where the reference has nothing but the class."""
    present = c.tp + c.fp + c.fn > 0
    return np.where(present, _ratio(c.tn, c.tn + c.fp), np.nan)


def accuracy(c: Counts) -> float:
    """Voxels whose labels agree / all voxels."""
    return c.agreed / c.total if c.total else float("nan")


def mean_accuracy(c: Counts) -> float:
    """Mean of recall over all classes of the reference, background included.

    As in Long, Shelhamer & Darrell 2015, doi:10.1109/CVPR.2015.7298965.
    """
    return _mean(recall(c))


def mean_iou(c: Counts) -> float:
    """Mean of IoU over all classes that occur, background included (Long et al. 2015)."""
    return _mean(iou(c))


def frequency_weighted_iou(c: Counts) -> float:
    """Mean of IoU over all classes, weighted by their share of the reference (Long et al. 2015)."""
    weight = c.tp + c.fn
    if not weight.sum():
        return float("nan")
    return float(np.nansum(weight * iou(c)) / weight.sum())


def kappa(c: Counts) -> float:
    """Agreement beyond chance (Cohen 1960, doi:10.1177/001316446002000104)."""
    if not c.total:
        return float("nan")
    chance = float(np.sum((c.tp + c.fp) / c.total * ((c.tp + c.fn) / c.total)))
    return (c.agreed / c.total - chance) / (1 - chance) if chance < 1 else float("nan")


def volume(c: Counts) -> Values:
    """Voxels predicted as the class, times the volume of a voxel."""
    return (c.tp + c.fp) * c.voxel_volume


def volume_reference(c: Counts) -> Values:
    """Voxels of the class in the reference, times the volume of a voxel."""
    return (c.tp + c.fn) * c.voxel_volume


def volume_difference(c: Counts) -> Values:
    """Predicted minus reference volume; positive where too much is predicted."""
    return (c.fp - c.fn) * c.voxel_volume


def _mean(values: Values) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


_ROWS = (
    Metric("dice", "Dice", "2 tp / (2 tp + fp + fn)", dice),
    Metric("iou", "IoU", "tp / (tp + fp + fn)", iou),
    Metric("precision", "Precision", "tp / (tp + fp)", precision),
    Metric("recall", "Recall", "tp / (tp + fn)", recall),
    Metric("specificity", "Specificity", "tn / (tn + fp)", specificity),
    Metric("f1", "F1", "2 tp / (2 tp + fp + fn), equal to Dice", dice),
    Metric("accuracy", "Accuracy", "agreeing voxels / all voxels", accuracy, per_class=False),
    Metric(
        "mean_accuracy",
        "Mean accuracy",
        "mean of recall over all classes, background included",
        mean_accuracy,
        per_class=False,
    ),
    Metric(
        "mean_iou",
        "Mean IoU",
        "mean of IoU over all classes, background included",
        mean_iou,
        per_class=False,
    ),
    Metric(
        "frequency_weighted_iou",
        "Frequency-weighted IoU",
        "mean of IoU over all classes, weighted by reference voxels",
        frequency_weighted_iou,
        per_class=False,
    ),
    Metric("kappa", "Cohen's kappa", "(p_o - p_e) / (1 - p_e)", kappa, per_class=False),
    Metric(
        "volume",
        "Volume",
        "predicted voxels x voxel volume",
        volume,
        group="volume",
        has_volume_unit=True,
    ),
    Metric(
        "volume_reference",
        "Reference volume",
        "reference voxels x voxel volume",
        volume_reference,
        group="volume",
        has_volume_unit=True,
    ),
    Metric(
        "volume_difference",
        "Volume difference",
        "predicted - reference volume",
        volume_difference,
        group="volume",
        has_volume_unit=True,
    ),
)
METRICS = {metric.name: metric for metric in _ROWS}
