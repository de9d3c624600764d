"""Overlap metrics: arithmetic on voxel counts, one small function and one row each.

A new metric is a function and its entry in `OVERLAP`. Per class, tp, fp, fn and tn count
voxels; a metric without a value (0/0) is NaN, and so is every overlap metric of a class
that occurs in neither array.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .counts import Counts
from .metric import Metric, Values


def ratio(numerator: Values, denominator: Values) -> Values:
    """Quotients; NaN where the denominator is 0."""
    out: Values = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def dice(c: Counts) -> Values:
    """2 tp / (2 tp + fp + fn) (Dice 1945, doi:10.2307/1932409)."""
    return ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn)


def iou(c: Counts) -> Values:
    """tp / (tp + fp + fn), the index of Jaccard (1912, doi:10.1111/j.1469-8137.1912.tb05611.x)."""
    return ratio(c.tp, c.tp + c.fp + c.fn)


def precision(c: Counts) -> Values:
    """tp / (tp + fp); undefined where the class is never predicted."""
    return ratio(c.tp, c.tp + c.fp)


def recall(c: Counts) -> Values:
    """tp / (tp + fn); undefined where the reference lacks the class."""
    return ratio(c.tp, c.tp + c.fn)


def specificity(c: Counts) -> Values:
    """tn / (tn + fp); undefined where the reference has nothing but the class."""
    return _where_present(c, ratio(c.tn, c.tn + c.fp))


def f_beta(c: Counts) -> Values:
    """(1 + b²) tp / ((1 + b²) tp + b² fn + fp) (van Rijsbergen 1979, Information Retrieval)."""
    weight = c.beta * c.beta
    return ratio((1 + weight) * c.tp, (1 + weight) * c.tp + weight * c.fn + c.fp)


def balanced_accuracy(c: Counts) -> Values:
    """Mean of recall and specificity (Brodersen et al. 2010, doi:10.1109/ICPR.2010.764)."""
    return (recall(c) + specificity(c)) / 2


def mcc(c: Counts) -> Values:
    """Correlation of the two masks of a class (Matthews 1975, doi:10.1016/0005-2795(75)90109-9).

    Undefined where either mask is empty or full.
    """
    # The root of a square is exact, so that equal masks have 1 and not almost.
    scale = np.sqrt((c.tp + c.fp) * (c.tp + c.fn)) * np.sqrt((c.tn + c.fp) * (c.tn + c.fn))
    return ratio(c.tp * c.tn - c.fp * c.fn, scale)


def accuracy(c: Counts) -> float:
    """Voxels whose labels agree / all voxels."""
    return c.agreed / c.total if c.total else math.nan


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
        return math.nan
    return float(np.nansum(weight * iou(c)) / weight.sum())


def generalised_dice(c: Counts) -> float:
    """Dice of all classes at once, each weighted by 1 / its squared reference volume.

    Crum, Camara & Hill 2006, doi:10.1109/TMI.2006.880587. Background is one of the classes;
    one that the reference lacks would weigh infinitely and is left out.
    """
    size = c.tp + c.fn
    weight = ratio(np.ones_like(size), size * size)
    if np.isnan(weight).all():
        return math.nan
    return float(np.nansum(weight * 2 * c.tp) / np.nansum(weight * (2 * c.tp + c.fp + c.fn)))


def kappa(c: Counts) -> float:
    """Agreement beyond chance (Cohen 1960, doi:10.1177/001316446002000104)."""
    if not c.total:
        return math.nan
    chance = float(np.sum((c.tp + c.fp) / c.total * ((c.tp + c.fn) / c.total)))
    return (c.agreed / c.total - chance) / (1 - chance) if chance < 1 else math.nan


def multiclass_mcc(c: Counts) -> float:
    """Correlation of all classes at once, R_K (Gorodkin 2004).

    doi:10.1016/j.compbiolchem.2004.09.006. For two classes it is their MCC.
    """
    predicted, expected = c.tp + c.fp, c.tp + c.fn
    square = c.total * c.total
    spread = (square - c.predicted_squares) * (square - float(expected @ expected))
    if spread <= 0:
        return math.nan
    return (c.agreed * c.total - float(predicted @ expected)) / math.sqrt(spread)


def _where_present(c: Counts, values: Values) -> Values:
    return np.where(c.tp + c.fp + c.fn > 0, values, np.nan)


def _mean(values: Values) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else math.nan


_whole = partial(Metric, per_class=False)

OVERLAP = (
    Metric(
        "dice",
        "Dice",
        "2 tp / (2 tp + fp + fn)",
        dice,
        "Twice the shared voxels over the sum of both sizes: 1 is a perfect match. Small and "
        "thin objects lose much of it by one voxel, so compare objects of similar size.",
    ),
    Metric(
        "iou",
        "IoU",
        "tp / (tp + fp + fn)",
        iou,
        "Shared voxels over the voxels that either has, never above Dice: IoU = D / (2 - D). It "
        "orders single cases as Dice does, but means over cases may be ordered differently.",
    ),
    Metric(
        "precision",
        "Precision",
        "tp / (tp + fp)",
        precision,
        "Of what is predicted, the share that is right. A prediction of very few, sure voxels "
        "has a high one: read it beside recall.",
        needs=("prediction",),
    ),
    Metric(
        "recall",
        "Recall",
        "tp / (tp + fn)",
        recall,
        "Of what is there, the share that is found; also called sensitivity. Predicting the "
        "class everywhere has a recall of 1: read it beside precision.",
        needs=("reference",),
    ),
    Metric(
        "specificity",
        "Specificity",
        "tn / (tn + fp)",
        specificity,
        "Of what is not the class, the share that is left alone. It grows with the empty margin "
        "of the image, so it says little about small objects.",
        needs=("rest of reference",),
    ),
    Metric(
        "f1",
        "F1",
        "2 tp / (2 tp + fp + fn), equal to Dice",
        dice,
        "Harmonic mean of precision and recall. Counted in voxels it is the same number as Dice.",
    ),
    Metric(
        "f_beta",
        "F-beta",
        "(1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp)",
        f_beta,
        "As F1, with recall counting beta times as much as precision: above 1 where a miss costs "
        "more than a false alarm. Values for different beta cannot be compared.",
    ),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        "(recall + specificity) / 2",
        balanced_accuracy,
        "Share of right voxels if the class and the rest were equally frequent. For small objects "
        "a flood of false alarms hardly lowers it, as specificity stays near 1.",
        needs=("reference", "rest of reference"),
    ),
    Metric(
        "mcc",
        "MCC",
        "(tp tn - fp fn) / sqrt((tp + fp)(tp + fn)(tn + fp)(tn + fn))",
        mcc,
        "Correlation of both masks: 1 equal, 0 as by chance, -1 opposite. It uses all four counts, "
        "and so changes with the size of the image around an object.",
        limits=(-1.0, 1.0),
        needs=("reference", "prediction", "rest of reference", "rest of prediction"),
    ),
    _whole(
        "accuracy",
        "Accuracy",
        "agreeing voxels / all voxels",
        accuracy,
        "Share of voxels with the right label. Where most of the image is background, predicting "
        "nothing at all scores high.",
    ),
    _whole(
        "mean_accuracy",
        "Mean accuracy",
        "mean of recall over all classes of the reference, background included",
        mean_accuracy,
        "Mean pixel accuracy of scene parsing: each class counts the same, however small. False "
        "alarms count only as misses of other classes.",
    ),
    _whole(
        "mean_iou",
        "Mean IoU",
        "mean of IoU over all classes that occur, background included",
        mean_iou,
        "The usual score of scene parsing. Background is one of the classes here and lifts it; "
        "the mean in the row of IoU leaves it out.",
    ),
    _whole(
        "frequency_weighted_iou",
        "Frequency-weighted IoU",
        "mean of IoU over all classes, weighted by reference voxels",
        frequency_weighted_iou,
        "IoU with each class weighing as much as it covers. Large classes, background above all, "
        "decide it.",
    ),
    _whole(
        "generalised_dice",
        "Generalised Dice",
        "2 sum w tp / sum w (2 tp + fp + fn), w = 1 / (tp + fn)^2, all classes of the reference",
        generalised_dice,
        "One Dice for all classes, in which small ones weigh more. A class of a few voxels can "
        "decide it alone.",
    ),
    _whole(
        "kappa",
        "Cohen's kappa",
        "(p_o - p_e) / (1 - p_e)",
        kappa,
        "Agreement beyond what equally frequent random labels would reach. It depends on how "
        "frequent the classes are, so compare it only on the same images.",
        limits=(-1.0, 1.0),
    ),
    _whole(
        "multiclass_mcc",
        "Multi-class MCC",
        "(agreed total - sum p t) / sqrt((total^2 - sum p^2)(total^2 - sum t^2))",
        multiclass_mcc,
        "Correlation of predicted and reference labels over all classes. With two classes it is "
        "the MCC of either.",
        limits=(-1.0, 1.0),
    ),
)
