"""Curves over the slices: what they show, when they are computed, and where clicks lead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from grow_docks import pump, wait_for
from measured_results import SPACE, brain_like, reference_labels, results_of, shifted_labels
from napari_segsuite.metrics.slices import slice_scores
from napari_segsuite.napari_ui.measure.results import Place
from napari_segsuite.napari_ui.measure.slice_view import SliceView


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_labels(reference_labels(), **SPACE.to_layer_kwargs())
    return viewer


@pytest.fixture
def view(qtbot: Any, viewer: ViewerModel) -> SliceView:
    view = SliceView(viewer)
    qtbot.addWidget(view)
    view.show()
    return view


def show(view: SliceView, results: Any) -> None:
    view.show_results(results)
    settle(view)


def settle(view: SliceView) -> None:
    wait_for(lambda: not view.is_busy)


def click(view: SliceView, x: float, y: float) -> Place:
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    (axes,) = view.plot.figure.axes
    view._on_click(SimpleNamespace(inaxes=axes, xdata=x, ydata=y, button=1))
    view.place_chosen.disconnect(places.append)
    (place,) = places
    return place


def test_curves_are_those_of_python(view: Any) -> None:
    show(view, brain_like())
    for axis, metric in ((0, "dice"), (2, "recall")):
        view.axis.value, view.score.value = axis, metric
        settle(view)
        expected = slice_scores(shifted_labels(), reference_labels(), axis=axis, metric=metric)
        assert {line.name: line.label for line in view.lines} == {"grey": 1, "white": 2}
        for line in view.lines:
            np.testing.assert_array_equal(line.values, expected.values[line.label])
        assert view.lines[0].colour[:3] == (0.5, 0.5, 0.5)


def test_nothing_is_computed_out_of_sight(view: Any) -> None:
    view.hide()
    view.show_results(brain_like())
    assert not view.is_busy
    assert view.lines == ()
    view.show()
    settle(view)
    assert len(view.lines) == 2
    before = view.lines
    view.hide()
    view.show()
    settle(view)
    assert view.lines is before


def test_predictions_are_compared_by_one_class(view: Any) -> None:
    show(view, brain_like(shifted_labels(), reference_labels()))
    view.result.value = ""
    view.label.value = 2
    settle(view)
    assert [line.name for line in view.lines] == ["first", "second"]
    np.testing.assert_array_equal(view.lines[1].values[2:6], 1)
    assert click(view, 3.2, 0.99) == Place("second", 2, axis=0, index=3)
    assert click(view, 3.2, 0.5) == Place("first", 2, axis=0, index=3)


def test_click_leads_to_the_slice(view: Any) -> None:
    show(view, brain_like())
    assert click(view, 4.4, 0.5) == Place("first", axis=0, index=4)
    assert click(view, 99, 0.5) == Place("first", axis=0, index=7)
    view.axis.value = 1
    settle(view)
    assert click(view, 11, 0.5) == Place("first", axis=1, index=11)


def test_line_follows_the_viewer(view: Any, viewer: Any) -> None:
    show(view, brain_like())
    for index in (0, 5):
        viewer.dims.set_current_step(0, index)
        assert view.plot.mark == index
    view.axis.value = 1
    settle(view)
    assert view.plot.mark is None
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, 7)
    assert view.plot.mark == 7
    viewer.dims.ndisplay = 3
    assert view.plot.mark is None
    viewer.layers.clear()
    assert view.plot.mark is None


def test_line_is_painted_where_the_slice_is(view: Any, viewer: Any) -> None:
    show(view, brain_like(reference_labels()))
    viewer.dims.set_current_step(0, 1)
    view.resize(340, 400)
    pump(0.3)
    (axes,) = view.plot.figure.axes
    x, _ = axes.transData.transform((6, 0.5))  # no class is in plane 6: nothing is drawn there
    before, column = view.plot.grab().toImage(), []
    viewer.dims.set_current_step(0, 6)
    pump(0.1)
    after = view.plot.grab().toImage()
    rows = range(
        before.height() - round(axes.bbox.y1) + 5, before.height() - round(axes.bbox.y0) - 5
    )
    for image in (before, after):
        column.append({image.pixelColor(round(x), row).name() for row in rows})
    assert len(column[0]) == 1
    assert len(column[1]) == 2


def test_mapped_and_ignored_labels_count_as_when_measured(view: Any) -> None:
    prediction = shifted_labels()
    prediction[prediction == 2] = 7
    options = {"mapping": {7: 2}, "ignore": (1,)}
    results = brain_like(prediction, **options)
    show(view, results)
    expected = slice_scores(shifted_labels(), reference_labels(), classes=[2], ignore=(1,))
    values = {line.label: line.values for line in view.lines}
    np.testing.assert_array_equal(values[2], expected.values[2])


def test_of_many_classes_the_largest_are_drawn(view: Any) -> None:
    reference = np.zeros((4, 20, 30), np.uint8)
    for label in range(1, 21):
        reference[:, label - 1, :label] = label
    show(view, results_of(reference, reference))
    assert [line.label for line in view.lines] == list(range(20, 8, -1))
    assert "The 12 largest of 20 classes" in view.hint.text()


def test_nothing_measured_nothing_drawn(view: Any) -> None:
    show(view, brain_like())
    show(view, None)
    assert view.lines == ()
    assert view.plot.isHidden()
    show(view, brain_like(metrics="instances"))
    assert view.plot.isHidden()
    assert "Measure overlap" in view.hint.text()


def test_picture_is_saved(view: Any, tmp_path: Any) -> None:
    show(view, brain_like())
    view.save_picture(tmp_path / "slices.svg")
    assert "<svg" in (tmp_path / "slices.svg").read_text()


def test_a_view_that_is_gone_is_not_called(qtbot: Any, viewer: Any) -> None:
    view = SliceView(viewer)
    view.show()
    view.show_results(brain_like())
    view.deleteLater()
    qtbot.wait(50)
    viewer.dims.set_current_step(0, 3)
    viewer.theme = "light"
