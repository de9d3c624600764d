"""Which classes are taken for which: the confusion matrix as a map to click on."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QCursor, QShowEvent
from qtpy.QtWidgets import QToolTip, QVBoxLayout, QWidget

from ...image import CLASS_COLOURS
from ...metrics import Report
from ..form_parts import add_row, form_rows, text_label
from ..themed_plot import SMALL, ThemedPlot, shortened
from .choices import offer_results
from .results import Place, Result, Results

if TYPE_CHECKING:
    from napari.components import ViewerModel

MOST_CLASSES = 40
_MOST_WITH_TEXT = 12
_MOST_NAMED = 20
_NAME_LETTERS = 12
_HEIGHT = 200
_BLUE = CLASS_COLOURS[1]
# How bright red, green and blue look.
_BRIGHTNESS = np.array((0.299, 0.587, 0.114))
_KINDS = (
    ("voxels (log colours)", "counts"),
    ("share of the reference (recall)", "reference"),
    ("share of the prediction (precision)", "prediction"),
)
_NOTHING = "Measure overlap to see which classes are taken for which."


class ConfusionView(QWidget):
    """Heat map of one result's confusion matrix.

    Parameters
    ----------
    viewer : ViewerModel
        Whose colours it takes.

    Attributes
    ----------
    place_chosen : signal of Place
        The class or pair of classes that the user clicked.
    result, kind : ComboBox
        Name of the result; "counts", "reference" or "prediction".
    """

    title = "Confusion"
    place_chosen = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._results: tuple[Result, ...] = ()
        self._is_stale = True
        self.result = ComboBox(
            choices=[], label="Result", tooltip="The prediction whose confusions are shown."
        )
        self.kind = ComboBox(
            choices=list(_KINDS),
            value="reference",
            label="Show",
            tooltip="Voxels of each pair of classes, or their share of the reference's class "
            "(rows add up to 1) or of the predicted class (columns add up to 1).",
        )
        self.plot = ThemedPlot()
        self.plot.setMinimumHeight(_HEIGHT)
        self.hint = text_label(_NOTHING)
        rows = form_rows()
        add_row(rows, self.result)
        add_row(rows, self.kind)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.hint)
        layout.addWidget(self.plot, 1)
        self.plot.follow(viewer)
        self.plot.mpl_connect("motion_notify_event", self._on_move)
        self.plot.mpl_connect("button_press_event", self._on_click)
        self.result.changed.connect(self._show)
        self.kind.changed.connect(self._show)
        self._show()

    def show_results(self, results: Results | None) -> None:
        """Show what was measured."""
        found = () if results is None else results.results
        self._results = tuple(result for result in found if _has_matrix(result.report))
        offer_results(self.result, self._results)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what changed while nobody looked."""
        super().showEvent(event)
        self._redraw()

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write the map to a PNG, SVG or PDF file."""
        self.plot.save_picture(path)

    # --- what is shown ----------------------------------------------------------------
    @property
    def _report(self) -> Report | None:
        found = (result for result in self._results if result.name == self.result.value)
        return next((result.report for result in found), None)

    def _show(self, _value: Any = None) -> None:
        report = self._report
        self.plot.setVisible(report is not None)
        self.hint.setText(_NOTHING if report is None else _about(report))
        self._is_stale = True
        if self.isVisible():
            self._redraw()

    def _redraw(self) -> None:
        report = self._report
        if self._is_stale and report is not None:
            self._is_stale = False
            kind, places = self.kind.value, classes_shown(report.confusion)
            self._places = places
            self.plot.show_drawing(lambda plot: _draw(plot, report, kind, places))

    # --- the mouse --------------------------------------------------------------------
    def _cell(self, event: Any) -> tuple[int, int] | None:
        """Row and column of the whole matrix that the mouse is on."""
        if event.inaxes is None or event.xdata is None or self._report is None:
            return None
        row, column = round(event.ydata), round(event.xdata)
        n = len(self._places)
        if not (0 <= row < n and 0 <= column < n):
            return None
        return int(self._places[row]), int(self._places[column])

    def _on_move(self, event: Any) -> None:
        cell, report = self._cell(event), self._report
        self.plot.setCursor(
            Qt.CursorShape.ArrowCursor if cell is None else Qt.CursorShape.PointingHandCursor
        )
        if cell is None or report is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(QCursor.pos(), told(report, *cell), self.plot)

    def _on_click(self, event: Any) -> None:
        cell, report = self._cell(event), self._report
        if cell is None or report is None or event.button != 1:
            return
        label, predicted = (report.labels[i] for i in cell)
        self.place_chosen.emit(
            Place(self.result.value, label, None if predicted == label else predicted)
        )


def classes_shown(confusion: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows of the classes to show: all, or of many those with most confused voxels."""
    if len(confusion) <= MOST_CLASSES:
        return np.arange(len(confusion))
    right = confusion.diagonal()
    confused = confusion.sum(axis=0) + confusion.sum(axis=1) - 2 * right
    # Where none is confused, large classes come first.
    order = np.lexsort((-right, -confused))
    return np.sort(order[:MOST_CLASSES])


def told(report: Report, row: int, column: int) -> str:
    """What a cell says: voxels, and their share of both classes."""
    counts = report.confusion
    n = int(counts[row, column])
    expected, predicted = (_named(report, report.labels[i]) for i in (row, column))
    return "\n".join(
        (
            f"reference {expected}, predicted {predicted}",
            f"{n:,} voxel{'' if n == 1 else 's'}",
            f"{_percent(n, int(counts[row].sum()))} of the reference's {expected}",
            f"{_percent(n, int(counts[:, column].sum()))} of the predicted {predicted}",
        )
    )


def _has_matrix(report: Report | None) -> bool:
    return report is not None and report.confusion.size > 0


def _about(report: Report) -> str:
    n = len(report.confusion)
    some = f"The {MOST_CLASSES} of {n} classes with most confused voxels. "
    return (some if n > MOST_CLASSES else "") + "Click a cell to see its voxels in the image."


def _named(report: Report, label: int) -> str:
    return report.names.get(label, "background" if label == 0 else f"class {label}")


def _percent(n: int, total: int) -> str:
    return f"{100 * n / total:.3g} %" if total else "no part"


def _draw(plot: ThemedPlot, report: Report, kind: str, places: NDArray[np.intp]) -> None:
    values = _values(report.confusion, kind, places)
    colours = LinearSegmentedColormap.from_list("cells", [(0.0, plot.paper), (1.0, _BLUE)])
    if kind == "counts":
        values[values == 0] = np.nan
        top = float(np.nanmax(values, initial=1))
        norm: Any = LogNorm(1, max(top, 2))
    else:
        norm = Normalize(0, 1)
    axes = plot.figure.add_subplot()
    axes.imshow(values, cmap=colours, norm=norm, aspect="equal", interpolation="nearest")
    axes.set(xlabel="predicted", ylabel="reference")
    _name_ticks(axes, [_named(report, report.labels[i]) for i in places], report, places)
    if len(places) <= _MOST_WITH_TEXT:
        _write(axes, values, colours(norm(values)), kind)


def _name_ticks(axes: Any, names: list[str], report: Report, places: NDArray[np.intp]) -> None:
    n = len(names)
    if n > _MOST_NAMED:
        names = [str(report.labels[i]) for i in places]
    step = math.ceil(n / _MOST_NAMED)
    short = [shortened(name, _NAME_LETTERS) for name in names[::step]]
    axes.set_xticks(range(0, n, step), short, rotation=90 if n > 3 else 0)
    axes.set_yticks(range(0, n, step), short)
    axes.tick_params(length=0, labelsize=SMALL if n <= _MOST_NAMED else SMALL - 1)


def _values(
    confusion: NDArray[np.int64], kind: str, places: NDArray[np.intp]
) -> NDArray[np.float64]:
    """What the colours of some classes stand for; NaN where there is nothing to divide by."""
    counts = confusion[np.ix_(places, places)].astype(np.float64)
    if kind == "counts":
        return counts
    totals = confusion.sum(axis=1 if kind == "reference" else 0)[places]
    if kind == "reference":
        totals = totals[:, np.newaxis]
    shares = np.full_like(counts, np.nan)
    np.divide(counts, totals, out=shares, where=np.broadcast_to(totals > 0, counts.shape))
    return shares


def _write(axes: Any, values: NDArray[np.float64], colours: Any, kind: str) -> None:
    size = SMALL if len(values) <= _MOST_WITH_TEXT // 2 else SMALL - 2
    # Laying out the axes need not look at texts that lie inside them.
    style = {"ha": "center", "va": "center", "fontsize": size, "in_layout": False}
    for (row, column), value in np.ndenumerate(values):
        if value > 0:
            ink = "black" if _BRIGHTNESS @ colours[row, column][:3] > 0.5 else "white"
            text = _short(value) if kind == "counts" else _share(value)
            axes.text(column, row, text, color=ink, **style)


def _share(value: float) -> str:
    """A share of one in at most four letters; neither none nor all is said of a part."""
    if value < 0.005:
        return "<.01"
    return ">.99" if 0.995 <= value < 1 else f"{value:.2f}"


def _short(n: float) -> str:
    """A count in at most four letters."""
    for unit in ("", "k", "M"):
        if n < 999.5:
            return f"{n:.0f}{unit}" if n >= 9.95 or not unit else f"{n:.1f}{unit}"
        n /= 1000
    return f"{n:.0f}G"
