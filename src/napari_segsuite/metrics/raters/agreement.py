"""How well raters agree with each other, without asking who is right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import overlap
from ..confusion import Confusion
from ..counts import Counts
from ..tables import harmless, markdown_table, shown

DEFINITIONS = {
    "dice": "mean over the foreground classes of the pair of 2 tp / (2 tp + fp + fn)",
    "kappa": "(agreement of the pair - chance) / (1 - chance), Cohen 1960",
    "fleiss_kappa": "(mean agreement of all pairs - chance) / (1 - chance), Fleiss 1971",
}
_ONE_LABEL = "one label everywhere: agreement by chance is certain"
_NO_FOREGROUND = "no foreground by either"


@dataclass(frozen=True, eq=False)
class RaterAgreement:
    """Agreement of R raters, pair by pair and all together.

    Attributes
    ----------
    names : tuple of str
        One per rater.
    dice : (R, R) float64 array
        Mean Dice of the foreground classes that either of the pair has; NaN where neither
        has any.
    kappa : (R, R) float64 array
        Agreement beyond chance of the pair, background included (Cohen 1960,
        doi:10.1177/001316446002000104); NaN where both give one label to everything.
    fleiss_kappa : float
        Agreement beyond chance of all (Fleiss 1971, doi:10.1037/h0031619).
    n_patterns : int
        Different combinations of labels that a voxel has.
    n_voxels : int
    reasons : mapping of str to str
        Why values of `dice`, `kappa` or `fleiss_kappa` are NaN.
    """

    names: tuple[str, ...]
    dice: NDArray[np.float64]
    kappa: NDArray[np.float64]
    fleiss_kappa: float
    n_patterns: int
    n_voxels: int
    reasons: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        return {
            "names": list(self.names),
            "dice": _plain(self.dice),
            "kappa": _plain(self.kappa),
            "fleiss_kappa": None if math.isnan(self.fleiss_kappa) else self.fleiss_kappa,
            "n_patterns": self.n_patterns,
            "n_voxels": self.n_voxels,
            "reasons": dict(self.reasons),
            "definitions": dict(DEFINITIONS),
        }

    def to_markdown(self) -> str:
        """Table of pairs, Dice above and kappa below the diagonal, then Fleiss' kappa."""
        rows = []
        for i, name in enumerate(self.names):
            both = (self.kappa[i, :i], [math.nan], self.dice[i, i + 1 :])
            rows.append([name, *map(shown, np.concatenate(both).tolist())])
        table = markdown_table(["Kappa \\ Dice", *self.names], rows)
        return f"{table}\n- Fleiss' kappa: {shown(self.fleiss_kappa)}\n"

    def rows(self) -> Iterator[dict[str, str]]:
        """One row per value, each pair once."""
        for metric, values in (("dice", self.dice), ("kappa", self.kappa)):
            for i, j in zip(*np.triu_indices(len(self.names), 1), strict=True):
                yield self._row(metric, self.names[i], self.names[j], float(values[i, j]))
        yield self._row("fleiss_kappa", "all", "", self.fleiss_kappa)

    def _row(self, metric: str, rater: str, other: str, value: float) -> dict[str, str]:
        reason = self.reasons[metric] if math.isnan(value) else ""
        return csv_row(metric, DEFINITIONS[metric], (rater, other), value, reason)


def csv_row(
    metric: str,
    definition: str,
    raters: tuple[str, str],
    value: float,
    reason: str,
    label: str = "",
) -> dict[str, str]:
    """A row of a CSV file about raters."""
    return {
        "metric": metric,
        "definition": definition,
        "rater": harmless(raters[0]),
        "other": harmless(raters[1]),
        "class": label,
        "value": "" if math.isnan(value) else repr(value),
        "reason": reason,
    }


def agreement_of(
    codes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    labels: tuple[int, ...],
    names: tuple[str, ...],
) -> RaterAgreement:
    """Compare every pair of raters on the table of vote patterns.

    Parameters
    ----------
    codes : (N, R) uint8 array
        Place in `labels` of what each rater gave, per pattern.
    counts : (N,) int64 array
        Voxels with the pattern.
    labels : tuple of int
    names : tuple of str

    Examples
    --------
    >>> votes = np.array([[0, 0], [0, 1], [1, 1]], np.uint8)
    >>> found = agreement_of(votes, np.array([2, 1, 1]), (0, 1), ("a", "b"))
    >>> found.dice[0].round(4).tolist(), found.kappa[0].tolist(), found.n_patterns
    ([1.0, 0.6667], [1.0, 0.5], 3)
    """
    n_raters = len(names)
    dice, kappa = np.full((2, n_raters, n_raters), np.nan)
    for i in range(n_raters):
        for j in range(i, n_raters):
            pair = Counts.of(_pair_confusion(codes[:, [i, j]], counts, labels), labels)
            dice[i, j] = dice[j, i] = _foreground_dice(pair, labels)
            kappa[i, j] = kappa[j, i] = overlap.kappa(pair)
    fleiss = _fleiss_kappa(codes, counts, len(labels))
    reasons = {
        name: reason
        for name, values, reason in (
            ("dice", dice, _NO_FOREGROUND),
            ("kappa", kappa, _ONE_LABEL),
            ("fleiss_kappa", fleiss, _ONE_LABEL),
        )
        if np.isnan(values).any()
    }
    return RaterAgreement(names, dice, kappa, fleiss, len(counts), int(counts.sum()), reasons)


def _pair_confusion(
    pair: NDArray[np.uint8], counts: NDArray[np.int64], labels: tuple[int, ...]
) -> Confusion:
    n = len(labels)
    cells = pair[:, 0].astype(np.intp) * n + pair[:, 1]
    table = np.bincount(cells, counts, n * n)  # exact up to 2⁵³ voxels
    return Confusion(table.astype(np.int64).reshape(n, n), labels)


def _foreground_dice(pair: Counts, labels: tuple[int, ...]) -> float:
    values = overlap.dice(pair)[np.array(labels) != 0]
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else math.nan


def _fleiss_kappa(codes: NDArray[np.uint8], counts: NDArray[np.int64], n_classes: int) -> float:
    n_raters, total = codes.shape[1], float(counts.sum())
    votes = sum(np.bincount(column, counts, n_classes) for column in codes.T)
    # Votes for one class agree two by two, whatever the class.
    alike = sum(int(counts[one == other].sum()) for one, other in combinations(codes.T, 2))
    agreed = 2 * alike / (total * n_raters * (n_raters - 1))
    chance = float(np.square(votes / (total * n_raters)).sum())
    return (agreed - chance) / (1 - chance) if chance < 1 else math.nan


def _plain(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
