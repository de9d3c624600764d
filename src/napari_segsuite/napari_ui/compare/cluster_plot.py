"""Scores over the number of clusters, drawn in the colours of the viewer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QSize
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QSizePolicy

if TYPE_CHECKING:
    from ...cluster_sweep import ClusterSweep

_COLUMNS = 2
_LINE_HEIGHT = 110
_WIDTH = 320
_SMALL = 7


class ClusterPlot(FigureCanvasQTAgg):
    """One small diagram for each score, the suggested number marked."""

    def __init__(self) -> None:
        super().__init__(Figure(layout="constrained"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._paper, self._ink = "black", "white"

    def sizeHint(self) -> QSize:
        """Room for two diagrams beside each other, not for a page."""
        return QSize(_WIDTH, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """The same: in less, numbers would lie over each other."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the new size, unless a dock without room has left none: nothing fits that."""
        if not event.size().isEmpty():
            super().resizeEvent(event)

    def set_colours(self, paper: str, ink: str) -> None:
        """Draw in these colours from now on."""
        self._paper, self._ink = paper, ink
        self.figure.set_facecolor(paper)
        for axes in self.figure.axes:
            self._dress(axes)
        self.draw_idle()

    def show_sweep(self, sweep: ClusterSweep) -> None:
        """Draw the scores of a sweep in place of those before."""
        self.figure.clear()
        self.figure.set_facecolor(self._paper)
        lines = math.ceil(len(sweep.scores) / _COLUMNS)
        axes = [
            self.figure.add_subplot(lines, _COLUMNS, place)
            for place in range(1, len(sweep.scores) + 1)
        ]
        sweep.plot(axes)
        for each in axes:
            self._dress(each)
        self.setMinimumHeight(lines * _LINE_HEIGHT)
        self.draw_idle()

    def _dress(self, axes: Any) -> None:
        axes.set_facecolor(self._paper)
        axes.set_title(axes.get_title(), color=self._ink, fontsize=_SMALL)
        axes.set_xlabel(axes.get_xlabel(), color=self._ink, fontsize=_SMALL)
        axes.tick_params(colors=self._ink, labelsize=_SMALL)
        axes.spines[:].set_color(self._ink)
        axes.yaxis.get_offset_text().set(color=self._ink, fontsize=_SMALL)
