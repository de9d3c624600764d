"""Several folders of predictions ranked by one metric over the same references."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import InputError
from ..metric import Metric
from ..report import Report
from ..statistics.ranking import Ranking, rank_scores
from ..statistics.significance import PairedTests, paired_tests
from ..tables import harmless, write_rows
from .pairs import natural_order
from .report import FolderReport

_EMPTY = "neither prediction nor reference contains anything"
_INCOMPLETE = "a class is absent from the prediction, or from the reference alone"


@dataclass(frozen=True, eq=False)
class FolderRanking:
    """Predictions of several methods on the same cases.

    Attributes
    ----------
    metric : Metric
    ranking : Ranking
    tests : PairedTests
    reports : mapping of str to FolderReport
        By name of the predictions.
    cases : tuple of str
        Those that count.
    left_out : mapping of str to str
        The other cases, and why.
    """

    metric: Metric
    ranking: Ranking
    tests: PairedTests
    reports: Mapping[str, FolderReport]
    cases: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None."""
        return {
            "metric": {"name": self.metric.name, "formula": self.metric.formula},
            "ranking": self.ranking.to_dict(),
            "tests": self.tests.to_dict(),
            "cases": list(self.cases),
            "left_out": dict(self.left_out),
            "reports": {name: report.to_dict() for name, report in self.reports.items()},
        }

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the score of each prediction in each case that counts.

        The file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        write_rows(path, self.rows())

    def rows(self) -> Iterator[dict[str, str]]:
        """The rows of `to_csv`."""
        for case in self.cases:
            for name, folder in self.reports.items():
                report = folder.reports[case]
                score = score_of(report, self.metric)
                missing = math.isnan(score)
                yield {
                    "case": harmless(case),
                    "prediction": harmless(name),
                    "metric": self.metric.name,
                    "definition": report.definition_of(self.metric),
                    "value": "" if missing else repr(score),
                    "unit": report.unit_of(self.metric),
                    "reason": _why(report, self.metric) if missing else "",
                }

    def to_markdown(self) -> str:
        """Ranking, paired tests, and the cases left out."""
        report = next(iter(self.reports.values())).reports[self.cases[0]]
        parts = [
            f"## {report.title_of(self.metric)}",
            f"{report.definition_of(self.metric)}.",
            self.ranking.to_markdown(),
            self.tests.to_markdown(),
        ]
        if self.left_out:
            listed = "\n".join(f"- {case}: {why}" for case, why in self.left_out.items())
            parts.append(f"Cases left out:\n\n{listed}")
        return "\n\n".join(part.strip() for part in parts) + "\n"


def rank_reports(reports: Mapping[str, FolderReport], metric: Metric) -> FolderRanking:
    """Rank methods whose predictions were evaluated already; see `rank_folders`.

    Parameters
    ----------
    reports : mapping of str to FolderReport
        By method, two or more, on the same references.
    metric : Metric
        Among those of the reports, with better and worse values.

    Raises
    ------
    InputError
        If no case is common to all, or cases are in several units.

    Examples
    --------
    >>> from ..evaluation import evaluate
    >>> from .pairs import FilePair
    >>> from .report import Case
    >>> from pathlib import Path
    >>> reports = {}
    >>> for name, row in {"good": [0, 1, 1], "bad": [1, 1, 0]}.items():
    ...     pair = FilePair("case", Path(name, "case.nii"), Path("truth", "case.nii"))
    ...     reports[name] = FolderReport((Case(pair, evaluate([row], [[0, 1, 1]])),))
    >>> found = rank_reports(reports, reports["good"].metrics[0])
    >>> [(row.name, row.mean_rank) for row in found.ranking.standings]
    [('good', 1.0), ('bad', 2.0)]
    """
    cases, left_out = _common(reports, metric)
    _check_units(reports, cases, metric)
    scores = {
        name: [_ranked(report.reports[case], metric) for case in cases]
        for name, report in reports.items()
    }
    ranking = rank_scores(scores, better="higher" if metric.better == "higher" else "lower")
    return FolderRanking(metric, ranking, paired_tests(scores), reports, cases, left_out)


def score_of(report: Report, metric: Metric) -> float:
    """The mean over all classes of a case, or the value of the image.

    NaN if there is none, or if a class that prediction or reference contain has no value.
    """
    score = report.scores[metric.name]
    return score.mean if score.n_nan == score.n_empty else math.nan


def _ranked(report: Report, metric: Metric) -> float:
    score = score_of(report, metric)
    return abs(score) if metric.better == "zero" else score


def _why(report: Report, metric: Metric) -> str:
    return report.scores[metric.name].mean_reason or _INCOMPLETE


def _common(
    reports: Mapping[str, FolderReport], metric: Metric
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The cases that all can be ranked in, and why not in the others."""
    names = {case.name for report in reports.values() for case in report.cases}
    known = sorted(names, key=natural_order)
    lacking = {case: _lacking(case, reports, metric) for case in known}
    cases = tuple(case for case in known if not lacking[case])
    left_out = {case: "; ".join(lacking[case]) for case in known if lacking[case]}
    if not cases:
        case, why = next(iter(left_out.items()))
        raise InputError(
            "expected at least one case that all predictions can be ranked in, got none; mend "
            f"the files, for instance {case}: {why}"
        )
    return cases, left_out


def _lacking(case: str, reports: Mapping[str, FolderReport], metric: Metric) -> list[str]:
    """What keeps a case from being ranked, per method."""
    found = []
    for name, folder in reports.items():
        report = folder.reports.get(case)
        if report is None:
            found.append(f"{name}: {folder.failures.get(case, 'no prediction')}")
        elif _is_empty(report, metric):
            found.append(f"{name}: {_EMPTY}")
    return found


def _is_empty(report: Report, metric: Metric) -> bool:
    """Whether there is nothing to score, in the reference as in the prediction."""
    score = report.scores[metric.name]
    if metric.per_class:
        return score.n_used == 0 and score.n_nan == score.n_empty
    found = report.instances
    if metric.group == "instances" and found is not None:
        return not (found.n_reference or found.n_predicted)
    return math.isnan(score.mean)


def _check_units(reports: Mapping[str, FolderReport], cases: Sequence[str], metric: Metric) -> None:
    units = {folder.reports[case].unit_of(metric) for folder in reports.values() for case in cases}
    if len(units) > 1:
        raise InputError(
            f"expected all cases in one unit, got {' and '.join(sorted(units))}; give the spacing"
        )
