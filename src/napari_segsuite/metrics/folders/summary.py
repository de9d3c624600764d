"""Scores of many cases summed up: one row per metric and class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..metric import Metric
from ..report import Report
from ..statistics.bootstrap import Values, bootstrap_interval

MEAN, WHOLE = "mean", "all"


@dataclass(frozen=True)
class SummaryRow:
    """One metric of one class over the cases.

    Attributes
    ----------
    metric : Metric
    scope : str
        Label of the class, "mean" for the mean over the foreground classes of each case,
        or "all" for a metric of the whole image.
    name : str
        Of the class, where known.
    unit : str
    n, n_nan : int
        Cases with a value, and without one: those where the class is absent from both
        prediction and reference are among these.
    mean, sd, median, q1, q3 : float
        Of the values there are. The standard deviation is that of a sample (n - 1).
    min, max : float
    min_case, max_case : str
        Where these occur; the first by name if in several.
    low, high : float
        95 % bootstrap confidence interval of the mean.
    reason : str
        Why numbers are NaN.
    """

    metric: Metric
    scope: str
    name: str
    unit: str
    n: int
    n_nan: int
    mean: float = math.nan
    sd: float = math.nan
    median: float = math.nan
    q1: float = math.nan
    q3: float = math.nan
    min: float = math.nan
    min_case: str = ""
    max: float = math.nan
    max_case: str = ""
    low: float = math.nan
    high: float = math.nan
    reason: str = ""


def summarise(reports: Mapping[str, Report]) -> tuple[SummaryRow, ...]:
    """A row for each metric and class that occurs in any case.

    Parameters
    ----------
    reports : mapping of str to Report
        By case; all of the same metrics.

    Examples
    --------
    >>> from ..evaluation import evaluate
    >>> masks = [[0, 1, 1, 1], [0, 1, 1, 0]]
    >>> reports = {f"case {i}": evaluate(mask, masks[0]) for i, mask in enumerate(masks)}
    >>> row = next(row for row in summarise(reports) if row.scope == "mean")
    >>> row.metric.name, row.n, row.mean, row.min, row.min_case
    ('dice', 2, 0.9, 0.8, 'case 1')
    """
    return tuple(_rows(reports))


def scopes(metric: Metric, reports: Mapping[str, Report]) -> tuple[str, ...]:
    """The classes of all cases by number, then "mean"; or "all"."""
    if not metric.per_class:
        return (WHOLE,)
    labels = {label for r in reports.values() for label in r.scores[metric.name].per_class}
    return (*map(str, sorted(labels)), MEAN)


def values_of(metric: Metric, scope: str, reports: Mapping[str, Report]) -> Values:
    """One value per case, (n,); NaN where there is none."""
    scores = [report.scores[metric.name] for report in reports.values()]
    if scope in (MEAN, WHOLE):
        return np.array([score.mean for score in scores])
    return np.array([score.per_class.get(int(scope), math.nan) for score in scores])


def name_of(scope: str, reports: Mapping[str, Report]) -> str:
    """Name of a class; empty if no case knows one."""
    if scope in (MEAN, WHOLE):
        return ""
    names = (report.names.get(int(scope), "") for report in reports.values())
    return next(filter(None, names), "")


def units_of(metric: Metric, reports: Mapping[str, Report]) -> list[str]:
    """The units that cases state, those of plain numbers left out."""
    return sorted({report.unit_of(metric) for report in reports.values()} - {""})


def _rows(reports: Mapping[str, Report]) -> Iterator[SummaryRow]:
    for metric in next(iter(reports.values())).metrics if reports else ():
        units = units_of(metric, reports)
        for scope in scopes(metric, reports):
            values = values_of(metric, scope, reports)
            name = name_of(scope, reports)
            if len(units) > 1:
                yield _mixed(metric, scope, name, units, values)
            else:
                unit = "".join(units)
                yield _row(metric, scope, name, unit, dict(zip(reports, values, strict=True)))


def _mixed(metric: Metric, scope: str, name: str, units: list[str], values: Values) -> SummaryRow:
    n_nan = int(np.isnan(values).sum())
    reason = f"cases are in {' and '.join(units)}; give the spacing"
    return SummaryRow(metric, scope, name, "", values.size - n_nan, n_nan, reason=reason)


def _row(
    metric: Metric, scope: str, name: str, unit: str, values: Mapping[str, float]
) -> SummaryRow:
    used = {case: float(value) for case, value in values.items() if not math.isnan(value)}
    n, n_nan = len(used), len(values) - len(used)
    if not used:
        reason = "no case has a value"
        return SummaryRow(metric, scope, name, unit, n, n_nan, reason=reason)
    numbers = np.array(list(used.values()))
    interval = bootstrap_interval(numbers)
    q1, median, q3 = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
    lowest, highest = min(used, key=used.__getitem__), max(used, key=used.__getitem__)
    return SummaryRow(
        metric,
        scope,
        name,
        unit,
        n,
        n_nan,
        mean=interval.value,
        sd=float(numbers.std(ddof=1)) if n > 1 else math.nan,
        median=median,
        q1=q1,
        q3=q3,
        min=used[lowest],
        min_case=lowest,
        max=used[highest],
        max_case=highest,
        low=interval.low,
        high=interval.high,
        reason=interval.reason,
    )
