"""A grid of scores on screen: coloured by how good they are, sorted by a click on a head."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QTableView

from ...image import CLASS_COLOURS
from .score_grid import Cell, Grid, Line

_GOOD, _BAD = CLASS_COLOURS[4][:3], CLASS_COLOURS[5][:3]  # blue and orange
_SWATCH = 12
_HEAD_LETTERS = 12
_HEAD_WIDTH = 150
_LINE_HEIGHT = 22
# Thousands of objects have values as wide as the first ones.
_MEASURED_LINES = 50
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_Role = Qt.ItemDataRole
RGB = tuple[float, float, float]


class ScoreModel(QAbstractTableModel):
    """A grid as Qt's tables read it, its lines perhaps in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = Grid()
        self.lines: list[Line] = []
        self.paper: RGB = (0.0, 0.0, 0.0)
        self.sorted_by: tuple[str, bool] | None = None

    def set_grid(self, grid: Grid) -> bool:
        """Show another grid; whether it has other heads or lines than the one before."""
        before = _outline(self.grid)
        is_other = bool(_outline(grid) != before)
        if is_other:
            self.beginResetModel()
        self.grid = grid
        self._arrange()
        if is_other:
            self.endResetModel()
        else:
            self.tell_all()
        return is_other

    def set_paper(self, paper: RGB) -> None:
        """Take the colour of cells that are neither good nor bad."""
        self.paper = paper
        self.tell_all()

    def sort_by(self, column: int) -> None:
        """Sort by a column, best first; then worst first; then as it was."""
        key = self.grid.columns[column].title
        states = {None: (key, True), (key, True): (key, False), (key, False): None}
        self.sorted_by = states.get(self.sorted_by, (key, True))
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def line_text(self, row: int) -> str:
        """What stands across the columns of a row; empty where there are cells."""
        return self.lines[row].text

    def tell_all(self) -> None:
        """Have every cell drawn again."""
        if self.lines and self.grid.columns:
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self.rowCount() - 1)

    # --- what Qt asks -----------------------------------------------------------------
    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Lines shown."""
        return len(self.lines)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Columns; one at least, for sentences."""
        return max(1, len(self.grid.columns)) if self.lines else 0

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:
        """What a cell shows."""
        line = self.lines[index.row()]
        if line.text:
            return self._text_data(line, index.column(), role)
        if role == _Role.TextAlignmentRole:
            return _RIGHT
        cell = self.grid.cell(line, index.column())
        if role == _Role.DisplayRole:
            return cell.text
        if role == _Role.ToolTipRole:
            return cell.help or None
        return self._colour_data(cell, role)

    def headerData(self, section: int, orientation: Any, role: int = _Role.DisplayRole) -> Any:
        """What a head shows."""
        if orientation == Qt.Orientation.Vertical:
            return self._line_head(self.lines[section], role)
        if section >= len(self.grid.columns):
            return None
        column = self.grid.columns[section]
        if role == _Role.DisplayRole:
            arrows = {(column.title, True): " ▼", (column.title, False): " ▲"}
            arrow = "" if self.sorted_by is None else arrows.get(self.sorted_by, "")
            return textwrap.fill(column.title, _HEAD_LETTERS) + arrow
        return column.help if role == _Role.ToolTipRole else None

    # --- parts ------------------------------------------------------------------------
    def _arrange(self) -> None:
        """Put the lines in order; those without cells come last, but for plain headlines."""
        titles = [column.title for column in self.grid.columns]
        if self.sorted_by is None or self.sorted_by[0] not in titles:
            self.sorted_by = None
            self.lines = list(self.grid.lines)
            return
        title, best_first = self.sorted_by
        column = titles.index(title)
        scored = [(self.grid.cell(line, column), line) for line in self.grid.lines if not line.text]
        scored.sort(key=lambda entry: _rank(entry[0], best_first))
        failed = [line for line in self.grid.lines if line.text and line.result.report is None]
        self.lines = [line for _cell, line in scored] + failed

    def _line_head(self, line: Line, role: int) -> Any:
        full = line.title if line.scope is None else f"{line.title}\n{line.result.name}"
        if role == _Role.DisplayRole:
            # Lines in their own order stand below the name of their prediction.
            return line.title if self.sorted_by is None else full
        if role == _Role.ToolTipRole:
            return full
        if role == _Role.DecorationRole and line.colour is not None:
            swatch = QPixmap(_SWATCH, _SWATCH)
            swatch.fill(QColor.fromRgbF(*line.colour))
            return swatch
        return None

    def _text_data(self, line: Line, column: int, role: int) -> Any:
        if role in (_Role.DisplayRole, _Role.ToolTipRole):
            return line.text if column == 0 else None
        if role == _Role.SizeHintRole and len(self.grid.columns) > 1:
            return QSize(0, 0)  # it lies across the columns and must not widen the first
        if role == _Role.FontRole:
            font = QFont()
            font.setBold(True)
            return font
        return None

    def _colour_data(self, cell: Cell, role: int) -> Any:
        if cell.goodness is None or role not in (_Role.BackgroundRole, _Role.ForegroundRole):
            return None
        paper = colour_of(cell.goodness, self.paper)
        ink = ink_on(paper)
        return QColor.fromRgbF(*(paper if role == _Role.BackgroundRole else ink))


class ScoreTable(QTableView):
    """Shows a grid of scores.

    Attributes
    ----------
    place_chosen : signal of Place
        A line, or a cell of it, was clicked.
    """

    place_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.scores = ScoreModel()
        self.setModel(self.scores)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setMaximumWidth(_HEAD_WIDTH)
        self.verticalHeader().setMinimumSectionSize(_LINE_HEIGHT)
        self.verticalHeader().setIconSize(QSize(_SWATCH, _SWATCH))
        self.horizontalHeader().setSectionsClickable(True)
        self.horizontalHeader().setResizeContentsPrecision(_MEASURED_LINES)
        self.verticalHeader().setResizeContentsPrecision(_MEASURED_LINES)
        self.horizontalHeader().sectionClicked.connect(self._on_head)
        self.verticalHeader().sectionClicked.connect(self._choose)
        self.clicked.connect(lambda index: self._choose(index.row(), index.column()))

    def show_grid(self, grid: Grid) -> None:
        """Show a grid; one of the same outline leaves widths and the place scrolled to."""
        if self.scores.set_grid(grid):
            self._fit()

    def _on_head(self, column: int) -> None:
        if column < len(self.scores.grid.columns):
            self.scores.sort_by(column)
            self._fit()

    def _fit(self) -> None:
        self.clearSpans()
        n_columns = self.scores.columnCount()
        for row in range(self.scores.rowCount()):
            if self.scores.line_text(row) and n_columns > 1:
                self.setSpan(row, 0, 1, n_columns)
        self.resizeColumnsToContents()
        is_sorted = self.scores.sorted_by is not None
        self.verticalHeader().setDefaultSectionSize(_LINE_HEIGHT * (2 if is_sorted else 1))

    def _choose(self, row: int, column: int | None = None) -> None:
        self.place_chosen.emit(self.scores.grid.place(self.scores.lines[row], column))


def colour_of(goodness: float, paper: RGB) -> RGB:
    """Orange for the worst, the paper's colour in the middle, blue for the best.

    Parameters
    ----------
    goodness : float in [0, 1]
    paper : (3,) tuple of float in [0, 1]
        Red, green and blue.
    """
    end = _GOOD if goodness >= 0.5 else _BAD
    share = abs(2 * goodness - 1)
    red, green, blue = ((1 - share) * p + share * e for p, e in zip(paper, end, strict=True))
    return red, green, blue


def ink_on(paper: RGB) -> RGB:
    """Black or white, whichever stands out more from a colour."""
    luminance = luminance_of(paper)
    is_bright = (luminance + 0.05) ** 2 > 0.05 * 1.05
    return (0.0, 0.0, 0.0) if is_bright else (1.0, 1.0, 1.0)


def luminance_of(colour: RGB) -> float:
    """Relative luminance of an sRGB colour, from 0 to 1, as WCAG 2 defines it."""
    parts = np.array(colour)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _outline(grid: Grid) -> Any:
    """What of a grid decides on widths and spans."""
    lines = [(line.title, line.result.name, line.scope, line.text) for line in grid.lines]
    return [column.title for column in grid.columns], lines


def _rank(cell: Cell, best_first: bool) -> tuple[bool, float]:
    """Place of a cell in a sorted column; those without a value are always last."""
    if math.isnan(cell.value):
        return True, 0.0
    merit = cell.value if cell.goodness is None else cell.goodness
    return False, -merit if best_first else merit
