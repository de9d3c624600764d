"""The cases of two folders, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QTableWidgetItem, QVBoxLayout, QWidget

from ...metrics.folders.report import Case, FolderReport
from ..number_table import NumberCell, NumberTable
from .value_choice import ClassChoice, value_of

_CASE_HELP = "Name of the reference file. Click a head to sort by it."
_HINT = "Double-click a case to open its reference and prediction in the viewer."
_FAILED = "failed"


class CaseView(QWidget):
    """Table of the values of each case, of one class or their mean.

    Attributes
    ----------
    title : str
    case_opened : signal of object
        The `Case` whose line the user clicked twice.
    """

    title = "Cases"
    case_opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._report: FolderReport | None = None
        self.choice = ClassChoice()
        self.table = NumberTable()
        self.table.setToolTip(_HINT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addWidget(self.table, 1)
        self.choice.currentIndexChanged.connect(lambda _: self._fill())
        self.table.itemDoubleClicked.connect(self._open)

    def show_report(self, report: FolderReport | None) -> None:
        """Show the cases of a report."""
        self._report = report
        self.choice.offer({} if report is None else report.reports)
        self._fill()

    def _fill(self) -> None:
        cases = () if self._report is None else self._report.cases
        first = next((case.report for case in cases if case.report is not None), None)
        metrics = () if first is None else first.metrics
        heads = [
            (metric.title, f"{first.definition_of(metric)}. {metric.help}")
            for metric in metrics
            if first is not None
        ]
        self.table.set_heads([("Case", _CASE_HELP), *heads])
        self.table.show_rows([self._line(case, len(metrics)) for case in cases])

    def _line(self, case: Case, n_metrics: int) -> Sequence[NumberCell]:
        name = _CaseCell(case)
        if case.report is None:
            return [name, *(NumberCell(_FAILED, case.error) for _ in range(n_metrics))]
        label = self.choice.label
        values = [value_of(case.report, metric, label) for metric in case.report.metrics]
        return [name, *(NumberCell(value, reason) for value, reason in values)]

    def _open(self, cell: QTableWidgetItem) -> None:
        self.case_opened.emit(self.table.item(cell.row(), 0).case)


class _CaseCell(NumberCell):
    """The name of a case, which knows the case wherever sorting puts it."""

    def __init__(self, case: Case) -> None:
        files = f"{case.pair.prediction}\n{case.pair.reference}\n{_HINT}"
        super().__init__(case.name, case.error or files)
        self.case = case
