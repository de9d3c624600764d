"""Whose values a table of cases has: those of one class, or their means."""

from __future__ import annotations

import math
from collections.abc import Mapping

from qtpy.QtWidgets import QComboBox

from ...metrics import Metric, Report
from ...metrics.folders.summary import name_of

MEAN = "mean of the foreground"
_NOT_THERE = "neither prediction nor reference has this class"
_SHOWN_LETTERS = 12


class ClassChoice(QComboBox):
    """Drop-down of the classes of some reports, and the mean over them."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("Show the values of one class, or the mean over the foreground classes.")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_SHOWN_LETTERS)
        self.offer({})

    @property
    def label(self) -> int | None:
        """The class that is chosen; None for the mean."""
        label: int | None = self.currentData()
        return label

    def offer(self, reports: Mapping[str, Report]) -> None:
        """Offer the classes of reports by case; the one chosen stays, if it is among them."""
        chosen = self.label
        labels = sorted({label for report in reports.values() for label in report.classes})
        before = self.blockSignals(True)
        self.clear()
        self.addItem(MEAN, None)
        for label in labels:
            self.addItem(f"{label} {name_of(str(label), reports)}".strip(), label)
        self.setCurrentIndex(labels.index(chosen) + 1 if chosen in labels else 0)
        self.blockSignals(before)


def value_of(report: Report, metric: Metric, label: int | None) -> tuple[float, str]:
    """A value of a report, and why there is none; of the image if there are no others."""
    score = report.scores[metric.name]
    if label is None or not metric.per_class:
        return score.mean, score.mean_reason
    return score.per_class.get(label, math.nan), score.reasons.get(label, _NOT_THERE)
