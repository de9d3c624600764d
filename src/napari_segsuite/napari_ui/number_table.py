"""A table of words and numbers that can be read and sorted, not changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from ..metrics.folders.pairs import natural_order
from ..metrics.tables import shown

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEAST_WIDTH = 280
_LEAST_HEIGHT = 120
_ROW_HEIGHT = 24


class NumberCell(QTableWidgetItem):
    """A cell that takes its place among others by its number.

    Parameters
    ----------
    content : str or float
        NaN is shown as a dash and comes before all numbers.
    help_text : str
        What its tooltip says.
    """

    def __init__(self, content: str | float, help_text: str = "") -> None:
        self.content = content
        is_word = isinstance(content, str)
        super().__init__(content if is_word else shown(float(content)))
        self.setToolTip(help_text or (content if is_word else ""))
        if not is_word:
            self.setTextAlignment(_RIGHT)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return _rank(self) < _rank(other)


class NumberTable(QTableWidget):
    """Rows of words and numbers, sorted by a click on a head.

    Parameters
    ----------
    heads : sequence of (str, str)
        Title and tooltip of each column.
    """

    def __init__(self, heads: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self.setMinimumSize(_LEAST_WIDTH, _LEAST_HEIGHT)
        self.set_heads(heads)

    def set_heads(self, heads: Sequence[tuple[str, str]]) -> None:
        """Take these columns, without any rows."""
        self.setRowCount(0)
        self.setColumnCount(len(heads))
        for column, (title, help_text) in enumerate(heads):
            head = QTableWidgetItem(title)
            head.setToolTip(help_text)
            self.setHorizontalHeaderItem(column, head)

    def show_rows(self, rows: Sequence[Sequence[NumberCell]]) -> None:
        """Show these rows in place of those before, in the order they are given in."""
        # Rows that are sorted while they are filled in end up in each other.
        self.setSortingEnabled(False)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setRowCount(len(rows))
        for line, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                self.setItem(line, column, cell)
        self.setSortingEnabled(True)
        self.resizeColumnsToContents()

    def texts(self, line: int) -> tuple[str, ...]:
        """What the cells of a row say."""
        return tuple(self.item(line, column).text() for column in range(self.columnCount()))


def _rank(cell: QTableWidgetItem) -> tuple[bool, float, list[tuple[int, str]]]:
    """Numbers first, then words with the numbers in them by their size."""
    content = getattr(cell, "content", "")
    if isinstance(content, str):
        return True, 0.0, natural_order(content.casefold())
    return False, -math.inf if math.isnan(content) else float(content), []
