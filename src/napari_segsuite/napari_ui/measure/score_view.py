"""The scores of all predictions: classes and averages, and the whole image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ...metrics import Metric
from ..form_parts import text_label
from .results import Results
from .score_grid import (
    Grid,
    grid_of_classes,
    grid_of_images,
    grid_of_metric,
    means_in_words,
)
from .score_table import RGB, ScoreTable

if TYPE_CHECKING:
    from napari.components import ViewerModel

_ALL = "All metrics, classes as rows"
_LEAST_HEIGHT = 120
_MOST_IMAGE_ROWS = 4


class ScoreView(QWidget):
    """Tables of scores, coloured from orange for the worst to blue for the best.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    place_chosen : signal of Place
        A line, or a cell of it, was clicked.
    shape : QComboBox
        All metrics with classes as rows, or one metric with predictions as rows.
    table : ScoreTable
        Values of classes.
    image_table : ScoreTable
        Values of the whole image.
    summary : QLabel
        How many classes entered the means.
    """

    title = "Scores"
    place_chosen = Signal(object)

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._results: Results | None = None
        self.shape = QComboBox()
        self.shape.setToolTip(
            "Show all metrics with a row per class, or one metric with a row per prediction."
        )
        self.table = ScoreTable()
        self.image_table = ScoreTable()
        self.summary = text_label()
        self._lay_out()
        self.shape.activated.connect(lambda _index: self._show())
        for table in (self.table, self.image_table):
            table.place_chosen.connect(self.place_chosen)
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        self.show_results(None)

    def show_results(self, results: Results | None) -> None:
        """Show these results; None for nothing."""
        self._results = results
        self._offer_metrics()
        self._show()

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.shape.setSizeAdjustPolicy(policy)
        self.table.setMinimumHeight(_LEAST_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.shape)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.image_table)
        layout.addWidget(self.summary)

    def _offer_metrics(self) -> None:
        """Offer the metrics there are; keep the choice where it is still one of them."""
        chosen = self.shape.currentText()
        self.shape.clear()
        self.shape.addItem(_ALL, None)
        for title, metric in _class_metrics(self._results).items():
            self.shape.addItem(f"{title}, predictions as rows", metric)
        self.shape.setCurrentIndex(max(0, self.shape.findText(chosen)))

    def _show(self) -> None:
        results, metric = self._results, self.shape.currentData()
        of_classes, of_images, said = Grid(), Grid(), ""
        if results is not None:
            said = means_in_words(results)
            of_images = grid_of_images(results)
            of_classes = grid_of_classes(results)
            if metric is not None:
                of_classes = grid_of_metric(results, metric)
        self.table.show_grid(of_classes)
        self.image_table.show_grid(of_images)
        self.image_table.setVisible(bool(of_images.columns))
        self.image_table.setFixedHeight(_height_of(self.image_table))
        self.table.setVisible(bool(of_classes.lines) or not of_images.columns)
        self.summary.setText(said)
        self.summary.setVisible(bool(said))

    def _on_theme(self, _event: Any = None) -> None:
        if isalive(self):
            paper = paper_of(self._viewer.theme)
            for table in (self.table, self.image_table):
                table.scores.set_paper(paper)


def paper_of(theme: str) -> RGB:
    """The colour behind the cells of napari's tables."""
    red, green, blue, *_alpha = get_theme(theme).foreground.as_rgb_tuple()
    return red / 255, green / 255, blue / 255


def _class_metrics(results: Results | None) -> dict[str, Metric]:
    reports = [result.report for result in results.results] if results is not None else []
    return {
        metric.title: metric
        for report in reports
        if report is not None
        for metric in report.metrics
        if metric.per_class
    }


def _height_of(table: ScoreTable) -> int:
    """Height that shows some lines in full, and the bar below them."""
    rows = min(table.scores.rowCount(), _MOST_IMAGE_ROWS)
    lines = sum(table.rowHeight(row) for row in range(rows))
    bar = table.horizontalScrollBar().sizeHint().height()
    frame = 2 * table.frameWidth()
    return int(table.horizontalHeader().sizeHint().height() + lines + bar + frame)
