"""Probabilities: the curves, the choice of class and channel, and labels at the best threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from grow_docks import wait_for
from measured_results import CLASSES, SPACE, brain_like, reference_labels
from napari_segsuite.metrics.probability.curves import evaluate_probabilities
from napari_segsuite.napari_ui.adapters import class_features
from napari_segsuite.napari_ui.measure.curve_view import CurveView


def noisy(label: int) -> np.ndarray:
    """Probabilities of a class, wrong in places."""
    rng = np.random.default_rng(label)
    sure = (reference_labels() == label) * 0.4 + 0.3
    return (sure + rng.uniform(-0.3, 0.3, sure.shape)).astype(np.float32)


@pytest.fixture
def viewer() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(noisy(2), name="white probability", **SPACE.to_layer_kwargs())
    viewer.add_labels(
        reference_labels(),
        name="truth",
        features=class_features(CLASSES),
        **SPACE.to_layer_kwargs(),
    )
    return viewer


@pytest.fixture
def view(qtbot: Any, viewer: ViewerModel) -> CurveView:
    view = CurveView(viewer)
    qtbot.addWidget(view)
    view.show_results(None)
    settle(view)
    return view


def settle(view: CurveView) -> None:
    wait_for(lambda: not view.is_busy)


def choose_class(view: CurveView, label: int) -> None:
    view.label.value = next(entry for entry in view.label.choices if entry.id == label)


def measure(view: CurveView) -> None:
    view.measure()
    settle(view)


def test_numbers_are_those_of_python(view: Any) -> None:
    choose_class(view, 2)
    measure(view)
    expected = evaluate_probabilities(noisy(2), reference_labels(), label=2)
    assert view.curves.report.values == expected.values
    assert f"Average precision {expected.average_precision:.4g}" in view.text.text()
    assert (
        f"best Dice {expected.best_dice:.4g} at {expected.best_threshold:.4g}" in view.text.text()
    )
    precision_recall, roc, _ = view.plot.figure.axes
    np.testing.assert_array_equal(precision_recall.lines[0].get_xdata(), expected.recall)
    assert roc.get_xlabel() == "false-positive rate"


def test_classes_of_the_reference_are_offered(view: Any, viewer: Any) -> None:
    assert [(entry.id, entry.name) for entry in view.label.choices] == [(1, "grey"), (2, "white")]
    choose_class(view, 2)
    other = viewer.add_labels(np.pad(reference_labels(), 0) * 3, name="other")
    assert view.label.value.id == 2
    view.choosers["reference"].value = other
    settle(view)
    assert [entry.id for entry in view.label.choices] == [3, 6]


def test_classes_painted_meanwhile_are_offered(view: Any, viewer: Any) -> None:
    viewer.layers["truth"].data[0, 0, 0] = 5
    view.show()
    settle(view)
    assert [entry.id for entry in view.label.choices] == [1, 2, 5]


def test_reference_of_the_results_is_taken(view: Any, viewer: Any) -> None:
    viewer.add_labels(reference_labels(), name="another", **SPACE.to_layer_kwargs())
    view.choosers["reference"].value = viewer.layers["another"]
    view.show_results(brain_like())
    assert view.choosers["reference"].value is viewer.layers["truth"]
    settle(view)


def test_best_threshold_gives_the_best_dice(view: Any, viewer: Any) -> None:
    assert not view.threshold_button.isEnabled()
    choose_class(view, 2)
    measure(view)
    assert view.threshold_button.isEnabled()
    view.add_thresholded()
    settle(view)
    layer = viewer.layers[-1]
    report = view.curves.report
    np.testing.assert_array_equal(layer.data, (noisy(2) >= np.float32(report.best_threshold)) * 2)
    found, truth = layer.data == 2, reference_labels() == 2
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert dice == pytest.approx(report.best_dice)
    assert layer.name == f"white probability ≥ {report.best_threshold:.4g}"
    np.testing.assert_allclose(layer.scale, viewer.layers["white probability"].scale)
    assert layer.units == viewer.layers["white probability"].units
    assert list(layer.features["name"])[1:] == ["white"]


def test_bytes_are_divided_by_255(view: Any, viewer: Any) -> None:
    data = np.round(noisy(2) * 255).astype(np.uint8)
    viewer.layers["white probability"].data = data
    choose_class(view, 2)
    measure(view)
    assert "divided by 255" in view.text.text()
    view.add_thresholded()
    settle(view)
    threshold = round(view.curves.report.best_threshold * 255)
    np.testing.assert_array_equal(viewer.layers[-1].data > 0, data >= threshold)


def test_channel_of_a_class_is_guessed(view: Any, viewer: Any) -> None:
    assert view.channel.native.isHidden()
    nothing = 1 - noisy(1) / 2 - noisy(2) / 2
    stacks = {"with background": [nothing, noisy(1), noisy(2)], "classes": [noisy(1), noisy(2)]}
    for name, parts in stacks.items():
        layer = viewer.add_image(np.stack(parts), name=name, scale=(1, *SPACE.spacing))
        view.choosers["probability"].value = layer
        assert not view.channel.native.isHidden()
        for label in (1, 2):
            choose_class(view, label)
            assert view.channel.value == label - 1 + (len(parts) == 3)
        view.choosers["reference"].value.units = ("pixel",) * 3
        measure(view)
        expected = evaluate_probabilities(noisy(2), reference_labels(), label=2)
        assert view.curves.report.values == expected.values
    view.choosers["probability"].value = viewer.layers["white probability"]
    assert view.channel.native.isHidden()


def test_ignored_voxels_are_left_out(view: Any) -> None:
    results = brain_like(ignore=(1,))
    view.show_results(results)
    settle(view)
    choose_class(view, 2)
    measure(view)
    expected = evaluate_probabilities(noisy(2), reference_labels(), label=2, ignore=(1,))
    assert view.curves.report.values == expected.values
    assert "128 voxels of ignored labels" in view.text.text()


def test_what_cannot_be_measured_is_said(view: Any, viewer: Any) -> None:
    viewer.layers["white probability"].data = noisy(2) * 100
    measure(view)
    assert "from 0 to 1" in view.text.text()
    viewer.layers["white probability"].data = noisy(2)[:4]
    measure(view)
    assert "one grid" in view.text.text()
    viewer.layers["truth"].data = np.zeros((8, 12, 14), np.uint8)
    view.show_results(None)
    settle(view)
    measure(view)
    assert "expected a class" in view.text.text().lower()
    viewer.layers.clear()
    assert not view.run_button.isEnabled()
    view.measure()
    assert "got none" in view.text.text()
    assert view.curves is None


def test_a_measured_image_may_go_before_it_is_thresholded(view: Any, viewer: Any) -> None:
    choose_class(view, 2)
    measure(view)
    viewer.layers.clear()
    view.add_thresholded()
    settle(view)
    assert len(viewer.layers) == 1


def test_picture_is_saved(view: Any, tmp_path: Any) -> None:
    measure(view)
    view.save_picture(tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text()


def test_a_view_that_is_gone_is_not_called(qtbot: Any, viewer: Any) -> None:
    view = CurveView(viewer)
    view.show_results(None)
    view.deleteLater()
    qtbot.wait(50)
    viewer.layers.clear()
    viewer.theme = "light"
