"""What an evaluation found, as values, tables and files."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .definitions import Definitions
from .metric import Metric
from .score import Score

if TYPE_CHECKING:
    from .objects.instances import Instances
    from .objects.rows import ObjectRow

_POWERS = {2: "²", 3: "³", 4: "⁴"}


@dataclass(frozen=True, eq=False)
class Report:
    """Metrics of a prediction against a reference.

    Attributes
    ----------
    scores : mapping of metric name to Score
        All there is to say of each metric; the properties below are shorter ways to it.
    metrics : tuple of Metric
        Definitions of the values.
    confusion : (N, N) int64 array
        Voxels by reference label (rows) and predicted label (columns). Empty if no metric
        of classes was asked for.
    labels : tuple of int
        Label of each row and column.
    names : mapping of label to str
        Class names, where known.
    definitions : Definitions
        What the names of metrics leave open.
    spacing : tuple of float
        Voxel size per spatial axis, in `length_unit`.
    space_unit : str or None
        "mm", "um", …; "units" for steps of no stated unit, None if nothing is known.
    instances : Instances or None
        How objects were matched, if metrics of them were asked for.
    objects : tuple of ObjectRow
        What became of each, and where it lies.
    """

    scores: Mapping[str, Score]
    metrics: tuple[Metric, ...]
    confusion: NDArray[np.int64]
    labels: tuple[int, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    definitions: Definitions = field(default_factory=Definitions)
    spacing: tuple[float, ...] = ()
    space_unit: str | None = None
    instances: Instances | None = None
    objects: tuple[ObjectRow, ...] = ()

    @property
    def per_class(self) -> dict[str, Mapping[int, float]]:
        """Values by metric and label, background (0) included; NaN where there is none."""
        return {m.name: self.scores[m.name].per_class for m in self.metrics if m.per_class}

    @property
    def mean(self) -> dict[str, float]:
        """Mean over the foreground classes that have a value, or the value of the image."""
        return {name: score.mean for name, score in self.scores.items()}

    @property
    def micro(self) -> dict[str, float]:
        """Overlap metrics of the counts added up of all foreground classes that occur."""
        return {m.name: self.scores[m.name].micro for m in self._averaged}

    @property
    def weighted(self) -> dict[str, float]:
        """Means of overlap metrics weighted by the voxels of the reference."""
        return {m.name: self.scores[m.name].weighted for m in self._averaged}

    @property
    def reasons(self) -> dict[str, Mapping[int, str]]:
        """Why a class has no value, by metric and label."""
        return {m.name: self.scores[m.name].reasons for m in self.metrics if m.per_class}

    @property
    def n_used(self) -> dict[str, int]:
        """Foreground classes that entered the mean."""
        return {m.name: self.scores[m.name].n_used for m in self.metrics if m.per_class}

    @property
    def n_nan(self) -> dict[str, int]:
        """Foreground classes that have no value."""
        return {m.name: self.scores[m.name].n_nan for m in self.metrics if m.per_class}

    @property
    def overall(self) -> dict[str, float]:
        """The metrics of the whole image."""
        return {m.name: self.mean[m.name] for m in self.metrics if not m.per_class}

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes reported on."""
        found = {label for score in self.scores.values() for label in score.per_class}
        return tuple(sorted(found))

    @property
    def unit(self) -> str:
        """Unit of volumes."""
        if self.space_unit is None:
            return "voxels"
        return f"{self.space_unit}{_POWERS.get(len(self.spacing), '')}"

    @property
    def length_unit(self) -> str:
        """Unit of distances."""
        return self.space_unit or "voxels"

    def unit_of(self, metric: Metric) -> str:
        """Unit of a metric's values; "" for plain numbers."""
        return {"volume": self.unit, "length": self.length_unit}.get(metric.unit, "")

    def definition_of(self, metric: Metric) -> str:
        """The formula of a metric, with the choices that matter to it."""
        return self.definitions.of(metric, self.length_unit)

    def title_of(self, metric: Metric) -> str:
        """The title of a metric, with its unit."""
        unit = self.unit_of(metric)
        return f"{metric.title} ({unit})" if unit else metric.title

    def class_title(self, label: int) -> str:
        """Number and name of a class."""
        return f"{label} {self.names.get(label, '')}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        return {
            "metrics": {
                m.name: {
                    "title": m.title,
                    "formula": m.formula,
                    "definition": self.definition_of(m),
                    "unit": self.unit_of(m),
                }
                for m in self.metrics
            },
            "per_class": {
                name: {str(label): _plain(value) for label, value in values.items()}
                for name, values in self.per_class.items()
            },
            "mean": _plain_values(self.mean),
            "micro": _plain_values(self.micro),
            "weighted": _plain_values(self.weighted),
            "reasons": {
                name: {str(label): text for label, text in texts.items()}
                for name, texts in self.reasons.items()
            },
            "mean_reasons": {
                name: score.mean_reason for name, score in self.scores.items() if score.mean_reason
            },
            "weighted_reasons": {
                name: self.scores[name].weighted_reason or self.scores[name].mean_reason
                for name, value in self.weighted.items()
                if math.isnan(value)
            },
            "n_used": self.n_used,
            "n_nan": self.n_nan,
            "n_empty": {name: self.scores[name].n_empty for name in self.n_nan},
            "names": {str(label): name for label, name in self.names.items()},
            "objects": [dataclasses.asdict(row) for row in self.objects],
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
            "spacing": list(self.spacing),
            "volume_unit": self.unit,
            "length_unit": self.length_unit,
        }

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per metric and class, and one per mean.

        `n` is the number of reference voxels of the class, of classes in the average, or, for
        metrics of the whole image, of voxels in the confusion matrix. The file appears whole
        or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        from .tables import write_rows

        write_rows(path, self.rows())

    def objects_to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per object; sizes in voxels, centroids as voxel indices.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        from .report_tables import object_rows
        from .tables import write_rows

        write_rows(path, object_rows(self))

    def rows(self) -> list[dict[str, str]]:
        """The rows of `to_csv`."""
        from .report_tables import rows_of

        return list(rows_of(self))

    def to_markdown(self) -> str:
        """Table of classes by metrics with the means below, then the whole-image values."""
        from .report_tables import markdown

        return markdown(self)

    def to_latex(self) -> str:
        """The same table as LaTeX, for the package booktabs."""
        from .report_tables import latex

        return latex(self)

    @property
    def _averaged(self) -> tuple[Metric, ...]:
        return tuple(m for m in self.metrics if m.per_class and m.group == "overlap")


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _plain_values(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _plain(value) for name, value in values.items()}
