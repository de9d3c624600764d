"""The preview follows whatever is done to the seeds, and equals growing from scratch."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from grow_docks import SHAPE, blobs, grown, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.napari_ui.grow import controller as controller_module
from napari_segsuite.napari_ui.grow.dock import GrowDock

N_EDITS = 200
MOST_CLASSES = 4


def test_preview_equals_a_fresh_solve(dock: GrowDock, image: Any, seeds: Any) -> None:
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data))


class Hand:
    """Edits seeds at random, as a user can."""

    def __init__(self, viewer: Any, seeds: Any, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.viewer, self.seeds = viewer, seeds

    def act(self) -> None:
        """Do one thing."""
        acts = (self.paint, self.paint, self.drag, self.fill, self.erase, self.undo, self.redo)
        self.rng.choice(np.array([*acts, self.scroll, self.look], dtype=object))()

    def place(self) -> tuple[int, ...]:
        """Any voxel, or one of the slice on display."""
        place = [int(self.rng.integers(n)) for n in SHAPE]
        if self.viewer.dims.ndisplay == 2:
            place[0] = self.viewer.dims.current_step[0]
        return tuple(place)

    def label(self) -> int:
        return int(self.rng.integers(1, MOST_CLASSES + 1))

    def choose_brush(self) -> None:
        self.seeds.brush_size = int(self.rng.integers(1, 7))
        self.seeds.n_edit_dimensions = int(self.rng.integers(2, 4))

    def paint(self) -> None:
        self.choose_brush()
        self.seeds.paint(self.place(), self.label())

    def drag(self) -> None:
        """A stroke, whose dabs one undo takes back together."""
        self.choose_brush()
        label, place = self.label(), np.array(self.place())
        with self.seeds.block_history():
            for step in range(4):
                dab = np.minimum(place + (0, step, 2 * step), np.array(SHAPE) - 1)
                self.seeds.paint(tuple(int(i) for i in dab), label)

    def fill(self) -> None:
        self.choose_brush()
        self.seeds.contiguous = bool(self.rng.integers(2))
        place = self.place()
        if self.seeds.data[place]:  # else nearly all would be painted
            self.seeds.fill(place, self.label())

    def erase(self) -> None:
        self.choose_brush()
        painted = np.argwhere(self.seeds.data)
        place = tuple(int(i) for i in painted[self.rng.integers(len(painted))])
        self.seeds.paint(place if len(painted) else self.place(), 0)

    def undo(self) -> None:
        self.seeds.undo()

    def redo(self) -> None:
        self.seeds.redo()

    def scroll(self) -> None:
        self.viewer.dims.set_current_step(0, int(self.rng.integers(SHAPE[0])))

    def look(self) -> None:
        """Hide the seeds for a while, show them, or turn to 3D and back."""
        if self.rng.integers(2):
            self.seeds.visible = not self.seeds.visible
        else:
            self.viewer.dims.ndisplay = 5 - self.viewer.dims.ndisplay


@pytest.mark.parametrize("seed", [0])
def test_preview_follows_whatever_is_edited(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, seed: int
) -> None:
    start(dock)
    hand = Hand(viewer, seeds, seed)
    for number in range(N_EDITS):
        hand.act()
        if hand.rng.integers(2):
            continue  # no rest: the next edit comes at once
        wait_until_seen(dock, seeds)
        expected = grown(image.data, seeds.data)
        np.testing.assert_array_equal(shown(dock), expected, err_msg=f"after edit {number}")


def wait_until_seen(dock: GrowDock, seeds: Any) -> None:
    """Wait until an edit has been noticed: of a hidden layer that takes a look now and then."""
    settle(dock)
    if not seeds.visible:
        session = dock.controller.growth.engine.session
        wait_for(lambda: dock.controller.is_settled and np.array_equal(session.seeds, seeds.data))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint64"])
def test_seeds_of_any_integer_type(viewer: Any, dock: GrowDock, image: Any, dtype: str) -> None:
    seeds = viewer.add_labels(strokes(dtype=dtype), name="seeds")
    start(dock)
    seeds.paint((2, 4, 4), 3)
    settle(dock)
    assert 3 in shown(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_layer_that_napari_makes_for_labels(viewer: Any, dock: GrowDock, image: Any) -> None:
    viewer.layers.selection.active = image
    viewer._new_labels()
    seeds = dock.inputs.seeds.value
    assert seeds is viewer.layers[-1]
    start(dock)
    seeds.paint((3, 2, 2), 1)
    seeds.paint((3, 11, 13), 2)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_label_beyond_a_byte_painted_midway(viewer: Any, dock: GrowDock, image: Any) -> None:
    seeds = viewer.add_labels(strokes(dtype=np.uint16), name="seeds")
    assert start(dock).dtype == np.uint8
    layer = dock.controller.preview.layer
    seeds.paint((3, 4, 4), 70)
    seeds.paint((3, 18, 20), 300)
    settle(dock)
    assert 300 in shown(dock)
    seeds.paint((2, 18, 4), 4)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))
    assert dock.controller.preview.layer is layer


def test_seeds_converted_to_another_type_go_on(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    seeds.data = seeds.data.astype(np.int32)
    seeds.paint((3, 4, 4), 1000)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_seeds_replaced_as_a_whole(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    seeds.data = seeds.data[::-1, ::-1].copy()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_seeds_replaced_by_some_of_another_shape_end_the_preview(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    seeds.data = np.zeros((3, 4, 5), np.uint8)
    pump(0.5)
    assert not dock.controller.is_on
    assert "shape" in dock.message
    assert "report" not in dock.message


def test_nothing_is_computed_on_the_main_thread(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, set[int]] = {}

    def probed(name: str, function: Any) -> Any:
        def probe(*arguments: Any, **keywords: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return function(*arguments, **keywords)

        return probe

    from napari_segsuite.growing import live, planner
    from napari_segsuite.napari_ui.grow import source

    for owner, name in (
        (live.LiveGrowth, "follow"),
        (live.LiveGrowth, "learn"),
        (live, "make_engine"),
        (planner.Planner, "plan"),
        (source.ImageSource, "load"),
        (controller_module, "prepare_growth"),
    ):
        monkeypatch.setattr(owner, name, probed(name, getattr(owner, name)))
    other = viewer.add_image(blobs(), name="other")
    dock.inputs.others.value = [other.name]
    dock.engine.set_values({"settings": {"guide": "auto"}})
    dock.preview()
    settle(dock)
    seeds.paint((3, 4, 4), 3)
    settle(dock)
    dock.limits.suggestion_wanted.emit()
    settle(dock)
    pump(0.4)
    settle(dock)
    assert {"follow", "make_engine", "plan", "load", "prepare_growth"} <= set(threads)
    for name, idents in threads.items():
        assert threading.main_thread().ident not in idents, name
