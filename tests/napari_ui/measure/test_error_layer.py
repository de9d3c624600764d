"""The layer of errors: what it marks, who is offered it, and the way to a place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from grow_docks import pump, wait_for
from measured_results import (
    CLASSES,
    SPACE,
    brain_like,
    reference_labels,
    results_of,
    shifted_labels,
)
from napari_segsuite.image import Segmentation
from napari_segsuite.method import Input
from napari_segsuite.metrics import evaluate
from napari_segsuite.metrics.error_labels import CONFUSED, RIGHT, error_labels
from napari_segsuite.napari_ui.grow.regions import step_of
from napari_segsuite.napari_ui.layer_choice import LayerChooser
from napari_segsuite.napari_ui.measure.error_layer import ErrorLayer
from napari_segsuite.napari_ui.measure.prediction_list import PredictionList
from napari_segsuite.napari_ui.measure.results import Place, Result, Results
from napari_segsuite.space import Space

TURNED = Space(SPACE.axes, rotate=((1.0, 0.0, 0.0), (0.0, 0.8, -0.6), (0.0, 0.6, 0.8)))


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def camera(viewer: ViewerModel) -> Any:
    return getattr(viewer, "scene", viewer).camera


@pytest.fixture
def errors(qapp: Any, viewer: ViewerModel) -> ErrorLayer:
    return ErrorLayer(viewer)


def add(viewer: ViewerModel, results: Results) -> Any:
    """The reference as a layer."""
    kwargs = results.reference.space.to_layer_kwargs()
    return viewer.add_labels(results.reference.labels, name="truth", **kwargs)


def show(errors: ErrorLayer, results: Results, place: Place) -> Any:
    errors.show(results, place)
    wait_for(lambda: not errors.is_busy)
    return errors.layer


def test_layer_marks_what_python_marks(errors: Any, viewer: Any) -> None:
    results = brain_like()
    truth = add(viewer, results)
    for place in (Place("first"), Place("first", 1), Place("first", 1, 2)):
        layer = show(errors, results, place)
        expected = error_labels(
            shifted_labels(), reference_labels(), label=place.label, predicted=place.predicted
        )
        np.testing.assert_array_equal(layer.data, expected.labels)
        assert list(layer.features["index"])[1:] == [entry.id for entry in expected.classes]
        for entry in expected.classes:
            np.testing.assert_allclose(layer.colormap.map(entry.id), entry.colour, atol=1e-5)
    assert len(viewer.layers) == 2
    np.testing.assert_allclose(layer.scale, truth.scale)
    assert layer.units == truth.units
    assert list(layer.features["name"])[1:] == ["grey taken for white"]


def test_nobody_is_offered_the_layer(errors: Any, viewer: Any, qtbot: Any) -> None:
    results = brain_like()
    truth = add(viewer, results)
    other = viewer.add_labels(shifted_labels(), name="first", **SPACE.to_layer_kwargs())
    predictions = PredictionList(viewer)
    qtbot.addWidget(predictions)
    predictions.set_reference(truth)
    layer = show(errors, results, Place("first"))
    assert layer.name == "errors"
    assert not layer.editable
    chooser = LayerChooser(viewer, Input("labels", True, "Labels."), (Labels,))
    assert layer not in chooser.choices
    predictions.tick_all()
    assert predictions.ticked == [other]
    assert viewer.layers.selection.active is other
    show(errors, results, Place("first", 1))
    assert not layer.editable


def test_layer_moves_with_the_reference(errors: Any, viewer: Any) -> None:
    results = brain_like()
    first = show(errors, results, Place("first"))
    turned = results_of(reference_labels(), shifted_labels(), space=TURNED)
    second = show(errors, turned, Place("first"))
    assert first not in viewer.layers
    np.testing.assert_allclose(second.rotate, TURNED.rotate)
    flat = results_of(reference_labels()[3], shifted_labels()[3])
    assert show(errors, flat, Place("first")).ndim == 2
    assert [layer.name for layer in viewer.layers] == ["errors"]


# napari's own words where a slice is not at right angles to the axes of the world.
@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
@pytest.mark.parametrize("space", [SPACE, TURNED])
@pytest.mark.parametrize(("axis", "index"), [(0, 5), (1, 7), (2, 3)])
def test_it_goes_to_the_slice(
    errors: Any, viewer: Any, space: Space, axis: int, index: int
) -> None:
    results = results_of(reference_labels(), shifted_labels(), space=space)
    add(viewer, results)
    viewer.dims.ndisplay = 3
    layer = show(errors, results, Place("first", axis=axis, index=index))
    assert viewer.dims.ndisplay == 2
    assert axis not in viewer.dims.displayed
    assert step_of(viewer, layer)[axis] == index


def test_no_slices_of_exchanged_axes(errors: Any, viewer: Any) -> None:
    exchanged = Space(SPACE.axes, rotate=((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)))
    results = results_of(reference_labels(), shifted_labels(), space=exchanged)
    add(viewer, results)
    said: list[str] = []
    errors.failed.connect(said.append)
    layer = show(errors, results, Place("first", axis=1, index=7))
    assert said == [
        "napari cannot show slices along y: the layer's axes are exchanged. The layer of errors "
        "is there; choose another axis."
    ]
    assert viewer.dims.order == (0, 1, 2)
    show(errors, results, Place("first", axis=0, index=5))
    assert step_of(viewer, layer)[0] == 5
    assert len(said) == 1


@pytest.mark.parametrize("n_selected", [0, 1, 2])
def test_what_is_selected_stays_so(errors: Any, viewer: Any, n_selected: int) -> None:
    results = brain_like()
    truth = add(viewer, results)
    truth.mode = "paint"
    add(viewer, results)
    viewer.layers.selection = set(viewer.layers[:n_selected])
    layer = show(errors, results, Place("first"))
    assert layer is viewer.layers[-1]
    assert viewer.layers.selection == set(viewer.layers[:n_selected])
    assert viewer.layers.selection.active is (truth if n_selected == 1 else None)
    assert truth.mode == "paint"


def test_a_slice_beside_further_axes(errors: Any, viewer: Any) -> None:
    viewer.add_image(
        np.zeros((4, 8, 12, 14)), scale=(1, *SPACE.spacing), units=("pixel",) + ("mm",) * 3
    )
    results = brain_like()
    layer = show(errors, results, Place("first", axis=2, index=4))
    assert viewer.dims.order == (0, 3, 1, 2)
    assert step_of(viewer, layer)[2] == 4


def test_it_goes_where_most_is_wrong(errors: Any, viewer: Any) -> None:
    results = brain_like()
    add(viewer, results)
    viewer.dims.set_current_step(0, 0)
    layer = show(errors, results, Place("first", 1, 2))
    assert step_of(viewer, layer)[0] == 3  # the only plane with the patch
    # A slice that has some already is not left.
    viewer.dims.set_current_step(0, 5)
    show(errors, results, Place("first", 2))
    assert step_of(viewer, layer)[0] == 5
    viewer.dims.set_current_step(0, 0)
    show(errors, results, Place("first", 2))
    assert 2 <= step_of(viewer, layer)[0] <= 5


def test_it_stays_where_nothing_is_wrong(errors: Any, viewer: Any) -> None:
    results = brain_like(reference_labels())
    add(viewer, results)
    viewer.dims.set_current_step(0, 1)
    layer = show(errors, results, Place("first", 1, 2))
    assert step_of(viewer, layer)[0] == 1
    assert not layer.data.any()
    # Without an error, what is right is looked for.
    show(errors, results, Place("first", 1))
    assert 2 <= step_of(viewer, layer)[0] <= 5


@pytest.mark.parametrize("space", [SPACE, TURNED])
def test_it_goes_to_the_object(errors: Any, viewer: Any, space: Space) -> None:
    results = results_of(reference_labels(), shifted_labels(), space=space, metrics="instances")
    add(viewer, results)
    layer = show(errors, results, Place("first", centre=(4.0, 3.5, 5.5), objects=(1, 1)))
    assert step_of(viewer, layer)[0] == 4
    np.testing.assert_allclose(
        camera(viewer).center[1:], layer.data_to_world((4.0, 3.5, 5.5))[1:], atol=1e-6
    )
    assert set(np.unique(layer.data)) == {0, 1, 2, 3}
    viewer.dims.ndisplay = 3
    camera(viewer).angles = (10, 20, 30)
    show(errors, results, Place("first", centre=(3.0, 7.5, 5.5), objects=(2, 0)))
    np.testing.assert_allclose(
        camera(viewer).center, layer.data_to_world((3.0, 7.5, 5.5)), atol=1e-6
    )
    np.testing.assert_allclose(camera(viewer).angles, (10, 20, 30))


def test_small_objects_are_looked_at_closely(errors: Any, viewer: Any) -> None:
    reference = np.zeros((400, 400), np.uint8)
    reference[10:20, 10:20], reference[100:300, 100:300] = 1, 2
    results = results_of(reference, reference, metrics="instances")
    add(viewer, results)
    viewer.reset_view()
    whole = camera(viewer).zoom
    show(errors, results, Place("first", centre=(14.5, 14.5), objects=(1, 1)))
    assert camera(viewer).zoom == pytest.approx(10 * whole, rel=0.02)
    show(errors, results, Place("first", centre=(200.0, 200.0), objects=(2, 2)))
    assert camera(viewer).zoom == pytest.approx(whole)
    show(errors, results, Place("first", centre=(float("nan"),) * 2, objects=(2, 2)))
    assert camera(viewer).zoom == pytest.approx(whole)


def test_of_objects_matched_pairs_are_right(errors: Any) -> None:
    prediction = np.where(shifted_labels() > 0, shifted_labels() + 6, 0).astype(np.uint8)
    results = results_of(reference_labels(), prediction, metrics="instances")
    layer = show(errors, results, Place("first"))
    same = error_labels(shifted_labels(), reference_labels()).labels
    np.testing.assert_array_equal(layer.data, same)
    assert {RIGHT, CONFUSED} <= set(np.unique(layer.data))


def test_a_prediction_that_lies_turned_is_marked_in_place(errors: Any) -> None:
    truth = Segmentation(reference_labels(), SPACE, CLASSES, name="truth")
    turn = np.diag([1.0, 1.0, -1.0, 1.0])
    turn[2, 3] = truth.labels.shape[2] - 1
    flipped = Space.from_matrix(SPACE.matrix @ turn, "mm")
    prediction = Segmentation(shifted_labels()[:, :, ::-1], flipped, CLASSES, name="first")
    report = evaluate(prediction, truth)
    layer = show(errors, Results(truth, (Result("first", prediction, report),)), Place("first"))
    np.testing.assert_array_equal(
        layer.data, error_labels(shifted_labels(), reference_labels()).labels
    )


def test_the_newest_place_wins(errors: Any, viewer: Any) -> None:
    results = brain_like()
    for label in (None, 1, 2):
        errors.show(results, Place("first", label))
    wait_for(lambda: not errors.is_busy)
    pump(0.05)
    expected = error_labels(shifted_labels(), reference_labels(), label=2)
    np.testing.assert_array_equal(errors.layer.data, expected.labels)
    assert len(viewer.layers) == 1


def test_layers_may_go_at_any_time(errors: Any, viewer: Any) -> None:
    results = brain_like()
    add(viewer, results)
    errors.show(results, Place("first", axis=1, index=4))
    viewer.layers.clear()
    wait_for(lambda: not errors.is_busy)
    assert errors.layer in viewer.layers
    errors.show(results, Place("first", 1))
    viewer.layers.remove(errors.layer)
    wait_for(lambda: not errors.is_busy)
    errors.layer.name = "renamed"
    show(errors, results, Place("first", 2))
    assert [layer.name for layer in viewer.layers] == ["renamed"]
    errors.remove()
    assert errors.layer is None
    assert len(viewer.layers) == 0
    errors.remove()


def test_it_says_what_the_colours_mean(errors: Any) -> None:
    said: list[str] = []
    errors.shown.connect(said.append)
    show(errors, brain_like(), Place("first", 1))
    show(errors, brain_like(), Place("first", 1, 2))
    show(errors, brain_like(), Place("first", 2, 1))
    assert said == [
        "Errors of first: right (green), too much (orange), missed (blue).",
        "Errors of first: grey taken for white (pink).",
        "Errors of first: there is no such voxel.",
    ]


def test_rows_of_an_image_are_no_slices(errors: Any, viewer: Any) -> None:
    results = results_of(reference_labels()[3], shifted_labels()[3])
    viewer.add_image(np.zeros((3, 12, 14)))
    before = viewer.dims.order
    layer = show(errors, results, Place("first", axis=0, index=4))
    assert layer.data.any()
    assert viewer.dims.order == before


def test_what_cannot_be_marked_is_said(errors: Any, viewer: Any) -> None:
    said: list[str] = []
    errors.failed.connect(said.append)
    show(errors, brain_like(), Place("nobody"))
    assert said == []
    show(errors, brain_like(), Place("first", predicted=2))
    assert "name the class" in said[0]
    assert len(viewer.layers) == 0


def test_one_that_is_gone_shows_nothing(qtbot: Any, viewer: Any) -> None:
    errors = ErrorLayer(viewer)
    errors.show(brain_like(), Place("first"))
    errors.deleteLater()
    qtbot.wait(200)
    assert len(viewer.layers) == 0


def test_a_closed_window_does_no_harm(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer()
    errors = ErrorLayer(viewer)
    errors.show(brain_like(), Place("first"))
    viewer.close()
    qtbot.wait(100)


def test_other_colours_that_shine_through_are_told_of(errors: Any, viewer: Any) -> None:
    results = brain_like()
    truth = add(viewer, results)
    said: list[str] = []
    errors.shown.connect(said.append)
    for truth.visible in (True, False):
        show(errors, results, Place("first", 1))
    truth.visible = True
    show(errors, results, Place("first", 2, 1))
    assert ["Hide the other labels" in sentence for sentence in said] == [True, False, False]
