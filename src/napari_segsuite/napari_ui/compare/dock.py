"""Compare methods: tick some, run them all, and see which suits the image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.compat import getexistingdirectory, isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ...comparing import Comparison, Row, Scene
from ...errors import SegSuiteError
from ...image import Segmentation
from ...job_inputs import as_image, check_inputs, label_input
from ...method import Input, Method
from ...registry import methods
from ...warmup import wake_numba
from ..adapters import image_from_layer
from ..form_parts import Fold, RunPanel, add_row, form_rows
from ..layer_choice import LayerChooser
from ..runner import runner_for
from .method_picker import MethodPicker
from .reference_colours import coloured_labels
from .result_set import ResultSet
from .run_queue import CompareQueue
from .score_table import ScoreTable
from .view_slice import ViewSlice, slice_in_view

if TYPE_CHECKING:
    import napari.viewer

_IMAGE = Input("image", True, "What is segmented.")
_REFERENCE = Input("reference", False, "Labels held to be true; scores are measured against them.")
_FURTHER = (
    Input("seeds", False, "Painted classes, for methods that grow seeds."),
    Input("labels", False, "Regions or labels, for methods that work on them."),
    Input("mask", False, "Voxels that count, for methods that take a mask."),
)
_NO_METHOD = "Tick the methods to compare."


class CompareDock(QWidget):
    """Methods to tick, their run, the table of what they did, and the results as layers.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    choosers : mapping of str to LayerChooser
        "image", "reference", "seeds", "labels", "mask".
    extent : ComboBox
        "whole" or "slice".
    picker : MethodPicker
    table : ScoreTable
    results : ResultSet
    comparison : Comparison or None
        What the table shows.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.comparison: Comparison | None = None
        self._slice: ViewSlice | None = None
        self._notices: list[str] = []
        self.choosers = {
            entry.name: LayerChooser(
                self._viewer, entry, (ImageLayer,) if entry is _IMAGE else (Labels,)
            )
            for entry in (_IMAGE, _REFERENCE, *_FURTHER)
        }
        self.extent = ComboBox(
            choices=[("this slice only", "slice"), ("the whole image", "whole")],
            label="Run on",
            tooltip="The slice that the viewer shows is taken as an image of its own, which is "
            "fast; the results lie on it.",
        )
        self.picker = MethodPicker()
        self.panel = RunPanel()
        self.table = ScoreTable()
        self.results = ResultSet(self._viewer)
        self._queue = CompareQueue(self._viewer, self)
        self._lay_out()
        self._connect()
        self._on_change()
        runner_for(self._viewer).run_in_background(wake_numba, "Compare methods", self)

    @property
    def message(self) -> str:
        """What the dock says below its buttons."""
        return str(self.panel.message.text())

    @property
    def is_running(self) -> bool:
        """Whether there are rows still to come."""
        return self._queue.is_running

    # --- what the buttons do ----------------------------------------------------------
    def run(self) -> None:
        """Run what is ticked, one after the other."""
        try:
            entries = self.picker.entries()
            scene, self._slice = self._scene(snapshot=True)
        except SegSuiteError as error:
            self.panel.say(str(error), is_problem=True)
            return
        if not entries:
            self.panel.say(_NO_METHOD, is_problem=True)
            return
        self._notices = []
        self.comparison = Comparison(scene.image, (), {}, scene.reference, scene.match)
        self.table.show_comparison(self.comparison)
        self.panel.set_running(True)
        self._enable()
        self._queue.start(scene, entries)

    def cancel(self) -> None:
        """Stop; rows and layers that are there stay."""
        if self.is_running:
            self.panel.say("stopping …")
            self._queue.cancel()

    def show_side_by_side(self, is_on: bool) -> None:
        """Give each layer a cell of its own, or put the results on the image again."""
        self.results.set_side_by_side(is_on, self.table.chosen)

    def copy_table(self) -> None:
        """Put the table on the clipboard, as Markdown."""
        if self.comparison is not None:
            QApplication.clipboard().setText(self.comparison.to_markdown())
            self.panel.say("The table is on the clipboard.")

    def save_report(self) -> None:
        """Write tables, picture and labels to a folder that the user names."""
        folder = getexistingdirectory(self, "Folder for the report")
        comparison, slice_index = self.comparison, self._drawn_slice()
        if not folder or comparison is None:
            return
        job = runner_for(self._viewer).run_in_background(
            lambda _progress: comparison.save_report(Path(folder), slice_index),
            "Report",
            self,
            uses_kernels=False,
        )
        job.finished.connect(lambda files: self.panel.say(f"Saved {files[-1]}."))
        job.failed.connect(lambda sentence: self.panel.say(sentence, is_problem=True))
        self.panel.say("saving …")

    def changeEvent(self, event: QEvent) -> None:
        """Stop the run once the dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.cancel()  # the dock lives on, but out of reach
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows, further = form_rows(), form_rows()
        add_row(rows, self.choosers["image"])
        add_row(rows, self.extent)
        add_row(rows, self.choosers["reference"])
        for entry in _FURTHER:
            add_row(further, self.choosers[entry.name])
        self.panel.copy_button.hide()
        self.panel.show_need("")
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addWidget(Fold("Seeds, labels and mask", further))
        layout.addWidget(self.picker, 3)
        layout.addWidget(self.panel)
        layout.addWidget(self.table, 2)
        layout.addLayout(self._result_buttons())

    def _result_buttons(self) -> QHBoxLayout:
        self.side_by_side = QPushButton("Side by side")
        self.side_by_side.setCheckable(True)
        self.side_by_side.setToolTip("Show each layer in a cell of its own, or all on the image.")
        self.save_button = QPushButton("Save report…")
        self.save_button.setToolTip("Write tables, a picture and the labels to a folder.")
        self.copy_button = QPushButton("Copy table")
        self.copy_button.setToolTip("Put the table on the clipboard, as Markdown.")
        row = QHBoxLayout()
        for button in (self.side_by_side, self.save_button, self.copy_button):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.panel.run_button.clicked.connect(self.run)
        self.panel.cancel_button.clicked.connect(self.cancel)
        self.side_by_side.toggled.connect(self.show_side_by_side)
        self.save_button.clicked.connect(self.save_report)
        self.copy_button.clicked.connect(self.copy_table)
        self.table.row_chosen.connect(self._on_row_chosen)
        self._queue.progressed.connect(self.panel.show_progress)
        self._queue.row_found.connect(self._on_row)
        self._queue.ended.connect(self._on_ended)
        self.picker.changed.connect(self._on_change)
        self.extent.changed.connect(self._on_change)
        for chooser in self.choosers.values():
            chooser.changed.connect(self._on_change)
        # napari's emitters drop whoever is gone by themselves.
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._on_layers)
        self._viewer.dims.events.ndisplay.connect(self._on_layers)

    # --- the state of the dock --------------------------------------------------------
    def _on_layers(self, _event: Any = None) -> None:
        if isalive(self):
            for chooser in self.choosers.values():
                chooser.refresh()
            self._on_change()

    def _on_change(self, _value: Any = None) -> None:
        """Say what stands in the way, and which methods cannot run on what is chosen."""
        if not isalive(self):
            return
        try:
            scene, _ = self._scene(snapshot=False)
        except SegSuiteError as error:
            self.panel.set_problem(str(error))
        else:
            reasons = {method.id: _why_not(scene, method) for method in methods()}
            self.picker.set_reasons(reasons, scene.image.space.unit)
            self.panel.set_problem(self._problem())
        self._enable()

    def _problem(self) -> str:
        try:
            return "" if self.picker.entries() else _NO_METHOD
        except SegSuiteError as error:
            return str(error)

    def _scene(self, *, snapshot: bool) -> tuple[Scene, ViewSlice | None]:
        """What is chosen, or the slice of it that is in view."""
        chosen = {name: chooser.value for name, chooser in self.choosers.items()}
        layer = chosen.pop("image")
        if layer is None:
            raise SegSuiteError("Open an image to start.")
        image = image_from_layer(layer)
        given = {
            name: coloured_labels(layer, snapshot=snapshot)
            for name, layer in chosen.items()
            if layer is not None
        }
        reference = given.pop("reference", None)
        scene = Scene(image, given, reference)
        if self.extent.value == "whole":
            return scene, None
        part = slice_in_view(self._viewer, layer, image)
        return part.of_scene(scene), part

    def _drawn_slice(self) -> int | None:
        """Index along the first axis of what is compared, for the picture of the report."""
        comparison = self.comparison
        if comparison is None or len(comparison.image.spatial_shape) < 3:
            return None
        layer = self.choosers["image"].value
        try:
            indices = slice_in_view(self._viewer, layer, comparison.image).indices
        except (SegSuiteError, AttributeError):
            return None
        return indices.get(0)

    def _enable(self) -> None:
        has_rows = self.comparison is not None and bool(self.comparison.rows)
        for button in (self.save_button, self.copy_button):
            button.setEnabled(has_rows and not self.is_running)
        self.side_by_side.setEnabled(bool(self.results.layers) or self.side_by_side.isChecked())

    # --- what becomes of a run --------------------------------------------------------
    def _on_row(self, row: Row, result: Segmentation | None) -> None:
        assert self.comparison is not None
        results = dict(self.comparison.results)
        if result is not None:
            results[row.name] = result
            shown = result if self._slice is None else self._slice.put_back(result)
            self._notices.append(self.results.put(row.name, shown))
        self.comparison = replace(
            self.comparison, rows=(*self.comparison.rows, row), results=results
        )
        self.table.show_comparison(self.comparison)

    def _on_ended(self, is_complete: bool) -> None:
        assert self.comparison is not None
        self.panel.set_running(False)
        n, failed = len(self.comparison.rows), [row for row in self.comparison.rows if row.error]
        said = [f"{n} method{'' if n == 1 else 's'} compared." if is_complete else "Stopped."]
        said += [f"{row.name}: {row.error}" for row in failed]
        said += dict.fromkeys(notice for notice in self._notices if notice)
        self.panel.say(" ".join(said), is_problem=bool(failed))
        self._enable()

    def _on_row_chosen(self, name: str) -> None:
        self.results.show_only(name)
        rows = [] if self.comparison is None else self.comparison.rows
        error = next((row.error for row in rows if row.name == name), "")
        if error and not self.is_running:
            self.panel.say(f"{name}: {error}", is_problem=True)


def _why_not(scene: Scene, method: Method) -> str:
    """Why a method cannot run on what is chosen; empty if it can."""
    wanted = [entry.name for entry in method.inputs[1:] if entry.required]
    wanted += ["labels"] if method.takes_labels else []
    missing = [name for name in wanted if name not in scene.inputs]
    if missing:
        return f"{method.title} needs {' and '.join(missing)}; choose a layer for that above."
    given = {
        entry.name: label_input(scene.inputs[entry.name])
        for entry in method.inputs[1:]
        if entry.name in scene.inputs
    }
    try:
        image = scene.inputs["labels"] if method.takes_labels else scene.image
        check_inputs(method, as_image(image), given)
    except SegSuiteError as error:
        return str(error)
    return ""
