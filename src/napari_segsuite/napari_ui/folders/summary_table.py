"""The scores of many cases summed up, as a table."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...metrics.folders.report import FolderReport
from ...metrics.folders.summary import MEAN, WHOLE, SummaryRow
from ..number_table import NumberCell, NumberTable

_HEADS = (
    ("Metric", "What was measured."),
    ("Class", "Class, or the mean over the foreground classes of each case."),
    ("Mean", "Mean over the cases that have a value."),
    ("CI low", "Lower end of the mean's 95 % confidence interval, by bootstrap over cases."),
    ("CI high", "Upper end of the mean's 95 % confidence interval, by bootstrap over cases."),
    ("SD", "Standard deviation over the cases, of a sample (n - 1)."),
    ("Median", "Half of the cases lie below, half above."),
    ("Q1", "A quarter of the cases lies below."),
    ("Q3", "A quarter of the cases lies above."),
    ("Min", "Lowest value; its tooltip names the case."),
    ("Max", "Highest value; its tooltip names the case."),
    ("n", "Cases that have a value."),
    ("No value", "Cases without one: the class is absent, or a distance has nothing to end at."),
)
_SCOPES = {MEAN: "mean", WHOLE: "image"}


class SummaryView(QWidget):
    """Table of one row per metric and class.

    Attributes
    ----------
    title : str
    """

    title = "Summary"

    def __init__(self) -> None:
        super().__init__()
        self.table = NumberTable(_HEADS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)

    def show_report(self, report: FolderReport | None) -> None:
        """Show the summary of a report."""
        rows = () if report is None else report.summary
        self.table.show_rows([_line(row) for row in rows])


def _line(row: SummaryRow) -> list[NumberCell]:
    title = f"{row.metric.title} ({row.unit})" if row.unit else row.metric.title
    numbers = (row.mean, row.low, row.high, row.sd, row.median, row.q1, row.q3)
    return [
        NumberCell(title, f"{row.metric.formula}. {row.metric.help}"),
        NumberCell(_SCOPES.get(row.scope, f"{row.scope} {row.name}".strip())),
        *(NumberCell(number, row.reason) for number in numbers),
        NumberCell(row.min, row.min_case or row.reason),
        NumberCell(row.max, row.max_case or row.reason),
        NumberCell(row.n),
        NumberCell(row.n_nan),
    ]
