"""What a comparison of methods found, as values, tables and files."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, Literal

from ..image import Image, Segmentation
from ..metrics import Metric, Report

Match = Literal["auto", "none"]

_COLUMNS = ("name", "method", "settings", "seconds", "memory_bytes", "labels", "matching", "error")
_MOST_PAIRS = 16


@dataclass(frozen=True, eq=False)
class Row:
    """One entry of a comparison.

    Attributes
    ----------
    name : str
    method : str
        Method id.
    settings : mapping
        All of them.
    memory : int
        Bytes that the method states as its peak for this image, beyond the inputs.
    seconds : float or None
        Wall time of the run, compiling excluded; None if it failed.
    n_labels : int or None
        How many objects or classes there are.
    matching : mapping of int to int, or None
        Label of the result to class of the reference, for what was matched; None where
        labels were compared as they are.
    report : Report or None
        Scores, over the classes of the reference.
    error : str
        Why there is no result, or no score.
    """

    name: str
    method: str
    settings: Mapping[str, Any]
    memory: int
    seconds: float | None = None
    n_labels: int | None = None
    matching: Mapping[int, int] | None = None
    report: Report | None = None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        matching = self.matching
        return {
            "name": self.name,
            "method": self.method,
            "settings": dict(self.settings),
            "seconds": self.seconds,
            "memory_bytes": self.memory,
            "labels": self.n_labels,
            "matching": matching and {str(label): into for label, into in matching.items()},
            "scores": self.report and self.report.to_dict(),
            "error": self.error,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods side by side on one image.

    Attributes
    ----------
    image : Image
    rows : tuple of Row
        One per entry, in the order they were given in.
    results : mapping of str to Segmentation
        By name of the entry; without those that failed. Labels are numbered as the method
        did, and have the names and colours of the reference's classes they are matched to.
    reference : Segmentation or None
    match : {"auto", "none"}
    """

    image: Image
    rows: tuple[Row, ...]
    results: Mapping[str, Segmentation] = field(default_factory=dict)
    reference: Segmentation | None = None
    match: Match = "auto"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Definitions of the scores there are, the same for all rows."""
        return next((row.report.metrics for row in self.rows if row.report is not None), ())

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes of the reference that were scored, background (0) included."""
        return next((row.report.classes for row in self.rows if row.report is not None), ())

    def class_title(self, label: int) -> str:
        """Number and name of a class."""
        reports = (row.report for row in self.rows if row.report is not None)
        name = next((report.names[label] for report in reports if label in report.names), "")
        return f"{label} {name}".strip() if name != f"class {label}" else str(label)

    # --- tables -----------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "image": self.image.name,
            "reference": None if self.reference is None else self.reference.name,
            "match": self.match,
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per entry: the mean of each metric, then its value per class.

        The file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        from ..io.atomic import atomic_path

        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        scored = [(metric, label) for metric in self.metrics for label in self._scopes(metric)]
        heads = [
            metric.name if label is None else f"{metric.name} {self.class_title(label)}"
            for metric, label in scored
        ]
        table.writerow([*_COLUMNS, *heads])
        for row in self.rows:
            table.writerow([*_facts(row), *(_exact(value_of(row, *scope)) for scope in scored)])
        with atomic_path(path) as scratch:
            scratch.write_text(text.getvalue(), encoding="utf-8", newline="")

    def to_markdown(self) -> str:
        """Table of the entries with the mean of each metric, and how to read it."""
        heads = ["Method", "Time (s)", "Memory (MiB)", "Labels", *map(self._head, self.metrics)]
        cells = [
            [*_in_short(row), *(shown(value_of(row, metric)) for metric in self.metrics)]
            for row in self.rows
        ]
        return "\n\n".join([_table(heads, cells), *self._notes()]) + "\n"

    def class_tables(self) -> str:
        """A Markdown table of entries by classes for each metric that classes have."""
        parts = []
        for metric in self.metrics:
            if metric.per_class:
                heads = ["Method", *map(self.class_title, self.classes)]
                cells = [
                    [row.name, *(shown(value_of(row, metric, label)) for label in self.classes)]
                    for row in self.rows
                ]
                parts += [f"### {self._head(metric)}", metric.formula, _table(heads, cells)]
        return "\n\n".join(parts)

    # --- files ------------------------------------------------------------------------
    def save_report(
        self, folder: str | os.PathLike[str], slice_index: int | None = None
    ) -> tuple[Path, ...]:
        """Write tables, a picture and the labels of each entry to a folder.

        Each file appears whole or not at all: ``NAME.nii.gz`` for each result,
        ``comparison.png``, ``comparison.csv``, and last ``report.md``.

        Parameters
        ----------
        folder : path
            Made where there is none.
        slice_index : int, optional
            Slice of a volume that the picture shows, along its first axis; by default the
            middle one.

        Returns
        -------
        tuple of Path
            What was written.

        Raises
        ------
        FormatError
            If the folder cannot be made or written to.
        InputError
            If there is no such slice.
        """
        from .files import save_report

        return save_report(self, Path(folder), slice_index)

    # --- words ------------------------------------------------------------------------
    def _scopes(self, metric: Metric) -> tuple[int | None, ...]:
        return (None, *self.classes) if metric.per_class else (None,)

    def _head(self, metric: Metric) -> str:
        report = next(row.report for row in self.rows if row.report is not None)
        return report.title_of(metric)

    def _notes(self) -> list[str]:
        notes = [
            "Time is that of one run, compiling excluded; memory is what the method states as "
            "its peak, beyond its inputs.",
            *(f"{row.name}: {row.error}" for row in self.rows if row.error),
        ]
        if self.reference is not None:
            notes.insert(1, self._matching_note())
        return notes

    def _matching_note(self) -> str:
        scope = "Scores are means over the classes of the reference, without label 0."
        matched = [row for row in self.rows if row.matching is not None]
        if not matched:
            return f"{scope} Labels were compared as they are."
        pairs = "; ".join(f"{row.name}: {_pairs(row.matching)}" for row in matched)
        return (
            f"{scope} Labels of methods without seeds have arbitrary numbers: each class was given "
            f"one of them so that the most voxels agree, and those left over the class that they "
            f"overlap most ({pairs})."
        )


def value_of(row: Row, metric: Metric, label: int | None = None) -> float:
    """Score of a row: of one class, or else the mean; NaN where there is none."""
    if row.report is None:
        return math.nan
    if label is None:
        return row.report.mean[metric.name]
    return row.report.per_class[metric.name].get(label, math.nan)


def shown(value: float | None) -> str:
    """A number as people read it.

    Examples
    --------
    >>> shown(0.12345), shown(123456.0), shown(float("nan"))
    ('0.123', '123456', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def distinct(names: Iterable[str], separator: str = " ") -> list[str]:
    """The names, with a number after those that were there before, in whatever case.

    Examples
    --------
    >>> distinct(["SLIC", "SLIC", "Otsu"])
    ['SLIC', 'SLIC 2', 'Otsu']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        numbered = (f"{name}{separator}{number}" for number in count(2))
        free = next(new for new in chain([name], numbered) if new.casefold() not in taken)
        found.append(free)
        taken.add(free.casefold())
    return found


def _facts(row: Row) -> list[str]:
    seconds = "" if row.seconds is None else f"{row.seconds:.6g}"
    n_labels = "" if row.n_labels is None else str(row.n_labels)
    settings = settings_as_json(row.settings)
    pairs = _pairs(row.matching)
    return [row.name, row.method, settings, seconds, str(row.memory), n_labels, pairs, row.error]


def _in_short(row: Row) -> list[str]:
    n_labels = "–" if row.n_labels is None else str(row.n_labels)
    return [row.name, shown(row.seconds), f"{row.memory / 2**20:.1f}", n_labels]


def _exact(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def _pairs(matching: Mapping[int, int] | None) -> str:
    pairs = [f"{label}→{into}" for label, into in sorted((matching or {}).items())]
    more = len(pairs) - _MOST_PAIRS
    return ", ".join(pairs[:_MOST_PAIRS]) + (f" and {more} more" if more > 0 else "")


def settings_as_json(settings: Mapping[str, Any]) -> str:
    """Settings in one line."""
    return json.dumps(dict(settings), ensure_ascii=False)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns stand below each other as plain text, too."""
    lines = [[_cell(text) for text in line] for line in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(_aligned(line, widths))} |" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = line
    numbers = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
    return [first.ljust(widths[0]), *numbers]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
