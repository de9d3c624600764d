"""Results of several predictions as text: Markdown, LaTeX, and one long table."""

from __future__ import annotations

from ...metrics import tables
from ...metrics.tables import COLUMNS, harmless
from .results import Result, Results


def rows_of(results: Results) -> list[dict[str, str]]:
    """The rows of every report, with the name of the layer before them.

    A prediction that could not be measured has one row, which says why.
    """
    return [
        {"layer": harmless(result.name), **row}
        for result in results.results
        for row in (_failure(result) if result.report is None else result.report.rows())
    ]


def csv_text(results: Results) -> str:
    """The rows as comma-separated values."""
    return tables.csv_text(rows_of(results))


def markdown_text(results: Results) -> str:
    """A section with its table for each prediction."""
    return "\n".join(
        f"### {_one_line(result.name)}\n\n"
        + (f"{result.error}\n" if result.report is None else result.report.to_markdown())
        for result in results.results
    )


def latex_text(results: Results) -> str:
    """A tabular for each prediction, its name in a comment."""
    return "\n".join(
        f"% {_one_line(result.name)}\n"
        + (f"% {result.error}\n" if result.report is None else result.report.to_latex())
        for result in results.results
    )


def _one_line(name: str) -> str:
    return " ".join(name.split())


def _failure(result: Result) -> list[dict[str, str]]:
    return [dict.fromkeys(COLUMNS, "") | {"reason": result.error}]
