"""The clean-up buttons, on results and on seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from grow_docks import SHAPE, settle, shown, start, wait_for
from napari_segsuite.napari_ui.adapters import METADATA_KEY
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.provenance import Provenance
from napari_segsuite.registry import get_method


def messy() -> np.ndarray:
    """Two classes, each with a large and a small piece, the large ones with a hole."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:5, 2:9, 2:12] = 1
    labels[1:5, 12:20, 2:12] = 2
    labels[2, 5, 5] = labels[2, 15, 5] = 0
    labels[2, 5, 20], labels[2, 15, 20] = 1, 2
    return labels


@pytest.fixture
def result(viewer: Any, dock: GrowDock, image: Any, seeds: Any) -> Any:
    """A messy result, chosen as such; class 1 is the one to paint with."""
    layer = viewer.add_labels(messy(), name="result")
    dock.applying.target.value = layer
    dock.classes._table.adopt([1, 2])
    seeds.selected_label = 1
    return layer


def clean(dock: GrowDock, title: str, *, chosen: bool = True, target: str = "result") -> None:
    dock.cleaning.target.value = target
    dock.cleaning.scope.value = chosen
    dock.cleaning.buttons[title].click()
    wait_for(lambda: not dock.desk.keeper.is_busy and not dock.message.endswith("…"))


def test_every_button_names_a_method_and_its_settings(dock: GrowDock) -> None:
    for make in dock.cleaning._cleanings():
        cleaning = make()
        method = get_method(cleaning.method)
        assert method.takes_labels
        assert method.check(cleaning.settings)["classes"] == ()
        assert dock.cleaning.buttons[cleaning.title].toolTip()


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("target", ["result", "seeds"])
def test_buttons_do_what_they_say(
    dock: GrowDock, seeds: Any, result: Any, target: str, chosen: bool
) -> None:
    layer = {"result": result, "seeds": seeds}[target]
    seeds.data[...] = messy()
    before = messy()
    classes = [1] if chosen else [1, 2]
    without_small, without_holes = before.copy(), before.copy()
    for label in classes:
        row = {1: 5, 2: 15}[label]
        without_small[2, row, 20] = 0
        without_holes[2, row, 5] = label
    for title, expected in (
        ("Keep the largest", without_small),
        ("Fill holes", without_holes),
        ("Remove small", without_small),
    ):
        dock.cleaning.volume.value = 2.0
        clean(dock, title, chosen=chosen, target=target)
        np.testing.assert_array_equal(layer.data, expected, err_msg=title)
        (seeds.undo if target == "seeds" else dock.commands.undo.click)()
        wait_for(lambda: not dock.desk.keeper.is_busy)
        np.testing.assert_array_equal(layer.data, before, err_msg=title)


def test_smoothing_takes_its_length_from_the_form(dock: GrowDock, result: Any) -> None:
    dock.cleaning.length.value = 3.0
    clean(dock, "Smooth", chosen=False)
    expected = nss.clean_labels(messy(), smoothing=3.0, spacing=None)
    assert (expected != messy()).any()
    np.testing.assert_array_equal(result.data, expected)


def test_sizes_are_physical(viewer: Any, dock: GrowDock) -> None:
    geometry = {"scale": (2.0, 0.5, 0.5), "units": ("mm",) * 3}
    image = viewer.add_image(np.zeros(SHAPE, np.uint8), name="image", **geometry)
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 0, :3], labels[3, 3, :5] = 1, 1  # 1.5 mm³ and 2.5 mm³
    layer = viewer.add_labels(labels, name="result", **geometry)
    dock.applying.target.value = layer
    dock.cleaning.volume.value = 2.0
    assert dock.inputs.image.value is image
    clean(dock, "Remove small", chosen=False)
    assert np.count_nonzero(layer.data) == 5


def test_slices_between_painted_ones_are_filled_and_the_preview_follows(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    before = seeds.data.copy()
    seeds.data_setitem((np.array([1, 5]), np.array([20, 20]), np.array([3, 3])), np.array([3, 3]))
    seeds.selected_label = 3
    settle(dock)
    clean(dock, "Fill between slices", target="seeds")
    assert "3 voxels" in dock.message
    settle(dock)
    assert (seeds.data[1:6, 20, 3] == 3).all()
    assert (shown(dock)[1:6, 20, 3] == 3).all()
    seeds.undo()
    settle(dock)
    assert (seeds.data[:, 20, 3] == [0, 3, 0, 0, 0, 3]).all()
    seeds.undo()
    np.testing.assert_array_equal(seeds.data, before)


def test_locked_classes_are_left_alone(dock: GrowDock, result: Any) -> None:
    dock.classes._table.edit(2, locked=True)
    clean(dock, "Keep the largest", chosen=False)
    np.testing.assert_array_equal(result.data == 2, messy() == 2)
    assert result.data[2, 5, 20] == 0
    clean(dock, "Split touching", chosen=False)
    np.testing.assert_array_equal(result.data == 2, messy() == 2)
    dock.inputs.seeds.value.selected_label = 2
    clean(dock, "Keep the largest")
    assert "locked" in dock.message
    np.testing.assert_array_equal(result.data == 2, messy() == 2)


def test_record_of_a_result_notes_what_was_cleaned(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    dock.desk.apply()
    wait_for(lambda: not dock.controller.is_on)
    layer = dock.applying.target.value
    applied = layer.metadata[METADATA_KEY]
    layer.data[0, 0, 0] = 2
    clean(dock, "Keep the largest", chosen=False)
    (cleaning,) = layer.metadata[METADATA_KEY]["injected"]["cleaned"]
    assert cleaning == {"method": "clean_labels", "settings": {"keep_largest": True}}
    Provenance.from_dict(layer.metadata[METADATA_KEY])
    dock.commands.undo.click()
    wait_for(lambda: not dock.desk.keeper.is_busy)
    assert layer.metadata[METADATA_KEY] == applied


def test_what_cannot_be_done_is_said(viewer: Any, dock: GrowDock, image: Any, seeds: Any) -> None:
    clean(dock, "Fill holes", chosen=False)
    assert "Choose the result" in dock.message
    seeds.selected_label = 77
    clean(dock, "Fill holes", target="seeds")
    assert "Choose a class" in dock.message
    other = viewer.add_labels(np.zeros((2, 3, 4), np.uint8), name="elsewhere")
    dock.applying.target.value = other
    clean(dock, "Fill holes", chosen=False)
    assert "shape" in dock.message


def test_what_grows_is_not_cleaned_as_a_result(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    for layer in (seeds, dock.controller.preview.layer):
        before = layer.data.copy()
        dock.applying.target.value = layer
        clean(dock, "Smooth", chosen=False)
        assert "what grows" in dock.message
        np.testing.assert_array_equal(layer.data, before)


def specks() -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[::2, ::2, ::2] = 1
    return labels


def test_more_than_255_objects(viewer: Any, dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    dock.desk.apply()
    wait_for(lambda: not dock.controller.is_on)
    own = dock.applying.target.value
    own.data[...] = specks()
    clean(dock, "Split touching", chosen=False)
    assert own.data.max() == np.count_nonzero(specks()) > 255
    dock.commands.undo.click()
    wait_for(lambda: not dock.desk.keeper.is_busy)
    np.testing.assert_array_equal(own.data, specks())
    assert own.data.dtype == np.uint16
    users = viewer.add_labels(specks(), name="mine")
    dock.applying.target.value = users
    clean(dock, "Split touching", chosen=False)
    assert "convert it to uint16" in dock.message
    np.testing.assert_array_equal(users.data, specks())


def test_seeds_that_cannot_hold_the_labels_stay(dock: GrowDock, image: Any, seeds: Any) -> None:
    seeds.data[...] = specks()
    clean(dock, "Split touching", chosen=False, target="seeds")
    assert "convert" in dock.message
    np.testing.assert_array_equal(seeds.data, specks())


def test_painting_goes_on_while_seeds_are_cleaned(dock: GrowDock, seeds: Any, result: Any) -> None:
    seeds.data[...] = messy()
    dock.cleaning.target.value, dock.cleaning.scope.value = "seeds", False
    dock.cleaning.buttons["Keep the largest"].click()
    seeds.data_setitem((np.array([2]), np.array([5]), np.array([20])), 3)
    wait_for(lambda: not dock.message.endswith("…"))
    assert seeds.data[2, 5, 20] == 3
    assert seeds.data[2, 15, 20] == 0
