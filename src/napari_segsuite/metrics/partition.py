"""How two partitions of the same voxels differ: pairs of voxels, and information."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contingency import Contingency
from .metric import Better, Metric

_NAN = float("nan")
_NO_PAIR = "no two voxels of the foreground share a label"
_UNDEFINED = {
    "adapted_rand_error": f"{_NO_PAIR}, in either",
    "adapted_rand_precision": f"{_NO_PAIR} in the prediction",
    "adapted_rand_recall": f"{_NO_PAIR} in the reference",
    "v_info": "the foreground is one region in both: there is no information",
}


@dataclass(frozen=True)
class Agreement:
    """Sums over a contingency table.

    Attributes
    ----------
    n_voxels : int
    both, reference, prediction : int
        Ordered pairs of voxels, a voxel with itself included, that share a label: in both
        arrays, in the reference, in the prediction.
    split, merge : float
        Conditional entropies in bits: of the prediction given the reference, and of the
        reference given the prediction.
    reference_entropy, prediction_entropy : float
        In bits.
    """

    n_voxels: int
    both: int
    reference: int
    prediction: int
    split: float
    merge: float
    reference_entropy: float
    prediction_entropy: float

    @classmethod
    def of(cls, table: Contingency) -> Agreement:
        """All sums of a table."""
        n, counts = table.total, table.counts
        expected, predicted = table.reference_sizes, table.prediction_sizes
        everything = np.full(1, n)
        return cls(
            n,
            sum_of_squares(counts),
            sum_of_squares(expected),
            sum_of_squares(predicted),
            _entropy(counts, expected[table.rows], n),
            _entropy(counts, predicted[table.columns], n),
            _entropy(expected[expected > 0], everything, n),
            _entropy(predicted[predicted > 0], everything, n),
        )


@dataclass(frozen=True)
class Partition:
    """What partition metrics need.

    Attributes
    ----------
    everywhere : Agreement
        Over all voxels counted; background is a region like any other.
    foreground : Agreement
        Over the voxels whose reference label is not 0; the prediction's 0 is a region.
    """

    everywhere: Agreement
    foreground: Agreement

    def why(self, name: str) -> str:
        """Why the metric of this name has no value; only for one that has none."""
        if not self.everywhere.n_voxels:
            return "no voxel is compared"
        if name in ("rand_index", "adjusted_rand_index"):
            return "a single voxel is compared: there is no pair"
        if not self.foreground.n_voxels:
            return "the reference has no foreground"
        return _UNDEFINED[name]


def measure_partition(table: Contingency) -> Partition:
    """Sum up what all metrics of partitions need.

    Parameters
    ----------
    table : Contingency

    Returns
    -------
    Partition

    Examples
    --------
    >>> from napari_segsuite.metrics.contingency import contingency_table
    >>> table = contingency_table([1, 1, 2, 2, 3, 3, 3, 3], [1, 1, 1, 1, 2, 2, 2, 2])
    >>> found = measure_partition(table)
    >>> voi_split(found), voi_merge(found), round(adapted_rand_error(found), 4)
    (0.5, 0.0, 0.2)
    """
    inside = table.reference_ids[table.rows] != 0
    foreground = Contingency(
        table.reference_ids,
        table.prediction_ids,
        table.rows[inside],
        table.columns[inside],
        table.counts[inside],
    )
    return Partition(Agreement.of(table), Agreement.of(foreground))


def sum_of_squares(counts: NDArray[np.int64]) -> int:
    """Sum of squares, exact for counts that add up to 2**42 at most.

    Examples
    --------
    >>> sum_of_squares(np.array([2**41, 3])) == 2**82 + 9
    True
    """
    # No product or sum of these halves reaches 2**63.
    high, low = counts >> 21, counts & ((1 << 21) - 1)
    return (int(high @ high) << 42) + (int(high @ low) << 22) + int(low @ low)


def _entropy(counts: NDArray[np.int64], wholes: NDArray[np.int64], n: int) -> float:
    """Mean information in bits of being in a part, given the whole that the part is of."""
    # Where parts are wholes the logarithm is 0 exactly, and so is the sum.
    return float(np.sum(counts * np.log2(wholes / counts)) / n) if n else _NAN


def _ratio(numerator: int, denominator: int) -> float:
    return numerator / denominator if denominator else _NAN


def voi(p: Partition) -> float:
    """Variation of information, split + merge (Meila 2007, doi:10.1016/j.jmva.2006.11.013)."""
    return p.everywhere.split + p.everywhere.merge


def voi_split(p: Partition) -> float:
    """H(prediction | reference): scikit-image's first value."""
    return p.everywhere.split


def voi_merge(p: Partition) -> float:
    """H(reference | prediction): scikit-image's second value."""
    return p.everywhere.merge


def adapted_rand_error(p: Partition) -> float:
    """1 - F-score of pairs of foreground voxels (Arganda-Carreras et al. 2015)."""
    a = p.foreground
    joined = a.reference + a.prediction - 2 * a.n_voxels
    return _ratio(joined - 2 * (a.both - a.n_voxels), joined)


def adapted_rand_precision(p: Partition) -> float:
    """Of the pairs that the prediction joins, those that the reference joins too.

    scikit-image returns this value as its recall: it divides by the pairs of the other array
    than its documentation says.
    """
    a = p.foreground
    return _ratio(a.both - a.n_voxels, a.prediction - a.n_voxels)


def adapted_rand_recall(p: Partition) -> float:
    """Of the pairs that the reference joins, those that the prediction joins too."""
    a = p.foreground
    return _ratio(a.both - a.n_voxels, a.reference - a.n_voxels)


def rand_index(p: Partition) -> float:
    """Share of the pairs that both join or both part (Rand 1971, doi:10.2307/2284239)."""
    a = p.everywhere
    n_pairs = a.n_voxels**2 - a.n_voxels
    return _ratio(n_pairs - (a.reference + a.prediction - 2 * a.both), n_pairs)


def adjusted_rand_index(p: Partition) -> float:
    """Rand index beyond chance (Hubert & Arabie 1985, doi:10.1007/BF01908075)."""
    a = p.everywhere
    if a.n_voxels < 2:
        return _NAN
    tp, fn, fp = a.both - a.n_voxels, a.reference - a.both, a.prediction - a.both
    if fn == fp == 0:
        return 1.0
    tn = a.n_voxels**2 - a.both - fn - fp
    return _ratio(2 * (tp * tn - fn * fp), (tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


def v_rand(p: Partition) -> float:
    """F-score of pairs of foreground voxels, each voxel paired with itself as well."""
    return _ratio(2 * p.foreground.both, p.foreground.reference + p.foreground.prediction)


def v_info(p: Partition) -> float:
    """Shared information of foreground voxels / mean of the two entropies."""
    a = p.foreground
    entropies = a.reference_entropy + a.prediction_entropy
    if not entropies > 0:
        return _NAN
    # Rounding could take it below 0.
    return max(0.0, 1 - (a.split + a.merge) / entropies)


_EVERYWHERE = "over all voxels, background being a region"
_FOREGROUND = "over voxels whose reference label is not 0"


def _score(
    name: str, title: str, formula: str, function: Callable[[Partition], float], text: str
) -> Metric:
    return Metric(name, title, formula, function, text, group="partition", per_class=False)


def _bits(
    name: str, title: str, formula: str, function: Callable[[Partition], float], text: str
) -> Metric:
    better: Better = "lower"
    return Metric(
        name,
        title,
        f"{formula} in bits, {_EVERYWHERE}",
        function,
        text,
        group="partition",
        per_class=False,
        better=better,
        limits=None,
    )


PARTITION = (
    _bits(
        "voi",
        "Variation of information",
        "H(prediction | reference) + H(reference | prediction)",
        voi,
        "Information that one partition lacks about the other, 0 for equal ones. Large regions, "
        "the background among them, count most.",
    ),
    _bits(
        "voi_split",
        "VOI split",
        "H(prediction | reference)",
        voi_split,
        "Over-segmentation: reference regions cut into pieces. Labelling every voxel alike "
        "makes it 0.",
    ),
    _bits(
        "voi_merge",
        "VOI merge",
        "H(reference | prediction)",
        voi_merge,
        "Under-segmentation: reference regions joined. Giving every voxel its own label makes "
        "it 0.",
    ),
    Metric(
        "adapted_rand_error",
        "Adapted Rand error",
        "1 - 2 precision recall / (precision + recall) of pairs of voxels joined, "
        f"{_FOREGROUND}; the prediction's 0 is a region",
        adapted_rand_error,
        "Pairs of voxels wrongly joined or parted. Pairs grow with the square of the size: a "
        "merger of two large regions outweighs many small errors.",
        group="partition",
        per_class=False,
        better="lower",
    ),
    _score(
        "adapted_rand_precision",
        "Adapted Rand precision",
        f"pairs joined in both / pairs joined in the prediction, {_FOREGROUND}",
        adapted_rand_precision,
        "Low where regions are merged. scikit-image calls this number recall.",
    ),
    _score(
        "adapted_rand_recall",
        "Adapted Rand recall",
        f"pairs joined in both / pairs joined in the reference, {_FOREGROUND}",
        adapted_rand_recall,
        "Low where regions are split. scikit-image calls this number precision.",
    ),
    _score(
        "rand_index",
        "Rand index",
        f"pairs joined in both or parted in both / all pairs, {_EVERYWHERE}",
        rand_index,
        "Agreement on which voxels belong together. With many regions most pairs are parted "
        "anyway, so that it is near 1 even by chance.",
    ),
    Metric(
        "adjusted_rand_index",
        "Adjusted Rand index",
        f"(Rand index - expected) / (1 - expected), {_EVERYWHERE}",
        adjusted_rand_index,
        "Rand index with 0 for what chance gives to regions of these sizes. It is negative "
        "below chance; a large background dominates it.",
        group="partition",
        per_class=False,
        limits=(-1.0, 1.0),
    ),
    _score(
        "v_rand",
        "Foreground-restricted Rand score",
        f"2 sum p_ij^2 / (sum s_i^2 + sum t_j^2), {_FOREGROUND}; the prediction's 0 is a region",
        v_rand,
        "F-score of pairs as in the ISBI 2012 challenge (doi:10.3389/fnana.2015.00142), which "
        "thins the prediction's borders first. Large regions count by the square of their size.",
    ),
    _score(
        "v_info",
        "Foreground-restricted information score",
        "2 I(prediction; reference) / (H(prediction) + H(reference)), "
        f"{_FOREGROUND}; the prediction's 0 is a region",
        v_info,
        "Shared information as in the ISBI 2012 challenge (doi:10.3389/fnana.2015.00142), less "
        "ruled by large regions than the Rand score. It has no value for one region in both.",
    ),
)
