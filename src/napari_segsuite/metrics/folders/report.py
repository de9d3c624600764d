"""What the evaluation of a folder found, as values, tables and files."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..metric import Metric
from ..report import Report
from ..report_tables import definition_notes, rows_of
from ..tables import COLUMNS, harmless, markdown_table, plain_fields, shown, write_rows
from .pairs import FilePair
from .summary import MEAN, SummaryRow, summarise, units_of

_HEADS = ("Metric", "Class", "n", "No value", "Mean", "95 % CI", "SD", "Median", "Quartiles",
          "Min", "Max", "Lowest case")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """A prediction held against its reference.

    Attributes
    ----------
    pair : FilePair
    report : Report or None
        None if the files could not be compared.
    error : str
        Why not.
    """

    pair: FilePair
    report: Report | None = None
    error: str = ""

    @property
    def name(self) -> str:
        """Name of the reference file, without extension."""
        return self.pair.name

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "prediction": str(self.pair.prediction),
            "reference": str(self.pair.reference),
            "report": self.report and self.report.to_dict(),
            "error": self.error,
        }


@dataclass(frozen=True, eq=False)
class FolderReport:
    """Metrics of many predictions against their references.

    Attributes
    ----------
    cases : tuple of Case
        By name.
    only_predictions, only_references : tuple of Path
        Files without a partner, which nothing is said about, relative to their folder.
    summary : tuple of SummaryRow
        One row per metric and class, over the cases that could be compared.

    Examples
    --------
    >>> from ..evaluation import evaluate
    >>> pair = FilePair("case", Path("predictions/case.nii"), Path("references/case.nii"))
    >>> report = FolderReport((Case(pair, evaluate([[0, 1, 1]], [[0, 1, 0]], metrics="dice")),))
    >>> row = report.summary[-1]
    >>> row.metric.name, row.scope, row.n, round(row.mean, 4), row.reason
    ('dice', 'mean', 1, 0.6667, 'one value: an interval takes two at least')
    """

    cases: tuple[Case, ...]
    only_predictions: tuple[Path, ...] = ()
    only_references: tuple[Path, ...] = ()
    summary: tuple[SummaryRow, ...] = field(init=False)

    def __post_init__(self) -> None:
        # Not when it is asked for: hundreds of classes take seconds, in a viewer's own thread.
        object.__setattr__(self, "summary", summarise(self.reports))

    @cached_property
    def reports(self) -> dict[str, Report]:
        """Reports by case, for the cases that have one."""
        return {case.name: case.report for case in self.cases if case.report is not None}

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why the other cases have none, by case."""
        return {case.name: case.error for case in self.cases if case.report is None}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Definitions of the values, the same for all cases."""
        return next((report.metrics for report in self.reports.values()), ())

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        return {
            "cases": [case.to_dict() for case in self.cases],
            "summary": [_plain_row(row) for row in self.summary],
            "only_predictions": list(map(str, self.only_predictions)),
            "only_references": list(map(str, self.only_references)),
        }

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows of each case's `Report.to_csv`, after a column with its name.

        A case that could not be compared has one row with the reason. The file appears
        whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        write_rows(path, self.rows())

    def rows(self) -> Iterator[dict[str, str]]:
        """The rows of `to_csv`."""
        for case in self.cases:
            name = {"case": harmless(case.name)}
            if case.report is None:
                yield name | dict.fromkeys(COLUMNS, "") | {"reason": harmless(case.error)}
            else:
                yield from (name | row for row in rows_of(case.report))

    def to_markdown(self) -> str:
        """Summary, means of each case, definitions, and the files that have no numbers."""
        parts = [self._counts(), *self._tables()]
        failed = [f"{name}: {error}" for name, error in self.failures.items()]
        parts += _listed("Cases that could not be compared", failed)
        parts += _listed("Predictions without a reference", self.only_predictions)
        parts += _listed("References without a prediction", self.only_references)
        return "\n\n".join(part.strip() for part in parts) + "\n"

    def plot(self, path: str | os.PathLike[str], metrics: Sequence[str] | None = None) -> None:
        """Draw box plots of metrics with a point for each case, class by class.

        Parameters
        ----------
        path : path
            Picture to write, ending in .png, .svg or .pdf; it appears whole or not at all.
        metrics : sequence of str, optional
            Names of metrics in this report; by default Dice, or the first if that is not there.

        Raises
        ------
        ParameterError
            If a metric is not in this report.
        FormatError
            If the file cannot be written, or is to be of another format.
        """
        from .picture import draw

        measured = [metric.name for metric in self.metrics]
        usual = ["dice"] if "dice" in measured else measured[:1]
        draw(Path(path), self.reports, usual if metrics is None else metrics)

    def _counts(self) -> str:
        n, n_compared = len(self.cases), len(self.reports)
        return f"{n_compared} of {n} pair{'' if n == 1 else 's'} of files compared."

    def _tables(self) -> list[str]:
        if not self.reports:
            return []
        first = next(iter(self.reports.values()))
        heads = ["Case", *(_title(metric, self.reports) for metric in self.metrics)]
        means = [
            [name, *(shown(report.mean[m.name]) for m in self.metrics)]
            for name, report in self.reports.items()
        ]
        notes = definition_notes(first)
        return [
            "## Over all cases",
            markdown_table(_HEADS, map(_cells, self.summary)),
            "## Case by case, mean of the foreground classes or value of the image",
            markdown_table(heads, means),
            *(["\n".join(notes)] if notes else []),
        ]


def _cells(row: SummaryRow) -> list[str]:
    title = f"{row.metric.title} ({row.unit})" if row.unit else row.metric.title
    scope = "mean, foreground" if row.scope == MEAN else f"{row.scope} {row.name}".strip()
    mean, sd, median, low, high, q1, q3, lowest, highest = (
        shown(value)
        for value in (
            row.mean, row.sd, row.median, row.low, row.high, row.q1, row.q3, row.min, row.max,
        )
    )  # fmt: skip
    ranges = f"{low} to {high}", f"{q1} to {q3}"
    counts = [title, scope, str(row.n), str(row.n_nan)]
    if math.isnan(row.mean):
        return [*counts, *["–"] * 7, row.reason]
    return [*counts, mean, ranges[0], sd, median, ranges[1], lowest, highest, row.min_case]


def _title(metric: Metric, reports: Mapping[str, Report]) -> str:
    units = units_of(metric, reports)
    return f"{metric.title} ({' or '.join(units)})" if units else metric.title


def _plain_row(row: SummaryRow) -> dict[str, Any]:
    return plain_fields(row) | {"metric": row.metric.name}


def _listed(title: str, entries: Sequence[object]) -> list[str]:
    """A section; none if there is nothing to list."""
    return [f"## {title}", "\n".join(f"- {entry}" for entry in entries)] if entries else []
