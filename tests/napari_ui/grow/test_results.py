"""What Apply makes of a preview, and how its steps are taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

import napari_segsuite as nss
from grow_docks import SHAPE, blobs, grown, settle, shown, start, strokes, wait_for
from napari_segsuite.errors import InputError
from napari_segsuite.napari_ui.adapters import METADATA_KEY, space_of
from napari_segsuite.napari_ui.grow import result_keeper
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.napari_ui.grow.shortcuts import KEYS
from napari_segsuite.napari_ui.settings import Preferences

GEOMETRY = {
    "scale": (3.0, 0.5, 0.5),
    "translate": (1.0, 2.0, 3.0),
    "rotate": np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]),
    "units": ("mm",) * 3,
    "axis_labels": ("z", "y", "x"),
}


def rest(dock: GrowDock) -> None:
    """Wait for the step that is being made."""
    wait_for(lambda: not dock.desk.keeper.is_busy)


def apply(dock: GrowDock) -> Any:
    """Apply, wait, and return the layer that was written to."""
    dock.desk.apply()
    wait_for(lambda: not dock.controller.is_on)
    return dock.applying.target.value


def applied(dock: GrowDock) -> Any:
    """The result of a preview that is made and applied."""
    start(dock)
    return apply(dock)


def undo(dock: GrowDock) -> None:
    dock.commands.undo.click()
    rest(dock)


def redo(dock: GrowDock) -> None:
    dock.commands.redo.click()
    rest(dock)


@pytest.fixture
def mine(viewer: Any, seeds: Any) -> Any:
    """A labels layer of the user's own, with a block of class 7."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, :6, :6] = 7
    return viewer.add_labels(labels, name="mine")


# --- a new layer ----------------------------------------------------------------------
def test_result_has_geometry_classes_colours_and_history(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="brain", **GEOMETRY)
    seeds = viewer.add_labels(strokes(), name="brain seeds", **GEOMETRY)
    start(dock)
    dock.classes._table.edit(2, name="lesion", colour=(0.2, 0.4, 0.6, 1.0))
    preview = shown(dock).copy()
    active = viewer.layers.selection.active
    result = apply(dock)
    np.testing.assert_array_equal(result.data, preview)
    assert space_of(result).is_close(space_of(image))
    assert list(result.features["name"]) == list(seeds.features["name"])
    np.testing.assert_allclose(result.get_color(2), seeds.get_color(2), atol=1e-3)
    assert viewer.layers.selection.active is active
    assert list(viewer.layers) == [image, result, seeds]
    record = result.metadata[METADATA_KEY]
    again = nss.replay(record, nss.Image(image.data, space_of(image)), seeds=seeds.data)
    np.testing.assert_array_equal(again.labels, result.data)


def test_record_names_the_mask_and_the_region(viewer: Any, dock: GrowDock, image: Any) -> None:
    seeds = viewer.add_labels(strokes(), name="seeds")
    allowed = (blobs() > 65) | (strokes() > 0)
    mask = viewer.add_labels(allowed.astype(np.uint8), name="mask")
    dock.limits.mask.value = mask
    dock.limits.region.value = "seeds"
    dock.limits.margin.value = 1.0
    result = applied(dock)
    record = result.metadata[METADATA_KEY]
    region = tuple(slice(*ends) for ends in record["injected"]["region"])
    assert result.data[region].shape != result.data.shape
    assert not result.data[mask.data == 0][seeds.data[mask.data == 0] == 0].any()
    again = nss.replay(
        record, image.data[region], seeds=seeds.data[region], mask=mask.data[region] != 0
    )
    np.testing.assert_array_equal(again.labels, result.data[region])


def test_record_is_of_what_was_grown_from(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    before = seeds.data.copy()
    dock.commands.live.setChecked(False)
    seeds.paint((2, 4, 4), 2)
    result = apply(dock)
    np.testing.assert_array_equal(result.data, grown(image.data, before))
    nss.replay(result.metadata[METADATA_KEY], image.data, seeds=before)
    with pytest.raises(InputError, match="seeds"):
        nss.replay(result.metadata[METADATA_KEY], image.data, seeds=seeds.data)


def test_nothing_is_added_when_nothing_can_be_applied(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.desk.apply()
    assert "preview" in dock.message.lower()
    start(dock)
    dock.applying.rule.value = "classes"
    seeds.selected_label = 99
    dock.desk.apply()
    rest(dock)
    assert "class" in dock.message
    assert dock.controller.is_on
    assert list(viewer.layers) == [image, dock.controller.preview.layer, seeds]


def test_preview_goes_on_after_apply_without_growing_anew(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    growth = dock.controller.growth
    apply(dock)
    seeds.paint((3, 4, 4), 2)
    dock.preview()
    settle(dock)
    assert dock.controller.growth is growth
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_apply_pressed_twice_writes_once(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    dock.desk.apply()
    dock.desk.apply()
    assert "moment" in dock.message
    rest(dock)
    assert sum(METADATA_KEY in layer.metadata for layer in dock._viewer.layers) == 1
    undo(dock)
    assert dock.desk.keeper.undo_name is None


def test_apply_waits_for_the_preview(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    seeds.paint((2, 4, 4), 2)
    assert not dock.controller.is_settled
    result = apply(dock)
    np.testing.assert_array_equal(result.data, grown(image.data, seeds.data))


def test_painting_goes_on_while_apply_writes(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    before = shown(dock).copy()
    dock.desk.apply()
    dock.controller.preview.layer.data[...] = 9  # as a later step would
    rest(dock)
    np.testing.assert_array_equal(dock.applying.target.value.data, before)


# --- a layer that is there ------------------------------------------------------------
@pytest.mark.parametrize("rule", ["replace", "unlabelled", "classes"])
def test_rules_of_merging_into_a_layer_of_the_users_own(
    dock: GrowDock, image: Any, seeds: Any, mine: Any, rule: str
) -> None:
    before, array = mine.data.copy(), mine.data
    dock.applying.target.value = mine
    dock.applying.rule.value = rule
    seeds.selected_label = 2
    assert applied(dock) is mine
    preview = grown(image.data, seeds.data)
    expected = {
        "replace": preview,
        "unlabelled": np.where(before == 0, preview, before),
        "classes": np.where(preview == 2, 2, before),
    }[rule]
    np.testing.assert_array_equal(mine.data, expected)
    assert mine.data is array
    undo(dock)
    np.testing.assert_array_equal(mine.data, before)
    assert METADATA_KEY not in mine.metadata


def test_locked_classes_are_kept(dock: GrowDock, image: Any, seeds: Any, mine: Any) -> None:
    mine.features = {"index": [0, 7], "name": ["background", "vessel"]}
    dock.applying.target.value = mine
    dock.classes._table.adopt([1, 2, 7])
    dock.classes._table.edit(7, locked=True)
    free = mine.data != 7
    expected = grown(image.data, np.where(free, seeds.data, 0), mask=free)
    np.testing.assert_array_equal(start(dock), expected)
    before = mine.data.copy()
    apply(dock)
    np.testing.assert_array_equal(mine.data == 7, before == 7)
    assert set(np.unique(mine.data)) == {1, 2, 7}
    names = dict(zip(mine.features["index"], mine.features["name"], strict=True))
    assert names[7] == "vessel"
    assert names[2] == "class 2"


def test_outside_the_region_a_result_stays(
    dock: GrowDock, image: Any, seeds: Any, mine: Any
) -> None:
    mine.data[0] = 7
    dock.applying.target.value = mine
    seeds.data[3, 1:3, 1:-1] = 0
    seeds.data[3, 8:10, 11:15] = 1
    dock.limits.region.value = "seeds"
    dock.limits.margin.value = 0.0
    start(dock)
    region = dock.controller.growth.plan.region
    outside = np.ones(SHAPE, bool)
    outside[region] = False
    assert outside.any()
    before = mine.data.copy()
    apply(dock)
    np.testing.assert_array_equal(mine.data[outside], before[outside])
    assert set(np.unique(mine.data[region])) <= {1, 2}


def test_seeds_and_preview_are_no_results(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    before = seeds.data.copy()
    for layer in (seeds, dock.controller.preview.layer):
        dock.applying.target.refresh()
        dock.applying.target.value = layer
        dock.desk.apply()
        assert "another" in dock.message
        assert not dock.desk.keeper.is_busy
    np.testing.assert_array_equal(seeds.data, before)


# --- steps ----------------------------------------------------------------------------
def test_twelve_steps_back_and_forth_leave_the_seeds_alone(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    states = [np.zeros(SHAPE, np.uint8)]
    seeds.paint((2, 2, 2), 1)
    for number in range(12):
        start(dock)
        seeds.paint((number % SHAPE[0], 3 + number, 5 + number), 1 + number % 2)
        settle(dock)
        states.append(apply(dock).data.copy())
    result, painted = dock.applying.target.value, seeds.data.copy()
    for state in states[-2::-1]:
        undo(dock)
        np.testing.assert_array_equal(result.data, state)
    assert not dock.commands.undo.isEnabled()
    for state in states[1:]:
        redo(dock)
        np.testing.assert_array_equal(result.data, state)
    assert not dock.commands.redo.isEnabled()
    np.testing.assert_array_equal(seeds.data, painted)
    for _ in range(13):
        seeds.undo()
    np.testing.assert_array_equal(seeds.data, strokes())
    np.testing.assert_array_equal(result.data, states[-1])


def test_keys_do_what_the_buttons_do(dock: GrowDock, image: Any, seeds: Any) -> None:
    shortcuts = {
        shortcut.key().toString(QKeySequence.SequenceFormat.PortableText): shortcut
        for shortcut in dock.findChildren(QShortcut)
    }
    start(dock)
    for name in ("apply", "undo", "redo"):
        shortcuts[KEYS[name].sequence].activated.emit()
        rest(dock)
        is_there = dock.applying.target.value.data.any()
        assert is_there == (name != "undo")


def test_budget_bounds_the_steps(
    dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_keeper, "preferences", lambda: Preferences(undo_steps=2))
    start(dock)
    for number in range(4):
        dock.preview()
        settle(dock)
        seeds.paint((number, 12, 12), 1 + number % 2, refresh=True)
        settle(dock)
        apply(dock)
    for _ in range(2):
        assert dock.commands.undo.isEnabled()
        undo(dock)
    assert not dock.commands.undo.isEnabled()

    monkeypatch.setattr(result_keeper, "preferences", lambda: Preferences(undo_bytes=1))
    dock.applying.target.value = None
    applied(dock)
    assert not dock.commands.undo.isEnabled()


def test_what_was_painted_into_a_result_stays(dock: GrowDock, image: Any, seeds: Any) -> None:
    result = applied(dock)
    result.data_setitem((np.array([0]), np.array([0]), np.array([0])), 5)
    undo(dock)
    assert result.data[0, 0, 0] == 5
    assert np.count_nonzero(result.data) == 1
    redo(dock)
    assert result.data[0, 0, 0] == 5
    result.undo()
    np.testing.assert_array_equal(result.data, grown(image.data, seeds.data))


def test_two_results_by_turns(dock: GrowDock, image: Any, seeds: Any, mine: Any) -> None:
    empty, own = np.zeros(SHAPE, np.uint8), mine.data.copy()
    first = applied(dock)
    once = first.data.copy()
    dock.applying.target.value = mine
    dock.preview()
    settle(dock)
    apply(dock)
    dock.applying.target.value = first
    seeds.paint((3, 4, 4), 2)
    dock.preview()
    settle(dock)
    apply(dock)
    for expected, other in ((once, once), (once, own), (empty, own)):
        undo(dock)
        np.testing.assert_array_equal(first.data, expected)
        np.testing.assert_array_equal(mine.data, once if other is once else own)


def test_steps_of_a_removed_result_go_with_it(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, mine: Any
) -> None:
    dock.applying.target.value = mine
    own = mine.data.copy()
    applied(dock)
    dock.applying.target.value = None
    other = applied(dock)
    assert other is not mine
    viewer.layers.remove(other)
    undo(dock)
    np.testing.assert_array_equal(mine.data, own)
    viewer.layers.remove(mine)
    assert not dock.commands.undo.isEnabled()
    assert not dock.commands.redo.isEnabled()


def test_a_step_that_fits_no_more_bars_no_others(
    dock: GrowDock, image: Any, seeds: Any, mine: Any
) -> None:
    first = applied(dock)
    dock.applying.target.value = mine
    applied(dock)
    mine.data = np.zeros((2, 3, 4), np.uint8)
    undo(dock)
    assert "shape" in dock.message
    undo(dock)
    assert not first.data.any()


def test_time_points_have_results_of_their_own(viewer: Any, dock: GrowDock) -> None:
    labels = ("t", "z", "y", "x")
    frames = np.stack([blobs(), blobs()[..., ::-1]])
    viewer.add_image(frames, name="movie", axis_labels=labels)
    seeds = viewer.add_labels(np.stack([strokes()] * 2), name="seeds", axis_labels=labels)
    expected = []
    for time in range(2):
        viewer.dims.set_current_step(0, time)
        result = applied(dock)
        expected.append(grown(frames[time], seeds.data[time]))
        np.testing.assert_array_equal(result.data[time], expected[-1])
    np.testing.assert_array_equal(result.data[0], expected[0])
    undo(dock)
    np.testing.assert_array_equal(result.data[0], expected[0])
    assert not result.data[1].any()
