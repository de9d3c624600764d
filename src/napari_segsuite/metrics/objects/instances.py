"""How well objects are found and outlined: AP, panoptic quality, AJI, splits and mergers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..contingency import Contingency
from ..metric import Better, Metric
from .overlaps import Matches, Overlaps, match_at
from .rows import Fates, ObjectRow, best_pairs

__all__ = ["INSTANCES", "Instances", "Matches", "ObjectRow", "match_at", "match_instances"]

PERCENTS = tuple(range(50, 100, 5))
_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Instances:
    """What the objects of a prediction and of a reference have in common.

    Attributes
    ----------
    thresholds : tuple of float
        IoU at which objects match: 0.50, 0.55, …, 0.95.
    tp : (T,) int64 array
        Matched objects at each threshold, by the rule that `match_instances` was given.
    sum_iou : (T,) float64 array
        IoU of the matched objects added up.
    tp_above : (T,) int64 array
        Objects matched with an IoU above each threshold, not equal to it.
    sum_iou_above : (T,) float64 array
    n_reference, n_predicted : int
        Objects of the reference and of the prediction.
    overlaps : Overlaps
        Objects and what they share.
    """

    thresholds: tuple[float, ...]
    tp: NDArray[np.int64]
    sum_iou: NDArray[np.float64]
    tp_above: NDArray[np.int64]
    sum_iou_above: NDArray[np.float64]
    n_reference: int
    n_predicted: int
    overlaps: Overlaps

    @property
    def fp(self) -> NDArray[np.int64]:
        """Predicted objects without a match at each threshold, (T,)."""
        return self.n_predicted - self.tp

    @property
    def fn(self) -> NDArray[np.int64]:
        """Reference objects without a match at each threshold, (T,)."""
        return self.n_reference - self.tp

    @cached_property
    def fates(self) -> Fates:
        """Which objects are matched, split or merged."""
        return Fates(self.overlaps)

    @cached_property
    def objects(self) -> tuple[ObjectRow, ...]:
        """All objects: those of the reference, then those of the prediction."""
        return self.fates.rows()

    @property
    def n_split(self) -> int:
        """Reference objects that hold most of two predicted objects or more each."""
        return int(self.fates.is_split.sum())

    @property
    def n_merged(self) -> int:
        """Predicted objects that hold most of two reference objects or more each."""
        return int(self.fates.is_merged.sum())

    @property
    def n_missed(self) -> int:
        """Reference objects neither matched nor split nor merged."""
        return int(self.fates.is_missed.sum())

    @property
    def n_spurious(self) -> int:
        """Predicted objects neither matched nor part of a split nor a merger."""
        return int(self.fates.is_spurious.sum())

    @property
    def reason(self) -> str:
        """Why metrics have no value; empty where all have one."""
        if not self.n_reference and not self.n_predicted:
            return "neither the prediction nor the reference has an object"
        if not self.n_reference:
            return "the reference has no object"
        if not self.n_predicted:
            return "the prediction has no object"
        return "" if self.tp_above[0] else "no object has a match with an IoU above 0.5"


def match_instances(table: Contingency, *, strict: bool = False) -> Instances:
    """Match the objects of a prediction with those of a reference at ten thresholds.

    Parameters
    ----------
    table : Contingency
        Label 0 is background, never an object.
    strict : bool
        Whether the IoU of a match must be above the threshold, as in the Data Science Bowl
        2018; by default it may be equal to it.

    Returns
    -------
    Instances

    References
    ----------
    Caicedo et al. 2019, Nucleus segmentation across imaging experiments: the 2018 Data
    Science Bowl, doi:10.1038/s41592-019-0612-7.
    Weigert et al. 2020, Star-convex polyhedra for 3D object detection and segmentation in
    microscopy, doi:10.1109/WACV45572.2020.9093435.

    Examples
    --------
    >>> from napari_segsuite.metrics.contingency import contingency_table
    >>> found = match_instances(contingency_table([4, 4, 5, 5, 5], [1, 1, 1, 0, 0]))
    >>> found.tp.tolist()
    [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    >>> [(row.role, row.label, row.status) for row in found.objects]
    [('reference', 1, 'matched'), ('prediction', 4, 'matched'), ('prediction', 5, 'spurious')]
    """
    overlaps = Overlaps.of(table)
    above = _at_each(overlaps, strict=True)
    return Instances(
        tuple(percent / 100 for percent in PERCENTS),
        *(above if strict else _at_each(overlaps, strict=False)),
        *above,
        len(overlaps.reference_labels),
        len(overlaps.prediction_labels),
        overlaps,
    )


def _at_each(overlaps: Overlaps, *, strict: bool) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Matches at each threshold, and their IoU added up."""
    found = [overlaps.matched(percent, strict=strict) for percent in PERCENTS]
    n_matched = np.array([len(pairs) for pairs in found], np.int64)
    return n_matched, np.array([overlaps.iou[pairs].sum() for pairs in found])


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else _NAN


def _mean_ap(i: Instances, tp: NDArray[np.int64]) -> float:
    n_objects = i.n_reference + i.n_predicted
    return float(np.mean(tp / (n_objects - tp))) if n_objects else _NAN


def _ap_at(percent: int) -> Callable[[Instances], float]:
    at = PERCENTS.index(percent)
    return lambda i: _ratio(i.tp[at], i.n_reference + i.n_predicted - i.tp[at])


def mean_ap(i: Instances) -> float:
    """Mean of tp / (tp + fp + fn) over the thresholds."""
    return _mean_ap(i, i.tp)


def dsb2018(i: Instances) -> float:
    """Mean of tp / (tp + fp + fn) over the thresholds, with an IoU above each of them."""
    return _mean_ap(i, i.tp_above)


def instance_precision(i: Instances) -> float:
    """Matched / predicted objects; undefined where nothing is predicted."""
    return _ratio(i.tp[0], i.n_predicted)


def instance_recall(i: Instances) -> float:
    """Matched / reference objects; undefined where the reference has none."""
    return _ratio(i.tp[0], i.n_reference)


def instance_f1(i: Instances) -> float:
    """2 tp / (2 tp + fp + fn) of objects."""
    return _ratio(2 * i.tp[0], i.n_reference + i.n_predicted)


def panoptic_quality(i: Instances) -> float:
    """Sum of the IoU of matches / (tp + fp/2 + fn/2), matches by an IoU above 1/2.

    Kirillov et al. 2019, Panoptic segmentation, doi:10.1109/CVPR.2019.00963.
    """
    return _ratio(2 * i.sum_iou_above[0], i.n_reference + i.n_predicted)


def segmentation_quality(i: Instances) -> float:
    """Mean IoU of matches; undefined where there is none."""
    return _ratio(i.sum_iou_above[0], i.tp_above[0])


def recognition_quality(i: Instances) -> float:
    """F1 of objects, matches by an IoU above 1/2."""
    return _ratio(2 * i.tp_above[0], i.n_reference + i.n_predicted)


def aggregated_jaccard(i: Instances) -> float:
    """Voxels shared / voxels of either, over reference objects with their best partners.

    Each reference object goes with the predicted object of highest IoU; several may go with
    the same one, as in Kumar et al. 2017, doi:10.1109/TMI.2017.2677499. Predicted objects
    that are nobody's partner add all their voxels to the denominator.
    """
    o = i.overlaps
    best = best_pairs(o.rows, o.iou, i.n_reference)
    pairs = best[best >= 0]
    unused = np.ones(i.n_predicted, np.bool_)
    unused[o.columns[pairs]] = False
    either = o.union[pairs].sum() + o.reference_sizes[best < 0].sum()
    return _ratio(o.shared[pairs].sum(), either + o.prediction_sizes[unused].sum())


_NOT_COCO = (
    "It is tp / (tp + fp + fn) without confidences, as in the Data Science Bowl 2018 and "
    "StarDist, not COCO's area under a curve."
)


def _score(
    name: str, title: str, formula: str, function: Callable[[Instances], float], text: str
) -> Metric:
    return Metric(name, title, formula, function, text, group="instances", per_class=False)


def _count(name: str, title: str, formula: str, text: str) -> Metric:
    better: Better = "lower"
    return Metric(
        name,
        title,
        formula,
        lambda i: float(getattr(i, name)) if i.n_reference + i.n_predicted else _NAN,
        text,
        group="instances",
        per_class=False,
        better=better,
        limits=None,
    )


INSTANCES = (
    _score(
        "ap50",
        "AP at IoU 0.5 (tp / all)",
        "tp / (tp + fp + fn) of objects, match: IoU >= 0.5",
        _ap_at(50),
        f"Share of objects found. {_NOT_COCO}",
    ),
    _score(
        "ap75",
        "AP at IoU 0.75 (tp / all)",
        "tp / (tp + fp + fn) of objects, match: IoU >= 0.75",
        _ap_at(75),
        f"Share of objects found with a close outline. {_NOT_COCO}",
    ),
    _score(
        "mean_ap",
        "Mean AP (tp / all)",
        "mean over IoU 0.50, 0.55, …, 0.95 of tp / (tp + fp + fn), match: IoU >= threshold",
        mean_ap,
        f"Objects found and how closely, in one number. {_NOT_COCO}",
    ),
    _score(
        "dsb2018",
        "Data Science Bowl 2018 score",
        "mean over IoU 0.50, 0.55, …, 0.95 of tp / (tp + fp + fn), match: IoU > threshold",
        dsb2018,
        "As mean AP, but an IoU equal to a threshold is no match. It differs for small objects, "
        "whose IoU often is a round fraction.",
    ),
    _score(
        "instance_precision",
        "Object precision",
        "tp / (tp + fp) of objects, match: IoU >= 0.5",
        instance_precision,
        "Share of predicted objects that are right. Predicting only the sure ones raises it.",
    ),
    _score(
        "instance_recall",
        "Object recall",
        "tp / (tp + fn) of objects, match: IoU >= 0.5",
        instance_recall,
        "Share of reference objects found. Predicting more than there is does not lower it.",
    ),
    _score(
        "instance_f1",
        "Object F1",
        "2 tp / (2 tp + fp + fn) of objects, match: IoU >= 0.5",
        instance_f1,
        "Objects found against objects missed or made up. How closely they are outlined counts "
        "only as far as the threshold.",
    ),
    _score(
        "pq",
        "Panoptic quality",
        "sum of IoU of matches / (tp + fp/2 + fn/2), match: IoU > 0.5",
        panoptic_quality,
        "Recognition times segmentation quality. The same value can come from few good or many "
        "poor matches: look at both.",
    ),
    _score(
        "sq",
        "Segmentation quality",
        "mean IoU of matches, match: IoU > 0.5",
        segmentation_quality,
        "How closely the objects found are outlined. Objects missed do not count, so that it can "
        "be high where little is found; it is never below 0.5.",
    ),
    _score(
        "rq",
        "Recognition quality",
        "tp / (tp + fp/2 + fn/2), match: IoU > 0.5",
        recognition_quality,
        "F1 of objects. It equals object F1 but for an IoU of exactly 0.5.",
    ),
    _score(
        "aji",
        "Aggregated Jaccard index",
        "sum of shared / (sum of either + voxels of predictions never used), each reference "
        "object with its best IoU; a prediction may be used more than once",
        aggregated_jaccard,
        "Overlap of all objects in one number, large ones counting most. One prediction over "
        "several objects is counted with each of them.",
    ),
    _count(
        "n_split",
        "Split objects",
        "reference objects with two predicted ones or more that lie in them by over half",
        "Over-segmentation. Specks inside an object count as parts of it.",
    ),
    _count(
        "n_merged",
        "Merged objects",
        "predicted objects that hold over half of two reference objects or more",
        "Under-segmentation. Each merger counts once, whatever the number of its objects.",
    ),
    _count(
        "n_missed",
        "Missed objects",
        "reference objects neither matched (IoU > 0.5) nor split nor merged",
        "Objects lost. One that is found but poorly outlined counts as well.",
    ),
    _count(
        "n_spurious",
        "Spurious objects",
        "predicted objects neither matched (IoU > 0.5) nor part of a split nor a merger",
        "Objects made up. One that is real but poorly outlined counts as well.",
    ),
)
