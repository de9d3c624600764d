"""Scores over the number of clusters, drawn in the colours of the viewer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..themed_plot import ThemedPlot

if TYPE_CHECKING:
    from ...cluster_sweep import ClusterSweep

_COLUMNS = 2
_LINE_HEIGHT = 110


class ClusterPlot(ThemedPlot):
    """One small diagram for each score, the suggested number marked."""

    def show_sweep(self, sweep: ClusterSweep) -> None:
        """Draw the scores of a sweep in place of those before."""
        lines = math.ceil(len(sweep.scores) / _COLUMNS)

        def draw(plot: ThemedPlot) -> None:
            n = len(sweep.scores)
            sweep.plot([plot.figure.add_subplot(lines, _COLUMNS, i + 1) for i in range(n)])

        self.setMinimumHeight(lines * _LINE_HEIGHT)
        self.show_drawing(draw)
