"""Measure: labels against a reference, as tables and plots that lead to the place in the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.compat import getsavefilename, isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ...errors import SegSuiteError
from ...metrics.tables import write_rows
from ...progress import Progress
from ...warmup import wake_numba
from ..form_parts import FittingScrollArea, Fold, RunPanel, add_row, form_rows
from ..runner import Job, runner_for
from .confusion_view import ConfusionView
from .curve_view import CurveView
from .error_layer import ErrorLayer
from .late_views import LateViews
from .live import LayerWatch
from .measure_options import MeasureOptions
from .measurement import Snapshot, measure
from .object_view import ObjectView
from .prediction_list import PredictionList, ReferenceChooser
from .result_texts import csv_text, latex_text, markdown_text, rows_of
from .results import Place, Results
from .score_view import ScoreView
from .slice_view import SliceView
from .tab_area import TabArea

if TYPE_CHECKING:
    import napari.viewer

_TITLE = "Measure"
_MEMORY = "segsuite_measure_options"
# Live measuring that takes longer than this falls back on what voxel counts alone give.
_SLOW_SECONDS = 2.0
_QUICK_GROUPS = ("overlap", "volume")
_SAID_AFTER = 0.5
_TEXTS = {"As Markdown": markdown_text, "As CSV": csv_text, "As LaTeX": latex_text}


class MeasureDock(QWidget):
    """Metrics of labels layers against a reference.

    Live, it measures again whenever a layer or a setting has changed. Where that takes more
    than two seconds, it keeps to overlap and volumes, and says so; Measure gives the rest.

    Parameters
    ----------
    viewer : Viewer or ViewerModel

    Attributes
    ----------
    chooser : ReferenceChooser
    predictions : PredictionList
    options : MeasureOptions
    live : QCheckBox
    tabs : QTabWidget
    views : tuple of QWidget
        What its tabs show: `scores`, confusion, slices, objects and probabilities.
    results : Results or None
        What is shown.
    job : Job or None
        The measurement under way.
    """

    # napari finds out by this very annotation that the viewer is wanted.
    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy, whose layers are equal to the real ones but not the same.
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.results: Results | None = None
        self.job: Job | None = None
        self._is_live_run = False
        self._is_slow = False
        self._followed: Any = None
        self.chooser = ReferenceChooser(self._viewer)
        self.predictions = PredictionList(self._viewer)
        self.options = MeasureOptions()
        self.panel = RunPanel()
        self.live = QCheckBox("Live")
        self.tabs = QTabWidget()
        self.scores = ScoreView(self._viewer)
        self.views: tuple[Any, ...] = (
            self.scores,
            ConfusionView(self._viewer),
            SliceView(self._viewer),
            ObjectView(self._viewer),
            CurveView(self._viewer),
        )
        self._plots = LateViews(self.views[1:], self)
        self.error_layer = ErrorLayer(self._viewer, self)
        self._watch = LayerWatch(self._viewer, self)
        self._recall()
        self._lay_out()
        self._connect()
        self._on_reference()
        runner_for(self._viewer).run_in_background(wake_numba, _TITLE, self)

    @property
    def message(self) -> str:
        """What the dock says below its buttons."""
        return str(self.panel.message.text())

    # --- what the buttons do ----------------------------------------------------------
    def measure(self) -> None:
        """Measure what is ticked, in the background."""
        self._start(is_live=False)

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.job is not None:
            self.panel.say("stopping …")
            self.job.cancel()

    def copy_text(self, text_of: Callable[[Results], str]) -> None:
        """Put the results on the clipboard.

        Parameters
        ----------
        text_of : callable
            Makes text of them.
        """
        if self.results is not None:
            QApplication.clipboard().setText(text_of(self.results))
            self.panel.say("The results are on the clipboard.")

    def save_as_csv(self) -> None:
        """Write every value with its definition to a file that the user names."""
        path, _ = getsavefilename(self, "Save the metrics", "metrics.csv", "CSV (*.csv)")
        results = self.results
        if path and results is not None:
            self._save(path, lambda: write_rows(path, rows_of(results)))

    def save_picture(self) -> None:
        """Save the plot of the tab in view to a file that the user names."""
        view = self._view
        kinds = "PNG (*.png);;SVG (*.svg)"
        path, _ = getsavefilename(self, "Save the picture", f"{view.title.lower()}.png", kinds)
        if path:
            self._save(path, lambda: view.save_picture(path))

    def changeEvent(self, event: QEvent) -> None:
        """Stop measuring once the dock is closed."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.live.setChecked(False)  # the dock lives on, but out of reach
            self.cancel()
        super().changeEvent(event)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.chooser)
        rows.addRow(self.predictions)
        form = FittingScrollArea([rows, Fold("What is measured, and how", self.options)])
        self.panel.run_button.setText(_TITLE)
        self.panel.run_button.setToolTip("Measure the ticked layers against the reference.")
        self.panel.cancel_button.setToolTip("Stop measuring; what is shown stays.")
        self.panel.copy_button.hide()
        self.panel.show_need("")
        self.live.setToolTip(
            "Measure again whenever a layer or a setting has changed. If that takes more than "
            "2 s, only overlap and volumes are measured. Plots wait until you rest for a second."
        )
        for view in self.views:
            self.tabs.addTab(TabArea(view), view.title)
            view.place_chosen.connect(self._on_place)
        layout = QVBoxLayout(self)
        layout.addWidget(form)
        layout.addWidget(self.live)
        layout.addWidget(self.panel)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(self._file_buttons())

    def _file_buttons(self) -> QHBoxLayout:
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("Put the results of all predictions on the clipboard.")
        menu = QMenu(self.copy_button)
        for title, text_of in _TEXTS.items():
            action = menu.addAction(title)
            action.triggered.connect(lambda _checked=False, make=text_of: self.copy_text(make))
        self.copy_button.setMenu(menu)
        self.save_button = QPushButton("Save CSV…")
        self.save_button.setToolTip("Write every value of every prediction with its definition.")
        self.picture_button = QPushButton("Save picture…")
        self.picture_button.setToolTip("Save the plot of the tab in view as PNG or SVG.")
        row = QHBoxLayout()
        for button in (self.copy_button, self.save_button, self.picture_button):
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self.panel.run_button.clicked.connect(self.measure)
        self.panel.cancel_button.clicked.connect(self.cancel)
        self.save_button.clicked.connect(self.save_as_csv)
        self.picture_button.clicked.connect(self.save_picture)
        self.tabs.currentChanged.connect(lambda _index: self._enable())
        self.tabs.currentChanged.connect(self._plots.hurry)
        self.live.toggled.connect(self._on_live)
        self.options.changed.connect(self._on_options)
        self.predictions.changed.connect(self._on_change)
        self.chooser.changed.connect(self._on_reference)
        self._watch.settled.connect(self._on_settled)
        self.error_layer.shown.connect(self.panel.say)
        self.error_layer.failed.connect(lambda text: self.panel.say(text, is_problem=True))
        self.destroyed.connect(self._watch.stop)
        # napari's emitters drop whoever is gone by themselves.
        events = self._viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            emitter.connect(self._on_layers)

    # --- the state of the dock --------------------------------------------------------
    @property
    def _view(self) -> Any:
        """What the tab in front shows."""
        return self.views[self.tabs.currentIndex()]

    def _on_layers(self, _event: Any = None) -> None:
        if isalive(self):
            self.chooser.refresh()
            self._on_reference()  # a drop-down that was empty does not tell of its first layer

    def _on_reference(self, _value: Any = None) -> None:
        self.predictions.set_reference(self.chooser.value)

    def _on_options(self) -> None:
        runner_for(self._viewer).setProperty(_MEMORY, self.options.shown())
        self._is_slow = False
        self._on_change()

    def _on_change(self) -> None:
        if isalive(self):
            self.options.show_grid(self._layers())
            self.panel.set_problem(self._problem())
            self._enable()
            if self.live.isChecked() and self._followed != self._order():
                self._follow()
                self._watch.edited()

    def _on_live(self, is_on: bool) -> None:
        self._is_slow = False
        if is_on:
            self._follow()
            self._on_settled()
        else:
            self._watch.stop()

    def _follow(self) -> None:
        self._followed = self._order()
        self._watch.watch(self._layers())

    def _order(self) -> Any:
        """What is measured, and how; layers that come and go besides do not matter."""
        return [(id(layer), layer.name) for layer in self._layers()], self.options.shown()

    def _on_settled(self) -> None:
        if self.job is not None and not self._is_live_run:
            self._watch.edited()  # once more after that
        elif self.live.isChecked() and not self._problem():
            self._start(is_live=True)

    def _layers(self) -> list[Any]:
        """The reference, and after it the predictions."""
        reference = self.chooser.value
        return [] if reference is None else [reference, *self.predictions.ticked]

    def _problem(self) -> str:
        """Why nothing can be measured; empty if something can."""
        layers = self._layers()
        if not layers:
            return "Expected a labels layer as reference, got none; open or choose one."
        if len(layers) == 1:
            return f"Expected labels to compare with '{layers[0].name}', got none; tick a layer."
        try:
            self.options.keywords()
        except SegSuiteError as error:
            return str(error)
        return ""

    def _recall(self) -> None:
        """Show the settings that the window's last such dock had."""
        shown = runner_for(self._viewer).property(_MEMORY)
        if shown:
            self.options.show_again(shown)

    def _enable(self) -> None:
        results = () if self.results is None else self.results.results
        has_results = any(result.report is not None for result in results)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(has_results)
        has_picture = hasattr(self._view, "save_picture")
        self.picture_button.setEnabled(has_results and has_picture)

    # --- measuring --------------------------------------------------------------------
    def _start(self, *, is_live: bool) -> None:
        problem = self._problem()
        if problem:
            self.panel.say(problem, is_problem=True)
            return
        if self.job is not None and self._is_live_run and self.job.elapsed > _SLOW_SECONDS:
            self._is_slow = True
        self.options.show_grid(self._layers())  # layers may have been scaled since
        options = self.options.keywords()
        if is_live and self._is_slow:
            quick = [group for group in options["metrics"] if group in _QUICK_GROUPS]
            options["metrics"] = quick or ["overlap"]
        reference, *predictions = map(Snapshot.of, self._layers())

        def work(progress: Progress) -> Results:
            return measure(reference, predictions, options, progress)

        before, self._is_live_run = self.job, is_live
        self.job = runner_for(self._viewer).run_in_background(work, _TITLE, self, before)
        self.job.progressed.connect(self._on_progress)
        self.job.finished.connect(self._on_finished)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        if not is_live:
            self.panel.set_running(True)

    def _on_progress(self, fraction: float, message: str, seconds_left: float) -> None:
        if self.sender() is self.job and self.job is not None:
            if not self._is_live_run:
                self.panel.show_progress(fraction, message, seconds_left)
            elif self.job.elapsed > _SAID_AFTER:
                self.panel.say(message)

    def _on_finished(self, results: Results) -> None:
        if self.sender() is not self.job or self.job is None:
            return
        seconds = self.job.elapsed
        self._is_slow |= self._is_live_run and seconds > _SLOW_SECONDS
        self._end()
        self.results = results
        self.scores.show_results(results)
        if self._is_live_run:
            self._plots.show_later(results)
        else:
            self._plots.show(results)
        self._enable()
        is_problem = not self.save_button.isEnabled()
        self.panel.say(self._in_words(results, seconds), is_problem=is_problem)

    def _on_failed(self, sentence: str) -> None:
        if self.sender() is self.job:
            self._end()
            self.panel.say(sentence, is_problem=True)

    def _on_cancelled(self) -> None:
        if self.sender() is self.job:
            self._end()
            self.panel.say("Stopped; what is shown stays.")

    def _end(self) -> None:
        self.job = None
        self.panel.set_running(False)

    def _in_words(self, results: Results, seconds: float) -> str:
        failed = [result for result in results.results if result.report is None]
        n = len(results.results) - len(failed)
        if not n:
            return failed[0].error
        said = [f"{n} layer{'' if n == 1 else 's'} measured in {max(seconds, 0.01):.2f} s."]
        if failed:
            names = ", ".join(f"'{result.name}'" for result in failed)
            said.append(f"The table says why not {names}.")
        if self._is_live_run and self._is_slow:
            said.append("That takes long: live, only overlap and volumes are measured.")
        return " ".join(said)

    # --- places and files -------------------------------------------------------------
    def _on_place(self, place: Place) -> None:
        if self.results is not None:
            self.error_layer.show(self.results, place)

    def _save(self, path: str, write: Callable[[], None]) -> None:
        try:
            write()
        except (SegSuiteError, OSError) as error:
            self.panel.say(str(error), is_problem=True)
        else:
            self.panel.say(f"Saved {path}.")
