"""The table of objects: its lines, its order, and the way to each object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from grow_docks import wait_for
from measured_results import brain_like, results_of
from napari_segsuite.napari_ui.measure.object_view import ObjectView
from napari_segsuite.napari_ui.measure.results import Place
from napari_segsuite.space import Space


@pytest.fixture
def view(qtbot: Any) -> ObjectView:
    view = ObjectView(ViewerModel())
    qtbot.addWidget(view)
    return view


def objects() -> tuple[np.ndarray, np.ndarray]:
    """Reference and prediction: one matched, missed, spurious, split and merged each."""
    reference, prediction = np.zeros((2, 40, 40), np.uint16)
    reference[2:8, 2:8], prediction[2:8, 3:8] = 1, 11  # matched
    reference[12:16, 2:8] = 2  # missed
    prediction[20:24, 2:6] = 13  # spurious
    reference[2:8, 20:30] = 4
    prediction[2:8, 20:25], prediction[2:8, 25:30] = 14, 15  # split
    reference[20:24, 20:24], reference[20:24, 24:28] = 5, 6
    prediction[20:24, 20:28] = 16  # merged
    return reference, prediction


def measured(**options: Any) -> Any:
    reference, prediction = objects()
    space = Space.regular(2, (0.5, 0.5), "um")
    return results_of(reference, prediction, space=space, metrics="instances", **options)


def cells(view: ObjectView, column: int) -> list[str]:
    model = view.table.model()
    return [model.index(line, column).data() for line in range(model.rowCount())]


def chosen(view: ObjectView, line: int) -> Place:
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    view.table.clicked.emit(view.table.model().index(line, 0))
    wait_for(lambda: bool(places))
    view.place_chosen.disconnect(places.append)
    return places[-1]


def test_it_says_what_to_tick_where_objects_were_not_measured(view: Any) -> None:
    assert "Tick Instances" in view.summary.text()
    view.show_results(brain_like())
    assert "Tick Instances" in view.summary.text()
    assert view.table.isHidden()
    view.show_results(measured())
    assert not view.table.isHidden()
    view.show_results(None)
    assert view.table.isHidden()


def test_each_object_has_a_line_and_a_pair_one(view: Any) -> None:
    view.show_results(measured())
    lines = dict(zip(cells(view, 0), cells(view, 1), strict=True))
    assert lines == {
        "reference 1": "matched",
        "reference 2": "missed",
        "reference 4": "split",
        "reference 5": "merged",
        "reference 6": "merged",
        "prediction 13": "spurious",
        "prediction 14": "split",
        "prediction 15": "split",
        "prediction 16": "merged",
    }
    first = [cells(view, column)[0] for column in range(6)]
    assert first == ["reference 1", "matched", "0.833", "0.909", "9", "11"]
    heads = [
        view.rows.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
        for column in range(6)
    ]
    assert heads == ["Object", "Status", "IoU", "Dice", "Size (um²)", "Match"]


def test_summary_says_the_scores(view: Any) -> None:
    view.show_results(measured())
    said = view.summary.text()
    assert "5 reference and 5 predicted objects" in said
    assert "1 matched, 1 missed, 1 spurious, 1 split, 1 merged" in said
    report = measured().results[0].report
    assert f"AP at IoU 0.5 {report.mean['ap50']:.4g}" in said
    assert f"PQ {report.mean['pq']:.4g}" in said


def test_lines_are_sorted_as_numbers(view: Any) -> None:
    view.show_results(measured())
    view.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    sizes = [float(text) for text in cells(view, 4)]
    assert sizes == sorted(sizes, reverse=True)
    view.table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    values = [float(text) for text in cells(view, 2)]
    assert values == sorted(values)
    view.show_results(measured())
    assert [float(text) for text in cells(view, 2)] == values


def test_one_status_can_be_picked(view: Any) -> None:
    view.show_results(measured())
    view.status.value = "spurious"
    assert cells(view, 0) == ["prediction 13"]
    view.show_results(measured())
    assert cells(view, 0) == ["prediction 13"]
    view.status.value = ""
    assert len(cells(view, 0)) == 9


def test_click_leads_to_the_object(view: Any) -> None:
    view.show_results(measured())
    assert chosen(view, 0) == Place("first", centre=(4.5, 4.5), objects=(1, 11))
    view.status.value = "missed"
    assert chosen(view, 0) == Place("first", centre=(13.5, 4.5), objects=(2, 0))
    view.status.value = "spurious"
    assert chosen(view, 0) == Place("first", centre=(21.5, 3.5), objects=(0, 13))


def test_components_are_found_where_they_lie(view: Any) -> None:
    reference, prediction = objects()
    results = results_of(reference > 0, prediction > 0, metrics="instances", objects="components")
    view.show_results(results)
    assert cells(view, 0)[0] == "reference 1"
    assert chosen(view, 0).centre == (4.5, 4.5)


def test_plot_is_tp_over_all(view: Any) -> None:
    view.show_results(measured())
    (axes,) = view.plot.figure.axes
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xdata(), np.arange(0.5, 1, 0.05))
    # The halves of the split and the merged object have an IoU of exactly 0.5.
    expected = [3 / 7, *[1 / 9] * 6, 0, 0, 0]
    np.testing.assert_allclose(line.get_ydata(), expected)


def test_thousands_of_objects_are_shown(view: Any) -> None:
    labels = np.arange(10_000, dtype=np.uint32).reshape(100, 100)
    view.show_results(results_of(labels, labels, metrics="instances"))
    assert view.rows.rowCount() == 9_999
    view.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert cells(view, 0)[0] == "reference 9999"


def test_no_object_at_all(view: Any) -> None:
    nothing = np.zeros((4, 5), np.uint8)
    view.show_results(results_of(nothing, nothing, metrics="instances"))
    assert "0 reference and 0 predicted objects" in view.summary.text()
    assert cells(view, 0) == []


def test_picture_is_saved(view: Any, tmp_path: Any) -> None:
    view.show_results(measured())
    view.save_picture(tmp_path / "objects.png")
    assert (tmp_path / "objects.png").stat().st_size > 1000
