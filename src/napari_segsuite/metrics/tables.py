"""Results as tables that people read, as CSV and as plain data."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

COLUMNS = ("metric", "definition", "class", "name", "value", "unit", "n", "reason")
# Spreadsheets take cells that start so for formulas.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table whose first column has words and whose other ones have numbers.

    Examples
    --------
    >>> print(markdown_table(["Class", "Dice"], [["1 a|b", "0.9"]]), end="")
    | Class | Dice |
    | --- | ---: |
    | 1 a\|b | 0.9 |
    """
    rule = ["---", *["---:"] * (len(heads) - 1)]
    lines = [_line(heads), f"| {' | '.join(rule)} |", *map(_line, rows)]
    return "\n".join(lines) + "\n"


def shown(value: float) -> str:
    """A number as people read it.

    Examples
    --------
    >>> shown(0.123456), shown(1234567.0), shown(float("nan"))
    ('0.1235', '1234567', '–')
    """
    if math.isnan(value):
        return "–"
    # No power of ten in a table that people read.
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def csv_text(rows: Iterable[Mapping[str, str]]) -> str:
    """Rows of equal columns as comma-separated values.

    Examples
    --------
    >>> csv_text([{"case": "a", "value": "1,5"}]).splitlines()
    ['case,value', 'a,"1,5"']
    """
    listed = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(listed[0]) if listed else COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return text.getvalue()


def write_rows(path: str | os.PathLike[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows of equal columns as CSV; the file appears whole or not at all.

    Raises
    ------
    FormatError
        If the folder is missing or cannot be written to.
    """
    from ..io.atomic import atomic_path

    text = csv_text(rows)
    with atomic_path(path) as scratch:
        scratch.write_text(text, encoding="utf-8", newline="")


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain_fields(record: object) -> dict[str, Any]:
    """The fields of a dataclass for JSON: NaN becomes None.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> plain_fields(SimpleNamespace(name="a", mean=float("nan")))
    {'name': 'a', 'mean': None}
    """
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in vars(record).items()
    }


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
