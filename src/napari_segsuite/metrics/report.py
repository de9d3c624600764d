"""What an evaluation found, as values, tables and files."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .overlap import Metric

_COLUMNS = ("metric", "definition", "class", "name", "value", "unit", "n", "reason")
_MEAN = "mean"
# Spreadsheets take cells that start so for formulas.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, eq=False)
class Report:
    """Metrics of a prediction against a reference.

    Attributes
    ----------
    per_class : mapping of metric name to mapping of label to float
        Background (0) included. NaN where there is no value; `reasons` says why.
    mean : mapping of metric name to float
        Mean over the foreground classes that have a value; for metrics of the whole image
        (accuracy, mean_accuracy, mean_iou, …) their value.
    confusion : (N, N) int64 array
        Voxels by reference label (rows) and predicted label (columns).
    labels : tuple of int
        Label of each row and column.
    metrics : tuple of Metric
        Definitions of the values.
    names : mapping of label to str
        Class names, where known.
    reasons : mapping of metric name to mapping of label to str
        Why a value is NaN.
    n_used, n_nan : mapping of metric name to int
        Foreground classes that entered the mean, and that had no value.
    unit : str
        Unit of volumes.
    """

    per_class: Mapping[str, Mapping[int, float]]
    mean: Mapping[str, float]
    confusion: NDArray[np.int64]
    labels: tuple[int, ...]
    metrics: tuple[Metric, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    n_used: Mapping[str, int] = field(default_factory=dict)
    n_nan: Mapping[str, int] = field(default_factory=dict)
    unit: str = "voxels"

    @property
    def overall(self) -> dict[str, float]:
        """The metrics of the whole image."""
        return {m.name: self.mean[m.name] for m in self.metrics if not m.per_class}

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes reported on."""
        found = {label for values in self.per_class.values() for label in values}
        return tuple(sorted(found))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        return {
            "metrics": {m.name: {"title": m.title, "formula": m.formula} for m in self.metrics},
            "per_class": {
                name: {str(label): _plain(value) for label, value in values.items()}
                for name, values in self.per_class.items()
            },
            "mean": {name: _plain(value) for name, value in self.mean.items()},
            "reasons": {
                name: {str(label): text for label, text in texts.items()}
                for name, texts in self.reasons.items()
            },
            "n_used": dict(self.n_used),
            "n_nan": dict(self.n_nan),
            "names": {str(label): name for label, name in self.names.items()},
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "volume_unit": self.unit,
        }

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per metric and class, and one per mean.

        `n` is the number of reference voxels of the class, or of classes in the mean. The
        file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        from ..io.atomic import atomic_path

        text = io.StringIO()
        writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        with atomic_path(path) as scratch:
            scratch.write_text(text.getvalue(), encoding="utf-8", newline="")

    def rows(self) -> Iterator[dict[str, str]]:
        """The rows of `to_csv`."""
        voxels = dict(zip(self.labels, self.confusion.sum(axis=1).tolist(), strict=True))
        for metric in self.metrics:
            for label, value in self.per_class.get(metric.name, {}).items():
                reason = self.reasons.get(metric.name, {}).get(label, "")
                name = self.names.get(label, "")
                yield self._row(metric, str(label), name, value, voxels.get(label, 0), reason)
            scope = _MEAN if metric.per_class else "all"
            n = self.n_used[metric.name] if metric.per_class else int(self.confusion.sum())
            value = self.mean[metric.name]
            reason = "no class has a value" if math.isnan(value) else ""
            yield self._row(metric, scope, "", value, n, reason)

    def _row(
        self, metric: Metric, scope: str, name: str, value: float, n: int, reason: str
    ) -> dict[str, str]:
        cells = (
            metric.name,
            metric.formula,
            scope,
            _harmless(name),
            "" if math.isnan(value) else repr(float(value)),
            self.unit if metric.has_volume_unit else "",
            str(n),
            reason,
        )
        return dict(zip(_COLUMNS, cells, strict=True))

    def to_markdown(self) -> str:
        """Table of classes by metrics with the means below, then the whole-image values."""
        columns = [metric for metric in self.metrics if metric.per_class]
        lines = []
        if columns:
            heads = [f"{m.title} ({self.unit})" if m.has_volume_unit else m.title for m in columns]
            lines += [_line(["Class", *heads]), _line(["---", *["---:"] * len(heads)])]
            for label in self.classes:
                name = f"{label} {self.names.get(label, '')}".strip()
                values = [_shown(self.per_class[m.name][label], m) for m in columns]
                lines.append(_line([name, *values]))
            means = [_shown(self.mean[m.name], m) for m in columns]
            lines.append(_line(["mean, foreground", *means]))
        whole = [
            f"- {m.title}: {_shown(self.mean[m.name], m)}" for m in self.metrics if not m.per_class
        ]
        return "\n".join([*lines, *([""] if lines and whole else []), *whole]) + "\n"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _shown(value: float, metric: Metric) -> str:
    if math.isnan(value):
        return "–"
    # Volumes grow large: no power of ten in a table that people read.
    return f"{value:.0f}" if metric.has_volume_unit and abs(value) >= 1000 else f"{value:.4g}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
