"""Choosing the layers that are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt

from napari_segsuite.napari_ui.adapters import METADATA_KEY, PREVIEW_KEY
from napari_segsuite.napari_ui.measure.prediction_list import PredictionList

LABELS = np.zeros((4, 5), np.uint8)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def predictions(qapp: Any, viewer: ViewerModel) -> PredictionList:
    return PredictionList(viewer)


def add(viewer: ViewerModel, name: str, **kwargs: Any) -> Any:
    return viewer.add_labels(kwargs.pop("labels", LABELS).copy(), name=name, **kwargs)


def result(
    viewer: ViewerModel, name: str, digest: str = "a", seeds: str = "", **kwargs: Any
) -> Any:
    """A layer with the record of how it was made."""
    inputs = {"image": {"name": "t1", "sha256": digest}}
    if seeds:
        inputs["seeds"] = {"name": seeds, "sha256": "s"}
    record = {"method": "growcut", "settings": {}, "inputs": inputs}
    return add(viewer, name, metadata={METADATA_KEY: record}, **kwargs)


def shown(predictions: PredictionList) -> list[str]:
    rows = (predictions.checklist.item(row) for row in range(predictions.checklist.count()))
    return [item.text() for item in rows if not item.isHidden()]


def names(predictions: PredictionList) -> list[str]:
    return [layer.name for layer in predictions.ticked]


def test_reference_images_and_previews_are_no_predictions(
    viewer: ViewerModel, predictions: PredictionList
) -> None:
    reference = add(viewer, "truth")
    add(viewer, "first")
    viewer.add_image(LABELS.astype(float), name="picture")
    add(viewer, "preview", metadata={PREVIEW_KEY: True})
    add(viewer, "second")
    assert shown(predictions) == ["second", "first", "truth"]
    predictions.set_reference(reference)
    assert shown(predictions) == ["second", "first"]
    predictions.set_reference(viewer.layers["second"])
    assert shown(predictions) == ["first", "truth"]


def test_newest_result_is_ticked_until_the_user_chooses(
    viewer: ViewerModel, predictions: PredictionList
) -> None:
    add(viewer, "strokes")
    assert names(predictions) == ["strokes"]
    result(viewer, "one")
    add(viewer, "more strokes")
    assert names(predictions) == ["one"]
    two = result(viewer, "two")
    assert names(predictions) == ["two"]
    two.name = "renamed"
    assert names(predictions) == ["renamed"]
    result(viewer, "three")
    assert names(predictions) == ["three"]  # a name is no choice
    predictions.tick(viewer.layers["one"])
    result(viewer, "four")
    assert names(predictions) == ["three", "one"]
    viewer.layers.remove("three")
    assert names(predictions) == ["one"]


def test_ticking_by_hand_is_told_of(viewer: ViewerModel, predictions: PredictionList) -> None:
    add(viewer, "a"), add(viewer, "b")
    told: list[list[str]] = []
    predictions.changed.connect(lambda: told.append(names(predictions)))
    predictions.checklist.item(1).setCheckState(Qt.CheckState.Checked)
    assert told == [["b", "a"]]
    predictions.none_button.click()
    assert told[-1] == []
    assert len(told) == 2


def test_all_results_of_this_image(viewer: ViewerModel, predictions: PredictionList) -> None:
    truth = add(viewer, "truth")
    add(viewer, "strokes")
    add(viewer, "by a friend")
    add(viewer, "friend elsewhere", scale=(2, 2))
    result(viewer, "grown", seeds="strokes")
    result(viewer, "grown on a slice", labels=LABELS[:1])
    result(viewer, "of another image", digest="b", scale=(2, 2))
    predictions.set_reference(truth)
    predictions.all_button.click()
    assert names(predictions) == ["grown on a slice", "grown", "by a friend"]
    predictions.set_reference(None)
    predictions.tick_all()
    assert len(names(predictions)) == 7


@pytest.mark.parametrize(
    "record", [{}, None, [], {"inputs": [1]}, {"inputs": {"image": 3}}, {"inputs": {"image": {}}}]
)
def test_records_that_are_none_do_no_harm(
    viewer: ViewerModel, predictions: PredictionList, record: Any
) -> None:
    truth = add(viewer, "truth")
    add(viewer, "odd", metadata={METADATA_KEY: record})
    add(viewer, "odd elsewhere", metadata={METADATA_KEY: record}, scale=(2, 2))
    predictions.set_reference(truth)
    predictions.tick_all()
    assert "odd" in names(predictions)


def test_a_list_that_is_gone_does_no_harm(viewer: ViewerModel, qapp: Any) -> None:
    predictions = PredictionList(viewer)
    predictions.deleteLater()
    qapp.sendPostedEvents(predictions, QEvent.Type.DeferredDelete)
    assert not isalive(predictions)
    layer = add(viewer, "late")
    layer.name = "later"
    viewer.layers.clear()
