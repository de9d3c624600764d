"""The scores of several predictions as lines and columns, and how good each cell is."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ...image import RGBA
from ...metrics import Metric, Report
from ...metrics.score import Score
from ...metrics.tables import shown
from .results import Place, Result, Results

# A label, or the name of an average; "mean" is also the value of the whole image.
Scope = int | str
_AVERAGES = {
    "mean": "mean over the foreground classes that have a value",
    "micro": "from the voxel counts of all foreground classes added up",
    "weighted": "mean over the foreground classes, weighted by their voxels in the reference",
}
_OTHER_CLASSES = "the class occurs in other predictions only"
_OVERLAP_ONLY = "only overlap metrics have this average"


@dataclass(frozen=True)
class Column:
    """A column of a grid.

    Attributes
    ----------
    title, help : str
        `help` is rich text.
    metric : Metric
    scope : int, str or None
        None where each line has its own.
    """

    title: str
    help: str
    metric: Metric
    scope: Scope | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a grid.

    Attributes
    ----------
    title : str
    result : Result
    scope : int, str or None
        None for a line of text.
    text : str
        What stands across the columns, in place of values.
    colour : (4,) tuple of float or None
        Of the class.
    """

    title: str
    result: Result
    scope: Scope | None = None
    text: str = ""
    colour: RGBA | None = None


@dataclass(frozen=True)
class Cell:
    """What a cell shows.

    Attributes
    ----------
    text, help : str
    value : float
    goodness : float or None
        From 0 for the worst to 1 for the best; None where there is neither.
    """

    text: str = ""
    help: str = ""
    value: float = math.nan
    goodness: float | None = None


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines and columns; cells are made when they are asked for.

    Attributes
    ----------
    columns : tuple of Column
    lines : tuple of Line
    """

    columns: tuple[Column, ...] = ()
    lines: tuple[Line, ...] = ()

    def cell(self, line: Line, i: int) -> Cell:
        """The cell of a line in column `i`."""
        column, report = self.columns[i], line.result.report
        scope = line.scope if column.scope is None else column.scope
        if report is None or scope is None:
            return Cell()
        metric, score = column.metric, report.scores[column.metric.name]
        value = value_in(score, scope)
        if math.isnan(value):
            return Cell("–", _why_none(score, metric, scope))
        goodness = goodness_of(value, metric, self._extremes[i])
        return Cell(shown(value), _said(report, metric, scope), value, goodness)

    def place(self, line: Line, i: int | None = None) -> Place:
        """What a line is about, or its cell in column `i`."""
        scope = line.scope
        if scope is None and i is not None and i < len(self.columns):
            scope = self.columns[i].scope
        return Place(line.result.name, label=scope if isinstance(scope, int) else None)

    @cached_property
    def _extremes(self) -> tuple[float, ...]:
        """The largest amount in each column, 0 where the metric has limits of its own."""
        return tuple(self._extreme(column) for column in self.columns)

    def _extreme(self, column: Column) -> float:
        if column.metric.limits is not None:
            return 0.0
        found = [
            abs(value_in(line.result.report.scores[column.metric.name], scope))
            for line in self.lines
            if line.result.report is not None
            and (scope := line.scope if column.scope is None else column.scope) is not None
        ]
        return max((value for value in found if not math.isnan(value)), default=0.0)


def grid_of_classes(results: Results) -> Grid:
    """A line per prediction and class, and per average; a column per metric of classes."""
    columns = [
        Column(report.title_of(metric), help_of(report, metric), metric)
        for report, metric in _metrics(results)
        if metric.per_class
    ]
    lines: list[Line] = []
    for result in results.results:
        if columns or result.report is None:
            lines.append(Line("", result, text=_headline(result)))
        if columns and result.report is not None:
            lines += _class_lines(result, result.report, results)
    return Grid(tuple(columns), tuple(lines))


def grid_of_metric(results: Results, metric: Metric) -> Grid:
    """A line per prediction, a column per class, and one for the mean, of one metric."""
    reports = [result.report for result in results.results if result.report is not None]
    labels = sorted({label for report in reports for label in report.classes})
    if not reports:
        return Grid()
    help_text = help_of(reports[0], metric)
    titles = {label: _class_title(results, label) for label in labels}
    columns = [Column("mean", f"{help_text}<p>{_AVERAGES['mean']}.</p>", metric, "mean")]
    columns += [Column(titles[label], help_text, metric, label) for label in labels]
    lines = [
        Line(result.name, result, text="" if result.report else result.error)
        for result in results.results
    ]
    return Grid(tuple(columns), tuple(lines))


def grid_of_images(results: Results) -> Grid:
    """A line per prediction, a column per metric of the whole image."""
    columns = tuple(
        Column(report.title_of(metric), help_of(report, metric), metric, "mean")
        for report, metric in _metrics(results)
        if not metric.per_class
    )
    measured = [result for result in results.results if columns and result.report is not None]
    return Grid(columns, tuple(Line(result.name, result) for result in measured))


def value_in(score: Score, scope: Scope) -> float:
    """The value of a class, or an average; NaN where there is none."""
    if isinstance(scope, int):
        return score.per_class.get(scope, math.nan)
    return float(getattr(score, scope))


def goodness_of(value: float, metric: Metric, extreme: float) -> float | None:
    """How good a value is, from 0 to 1; None where no value is better than another.

    Parameters
    ----------
    value : float
    metric : Metric
    extreme : float
        The largest amount there is to compare with; it is the worst of metrics without
        limits that had better be low, and the best of those that had better be high.

    Examples
    --------
    >>> from napari_segsuite.metrics import METRICS
    >>> goodness_of(0.25, METRICS["dice"], 0), goodness_of(-3, METRICS["volume_difference"], 12)
    (0.25, 0.75)
    """
    if not metric.better:
        return None
    if metric.better == "zero":
        low, high = 0.0, extreme if metric.limits is None else max(map(abs, metric.limits))
        value = abs(value)
    else:
        low, high = (0.0, extreme) if metric.limits is None else metric.limits
    share = (value - low) / (high - low) if high > low else 0.0
    share = min(max(share, 0.0), 1.0)
    return share if metric.better == "higher" else 1.0 - share


def help_of(report: Report, metric: Metric) -> str:
    """Title, definition and help of a metric, as rich text."""
    parts = (report.title_of(metric), report.definition_of(metric), metric.help)
    title, definition, text = (html.escape(part) for part in parts)
    return f"<b>{title}</b><p>{definition}</p><p>{text}</p>"


def means_in_words(results: Results) -> str:
    """How many classes entered the means, and how many did not."""
    found = {
        (score.n_used, score.n_nan, score.n_empty)
        for report, metric in _all_metrics(results)
        if metric.per_class
        for score in [report.scores[metric.name]]
    }
    if not found:
        return ""
    if len(found) == 1:
        return f"Means are over {_counts_in_words(*found.pop())}."
    used = sorted({n_used for n_used, _nan, _empty in found})
    span = f"{used[0]}" if len(used) == 1 else f"{used[0]} to {used[-1]}"
    return f"Means are over {span} classes; point at one for what it left out."


def _class_lines(result: Result, report: Report, results: Results) -> Iterable[Line]:
    colours = {entry.id: entry.colour for entry in results.reference.classes}
    for label in report.classes:
        yield Line(_class_title(results, label), result, label, colour=colours.get(label))
    scopes = list(_AVERAGES) if report.micro else ["mean"]
    yield from (Line(f"{scope}, foreground", result, scope) for scope in scopes)


def _class_title(results: Results, label: int) -> str:
    reports = (result.report for result in results.results if result.report is not None)
    names = (report.class_title(label) for report in reports if label in report.names)
    return next(names, str(label) if label else "0 background")


def _headline(result: Result) -> str:
    return f"{result.name}: {result.error}" if result.report is None else result.name


def _metrics(results: Results) -> Iterable[tuple[Report, Metric]]:
    """The metrics, each with a report that has it."""
    found = {metric.name: (report, metric) for report, metric in _all_metrics(results)}
    return found.values()


def _all_metrics(results: Results) -> Iterable[tuple[Report, Metric]]:
    for result in results.results:
        if result.report is not None:
            yield from ((result.report, metric) for metric in result.report.metrics)


def _why_none(score: Score, metric: Metric, scope: Scope) -> str:
    if isinstance(scope, int):
        return score.reasons.get(scope, _OTHER_CLASSES)
    is_other = scope != "mean" and metric.group != "overlap"
    return _OVERLAP_ONLY if is_other else score.mean_reason


def _said(report: Report, metric: Metric, scope: Scope) -> str:
    """What a value is of, in full."""
    score = report.scores[metric.name]
    value = f"{metric.title} {value_in(score, scope):.9g} {report.unit_of(metric)}".rstrip()
    if isinstance(scope, int):
        return f"{value}, class {report.class_title(scope)}"
    if not metric.per_class:
        return value
    counts = _counts_in_words(score.n_used, score.n_nan, score.n_empty)
    return f"{value}, {_AVERAGES[scope]}: {counts}"


def _counts_in_words(n_used: int, n_nan: int, n_empty: int) -> str:
    said = f"{n_used} foreground class{'' if n_used == 1 else 'es'}"
    if n_nan:
        said += f"; {n_nan} without a value left out"
    if n_empty:
        said += f", {n_empty} of them in neither prediction nor reference"
    return said
