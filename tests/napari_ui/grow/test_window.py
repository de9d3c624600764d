"""The dock in a real window: opened through the manifest, painted in, closed at the wrong time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from grow_docks import SHAPE, blobs, grown, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.napari_ui.grow.dock import GrowDock

npe2 = pytest.importorskip("npe2")

MANIFEST = Path(nss.__file__).with_name("napari.yaml")
N_EDITS = 200
N_GUIDED_EDITS = 40
MOST_CLASSES = 4


@pytest.fixture
def viewer(npe2pm: Any, make_napari_viewer_proxy: Any, surroundings: None) -> Any:
    npe2pm.register(npe2.PluginManifest.from_file(MANIFEST))
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer: Any) -> GrowDock:
    """Opened as the menu does."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-segsuite", "Grow from seeds")
    return widget


@pytest.fixture
def layers(viewer: Any, dock: GrowDock) -> tuple[Any, Any]:
    return (
        viewer.add_image(blobs(), name="brain"),
        viewer.add_labels(strokes(), name="brain seeds"),
    )


class Hand:
    """Edits seeds at random, as a user can."""

    def __init__(self, viewer: Any, seeds: Any) -> None:
        self.rng = np.random.default_rng(0)
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
        label, place = self.label(), self.place()
        with self.seeds.block_history():
            for step in range(4):
                dab = np.minimum(np.add(place, (0, step, 2 * step)), np.array(SHAPE) - 1)
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


def test_preview_follows_whatever_is_edited(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="brain")
    seeds = viewer.add_labels(strokes(), name="brain seeds")
    start(dock)
    hand = Hand(viewer, seeds)
    for number in range(N_EDITS):
        hand.act()
        if hand.rng.integers(2):
            continue  # no rest: the next edit comes at once
        wait_until_seen(dock, seeds)
        expected = grown(image.data, seeds.data)
        np.testing.assert_array_equal(shown(dock), expected, err_msg=f"after edit {number}")


def test_guided_preview_follows_whatever_is_edited(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="brain")
    seeds = viewer.add_labels(strokes(), name="brain seeds")
    start(dock, guide="auto")
    hand = Hand(viewer, seeds)
    for number in range(N_GUIDED_EDITS):
        hand.act()
        pump(hand.rng.choice([0.0, 0.02, 0.1]))  # in the middle of learning, most times
        if number % 8 != 7:
            continue
        seeds.visible = True
        seeds.data_setitem((np.array([0, 0]), np.array([0, 1]), np.array([0, 0])), [1, 2])
        wait_until_seen(dock, seeds)
        expected = nss.growcut(image.data, seeds.data, connectivity=3, guide="auto")
        np.testing.assert_array_equal(shown(dock), expected, err_msg=f"after edit {number}")


def wait_until_seen(dock: GrowDock, seeds: Any) -> None:
    """Wait until an edit has been noticed: of a hidden layer that takes a look now and then."""
    settle(dock)
    if not seeds.visible:
        session = dock.controller.growth.engine.session
        wait_for(lambda: dock.controller.is_settled and np.array_equal(session.seeds, seeds.data))


def busy_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "segsuite" in thread.name]


def test_closing_the_dock_ends_everything(viewer: Any, dock: GrowDock, layers: Any) -> None:
    image, seeds = layers
    start(dock)
    dock.limits.set_range(40, 250)
    wait_for(lambda: "brain range" in viewer.layers)
    seeds.paint((3, 4, 4), 3)  # grows while the dock closes
    viewer.window.remove_dock_widget(dock)
    pump(0.3)
    assert [layer.name for layer in viewer.layers] == ["brain", "brain seeds"]
    assert not busy_threads()
    # What is done to the layers reaches nobody any more.
    seeds.paint((3, 5, 5), 1)
    seeds.undo()
    image.scale = (2, 1, 1)
    viewer.add_image(blobs(), name="other")
    viewer.layers.remove(image)
    viewer.dims.set_current_step(0, 1)
    pump(0.5)
    assert [layer.name for layer in viewer.layers] == ["brain seeds", "other"]


def test_closing_the_window_while_growing(viewer: Any, dock: GrowDock, layers: Any) -> None:
    start(dock)
    layers[1].paint((3, 4, 4), 3)
    viewer.close()
    wait_for(lambda: not busy_threads())
