"""Box plots of one metric over many cases, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ...metrics import Metric, Report
from ...metrics.folders.picture import draw_metric
from ...metrics.folders.report import FolderReport
from ..form_parts import text_label
from ..themed_plot import ThemedPlot

if TYPE_CHECKING:
    from napari.components import ViewerModel

_HEIGHT = 200
_NOTHING = "No case could be compared."


class BoxPlotView(QWidget):
    """Drop-down of the metrics, and a box with points for each class.

    Parameters
    ----------
    viewer : ViewerModel
        Whose theme the plot follows.

    Attributes
    ----------
    title : str
    """

    title = "Box plots"

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._reports: Mapping[str, Report] = {}
        self.choice = QComboBox()
        self.choice.setToolTip("The metric that is drawn.")
        self.sentence = text_label(_NOTHING)
        self.plot = ThemedPlot()
        self.plot.setMinimumHeight(_HEIGHT)
        self.plot.setToolTip("A box from quartile to quartile, its median, and a point per case.")
        self.plot.follow(viewer)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addWidget(self.sentence)
        layout.addWidget(self.plot, 1)
        self.choice.currentIndexChanged.connect(lambda _: self._draw())
        self.show_report(None)

    @property
    def metric(self) -> Metric | None:
        """The metric that is drawn."""
        chosen: Metric | None = self.choice.currentData()
        return chosen

    def show_report(self, report: FolderReport | None) -> None:
        """Draw a report; the metric chosen stays, if it was measured."""
        self._reports = {} if report is None else report.reports
        metrics = () if report is None else report.metrics
        before = self.choice.blockSignals(True)
        chosen = self.choice.currentText()
        self.choice.clear()
        for metric in metrics:
            self.choice.addItem(metric.title, metric)
        self.choice.setCurrentIndex(max(self.choice.findText(chosen), 0))
        self.choice.blockSignals(before)
        for part in (self.choice, self.plot):
            part.setVisible(bool(metrics))
        self.sentence.setVisible(report is not None and not metrics)
        self._draw()

    def _draw(self) -> None:
        metric, reports = self.metric, self._reports
        if metric is None:
            self.plot.show_drawing(lambda _plot: None)
        else:
            self.plot.show_drawing(lambda plot: _draw_boxes(plot, metric, reports))


def _draw_boxes(plot: ThemedPlot, metric: Metric, reports: Mapping[str, Report]) -> None:
    axes = plot.figure.add_subplot()
    draw_metric(axes, metric, reports)
    for part in (*axes.lines, *axes.texts):
        part.set_color(plot.ink)
    for points in axes.collections:
        if _is_grey(points.get_facecolor()):
            points.set_facecolor(plot.ink)


def _is_grey(colours: Any) -> bool:
    return bool(np.ptp(np.asarray(colours)[:, :3]) == 0)
