"""Files that no numbers are said about, and why."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from ...metrics.folders.report import FolderReport

_NOTHING = "Every file had a partner and could be compared."


class UnmatchedView(QWidget):
    """Cases that failed, with the reason, and files without a partner.

    Attributes
    ----------
    title : str
    """

    title = "Unmatched and failed"

    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setToolTip("What the numbers of the other tabs leave out.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)

    def show_report(self, report: FolderReport | None) -> None:
        """List what a report has no numbers for."""
        self.text.setPlainText("" if report is None else text_of(report))


def text_of(report: FolderReport) -> str:
    """What a report has no numbers for, in lines.

    Examples
    --------
    >>> from pathlib import Path
    >>> print(text_of(FolderReport((), only_predictions=(Path("a.nii"),))))
    Predictions without a reference: 1
    a.nii
    """
    failed = [f"{name}: {error}" for name, error in report.failures.items()]
    parts = [
        _listed("Cases that could not be compared", failed),
        _listed("Predictions without a reference", report.only_predictions),
        _listed("References without a prediction", report.only_references),
    ]
    return "\n\n".join(filter(None, parts)) or _NOTHING


def _listed(title: str, entries: Sequence[object]) -> str:
    return "\n".join([f"{title}: {len(entries)}", *map(str, entries)]) if entries else ""
