"""Whether one prediction is better than another by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from ..folders.case_scores import in_shares, score_table
from ..tables import markdown_table, plain_fields, shown

Values = NDArray[np.float64]

# With five cases no outcome is rarer than 1 in 16.
_FEWEST_CASES = 6
_MOST_EXACT = 200


@dataclass(frozen=True)
class PairedTest:
    """Whether two predictions differ over the same cases.

    Attributes
    ----------
    first, second : str
        Names of the predictions.
    n : int
        Cases in which both have a score.
    n_left_out : int
        Cases in which one has none.
    n_equal : int
        Cases among `n` with equal scores, which the test leaves aside.
    median_difference : float
        Median over the `n` cases of the score of `first` less that of `second`.
    statistic : float
        Sum of the ranks of the cases in which `first` has the higher score.
    p, p_holm : float
        Two-sided p-value, as it is and corrected for the number of tests; NaN if refused.
    method : {"exact", "normal approximation", ""}
        How `p` was found.
    reason : str
        Why there is no p-value, or none that was computed.
    """

    first: str
    second: str
    n: int
    n_left_out: int
    n_equal: int
    median_difference: float
    statistic: float
    p: float
    p_holm: float = math.nan
    method: str = ""
    reason: str = ""


@dataclass(frozen=True)
class PairedTests:
    """Each pair of predictions tested against each other.

    Attributes
    ----------
    tests : tuple of PairedTest
        In the order in which the predictions were given.
    """

    tests: tuple[PairedTest, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        pairs = [plain_fields(test) for test in self.tests]
        return {"test": "Wilcoxon signed-rank, two-sided, Holm-corrected", "pairs": pairs}

    def to_markdown(self) -> str:
        """Table of the pairs, with how p-values were found."""
        heads = ["Pair", "Cases", "Left out", "Median difference", "W", "p", "p (Holm)", "Method"]
        rows = [
            [
                f"{test.first} – {test.second}",
                *(str(test.n), str(test.n_left_out)),
                *map(shown, (test.median_difference, test.statistic, test.p, test.p_holm)),
                test.reason or test.method,
            ]
            for test in self.tests
        ]
        note = "Wilcoxon signed-rank test, two-sided; Holm's correction over the tests with a p."
        return f"{markdown_table(heads, rows)}\n{note}\n"


def paired_tests(scores: Mapping[str, Sequence[float]]) -> PairedTests:
    """Compare each pair of predictions over the same cases by Wilcoxon's signed-rank test.

    Differences are ranked by size; W is the sum of the ranks of the positive ones. Equal
    sizes share their rank, equal scores are left aside. Up to 200 cases that differ, the
    p-value is exact, ties or not: the share of all ways to give signs to the ranks that are
    as far out; beyond, a normal distribution stands for them. Cases in which either has no
    score cannot be compared, which favours a prediction that fails: `n_left_out` counts
    them, and `rank_scores` gives such a case the worst rank.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        By name of the prediction, two at least, in the same order of cases. NaN where there
        is no score.

    Returns
    -------
    PairedTests
        Pairs with fewer than six usable cases are refused: they have the p-value NaN and a
        reason, and take no part in the correction. Equal scores in all cases have p = 1.

    Raises
    ------
    InputError
        If there are fewer than two predictions, or they do not have as many scores.

    References
    ----------
    Wilcoxon 1945, Individual comparisons by ranking methods, doi:10.2307/3001968.
    Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6, 65-70.

    Examples
    --------
    >>> test = paired_tests({"a": [0.9, 0.8, 0.7, 0.9, 0.8, 0.6], "b": [0.5] * 6}).tests[0]
    >>> test.statistic, test.p, test.method
    (21.0, 0.03125, 'exact')
    """
    if len(scores) < 2:
        raise InputError(
            f"expected scores of two predictions at least, got {len(scores)}; give one more"
        )
    table = dict(zip(scores, score_table(scores), strict=True))
    tests = [_test(a, b, table[a], table[b]) for a, b in combinations(table, 2)]
    corrected = holm_correction([test.p for test in tests]).tolist()
    return PairedTests(
        tuple(replace(test, p_holm=p) for test, p in zip(tests, corrected, strict=True))
    )


def holm_correction(p_values: ArrayLike) -> Values:
    """Correct p-values for their number, by Holm's step-down procedure.

    The smallest of m p-values is multiplied by m, the next by m - 1, and so on, up to 1;
    none becomes smaller than one before it. All that are below a level then may be called
    significant, with that level as the chance of calling any wrongly so.

    Parameters
    ----------
    p_values : (m,) array_like of float
        NaN stays, and does not count.

    References
    ----------
    Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6, 65-70.

    Examples
    --------
    >>> holm_correction([0.01, 0.04, float("nan"), 0.03])
    array([0.03, 0.06,  nan, 0.06])
    """
    given = np.array(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(given))
    ascending = tested[np.argsort(given[tested], kind="stable")]
    times = np.arange(tested.size, 0, -1)
    given[ascending] = np.minimum(np.maximum.accumulate(times * given[ascending]), 1)
    return given


def _test(first: str, second: str, one: Values, other: Values) -> PairedTest:
    both = ~(np.isnan(one) | np.isnan(other))
    n, n_left_out = int(both.sum()), int((~both).sum())
    differences = in_shares(one[both] - other[both], np.stack([one[both], other[both]]))
    median = float(np.median(one[both] - other[both])) if n else math.nan
    distinct = np.sort(differences[differences != 0])
    facts = (first, second, n, n_left_out, n - distinct.size, median)
    if n < _FEWEST_CASES:
        reason = f"{n} usable cases: the test takes {_FEWEST_CASES} at least"
        return PairedTest(*facts, math.nan, math.nan, reason=reason)
    if not distinct.size:
        return PairedTest(*facts, 0.0, 1.0, reason="equal scores in all cases")
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(distinct))
    statistic = float(ranks[distinct > 0].sum())
    exact = distinct.size <= _MOST_EXACT
    p = (_exact_p if exact else _approximate_p)(ranks, statistic)
    return PairedTest(*facts, statistic, p, method="exact" if exact else "normal approximation")


def _exact_p(ranks: Values, statistic: float) -> float:
    """Chance of a sum as far out if each rank counts or not with equal chance."""
    # Shared ranks have halves.
    steps = np.rint(2 * np.sort(ranks)).astype(np.int64)
    total = int(steps.sum())
    chances = np.zeros(total + 1)
    chances[0] = 1
    for step in steps:
        chances /= 2
        chances[step:] += chances[:-step].copy()
    doubled = round(2 * statistic)
    tail = chances[: min(doubled, total - doubled) + 1].sum()
    return min(1.0, 2 * float(tail))


def _approximate_p(ranks: Values, statistic: float) -> float:
    """The same by a normal distribution of equal mean and variance."""
    deviation = math.sqrt(float(np.square(ranks).sum()) / 4)
    z = (statistic - float(ranks.sum()) / 2) / deviation
    return math.erfc(abs(z) / math.sqrt(2))
