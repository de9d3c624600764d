"""Consensus of raters: several labels layers merged into one, and how far each is from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from qtpy.compat import getsavefilename
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...errors import SegSuiteError
from ...metrics.raters.consensus import Rule
from ...metrics.tables import shown
from ...warmup import wake_numba
from ..form_parts import FittingScrollArea, RunPanel, add_row, form_rows, text_label
from ..layer_checklist import LayerChecklist
from ..measure.measurement import Snapshot
from ..results import ResultLayers
from ..runner import Job, runner_for
from .heat_table import HeatTable
from .merging import RULES, Merged, merge
from .rater_table import RaterTable

if TYPE_CHECKING:
    import napari.viewer

_TITLE = "Consensus of raters"
_TOO_FEW = "Tick at least two labels layers, one per rater."
_HELP = "Tick the labels that several raters, or several methods, gave the same image."
_RULE_HELP = (
    "STAPLE weighs each rater by how reliable the others make them look, class by class. "
    "The majority vote counts heads."
)
_PAIR_HELP = (
    "Agreement of each two: Dice is the mean overlap of the foreground classes, kappa the "
    "agreement in all voxels beyond chance (Cohen)."
)
_FLEISS_HELP = (
    "Agreement of all raters in all voxels, background included, beyond what chance gives "
    "(Fleiss): 1 is perfect, 0 what chance alone would give."
)
_LEAST_WIDTH = 300
_LIMITS = {"dice": (0.0, 1.0), "kappa": (0.0, 1.0)}


class RatersDock(QWidget):
    """Layers to tick, the rule they are merged by, and tables of how far they agree.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    checklist : LayerChecklist
    rule : ComboBox
        "staple" or "majority".
    pair_choice : QComboBox
        Whether pairs are shown by "dice" or "kappa".
    merged : Merged or None
        What is shown.
    job : Job or None
        The run under way.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.merged: Merged | None = None
        self.job: Job | None = None
        self._layers = {rule: ResultLayers(self._viewer) for rule in RULES}
        self.checklist = LayerChecklist(self._viewer, _HELP)
        self.rule = ComboBox(
            choices=[(title, rule) for rule, title in RULES.items()],
            label="Rule",
            tooltip=_RULE_HELP,
        )
        self.panel = RunPanel()
        self.facts = text_label()
        self.table = RaterTable()
        self.pair_choice = QComboBox()
        self.heat = HeatTable()
        self._lay_out()
        self._connect()
        self._on_change()
        runner_for(self._viewer).run_in_background(wake_numba, _TITLE, self)

    @property
    def message(self) -> str:
        """What the dock says below its buttons."""
        return str(self.panel.message.text())

    # --- what the buttons do ----------------------------------------------------------
    def run(self) -> None:
        """Merge the ticked layers."""
        rule: Rule = self.rule.value
        try:
            raters = [Snapshot.of(layer) for layer in self.checklist.ticked]
        except SegSuiteError as error:
            self.panel.say(str(error), is_problem=True)
            return
        self.job = runner_for(self._viewer).run_in_background(
            lambda progress: merge(raters, rule, progress), _TITLE, self, supersedes=self.job
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
        """Put all tables on the clipboard."""
        if self.merged is not None:
            QApplication.clipboard().setText(self.merged.to_markdown())
            self.panel.say("The tables are on the clipboard.")

    def save_as_csv(self) -> None:
        """Write every value with its definition to a file the user names."""
        path, _ = getsavefilename(self, "Save the agreement", "raters.csv", "CSV (*.csv)")
        if path and self.merged is not None:
            try:
                self.merged.consensus.to_csv(path)
                self.panel.say(f"Saved {path}.")
            except SegSuiteError as error:
                self.panel.say(str(error), is_problem=True)

    def changeEvent(self, event: QEvent) -> None:
        """Stop the run once the dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()  # the dock lives on, but out of reach
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.rule)
        self.panel.copy_button.hide()
        self.panel.show_need("")
        self.panel.run_button.setToolTip("Merge the ticked layers into a new one.")
        self.panel.cancel_button.setToolTip("Stop; nothing is changed.")
        self.facts.setToolTip(_FLEISS_HELP)
        self.pair_choice.addItem("Dice of each two", "dice")
        self.pair_choice.addItem("Kappa of each two", "kappa")
        self.pair_choice.setToolTip(_PAIR_HELP)
        self.setMinimumWidth(_LEAST_WIDTH)
        layout = QVBoxLayout(self)
        parts = (self.checklist, rows, self.panel, self.facts, self.table)
        layout.addWidget(FittingScrollArea([*parts, self.pair_choice, self.heat]), 1)
        layout.addLayout(self._export_buttons())

    def _export_buttons(self) -> QHBoxLayout:
        self.copy_button = QPushButton("Copy as Markdown")
        self.copy_button.setToolTip("Put all tables on the clipboard.")
        self.save_button = QPushButton("Save CSV…")
        self.save_button.setToolTip("Write every value with its definition to a file.")
        row = QHBoxLayout()
        for button in (self.copy_button, self.save_button):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.panel.run_button.clicked.connect(self.run)
        self.panel.cancel_button.clicked.connect(self.cancel)
        self.copy_button.clicked.connect(self.copy_as_markdown)
        self.save_button.clicked.connect(self.save_as_csv)
        self.pair_choice.currentIndexChanged.connect(lambda _: self._show_pairs())
        self.checklist.changed.connect(self._on_change)

    # --- the state of the dock --------------------------------------------------------
    def _on_change(self) -> None:
        self.panel.set_problem("" if len(self.checklist.ticked) > 1 else _TOO_FEW)
        self._show_parts()

    def _show_parts(self) -> None:
        has_result = self.merged is not None
        for part in (self.facts, self.table, self.pair_choice, self.heat):
            part.setVisible(has_result)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(has_result)

    def _show_pairs(self) -> None:
        if self.merged is not None:
            agreement, measure = self.merged.agreement, self.pair_choice.currentData()
            values = getattr(agreement, measure)
            self.heat.show_values(agreement.names, values, _LIMITS[measure])

    # --- what becomes of a run --------------------------------------------------------
    def _on_finished(self, merged: Merged) -> None:
        self.merged = merged
        self._end()
        found = merged.consensus
        name, notice = self._layers[found.rule].show(found.segmentation, update=True)
        self.facts.setText(facts_of(merged))
        self.table.show_merged(merged)
        self._show_pairs()
        self._show_parts()
        said = f"Consensus of {len(found.agreement.names)} raters in '{name}'. {notice}"
        self.panel.say(said.strip())

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


def facts_of(merged: Merged) -> str:
    """What holds for all raters together, in words."""
    found = merged.consensus
    fleiss = found.agreement.fleiss_kappa
    why = "" if fleiss == fleiss else f" ({found.agreement.reasons['fleiss_kappa']})"
    n, total = found.n_undecided, found.agreement.n_voxels
    said = [
        f"Fleiss' kappa of all raters: {shown(fleiss)}{why}. 1 is perfect agreement, 0 what "
        "chance gives.",
        f"{n} of {total} voxels undecided; they are background.",
    ]
    if found.rule == "staple" and not found.has_converged:
        said.append(f"STAPLE did not settle within {found.n_iterations} iterations.")
    return " ".join(said)
