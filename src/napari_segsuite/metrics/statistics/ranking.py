"""Which of several predictions is best over many cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..folders.case_scores import in_shares, score_table
from ..tables import markdown_table, plain_fields, shown

Values = NDArray[np.float64]
Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Standing:
    """How a prediction does among the others.

    Attributes
    ----------
    name : str
    place : int
        From 1 up, by mean rank; equal mean ranks share the better place.
    mean_rank : float
        Over all cases, 1 being best; equal scores share the mean of their ranks.
    wins : float
        Cases in which no score is better; a case won by several counts for each in equal
        parts, one in which none has a score for nobody.
    mean, median : float
        Of the scores there are; NaN if there is none.
    n : int
        Cases with a score.
    n_nan : int
        Cases without one.
    """

    name: str
    place: int
    mean_rank: float
    wins: float
    mean: float
    median: float
    n: int
    n_nan: int


@dataclass(frozen=True)
class Ranking:
    """Predictions from the best to the worst.

    Attributes
    ----------
    standings : tuple of Standing
        By mean rank; those with equal ones in the order they were given in.
    better : {"higher", "lower"}
        Which scores are good.
    n_cases : int
    """

    standings: tuple[Standing, ...]
    better: Direction
    n_cases: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None."""
        return {
            "better": self.better,
            "n_cases": self.n_cases,
            "standings": [plain_fields(standing) for standing in self.standings],
        }

    def to_markdown(self) -> str:
        """Table of the predictions, and how to read it."""
        heads = ["Prediction", "Place", "Mean rank", "Wins", "Mean", "Median", "n", "No value"]
        rows = [
            [
                row.name,
                str(row.place),
                *map(shown, (row.mean_rank, row.wins, row.mean, row.median)),
                *(str(row.n), str(row.n_nan)),
            ]
            for row in self.standings
        ]
        note = (
            f"Ranks within each of {self.n_cases} cases, 1 being best; {self.better} scores are "
            "better. A case without a value counts as the worst rank, but not in mean and median."
        )
        return f"{markdown_table(heads, rows)}\n{note}\n"


def rank_scores(scores: Mapping[str, Sequence[float]], *, better: Direction = "higher") -> Ranking:
    """Rank predictions within each case and order them by their mean rank.

    Ranking first and averaging then keeps single cases from deciding; an order by mean
    score can be another one, so means and medians stand beside it. A prediction without a
    score where others have one, a distance from an empty prediction say, has failed there
    and gets the worst rank. Where none has a score, as for a class that is absent from the
    reference and all predictions, all tie.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        By name of the prediction, in the same order of cases. NaN where there is no score.
    better : {"higher", "lower"}
        Which scores are good.

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        If predictions do not have as many scores, or there is none.
    ParameterError
        If `better` is another word.

    References
    ----------
    Maier-Hein et al. 2018, Why rankings of biomedical image analysis competitions should be
    interpreted with care, doi:10.1038/s41467-018-07619-7.

    Examples
    --------
    >>> ranking = rank_scores({"a": [0.9, 0.7, 0.8], "b": [0.8, float("nan"), 0.8]})
    >>> [(row.name, row.place, row.mean_rank, row.wins) for row in ranking.standings]
    [('a', 1, 1.1666666666666667, 2.5), ('b', 2, 1.8333333333333333, 0.5)]
    """
    if better not in ("higher", "lower"):
        raise ParameterError(
            f"expected 'higher' or 'lower' as what is better, got {better!r}; choose one of these",
            name="better",
        )
    table = score_table(scores)
    ranks = _ranks(table, better)
    mean_ranks, wins = ranks.mean(axis=1), _wins(table, ranks)
    standings = [
        _standing(name, int((mean_ranks < mean_ranks[i]).sum()) + 1, mean_ranks[i], wins[i], row)
        for i, (name, row) in enumerate(zip(scores, table, strict=True))
    ]
    ordered = sorted(standings, key=lambda standing: standing.place)
    return Ranking(tuple(ordered), better, table.shape[1])


def _ranks(table: Values, better: Direction) -> Values:
    """Ranks of the predictions within each case, (P, N)."""
    from scipy.stats import rankdata

    rounded = in_shares(table, table)
    badness = -rounded if better == "higher" else rounded
    ranks: Values = rankdata(np.where(np.isnan(badness), np.inf, badness), axis=0)
    return ranks


def _wins(table: Values, ranks: Values) -> Values:
    """Parts of cases won by each prediction, (P,)."""
    first = (ranks == ranks.min(axis=0)) & ~np.isnan(table)
    wins: Values = (first / np.maximum(first.sum(axis=0), 1)).sum(axis=1)
    return wins


def _standing(name: str, place: int, mean_rank: float, wins: float, row: Values) -> Standing:
    used = row[~np.isnan(row)]
    mean, median = (used.mean(), np.median(used)) if used.size else (math.nan, math.nan)
    numbers = (float(mean_rank), float(wins), float(mean), float(median))
    return Standing(name, place, *numbers, used.size, row.size - used.size)
