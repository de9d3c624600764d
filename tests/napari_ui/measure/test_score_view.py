"""The tables of scores: their values, colours, order and words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from qtpy.QtCore import Qt

import napari_segsuite as nss
from napari_segsuite.image import CLASS_COLOURS, LabelClass, Segmentation
from napari_segsuite.metrics import METRICS
from napari_segsuite.napari_ui.measure.results import Place, Result, Results
from napari_segsuite.napari_ui.measure.score_grid import goodness_of
from napari_segsuite.napari_ui.measure.score_table import colour_of, ink_on, luminance_of
from napari_segsuite.napari_ui.measure.score_view import ScoreView, paper_of
from napari_segsuite.space import Space

TRUTH = np.array([[0, 1, 1, 2, 2, 3]])
GUESS = np.array([[0, 1, 1, 2, 0, 0]])
OTHER = np.array([[0, 1, 0, 2, 2, 4]])
NAMES = (LabelClass(1, "liver", CLASS_COLOURS[0]), LabelClass(2, "spleen"), LabelClass(3, "cyst"))
Role = Qt.ItemDataRole


def segmentation(labels: np.ndarray, name: str = "labels") -> Segmentation:
    return Segmentation(labels.astype(np.uint8), Space.regular(2, (3, 0.5), "mm"), NAMES, name=name)


def results_of(metrics: Any = ("overlap", "volume"), **predictions: np.ndarray) -> Results:
    reference = segmentation(TRUTH)
    results = []
    for name, labels in predictions.items():
        prediction = segmentation(labels, name)
        report = nss.evaluate(prediction, reference, metrics=metrics)
        results.append(Result(name, prediction, report))
    return Results(reference, tuple(results))


@pytest.fixture
def view(qapp: Any) -> ScoreView:
    return ScoreView(ViewerModel())


def head_of(table: Any, title: str) -> int:
    titles = [column.title for column in table.scores.grid.columns]
    return titles.index(title)


def cell(table: Any, line: str, head: str, role: Any = Role.DisplayRole) -> Any:
    """What the cell of a line says, in the first prediction that has such a line."""
    titles = [entry.title for entry in table.scores.lines]
    index = table.scores.index(titles.index(line), head_of(table, head))
    return table.scores.data(index, role)


def line_heads(table: Any, role: Any = Role.DisplayRole) -> list[Any]:
    model = table.scores
    return [model.headerData(row, Qt.Orientation.Vertical, role) for row in range(model.rowCount())]


# --- what is shown --------------------------------------------------------------------


def test_lines_are_sorted_by_prediction_and_class(view: ScoreView) -> None:
    view.show_results(results_of(one=GUESS, two=OTHER))
    averages = ["mean, foreground", "micro, foreground", "weighted, foreground"]
    classes = ["0 background", "1 liver", "2 spleen", "3 cyst"]
    assert line_heads(view.table) == ["", *classes, *averages, "", *classes, "4", *averages]
    assert view.table.scores.lines[0].text == "one"
    assert view.table.columnSpan(0, 0) == len(view.table.scores.grid.columns)
    assert view.table.columnSpan(1, 0) == 1


def test_cells_say_what_the_report_says(view: ScoreView) -> None:
    results = results_of(one=GUESS)
    report = results.results[0].report
    assert report is not None
    view.show_results(results)
    assert cell(view.table, "2 spleen", "Dice") == "0.6667"
    assert cell(view.table, "2 spleen", "Volume (mm²)") == f"{report.per_class['volume'][2]:g}"
    assert cell(view.table, "mean, foreground", "Dice") == f"{report.mean['dice']:.4g}"
    assert cell(view.table, "micro, foreground", "Dice") == f"{report.micro['dice']:.4g}"
    assert cell(view.table, "weighted, foreground", "Dice") == f"{report.weighted['dice']:.4g}"
    assert cell(view.image_table, "one", "Accuracy") == f"{report.mean['accuracy']:.4g}"
    assert "0.666666667" in cell(view.table, "2 spleen", "Dice", Role.ToolTipRole)


def test_what_has_no_value_says_why(view: ScoreView) -> None:
    view.show_results(results_of(one=GUESS))
    assert cell(view.table, "3 cyst", "Precision") == "–"
    reason = cell(view.table, "3 cyst", "Precision", Role.ToolTipRole)
    assert reason == "absent from the prediction"
    assert cell(view.table, "3 cyst", "Precision", Role.BackgroundRole) is None
    assert cell(view.table, "micro, foreground", "Volume (mm²)") == "–"
    reason = cell(view.table, "micro, foreground", "Volume (mm²)", Role.ToolTipRole)
    assert "only overlap metrics" in reason


def test_heads_explain_the_metric(view: ScoreView) -> None:
    results = results_of(one=GUESS)
    view.show_results(results)
    model, metric = view.table.scores, METRICS["dice"]
    said = model.headerData(0, Qt.Orientation.Horizontal, Role.ToolTipRole)
    for part in (metric.title, metric.formula, metric.help):
        assert part in said
    whole = view.image_table.scores
    assert "Accuracy" in whole.headerData(0, Qt.Orientation.Horizontal, Role.DisplayRole)


def test_classes_have_the_colour_of_the_reference(view: ScoreView) -> None:
    view.show_results(results_of(one=GUESS))
    swatches = line_heads(view.table, Role.DecorationRole)
    red, green, blue, _alpha = CLASS_COLOURS[0]
    colour = swatches[2].toImage().pixelColor(3, 3)
    np.testing.assert_allclose(colour.getRgbF()[:3], (red, green, blue), atol=0.01)
    assert swatches[1] is None


def test_how_many_classes_entered_the_means(view: ScoreView) -> None:
    view.show_results(results_of("dice", one=GUESS))
    assert view.summary.text() == "Means are over 3 foreground classes."
    view.show_results(results_of(("dice", "precision"), one=GUESS))
    assert "2 to 3 classes" in view.summary.text()
    said = cell(view.table, "mean, foreground", "Precision", Role.ToolTipRole)
    assert "2 foreground classes; 1 without a value left out" in said
    assert not view.image_table.isVisibleTo(view)


def test_classes_in_neither_are_counted_apart(view: ScoreView) -> None:
    reference = segmentation(TRUTH)
    report = nss.evaluate(reference, reference, metrics="dice", classes=(1, 2, 9))
    view.show_results(Results(reference, (Result("one", reference, report),)))
    assert "2 foreground classes; 1 without a value left out, 1 of them in neither" in (
        view.summary.text()
    )


def test_predictions_that_failed_keep_their_sentence(view: ScoreView) -> None:
    found = results_of(one=GUESS)
    failed = Result("bad", segmentation(GUESS, "bad"), None, "expected a grid, got none.")
    view.show_results(replace(found, results=(failed, *found.results)))
    assert view.table.scores.lines[0].text == "bad: expected a grid, got none."
    assert cell(view.table, "2 spleen", "Dice") == "0.6667"
    view.table.horizontalHeader().sectionClicked.emit(0)
    assert view.table.scores.lines[-1].text == "bad: expected a grid, got none."
    view.show_results(Results(found.reference, (failed,)))
    index = view.table.scores.index(0, 0)
    assert view.table.scores.data(index) == "bad: expected a grid, got none."
    view.show_results(None)
    assert view.table.scores.rowCount() == 0


def test_image_metrics_alone_need_no_lines_of_classes(view: ScoreView) -> None:
    view.show_results(results_of("accuracy", one=GUESS, two=OTHER))
    assert view.table.scores.rowCount() == 0
    assert line_heads(view.image_table) == ["one", "two"]
    assert view.image_table.isVisibleTo(view)
    assert not view.table.isVisibleTo(view)


# --- one metric -----------------------------------------------------------------------


def test_one_metric_with_predictions_as_rows(view: ScoreView) -> None:
    results = results_of(one=GUESS, two=OTHER)
    view.show_results(results)
    view.shape.setCurrentText("Dice, predictions as rows")
    view.shape.activated.emit(view.shape.currentIndex())
    titles = [column.title for column in view.table.scores.grid.columns]
    assert titles == ["mean", "0 background", "1 liver", "2 spleen", "3 cyst", "4"]
    assert line_heads(view.table) == ["one", "two"]
    assert cell(view.table, "two", "2 spleen") == "1"
    assert cell(view.table, "one", "4") == "–"
    said = cell(view.table, "one", "4", Role.ToolTipRole)
    assert said == "the class occurs in other predictions only"
    # Measured again, it is still this metric; once it is not measured, it is all of them.
    view.show_results(results_of(one=OTHER))
    assert cell(view.table, "one", "2 spleen") == "1"
    view.show_results(results_of("iou", one=OTHER))
    assert "IoU" in [column.title for column in view.table.scores.grid.columns]


# --- order ----------------------------------------------------------------------------


def test_a_click_on_a_head_sorts(view: ScoreView) -> None:
    view.show_results(results_of(("iou", "precision"), one=GUESS, two=OTHER))
    before = line_heads(view.table)
    column, model = head_of(view.table, "Precision"), view.table.scores

    def values() -> list[float]:
        return [model.grid.cell(line, column).value for line in model.lines]

    view.table.horizontalHeader().sectionClicked.emit(column)
    n_missing = sum(map(math.isnan, values()))
    best = values()[:-n_missing]
    assert best == sorted(best, reverse=True)
    assert n_missing == 2  # neither predicts class 3
    assert "1 liver\none" in line_heads(view.table)
    view.table.horizontalHeader().sectionClicked.emit(column)
    assert values()[:-n_missing] == best[::-1]
    assert all(map(math.isnan, values()[-n_missing:]))
    view.table.horizontalHeader().sectionClicked.emit(column)
    assert line_heads(view.table) == before


def test_best_first_is_nearest_to_zero_for_differences(view: ScoreView) -> None:
    view.show_results(results_of("volume_difference", one=OTHER))
    view.table.horizontalHeader().sectionClicked.emit(0)
    model = view.table.scores
    sizes = [abs(model.grid.cell(line, 0).value) for line in model.lines]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1


# --- colours --------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["dark", "light"])
@given(goodness=st.floats(0, 1))
def test_text_stands_out_from_every_colour(theme: str, goodness: float) -> None:
    paper = colour_of(goodness, paper_of(theme))
    light, dark = sorted((luminance_of(paper), luminance_of(ink_on(paper))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_colours_follow_the_theme(view: ScoreView) -> None:
    view.show_results(results_of(one=GUESS))
    view._viewer.theme = "light"
    light = cell(view.table, "2 spleen", "Dice", Role.BackgroundRole).getRgbF()
    view._viewer.theme = "dark"
    dark = cell(view.table, "2 spleen", "Dice", Role.BackgroundRole).getRgbF()
    assert sum(light) > sum(dark)
    expected = colour_of(2 / 3, paper_of("dark"))
    np.testing.assert_allclose(dark[:3], expected, atol=1e-3)


def test_goodness_follows_what_the_metric_says() -> None:
    higher, lower = METRICS["dice"], replace(METRICS["dice"], better="lower")
    assert [goodness_of(value, higher, 0) for value in (0, 0.3, 1)] == [0, 0.3, 1]
    assert [goodness_of(value, lower, 0) for value in (0, 0.25, 1)] == [1, 0.75, 0]
    distance = replace(lower, limits=None)
    assert [goodness_of(value, distance, 8) for value in (0, 2, 8)] == [1, 0.75, 0]
    assert goodness_of(0, distance, 0) == 1  # all are 0, the best there is
    zero = METRICS["volume_difference"]
    assert [goodness_of(value, zero, 10) for value in (-10, -5, 0, 10)] == [0, 0.5, 1, 0]
    assert goodness_of(3, METRICS["volume"], 10) is None


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
@given(value=st.floats(-1e6, 1e6))
def test_goodness_lies_between_worst_and_best(metric: Any, value: float) -> None:
    found = goodness_of(value, metric, abs(value))
    assert found is None or 0 <= found <= 1
    assert (found is None) == (metric.better == "")


# --- places ---------------------------------------------------------------------------


def test_a_click_on_a_line_says_which_class(view: ScoreView) -> None:
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    view.show_results(results_of(one=GUESS, two=OTHER))
    model = view.table.scores
    rows = [(line.result.name, line.scope) for line in model.lines]
    for row in (("one", 2), ("two", 0), ("two", "mean"), ("one", None)):
        view.table.clicked.emit(model.index(rows.index(row), 1))
    assert places == [Place("one", 2), Place("two", 0), Place("two"), Place("one")]
    view.table.verticalHeader().sectionClicked.emit(rows.index(("one", 3)))
    view.image_table.clicked.emit(view.image_table.scores.index(1, 0))
    assert places[4:] == [Place("one", 3), Place("two")]
    view.shape.setCurrentIndex(1)
    view.shape.activated.emit(1)
    view.table.clicked.emit(view.table.scores.index(1, 3))
    view.table.clicked.emit(view.table.scores.index(0, 0))
    assert places[6:] == [Place("two", 2), Place("one")]
