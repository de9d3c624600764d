"""How good a prediction is from slice to slice, as curves to click on."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...image import CLASS_COLOURS, RGBA
from ...metrics import METRICS, Metric
from ...metrics.slices import slice_scores
from ...progress import Progress, part_of
from ..form_parts import add_row, form_rows, text_label
from ..grow.regions import step_of
from ..runner import Job, runner_for
from ..themed_plot import ThemedPlot
from .choices import offer
from .compared import compared
from .cursor_plot import CursorPlot
from .results import Place, Result, Results

if TYPE_CHECKING:
    from napari.components import ViewerModel

_HEIGHT = 150
_MOST_LINES = 12
_MOST_NAMED = 8
_ALL = ""
_NOTHING = "Measure overlap to see how a prediction does from slice to slice."
_HELP = "Click a slice to see it in the image."


@dataclass(frozen=True, eq=False)
class Line:
    """A curve.

    Attributes
    ----------
    name : str
    result : str
        Name of the result it is of.
    label : int
        Class it is of.
    colour : RGBA
    values : (S,) array
        NaN where there is no value.
    """

    name: str
    result: str
    label: int
    colour: RGBA
    values: NDArray[np.float64]


class SliceView(QWidget):
    """Curves of a metric over the slices: of all classes of one result, or of one of all.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    place_chosen : signal of Place
        The slice that the user clicked.
    score, axis, result, label : ComboBox
        Name of the metric; axis of the array; name of the result, "" for all of them; class,
        where there are several results.
    lines : tuple of Line
        The curves that are drawn.
    """

    title = "Slices"
    place_chosen = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._results: Results | None = None
        self._grid: Any = None
        self._job: Job | None = None
        self._is_stale = False
        self.lines: tuple[Line, ...] = ()
        self.score = ComboBox(
            choices=[(metric.title, metric.name) for metric in _sliced()],
            label="Metric",
            tooltip="What is measured in each slice, as if it were an image of its own.",
        )
        self.axis = ComboBox(choices=[], label="Along", tooltip="The axis that is sliced.")
        self.result = ComboBox(
            choices=[],
            label="Result",
            tooltip="All classes of one prediction, or one class of all predictions.",
        )
        self.label = ComboBox(
            choices=[], label="Class", tooltip="The class that predictions are compared by."
        )
        self.plot = CursorPlot()
        self.plot.setMinimumHeight(_HEIGHT)
        self.hint = text_label(_NOTHING)
        self._lay_out()
        self._connect()
        self.show_results(None)

    @property
    def is_busy(self) -> bool:
        """Whether curves are being computed."""
        return self._job is not None and self._job.is_running

    def show_results(self, results: Results | None) -> None:
        """Show what was measured, once this is in view."""
        found = [] if results is None else [r for r in results.results if r.report is not None]
        self._results = results if found else None
        self._grid = None if self._results is None else _layer_on(self._results)
        names = [(result.name, result.name) for result in found]
        every = [("all predictions", _ALL)] if len(found) > 1 else []
        offer(self.result, [*names, *every])
        offer(self.axis, [] if not found else _axes_of(results))
        offer(self.label, _classes_of(found) if every else [])
        self._refresh()

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write the curves to a PNG, SVG or PDF file."""
        self.plot.save_picture(path)

    def showEvent(self, event: QShowEvent) -> None:
        """Compute what changed while nobody looked."""
        super().showEvent(event)
        self._compute()

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.score)
        add_row(rows, self.axis)
        add_row(rows, self.result)
        self._label_row = add_row(rows, self.label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.hint)
        layout.addWidget(self.plot, 1)
        self.plot.setCursor(Qt.CursorShape.PointingHandCursor)

    def _connect(self) -> None:
        for choice in (self.score, self.axis, self.result, self.label):
            choice.changed.connect(self._refresh)
        self.plot.follow(self._viewer)
        self.plot.mpl_connect("button_press_event", self._on_click)
        events = self._viewer.dims.events
        for emitter in (events.point, events.order, events.ndisplay):
            emitter.connect(self._on_dims)

    # --- the curves -------------------------------------------------------------------
    def _refresh(self, _value: Any = None) -> None:
        """Note that the curves are not those wanted any more."""
        compares = self.result.value == _ALL
        self._label_row.setVisible(compares)
        self.label.native.setVisible(compares)
        self._is_stale = True
        if self._results is None:
            self._show(())
        self._compute()

    def _compute(self) -> None:
        if not (self._is_stale and self.isVisible() and self._results is not None):
            return
        self._is_stale = False
        chosen = self._results.named(self.result.value)
        found = [r for r in self._results.results if r.report is not None]
        work = functools.partial(
            _curves,
            self._results,
            found if chosen is None else [chosen],
            self.label.value if chosen is None else None,
            self.score.value,
            self.axis.value,
        )
        self._job = runner_for(self._viewer).run_in_background(
            work, "Slices", self, supersedes=self._job
        )
        self._job.finished.connect(self._show)
        self._job.failed.connect(self._say)

    def _say(self, sentence: str) -> None:
        self._show(())
        self.hint.setText(sentence)

    def _show(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines[:_MOST_LINES])
        self.plot.setVisible(bool(self.lines))
        self.hint.setText(_HELP if self.lines else _NOTHING)
        if len(lines) > _MOST_LINES:
            self.hint.setText(f"The {_MOST_LINES} largest of {len(lines)} classes. {_HELP}")
        metric, axis = METRICS[self.score.value], self.axis.current_choice
        self.plot.show_drawing(lambda plot: self._draw(plot, metric, axis))
        self._on_dims()

    def _draw(self, plot: ThemedPlot, metric: Metric, axis: str) -> None:
        if not self.lines:
            return
        axes = plot.figure.add_subplot()
        for line in self.lines:
            marker = "o" if _has_lone_slice(line.values) else None
            axes.plot(line.values, color=line.colour, linewidth=1.2, marker=marker, markersize=2)
        axes.set(xlabel=f"slice along {axis}", ylabel=metric.title)
        axes.set_xlim(-0.5, len(self.lines[0].values) - 0.5)  # also slices without a value
        axes.xaxis.get_major_locator().set_params(integer=True)
        if metric.limits is not None:
            low, high = metric.limits
            axes.set_ylim(low - 0.02 * (high - low), high + 0.02 * (high - low))
        if len(self.lines) <= _MOST_NAMED:
            plot.name_lines([line.name for line in self.lines])

    # --- the viewer's slice -----------------------------------------------------------
    def _on_dims(self, _event: Any = None) -> None:
        if isalive(self):
            self.plot.move_mark(self._slice_in_view())

    def _slice_in_view(self) -> int | None:
        """Index of the viewer's slice along the chosen axis; None if it shows them all."""
        dims, axis = self._viewer.dims, self.axis.value
        if self._grid is None or axis is None or dims.ndim < self._grid.ndim:
            return None
        if axis + dims.ndim - self._grid.ndim in dims.displayed:
            return None
        return int(step_of(self._viewer, self._grid)[axis])

    def _on_click(self, event: Any) -> None:
        if event.inaxes is None or event.button != 1 or not self.lines:
            return
        n = len(self.lines[0].values)
        index = min(max(round(event.xdata), 0), n - 1)
        line = self.lines[0]
        compares = self.result.value == _ALL
        if compares:
            away = [abs(each.values[index] - event.ydata) for each in self.lines]
            line = self.lines[0 if np.isnan(away).all() else int(np.nanargmin(away))]
        label = line.label if compares else None
        self.place_chosen.emit(Place(line.result, label, axis=self.axis.value, index=index))


def _sliced() -> list[Metric]:
    return [m for m in METRICS.values() if m.group == "overlap" and m.per_class]


def _axes_of(results: Results | None) -> list[tuple[str, int]]:
    """Names of the axes that have several slices."""
    assert results is not None
    reference = results.reference
    axes = zip(reference.space.axes, reference.labels.shape, strict=True)
    return [(axis.name, i) for i, (axis, n) in enumerate(axes) if n > 1]


def _classes_of(found: Sequence[Result]) -> list[tuple[str, int]]:
    """Classes of the reports, background left out."""
    names: dict[int, str] = {}
    for result in found:
        assert result.report is not None
        names |= {label: result.report.class_title(label) for label in result.report.labels}
    return [(names[label], label) for label in sorted(names) if label != 0]


def _layer_on(results: Results) -> Any:
    """A layer on the reference's grid, in no viewer: it knows indices from places."""
    from napari.layers import Labels

    shape = results.reference.labels.shape
    nothing = np.broadcast_to(np.uint8(0), shape)
    return Labels(nothing, **results.reference.space.to_layer_kwargs())


def _curves(
    results: Results,
    chosen: Sequence[Result],
    label: int | None,
    metric: str,
    axis: int,
    progress: Progress,
) -> list[Line]:
    """One curve per class, the largest first, or per result if a class is given."""
    lines = []
    for i, result in enumerate(chosen):
        both = compared(results, result)
        scores = slice_scores(
            both.prediction.labels,
            both.reference.labels,
            axis=axis,
            metric=metric,
            classes=_by_size(result) if label is None else [label],
            ignore=both.ignore,
            progress=part_of(progress, i / len(chosen), (i + 1) / len(chosen)),
        )
        colours = {entry.id: entry.colour for entry in results.reference.classes}
        for of in scores.labels:
            colour, name = colours.get(of) or _usual(of - 1), _name_of(result, of)
            if label is not None:
                colour, name = _usual(i), result.name
            lines.append(Line(name, result.name, of, colour, scores.values[of]))
    return lines


def _by_size(result: Result) -> list[int]:
    """Foreground classes of a result, those with most voxels first."""
    report = result.report
    assert report is not None
    sizes = dict(zip(report.labels, report.confusion.sum(axis=1).tolist(), strict=True))
    return sorted((c for c in report.labels if c != 0), key=lambda label: -sizes[label])


def _name_of(result: Result, label: int) -> str:
    assert result.report is not None
    return result.report.names.get(label, f"class {label}")


def _usual(place: int) -> RGBA:
    return CLASS_COLOURS[place % len(CLASS_COLOURS)]


def _has_lone_slice(values: NDArray[np.float64]) -> bool:
    """Whether a value stands between gaps, where a line would not show it."""
    is_there = np.pad(~np.isnan(values), 1)
    return bool((is_there[1:-1] & ~is_there[:-2] & ~is_there[2:]).any())
