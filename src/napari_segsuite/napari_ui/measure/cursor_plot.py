"""A plot with a line that moves without anything being drawn anew."""

from __future__ import annotations

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen

from ..themed_plot import ThemedPlot


class CursorPlot(ThemedPlot):
    """A plot with an upright line on its first axes, which pictures of it lack.

    Attributes
    ----------
    mark : float or None
        Where the line stands, along x; None for none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mark: float | None = None

    def move_mark(self, mark: float | None) -> None:
        """Put the line somewhere else, or away."""
        if mark != self.mark:
            self.mark = mark
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the plot, and the line over it: to draw all of it takes 50 ms."""
        super().paintEvent(event)
        if self.mark is None or not self.figure.axes:
            return
        axes = self.figure.axes[0]
        (x, _), box = axes.transData.transform((self.mark, 0)), axes.bbox
        top, ratio = self.figure.bbox.height, self.device_pixel_ratio
        painter = QPainter(self)
        painter.setPen(QPen(QColor(self.ink), 1, Qt.PenStyle.DashLine))
        painter.drawLine(
            QPointF(x / ratio, (top - box.y1) / ratio), QPointF(x / ratio, (top - box.y0) / ratio)
        )
        painter.end()
