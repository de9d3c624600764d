"""What a probability map is worth at all thresholds, as values, tables and files."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric import Values
from ..tables import markdown_table, shown, write_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEFINITIONS = {
    "average_precision": "sum over thresholds of (recall gained) x precision",
    "auc": "area under the ROC curve: share of pairs of a positive and a negative voxel in "
    "which the positive one has the larger probability, ties counted half",
    "best_dice": "largest 2 tp / (2 tp + fp + fn) at any threshold",
    "best_threshold": "highest threshold with the best Dice; probability >= threshold",
    "ece": "mean over bins, weighted by voxels, of |mean probability - share of positives|",
    "brier": "mean of (probability - 1 or 0)^2",
}
_TITLES = {
    "average_precision": "Average precision",
    "auc": "Area under ROC",
    "best_dice": "Best Dice",
    "best_threshold": "Best threshold",
    "ece": "Expected calibration error",
    "brier": "Brier score",
}


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """How often voxels of about one probability are of the class.

    Attributes
    ----------
    edges : (B + 1,) float64 array
        Bins of equal width; the upper edge belongs to the bin, as in Guo et al. 2017.
    confidence, frequency : (B,) float64 array
        Mean probability, and share of positives; NaN in an empty bin.
    count : (B,) int64 array
        Voxels.
    """

    edges: Values
    confidence: Values
    frequency: Values
    count: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ProbabilityReport:
    """What a probability map is worth at all thresholds.

    At a threshold, voxels whose probability is as large or larger are predicted.

    Attributes
    ----------
    thresholds : (T,) float64 array
        From the highest down: all distinct probabilities, or at most 2000 of them; where one
        is passed over, neighbours are about 0.001 apart in recall or false-positive rate.
    precision, recall : (T,) float64 array
    false_positive_rate, true_positive_rate : (T,) float64 array
        The latter is the recall by its other name.
    average_precision, auc : float
        Of all distinct probabilities, however few points the curves keep.
    best_threshold, best_dice : float
        Largest Dice, and the highest threshold that gives it.
    ece, brier : float
    bins : ReliabilityBins
    n, n_positive : int
        Voxels counted, and those of the class.
    n_left_out, n_ignored : int
        Voxels without a probability (NaN), and with an ignored label.
    scale : float
        What probabilities stored as integers were divided by; 1 for others.
    label : int
    reasons : mapping of str to str
        Why a value is NaN.
    """

    thresholds: Values
    precision: Values
    recall: Values
    false_positive_rate: Values
    average_precision: float
    auc: float
    best_threshold: float
    best_dice: float
    ece: float
    brier: float
    bins: ReliabilityBins
    n: int
    n_positive: int
    n_left_out: int
    n_ignored: int
    scale: float
    label: int
    reasons: Mapping[str, str]

    @property
    def true_positive_rate(self) -> Values:
        """The recall."""
        return self.recall

    @property
    def values(self) -> dict[str, float]:
        """The single numbers, by name."""
        return {name: getattr(self, name) for name in DEFINITIONS}

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        curve = ("thresholds", "precision", "recall", "false_positive_rate")
        counts = ("label", "n", "n_positive", "n_left_out", "n_ignored", "scale")
        return {
            **{name: _plain(value) for name, value in self.values.items()},
            **{name: getattr(self, name) for name in counts},
            "bins": {
                name: [_plain(value) for value in values.tolist()]
                for name, values in vars(self.bins).items()
            },
            "curve": {name: [_plain(v) for v in getattr(self, name).tolist()] for name in curve},
            "reasons": dict(self.reasons),
            "definitions": dict(DEFINITIONS),
        }

    def to_markdown(self) -> str:
        """Table of the single numbers, and what voxels they are of."""
        rows = [
            [_TITLES[name], shown(value), self.reasons.get(name, "")]
            for name, value in self.values.items()
        ]
        facts = f"- Voxels: {self.n}, of class {self.label}: {self.n_positive}\n"
        if self.n_left_out:
            facts += f"- Left out, without a probability: {self.n_left_out}\n"
        if self.n_ignored:
            facts += f"- Left out, ignored label: {self.n_ignored}\n"
        if self.scale != 1:
            facts += f"- Probabilities were divided by {self.scale:.0f}\n"
        return f"{markdown_table(['Metric', 'Value', 'Reason'], rows)}\n{facts}"

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per number, with its definition; the file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        write_rows(
            path,
            (
                {
                    "metric": name,
                    "definition": DEFINITIONS[name],
                    "class": str(self.label),
                    "value": "" if math.isnan(value) else repr(value),
                    "n": str(self.n),
                    "reason": self.reasons.get(name, ""),
                }
                for name, value in self.values.items()
            ),
        )

    def plot(self, target: str | os.PathLike[str] | Sequence[Axes]) -> None:
        """Draw precision over recall, the ROC curve and reliability.

        Parameters
        ----------
        target : path or sequence of 3 matplotlib Axes
            Picture to write, ending in .png, .svg or .pdf; or axes to draw into.

        Raises
        ------
        FormatError
            If the file cannot be written, or is to be of another format.
        """
        from .picture import draw, write

        if isinstance(target, str | os.PathLike):
            write(self, target)
        else:
            draw(self, target)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
