"""A histogram with lines that are dragged to choose intensities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from ...image import CLASS_COLOURS
from ...slice_preview import IntensityHistogram

_HEIGHT = 96
_MARGIN = 6
_GRIP = 8  # pixels within which a line is taken hold of
_FAST = 10
_BARS_ALPHA = 130


@dataclass
class Line:
    """A line in the histogram.

    Attributes
    ----------
    name, title : str
    value : float or None
        None while nothing is chosen.
    found : float or None
        What the method chose by itself, shown while nothing is.
    """

    name: str
    title: str
    value: float | None = None
    found: float | None = None

    @property
    def place(self) -> float | None:
        """The intensity where it is drawn."""
        return self.found if self.value is None else self.value


class HistogramView(QWidget):
    """Histogram of an image, with one line per setting.

    Left and right move the current line by a bin, Page Up and Page Down by ten, up and
    down make another one current.

    Parameters
    ----------
    lines : iterable of Line

    Attributes
    ----------
    moved : signal of (str, float)
        Name and new value of a line that the user moved.
    """

    moved = Signal(str, float)

    def __init__(self, lines: Iterable[Line]) -> None:
        super().__init__()
        self.lines = tuple(lines)
        self.histogram: IntensityHistogram | None = None
        self._current = self.lines[0]
        self._is_dragging = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        titles = " and ".join(line.title.lower() for line in self.lines)
        self.setAccessibleName(f"Histogram of the image, to choose {titles}")
        self.setToolTip(
            f"Click or drag to choose {titles}. With the keyboard: left and right, "
            "Page Up and Page Down; up and down for the next line."
        )

    def set_histogram(self, histogram: IntensityHistogram | None) -> None:
        """Show this histogram, None for none."""
        self.histogram = histogram
        self.update()

    def set_value(self, name: str, value: float | None) -> None:
        """Move a line, or take it away."""
        self._line(name).value = value
        self._describe()
        self.update()

    def set_found(self, value: float | None) -> None:
        """Show what the method chose by itself where nothing is chosen."""
        for line in self.lines:
            line.found = value
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        """Low, and as wide as the form."""
        return QSize(160, _HEIGHT + self.fontMetrics().height())

    # --- hands ------------------------------------------------------------------------
    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the line nearest to the pointer, or of one that is not there yet."""
        if self.histogram is None or event.button() != Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        self._current = self._line_at(x)
        self._is_dragging = True
        self._move_to(self._value_at(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the line along."""
        if self._is_dragging:
            self._move_to(self._value_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go."""
        self._is_dragging = False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the current line, or make another one current."""
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageDown: -_FAST,
            Qt.Key.Key_PageUp: _FAST,
        }
        key = event.key()
        if self.histogram is not None and key in steps:
            self._step(steps[key])
        elif len(self.lines) > 1 and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            here = self.lines.index(self._current)
            further = 1 if key == Qt.Key.Key_Down else -1
            self._current = self.lines[(here + further) % len(self.lines)]
            self.update()
        else:
            super().keyPressEvent(event)

    def _step(self, n_bins: int) -> None:
        assert self.histogram is not None
        edges = self.histogram.edges
        place = self._current.place
        if place is None:
            place = float(edges[0] + edges[-1]) / 2
        self._move_to(place + n_bins * float(edges[1] - edges[0]))

    def _move_to(self, value: float) -> None:
        assert self.histogram is not None
        low, high = float(self.histogram.edges[0]), float(self.histogram.edges[-1])
        value = min(max(value, low), high)
        value = float(round(value)) if self.histogram.is_integer else _rounded(value, high - low)
        self._current.value = value
        self._describe()
        self.update()
        self.moved.emit(self._current.name, value)

    def _line_at(self, x: float) -> Line:
        drawn = [line for line in self.lines if line.place is not None]
        nearest = min(drawn, key=lambda line: abs(self._x_of(line) - x), default=None)
        if nearest is not None and abs(self._x_of(nearest) - x) <= _GRIP:
            return nearest
        missing = (line for line in self.lines if line.place is None)
        return next(missing, nearest or self._current)

    def _line(self, name: str) -> Line:
        return next(line for line in self.lines if line.name == name)

    def _describe(self) -> None:
        self.setAccessibleDescription(", ".join(_words(line) for line in self.lines))

    # --- places -----------------------------------------------------------------------
    def _area(self) -> QRectF:
        top = self.fontMetrics().height() + 2
        return QRectF(
            _MARGIN, top, max(1, self.width() - 2 * _MARGIN), max(1, self.height() - top - 2)
        )

    def _value_at(self, x: float) -> float:
        assert self.histogram is not None
        area, edges = self._area(), self.histogram.edges
        return float(edges[0] + (x - area.left()) / area.width() * (edges[-1] - edges[0]))

    def _x_of(self, line: Line) -> float:
        assert self.histogram is not None
        assert line.place is not None
        area, edges = self._area(), self.histogram.edges
        share = (line.place - edges[0]) / (edges[-1] - edges[0])
        return float(area.left() + min(max(share, 0), 1) * area.width())

    # --- paint ------------------------------------------------------------------------
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw bars and lines in the colours of the theme."""
        painter = QPainter(self)
        palette = self.palette()
        area = self._area()
        painter.fillRect(area, palette.color(QPalette.ColorRole.Base))
        if self.histogram is None:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "no histogram")
            return
        self._draw_bars(painter, area, palette.color(QPalette.ColorRole.Text))
        for line in self.lines:
            if line.place is not None:
                self._draw_line(painter, line, area)
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area)

    def _draw_bars(self, painter: QPainter, area: QRectF, colour: QColor) -> None:
        assert self.histogram is not None
        # The few voxels of a lesion have to be seen beside the many of the background.
        heights = np.log1p(self.histogram.counts)
        tops = area.bottom() - heights / max(float(heights.max()), 1e-9) * area.height()
        sides = np.linspace(area.left(), area.right(), len(tops) + 1)
        outline = [QPointF(area.left(), area.bottom())]
        for left, right, top in zip(sides[:-1], sides[1:], tops, strict=True):
            outline += [QPointF(left, top), QPointF(right, top)]
        outline.append(QPointF(area.right(), area.bottom()))
        colour.setAlpha(_BARS_ALPHA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF(outline))

    def _draw_line(self, painter: QPainter, line: Line, area: QRectF) -> None:
        x = self._x_of(line)
        is_current = line is self._current
        pen = QPen(QColor.fromRgbF(*CLASS_COLOURS[0]), 3 if is_current else 2)
        if line.value is None:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        words = _words(line) if len(self.lines) == 1 or is_current else _number(line)
        width = self.fontMetrics().horizontalAdvance(words)
        left = min(max(x - width / 2, 0), max(0, self.width() - width))
        painter.drawText(QPointF(left, area.top() - 4), words)


def _rounded(value: float, span: float) -> float:
    """As many digits as a drag over the histogram can tell apart."""
    decimals = 4 - int(np.floor(np.log10(span))) if span > 0 else 4
    return round(value, decimals)


def _number(line: Line) -> str:
    return f"{line.place:.6g}"


def _words(line: Line) -> str:
    if line.place is None:
        return f"{line.title}: none"
    if line.value is None:
        return f"{line.title} ≈ {_number(line)} (automatic)"
    return f"{line.title} {_number(line)}"
