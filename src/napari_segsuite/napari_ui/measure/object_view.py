"""Which objects were found, missed, made up, split or merged, as a table to click on."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableView, QVBoxLayout, QWidget

from ...image import CLASS_COLOURS
from ...metrics import METRICS
from ...metrics.objects.centroids import with_centroids
from ...metrics.objects.instances import Instances
from ...metrics.objects.rows import ObjectRow
from ...metrics.tables import shown
from ...progress import Progress
from ..form_parts import add_row, form_rows, text_label
from ..runner import Job, runner_for
from ..themed_plot import ThemedPlot
from .choices import offer_results
from .compared import compared_objects
from .object_table import ObjectTable
from .results import Place, Result, Results

if TYPE_CHECKING:
    from napari.components import ViewerModel

_STATUSES = ("missed", "spurious", "split", "merged", "matched")
_SCORES: dict[str, Any] = {
    title: METRICS[name].function
    for title, name in (("AP at IoU 0.5", "ap50"), ("mean AP", "mean_ap"), ("PQ", "pq"))
}
_TABLE_HEIGHT = 110
_LINE_HEIGHT = 24
# Thousands of objects have values as wide as the first ones.
_MEASURED_LINES = 50
_PLOT_HEIGHT = 110
_MOST_NAMED = 6
_NOTHING = "Tick Instances among the metrics and measure again to see each object."
_HELP = "Click an object to see it in the image."

_Centres = dict[tuple[str, int], tuple[float, ...]]


class ObjectView(QWidget):
    """Table of the objects of one result, and how many match at which IoU.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    place_chosen : signal of Place
        The object that the user chose.
    result, status : ComboBox
        Name of the result; status of the objects shown, "" for all.
    rows : ObjectTable
        The lines of the table.
    """

    title = "Objects"
    place_chosen = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._results: Results | None = None
        self._job: Job | None = None
        self._centres: _Centres | None = None
        self._wanted: ObjectRow | None = None
        self.result = ComboBox(
            choices=[], label="Result", tooltip="The prediction whose objects are listed."
        )
        self.status = ComboBox(
            choices=[("all objects", ""), *((word, word) for word in _STATUSES)],
            label="Show",
            tooltip="Reference objects that were missed, split or merged, predicted ones that "
            "are spurious, parts of a split or mergers, or matched pairs.",
        )
        self.rows = ObjectTable()
        self.table = QTableView()
        self.plot = ThemedPlot()
        self.summary = text_label()
        self._lay_out()
        self._connect()
        self.show_results(None)

    @property
    def is_busy(self) -> bool:
        """Whether the places of the objects are being looked for."""
        return self._job is not None and self._job.is_running

    def show_results(self, results: Results | None) -> None:
        """Show the objects that were measured."""
        self._results = results
        offer_results(self.result, _with_objects(results))
        self._show()

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write the plot over IoU to a PNG, SVG or PDF file."""
        self.plot.save_picture(path)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        self._form = QWidget()
        rows = form_rows()
        self._form.setLayout(rows)
        add_row(rows, self.result)
        add_row(rows, self.status)
        self.table.setModel(self.rows)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(_LINE_HEIGHT)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.horizontalHeader().setResizeContentsPrecision(_MEASURED_LINES)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        self.table.setToolTip(_HELP)
        self.plot.setMinimumHeight(_PLOT_HEIGHT)
        self.plot.setToolTip("Matched objects tp over all, tp + fp + fn, by the IoU of a match.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self._form)
        layout.addWidget(self.summary)
        layout.addWidget(self.table, 2)
        layout.addWidget(self.plot, 1)
        layout.addStretch()

    def _connect(self) -> None:
        self.plot.follow(self._viewer)
        self.result.changed.connect(self._show)
        self.status.changed.connect(self.rows.show_status)
        self.table.clicked.connect(self._on_row)
        self.table.activated.connect(self._on_row)

    # --- what is shown ----------------------------------------------------------------
    @property
    def _result(self) -> Result | None:
        found = _with_objects(self._results)
        return next((result for result in found if result.name == self.result.value), None)

    def _show(self, _value: Any = None) -> None:
        result = self._result
        report = None if result is None else result.report
        self._centres = self._wanted = None
        if self._job is not None:
            self._job.cancel()
        self.rows.show_report(report)
        self.table.resizeColumnsToContents()
        for part in (self._form, self.table, self.plot):
            part.setVisible(report is not None)
        self.summary.setText(_NOTHING)
        if report is not None and report.instances is not None:
            self.summary.setText(in_words(report.instances))
        found = [(r.name, r.report.instances) for r in _with_objects(self._results) if r.report]
        self.plot.show_drawing(lambda plot: _draw(plot, found))

    # --- the way to an object ---------------------------------------------------------
    def _on_row(self, index: QModelIndex) -> None:
        self._wanted = self.rows.rows[index.row()]
        if self._centres is not None:
            self._go()
        elif not self.is_busy:
            self._look_for_centres()

    def _look_for_centres(self) -> None:
        results, result = self._results, self._result
        if results is None or result is None:
            return
        self._job = runner_for(self._viewer).run_in_background(
            functools.partial(_centres_of, results, result), "Objects", self
        )
        self._job.finished.connect(self._on_centres)
        self._job.failed.connect(self.summary.setText)

    def _on_centres(self, centres: _Centres) -> None:
        self._centres = centres
        self._go()

    def _go(self) -> None:
        row, result = self._wanted, self._result
        if row is None or result is None or self._centres is None:
            return
        both = (row.label, row.match) if row.role == "reference" else (row.match, row.label)
        centre = self._centres[row.role, row.label]
        self.place_chosen.emit(Place(result.name, centre=centre, objects=both))


def in_words(found: Instances) -> str:
    """The objects of a result, summed up."""
    scores = (f"{title} {shown(function(found))}" for title, function in _SCORES.items())
    n_matched = int(found.tp_above[0])
    return (
        f"{found.n_reference} reference and {found.n_predicted} predicted objects: "
        f"{n_matched} matched, {found.n_missed} missed, {found.n_spurious} spurious, "
        f"{found.n_split} split, {found.n_merged} merged. {', '.join(scores)}."
    )


def _with_objects(results: Results | None) -> list[Result]:
    found = () if results is None else results.results
    return [r for r in found if r.report is not None and r.report.instances is not None]


def _centres_of(results: Results, result: Result, progress: Progress) -> _Centres:
    """Where the objects lie, by role and label."""
    assert result.report is not None
    assert result.report.instances is not None
    progress(0.0, "looking for the objects …")
    both = compared_objects(results, result)
    rows = result.report.instances.objects
    placed = with_centroids(rows, both.prediction.labels, both.reference.labels)
    return {(row.role, row.label): row.centroid for row in placed}


def _draw(plot: ThemedPlot, found: list[tuple[str, Any]]) -> None:
    if not found:
        return
    axes = plot.figure.add_subplot()
    for i, (_name, instances) in enumerate(found):
        n_objects = instances.n_reference + instances.n_predicted
        shares = instances.tp / np.maximum(n_objects - instances.tp, 1)
        colour = CLASS_COLOURS[i % len(CLASS_COLOURS)]
        axes.plot(instances.thresholds, shares, "o-", color=colour, linewidth=1.2, markersize=3)
    axes.set(xlabel="IoU from which objects match", ylabel="tp / all", ylim=(0, 1.02))
    if 1 < len(found) <= _MOST_NAMED:
        plot.name_lines([name for name, _ in found])
