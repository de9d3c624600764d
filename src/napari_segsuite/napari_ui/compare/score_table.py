"""The table of a comparison, filled row by row."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from ...comparing import Comparison, Row
from ...comparing.report import shown, value_of

_FACTS = {
    "Method": "",
    "Seconds": "Wall time of one run, compiling excluded.",
    "MiB": "What the method states as the memory it takes, beyond its inputs.",
    "Labels": "How many classes or objects there are.",
}
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEAST_HEIGHT = 110


class ScoreTable(QTableWidget):
    """One line per entry: time, memory, number of labels, and the mean of each metric.

    Attributes
    ----------
    row_chosen : signal of str
        Name of the entry whose line the user clicked.
    """

    row_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.verticalHeader().setVisible(False)
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.itemSelectionChanged.connect(self._on_selection)

    @property
    def chosen(self) -> str | None:
        """Name of the entry whose line is selected."""
        cells = self.selectedItems()
        return str(self.item(cells[0].row(), 0).text()) if cells else None

    def show_comparison(self, comparison: Comparison) -> None:
        """Show the rows there are."""
        before = self.blockSignals(True)
        metrics = comparison.metrics
        heads = [*_FACTS, *(metric.title for metric in metrics)]
        self.setColumnCount(len(heads))
        self.setHorizontalHeaderLabels(heads)
        for column, help_text in enumerate([*_FACTS.values(), *(m.formula for m in metrics)]):
            self.horizontalHeaderItem(column).setToolTip(help_text)
        self.setRowCount(len(comparison.rows))
        for line, row in enumerate(comparison.rows):
            scores = (shown(value_of(row, metric)) for metric in metrics)
            for column, text in enumerate([*_facts(row), *scores]):
                self.setItem(line, column, _cell(text, row, is_name=column == 0))
        self.resizeColumnsToContents()
        self.blockSignals(before)

    def _on_selection(self) -> None:
        if self.chosen is not None:
            self.row_chosen.emit(self.chosen)


def _facts(row: Row) -> list[str]:
    time = "failed" if row.seconds is None else shown(row.seconds)
    n_labels = "–" if row.n_labels is None else str(row.n_labels)
    return [row.name, time, shown(row.memory / 2**20), n_labels]


def _cell(text: str, row: Row, *, is_name: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(row.error or row.name)
    if not is_name:
        item.setTextAlignment(_RIGHT)
    return item
