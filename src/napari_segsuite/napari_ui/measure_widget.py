"""Comparing a labels layer with a reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.compat import getsavefilename, isalive
from qtpy.QtWidgets import (
    QApplication,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..errors import SegSuiteError
from ..method import Input
from ..metrics import Metric, Report, evaluate
from .adapters import segmentation_from_layer
from .form_parts import text_label
from .layer_choice import LayerChooser
from .runner import Job, runner_for

if TYPE_CHECKING:
    import napari.viewer

_INPUTS = (
    Input("prediction", True, "The labels to be judged."),
    Input("reference", True, "The labels taken as true."),
)


class MeasureWidget(QWidget):
    """Table of overlap metrics of one labels layer against another.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    choosers : mapping of str to LayerChooser
        "prediction" and "reference".
    report : Report or None
        What the table shows.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.report: Report | None = None
        self._job: Job | None = None
        self.choosers = {
            entry.name: LayerChooser(
                self._viewer, entry, (Labels,), prefers_results=entry.name == "prediction"
            )
            for entry in _INPUTS
        }
        self.table = QTableWidget()
        self.summary = text_label()
        self._lay_out()
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.renamed):
            emitter.connect(self._on_layers)

    def measure(self) -> None:
        """Compare the chosen layers, off the main thread."""
        try:
            chosen = [self._chosen(entry.name) for entry in _INPUTS]
            if chosen[0] is chosen[1]:
                raise SegSuiteError(
                    f"expected two layers, got '{chosen[0].name}' twice; choose another reference."
                )
            prediction, reference = map(segmentation_from_layer, chosen)
        except SegSuiteError as error:
            self._say(str(error))
            return
        self._say("Comparing …")
        self._job = runner_for(self._viewer).run_in_background(
            lambda _progress: evaluate(prediction, reference),
            "Compare labels",
            self,
            supersedes=self._job,
        )
        self._job.finished.connect(self._show)
        self._job.failed.connect(self._say)

    def copy_as_markdown(self) -> None:
        """Put the table on the clipboard."""
        if self.report is not None:
            QApplication.clipboard().setText(self.report.to_markdown())

    def save_as_csv(self) -> None:
        """Write every value with its definition to a file the user names."""
        path, _ = getsavefilename(self, "Save the metrics", "metrics.csv", "CSV (*.csv)")
        if path and self.report is not None:
            try:
                self.report.to_csv(path)
            except SegSuiteError as error:
                self._say(str(error))

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = QFormLayout()
        for chooser in self.choosers.values():
            rows.addRow(chooser.label, chooser.native)
        run = QPushButton("Compare")
        run.clicked.connect(self.measure)
        self.copy_button = QPushButton("Copy as Markdown")
        self.copy_button.clicked.connect(self.copy_as_markdown)
        self.save_button = QPushButton("Save as CSV…")
        self.save_button.clicked.connect(self.save_as_csv)
        buttons = QHBoxLayout()
        for button in (run, self.copy_button, self.save_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addLayout(buttons)
        layout.addWidget(self.table)
        layout.addWidget(self.summary)
        self._enable()

    def _chosen(self, name: str) -> Any:
        layer = self.choosers[name].value
        if layer is None:
            raise SegSuiteError(f"expected a labels layer as {name}, got none; choose one.")
        return layer

    def _on_layers(self, _event: Any = None) -> None:
        if isalive(self):
            for chooser in self.choosers.values():
                chooser.refresh()

    # --- what was found ---------------------------------------------------------------
    def _show(self, report: Report) -> None:
        self.report = report
        columns = [metric for metric in report.metrics if metric.per_class]
        self.table.setColumnCount(len(columns))
        self.table.setRowCount(len(report.classes) + 1)
        for column, metric in enumerate(columns):
            header = QTableWidgetItem(metric.title)
            header.setToolTip(metric.formula)
            self.table.setHorizontalHeaderItem(column, header)
            for row, label in enumerate(report.classes):
                reason = report.reasons.get(metric.name, {}).get(label, "")
                value = report.per_class[metric.name][label]
                self.table.setItem(row, column, _cell(value, reason))
            mean = _cell(report.mean[metric.name], "no class has a value")
            self.table.setItem(len(report.classes), column, mean)
        names = [report.names.get(label, f"class {label}") for label in report.classes]
        self.table.setVerticalHeaderLabels([*names, "mean of foreground"])
        self.table.resizeColumnsToContents()
        self._say(", ".join(_whole_image(m, report) for m in report.metrics if not m.per_class))
        self._enable()

    def _say(self, text: str) -> None:
        self.summary.setText(text[:1].upper() + text[1:])

    def _enable(self) -> None:
        for button in (self.copy_button, self.save_button):
            button.setEnabled(self.report is not None)


def _cell(value: float, reason: str) -> QTableWidgetItem:
    item = QTableWidgetItem("–" if math.isnan(value) else f"{value:.3f}")
    if math.isnan(value):
        item.setToolTip(reason)
    return item


def _whole_image(metric: Metric, report: Report) -> str:
    return f"{metric.title} {report.mean[metric.name]:.3f}"
