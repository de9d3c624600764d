"""Evaluate folders: predictions of many cases against their references."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.compat import getsavefilename
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...errors import SegSuiteError
from ...metrics.folders.report import FolderReport
from ...warmup import wake_numba
from ..form_parts import FittingScrollArea, Fold, RunPanel
from ..measure.measure_options import MeasureOptions
from ..runner import Job, runner_for
from .box_plot_view import BoxPlotView
from .case_layers import CaseLayers
from .case_table import CaseView
from .form import FolderForm
from .further_folders import FurtherFolders, names_of
from .ranking_view import RankingView
from .run import FolderOrder, FolderOutcome, evaluate_order
from .summary_table import SummaryView
from .unmatched_list import UnmatchedView

if TYPE_CHECKING:
    import napari.viewer

_TITLE = "Evaluate folders"
_LEAST_WIDTH = 300
_CSV = "CSV (*.csv)"
_PICTURES = "Pictures (*.png *.svg *.pdf)"


class FolderDock(QWidget):
    """Folders to choose, their evaluation, and tables and plots of what was found.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    form : FolderForm
    further : FurtherFolders
    options : MeasureOptions
    folder_choice : QComboBox
        Name of the folder of predictions that tables and plots are about.
    outcome : FolderOutcome or None
        What is shown.
    job : Job or None
        The run under way.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.outcome: FolderOutcome | None = None
        self.job: Job | None = None
        self.form = FolderForm(self._viewer)
        self.further = FurtherFolders()
        self.options = MeasureOptions()
        self.panel = RunPanel()
        self.folder_choice = QComboBox()
        self.summary, self.cases = SummaryView(), CaseView()
        self.boxes = BoxPlotView(self._viewer)
        self.unmatched, self.ranking = UnmatchedView(), RankingView()
        self._opener = CaseLayers(self._viewer, self)
        self._lay_out()
        self._connect()
        self._on_change()
        self._show_report()
        runner_for(self._viewer).run_in_background(wake_numba, _TITLE, self)

    @property
    def report(self) -> FolderReport | None:
        """What tables and plots are about."""
        reports = {} if self.outcome is None else self.outcome.reports
        return reports.get(self.folder_choice.currentText())

    @property
    def message(self) -> str:
        """What the dock says below its buttons."""
        return str(self.panel.message.text())

    # --- what the buttons do ----------------------------------------------------------
    def run(self) -> None:
        """Evaluate the folders."""
        try:
            order = self._order()
        except SegSuiteError as error:
            self.panel.say(str(error), is_problem=True)
            return
        self.job = runner_for(self._viewer).run_in_background(
            lambda progress: evaluate_order(order, progress), _TITLE, self, supersedes=self.job
        )
        self.job.progressed.connect(self.panel.show_progress)
        self.job.finished.connect(self._on_finished)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self.panel.set_running(True)

    def cancel(self) -> None:
        """Stop the run; what is shown stays."""
        if self.job is not None:
            self.panel.say("stopping …")
            self.job.cancel()

    def copy_as_markdown(self) -> None:
        """Put the tables on the clipboard."""
        texts = [
            found.to_markdown()
            for found in (self.report, self.ranking.ranking)
            if found is not None
        ]
        QApplication.clipboard().setText("\n".join(texts))
        self.panel.say("The tables are on the clipboard.")

    def save_as_csv(self) -> None:
        """Write the values of every case, or on the tab "Ranking" what was ranked, to a file."""
        report, ranking = self.report, self.ranking.ranking
        if self.tabs.currentWidget() is self.ranking and ranking is not None:
            self._save("ranking.csv", _CSV, ranking.to_csv)
        elif report is not None:
            self._save("folders.csv", _CSV, report.to_csv)

    def save_picture(self) -> None:
        """Write the box plot that is chosen to a file."""
        report, metric = self.report, self.boxes.metric
        if report is not None and metric is not None:
            self._save(
                f"{metric.name}.png", _PICTURES, lambda path: report.plot(path, (metric.name,))
            )

    def changeEvent(self, event: QEvent) -> None:
        """Stop the run once the dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()  # the dock lives on, but out of reach
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        self.setMinimumWidth(_LEAST_WIDTH)
        self.options.grid_line.hide()  # each reference has a grid of its own
        self.panel.copy_button.hide()
        self.panel.show_need("")
        self.panel.run_button.setToolTip("Evaluate all pairs; a case that fails stops no other.")
        self.panel.cancel_button.setToolTip("Stop; what is shown stays.")
        folds = [
            Fold("Metrics and definitions", self.options),
            Fold("Further prediction folders to rank", self.further),
        ]
        self.folder_choice.setToolTip("The predictions that tables and plots are about.")
        self.folder_choice.hide()
        self.tabs = QTabWidget()
        self.tabs.setUsesScrollButtons(True)
        for view in (self.summary, self.cases, self.boxes, self.ranking, self.unmatched):
            self.tabs.addTab(view, view.title)
        layout = QVBoxLayout(self)
        layout.addWidget(FittingScrollArea([self.form, *folds]))
        layout.addWidget(self.panel)
        layout.addWidget(self.folder_choice)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(self._export_buttons())
        layout.addStretch()

    def _export_buttons(self) -> QHBoxLayout:
        self.csv_button = QPushButton("Save CSV…")
        self.csv_button.setToolTip(
            "Write every value of every case; with the tab Ranking in front, what was ranked."
        )
        self.copy_button = QPushButton("Copy as Markdown")
        self.copy_button.setToolTip("Put summary, cases and ranking on the clipboard.")
        self.picture_button = QPushButton("Save picture…")
        self.picture_button.setToolTip("Write the box plot of the metric chosen there.")
        row = QHBoxLayout()
        for button in (self.csv_button, self.copy_button, self.picture_button):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.panel.run_button.clicked.connect(self.run)
        self.panel.cancel_button.clicked.connect(self.cancel)
        self.csv_button.clicked.connect(self.save_as_csv)
        self.copy_button.clicked.connect(self.copy_as_markdown)
        self.picture_button.clicked.connect(self.save_picture)
        self.form.changed.connect(self._on_change)
        self.options.changed.connect(self._on_change)
        self.folder_choice.currentIndexChanged.connect(lambda _: self._show_report())
        self.cases.case_opened.connect(self._opener.open)
        self._opener.said.connect(lambda text, is_problem: self.panel.say_idle(text, is_problem))

    # --- the state of the dock --------------------------------------------------------
    def _order(self) -> FolderOrder:
        predictions, references = self.form.predictions.path, self.form.references.path
        if predictions is None or references is None:
            raise SegSuiteError(self.form.problem)
        folders = [predictions, *self.further.paths]
        return FolderOrder(
            references,
            dict(zip(names_of(folders), folders, strict=True)),
            self.form.pattern,
            self.options.keywords(),
        )

    def _on_change(self) -> None:
        self.panel.set_problem(self._problem())

    def _problem(self) -> str:
        try:
            self.options.keywords()
        except SegSuiteError as error:
            return str(error)
        return self.form.problem

    def _show_report(self) -> None:
        for view in (self.summary, self.cases, self.boxes, self.unmatched):
            view.show_report(self.report)
        for part in (self.tabs, self.csv_button, self.copy_button, self.picture_button):
            part.setVisible(self.report is not None)
        self.picture_button.setEnabled(self.boxes.metric is not None)

    def _save(self, name: str, kinds: str, write: Callable[[str], None]) -> None:
        path, _ = getsavefilename(self, "Save what was found", name, kinds)
        if not path:
            return
        job = runner_for(self._viewer).run_in_background(
            lambda _progress: write(path), "Save", self, uses_kernels=False
        )
        job.finished.connect(lambda _: self.panel.say(f"Saved {path}."))
        job.failed.connect(lambda sentence: self.panel.say(sentence, is_problem=True))

    # --- what becomes of a run --------------------------------------------------------
    def _on_finished(self, outcome: FolderOutcome) -> None:
        self.outcome = outcome
        self._end()
        self._offer(outcome)
        self._show_report()
        self.ranking.show_outcome(outcome)
        failed = any(report.failures for report in outcome.reports.values())
        self.panel.say(sentence_of(outcome), is_problem=failed or bool(outcome.problems))

    def _offer(self, outcome: FolderOutcome) -> None:
        """Offer the folders to look at, where there are several; the one chosen stays."""
        chosen = self.folder_choice.currentText()
        before = self.folder_choice.blockSignals(True)
        self.folder_choice.clear()
        self.folder_choice.addItems(list(outcome.reports))
        self.folder_choice.setCurrentIndex(max(self.folder_choice.findText(chosen), 0))
        self.folder_choice.blockSignals(before)
        self.folder_choice.setVisible(len(outcome.reports) > 1)

    def _on_failed(self, sentence: str) -> None:
        self._end()
        self.panel.say(sentence, is_problem=True)

    def _on_cancelled(self) -> None:
        if self.sender() is self.job:
            self._end()
            self.panel.say("Stopped; nothing was changed.")

    def _end(self) -> None:
        self.job = None
        self.panel.set_running(False)


def sentence_of(outcome: FolderOutcome) -> str:
    """What became of a run, with the first of the cases that failed."""
    cases = [case for report in outcome.reports.values() for case in report.cases]
    failed = [case for case in cases if case.report is None]
    n, n_folders = len(cases), len(outcome.reports)
    where = f" of {n_folders} folders" if n_folders > 1 else ""
    said = [f"{n - len(failed)} of {n} case{'' if n == 1 else 's'}{where} compared."]
    said += [f"{name}: {problem}" for name, problem in outcome.problems.items()]
    said += [f"{case.name}: {case.error}" for case in failed[:1]]
    if len(failed) > 1:
        said.append(f"See the tab {UnmatchedView.title} for {len(failed) - 1} more.")
    return " ".join(said)
