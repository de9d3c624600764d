"""The picture of a probability report: precision over recall, ROC and reliability."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..pictures import check_picture, write_picture
from ..tables import shown
from .report import ProbabilityReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNIT = (-0.02, 1.02)


def draw(report: ProbabilityReport, axes: Sequence[Axes]) -> None:
    """Draw into three axes; a curve without values leaves its axes empty."""
    precision_recall, roc, reliability = axes
    precision_recall.plot(report.recall, report.precision, drawstyle="steps-pre")
    precision_recall.set(
        title=f"Average precision {shown(report.average_precision)}",
        xlabel="recall",
        ylabel="precision",
    )
    # Above the highest threshold nothing is predicted.
    roc.plot([0, *report.false_positive_rate], [0, *report.true_positive_rate])
    roc.set(
        title=f"Area under ROC {shown(report.auc)}",
        xlabel="false-positive rate",
        ylabel="true-positive rate",
    )
    reliability.plot(report.bins.confidence, report.bins.frequency, "o-")
    reliability.set(
        title=f"Calibration error {shown(report.ece)}",
        xlabel="mean probability",
        ylabel="share of the class",
    )
    for one in (roc, reliability):
        one.plot([0, 1], [0, 1], color="0.7", linestyle="--", zorder=0)
    for one in axes:
        one.set(xlim=_UNIT, ylim=_UNIT, aspect="equal", xticks=np.linspace(0, 1, 6))


def write(report: ProbabilityReport, path: str | os.PathLike[str]) -> None:
    """Draw into a picture file; it appears whole or not at all.

    Raises
    ------
    FormatError
        If the file cannot be written, or is to be of another format than PNG, SVG or PDF.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_picture(path)
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    draw(report, figure.subplots(1, 3))
    write_picture(figure, path)
