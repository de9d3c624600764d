"""Number of clusters: run a method with several, and see which number suits the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, SpinBox
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...cluster_sweep import ClusterSweep, sweep_clusters
from ...compute import JobRequest
from ...errors import InputError, SegSuiteError
from ...image import Segmentation
from ...method import Input, Method
from ...progress import Progress
from ...registry import get_method, methods
from ...space import Axis
from ...warmup import prepare, wake_numba
from ..adapters import image_from_layer, layer_data, segmentation_from_layer
from ..form_parts import RunPanel, add_row, form_rows, side_by_side
from ..layer_choice import LayerChooser
from ..runner import Job, runner_for
from .cluster_plot import ClusterPlot

if TYPE_CHECKING:
    import napari.viewer

_SETTING = "n_clusters"
_USUAL = "kmeans"
_INPUTS = (
    Input("image", True, "What is clustered."),
    Input("reference", False, "Classes held to be true; Dice is measured against them."),
    Input("mask", False, "Voxels that count."),
)
_LEAST, _MOST = 2, 64
_FIRST, _LAST = 2, 8
_TABLE_HEIGHT = 110


class ClustersDock(QWidget):
    """Scores for each number of clusters, as diagrams and as a table.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    choosers : mapping of str to LayerChooser
        "image", "reference" and "mask".
    method : ComboBox
    first, last : SpinBox
        Numbers of clusters to begin and end with.
    sweep : ClusterSweep or None
        What is shown.
    job : Job or None
        The run under way.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.sweep: ClusterSweep | None = None
        self.job: Job | None = None
        self._name = ""
        self.choosers = {
            entry.name: LayerChooser(
                self._viewer, entry, (ImageLayer,) if entry.required else (Labels,)
            )
            for entry in _INPUTS
        }
        self.method = ComboBox(
            choices=[(method.title, method.id) for method in sweepable_methods()],
            value=_USUAL,
            label="Method",
            tooltip="Methods that are told how many clusters to make.",
        )
        self.first = SpinBox(value=_FIRST, min=_LEAST, max=_MOST)
        self.last = SpinBox(value=_LAST, min=_LEAST, max=_MOST)
        self.panel = RunPanel()
        self.plot = ClusterPlot()
        self.table = QTableWidget()
        self._lay_out()
        self._connect()
        self.plot.follow(self._viewer)
        self._on_change()
        runner_for(self._viewer).run_in_background(wake_numba, "Number of clusters", self)

    @property
    def message(self) -> str:
        """What the dock says below its buttons."""
        return str(self.panel.message.text())

    # --- what the buttons do ----------------------------------------------------------
    def run(self) -> None:
        """Run the method with each number of clusters."""
        method_id, numbers = self.method.value, self._numbers
        try:
            image = image_from_layer(self.choosers["image"].value)
            given = {
                name: segmentation_from_layer(self.choosers[name].value)
                for name in ("reference", "mask")
                if self.choosers[name].value is not None
            }
        except SegSuiteError as error:
            self.panel.say(str(error), is_problem=True)
            return
        mask = {"mask": given["mask"]} if "mask" in given else {}
        request = JobRequest(method_id, image, inputs=mask, settings={_SETTING: numbers[0]})

        def work(progress: Progress) -> ClusterSweep:
            prepare(request, progress)
            return sweep_clusters(
                image,
                method_id,
                numbers,
                reference=given.get("reference"),
                mask=given.get("mask"),
                progress=progress,
            )

        self._name = f"{image.name} {get_method(method_id).title}"
        self.job = runner_for(self._viewer).run_in_background(
            work, "Number of clusters", self, supersedes=self.job
        )
        self.job.progressed.connect(self.panel.show_progress)
        self.job.finished.connect(self._on_finished)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self.panel.set_running(True)
        self._enable()

    def cancel(self) -> None:
        """Stop the run; what is shown stays."""
        if self.job is not None:
            self.panel.say("stopping …")
            self.job.cancel()

    def add_stack(self) -> None:
        """Add the labels as a layer with one frame for each number of clusters."""
        if self.sweep is None:
            return
        first = self.sweep.rows[0].n_clusters
        # Counted from the first number, the slider says how many clusters are shown.
        space = self.sweep.space.with_leading(Axis("k", "time", translate=float(first)))
        data = layer_data(Segmentation(self.sweep.labels, space, name=f"{self._name} by k"))
        layer = self._viewer.add_labels(data[0], **data[1])
        self._viewer.dims.set_point(self._viewer.dims.ndim - layer.ndim, self.sweep.suggested)
        self.panel.say(f"Added '{layer.name}'; move the slider k.")

    def copy_table(self) -> None:
        """Put the table on the clipboard, as Markdown."""
        if self.sweep is not None:
            QApplication.clipboard().setText(self.sweep.to_markdown())
            self.panel.say("The table is on the clipboard.")

    def changeEvent(self, event: QEvent) -> None:
        """Stop the run once the dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()  # the dock lives on, but out of reach
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.choosers["image"])
        add_row(rows, self.method)
        rows.addRow("Clusters", side_by_side([self.first.native, QLabel("to"), self.last.native]))
        add_row(rows, self.choosers["reference"])
        add_row(rows, self.choosers["mask"])
        self.panel.copy_button.hide()
        self.panel.show_need("")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().setVisible(False)
        self.table.setMinimumHeight(_TABLE_HEIGHT)
        self.stack_button = QPushButton("Add as label stack")
        self.stack_button.setToolTip("Add a layer with one frame for each number of clusters.")
        self.copy_button = QPushButton("Copy table")
        buttons = QHBoxLayout()
        buttons.addWidget(self.stack_button)
        buttons.addWidget(self.copy_button)
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addWidget(self.panel)
        layout.addWidget(self.plot, 3)
        layout.addWidget(self.table, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.panel.run_button.clicked.connect(self.run)
        self.panel.cancel_button.clicked.connect(self.cancel)
        self.stack_button.clicked.connect(self.add_stack)
        self.copy_button.clicked.connect(self.copy_table)
        for widget in (self.method, self.first, self.last):
            widget.changed.connect(self._on_change)
        for chooser in self.choosers.values():
            chooser.changed.connect(self._on_change)
        # napari's emitters drop whoever is gone by themselves.
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._on_layers)

    # --- the state of the dock --------------------------------------------------------
    @property
    def _numbers(self) -> range:
        return range(self.first.value, self.last.value + 1)

    def _on_layers(self, _event: Any = None) -> None:
        if isalive(self):
            for chooser in self.choosers.values():
                chooser.refresh()
            self._on_change()

    def _on_change(self, _value: Any = None) -> None:
        if isalive(self):
            self.panel.set_problem(self._problem())
            self._enable()

    def _problem(self) -> str:
        layer = self.choosers["image"].value
        if layer is None:
            return "Open an image to start."
        try:
            image_from_layer(layer)
            if not self._numbers:
                raise InputError("Choose a last number of clusters that is not below the first.")
        except SegSuiteError as error:
            return str(error)
        return ""

    def _enable(self) -> None:
        for button in (self.stack_button, self.copy_button):
            button.setEnabled(self.sweep is not None)

    # --- what becomes of a run --------------------------------------------------------
    def _on_finished(self, sweep: ClusterSweep) -> None:
        self.sweep = sweep
        self._end()
        self.plot.show_sweep(sweep)
        self._show_table(sweep)
        self.panel.say(f"{sweep.suggested} clusters have the best silhouette.")

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
        self._enable()

    def _show_table(self, sweep: ClusterSweep) -> None:
        names = ("n_clusters", *sweep.scores)
        self.table.setColumnCount(len(names))
        self.table.setHorizontalHeaderLabels(
            [name.replace("_", " ").removeprefix("n ") for name in names]
        )
        self.table.setRowCount(len(sweep.rows))
        for line, row in enumerate(sweep.rows):
            for column, name in enumerate(names):
                item = QTableWidgetItem(f"{getattr(row, name):.4g}")
                font = item.font()
                font.setBold(row.n_clusters == sweep.suggested)
                item.setFont(font)
                self.table.setItem(line, column, item)
        self.table.resizeColumnsToContents()


def sweepable_methods() -> list[Method]:
    """The methods that are told how many clusters to make."""
    return [
        method
        for method in methods()
        if method.family == "clustering" and any(p.name == _SETTING for p in method.params)
    ]
