"""Live or once, pausing, cancelling, and layers that go away."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from grow_docks import blobs, grown, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.errors import InputError
from napari_segsuite.method import method
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.typing import ImageArray, LabelArray


def names(viewer: Any) -> list[str]:
    return [layer.name for layer in viewer.layers]


def busy_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "segsuite" in thread.name]


def change_engine(dock: GrowDock, **values: Any) -> None:
    dock.engine.set_values(values)
    settle(dock)


# --- once, paused, newest wins --------------------------------------------------------
def test_once_waits_for_update_now(dock: GrowDock, image: Any, seeds: Any) -> None:
    dock.commands.live.setChecked(False)
    before = start(dock).copy()
    seeds.paint((3, 4, 4), 3)
    pump(0.2)
    np.testing.assert_array_equal(shown(dock), before)
    assert dock.commands.preview.text() == "Update now"
    dock.commands.preview.click()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_end_of_a_pause_takes_up_what_was_painted(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    dock.toggle_live()
    seeds.paint((3, 4, 4), 3)
    seeds.paint((1, 18, 4), 2)
    pump(0.2)
    assert 3 not in shown(dock)
    dock.toggle_live()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_newest_edit_wins(
    dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_segsuite.growing.live import LiveGrowth

    start(dock)
    gate, inside, n_steps = threading.Event(), threading.Event(), []
    follow = LiveGrowth.follow

    def slow(self: Any, *arguments: Any) -> Any:
        growth = follow(self, *arguments)
        n_steps.append(1)
        inside.set()
        gate.wait(10)
        return growth

    monkeypatch.setattr(LiveGrowth, "follow", slow)
    seeds.paint((3, 4, 4), 3)
    wait_for(inside.is_set)
    for column in range(4, 20, 2):
        seeds.paint((2, 4, column), 4)
    gate.set()
    settle(dock)
    assert len(n_steps) == 2  # the eight later ones are taken up together
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_settings_start_anew_and_only_once(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    steps: list[Any] = []
    dock.controller.grown.connect(steps.append)
    for connectivity in (2, 1):
        dock.engine.set_values({"method": "growcut", "settings": {"connectivity": connectivity}})
    settle(dock)
    assert len(steps) == 1
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, connectivity=1))


# --- cancelling -----------------------------------------------------------------------
def test_cancel_leaves_no_trace(viewer: Any, dock: GrowDock, image: Any, seeds: Any) -> None:
    seeds.paint((2, 2, 2), 1)
    seeds.undo()
    layers, data = names(viewer), seeds.data.copy()
    history = len(seeds._undo_history), len(seeds._redo_history)
    active, metadata = viewer.layers.selection.active, dict(seeds.metadata)
    start(dock)
    dock.cancel()
    wait_for(lambda: not busy_threads())
    assert names(viewer) == layers
    np.testing.assert_array_equal(seeds.data, data)
    assert (len(seeds._undo_history), len(seeds._redo_history)) == history
    assert (viewer.layers.selection.active, dict(seeds.metadata)) == (active, metadata)
    assert dock.controller.growth is None
    assert not any(timer.isActive() for timer in timers_of(dock.controller))
    seeds.redo()
    seeds.paint((3, 4, 4), 3)
    pump(0.2)
    assert names(viewer) == layers


def timers_of(controller: Any) -> list[Any]:
    from qtpy.QtCore import QTimer

    return list(controller.findChildren(QTimer))


def test_cancel_in_the_middle_shows_nothing_afterwards(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_segsuite.growing import live

    gate, inside = threading.Event(), threading.Event()
    make_engine = live.make_engine

    def slow(*arguments: Any) -> Any:
        arguments[-1](0.5, "half way")
        inside.set()
        gate.wait(10)
        return make_engine(*arguments)

    monkeypatch.setattr(live, "make_engine", slow)
    dock.preview()
    wait_for(lambda: inside.is_set() and dock.controller.progress is not None)
    dock.cancel()
    assert dock.controller.progress is None
    assert dock.commands.bar.isHidden()
    gate.set()
    wait_for(lambda: not busy_threads())
    pump(0.1)
    assert dock.commands.bar.isHidden()
    assert names(viewer) == ["brain", "brain seeds"]


# --- layers that go away --------------------------------------------------------------
@pytest.mark.parametrize("name", ["brain", "brain seeds", "brain preview"])
def test_preview_ends_with_its_layers(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, name: str
) -> None:
    viewer.add_image(blobs(), name="another on the same grid")
    start(dock)
    seeds.paint((3, 4, 4), 3)  # removed while it grows
    viewer.layers.remove(name)
    assert not dock.controller.is_on
    assert "brain preview" not in names(viewer)
    assert dock.message == "The preview ended, as one of its layers was removed."
    wait_for(lambda: not busy_threads())
    pump(0.1)
    assert "brain preview" not in names(viewer)


def test_layers_that_move_end_the_preview(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    image.scale = (3, 1, 1)
    assert not dock.controller.is_on
    assert dock.message.startswith("The preview ended: expected the seeds on the grid")


def test_new_values_of_the_image_are_taken_up(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    image.data = image.data[:, ::-1].copy()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


# --- engines --------------------------------------------------------------------------
def test_watershed_and_back_with_the_same_seeds(dock: GrowDock, image: Any, seeds: Any) -> None:
    growcut = start(dock).copy()
    change_engine(dock, method="watershed")
    settings = dock.engine.settings()
    np.testing.assert_array_equal(shown(dock), nss.watershed(image.data, seeds.data, **settings))
    seeds.paint((3, 4, 4), 3)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), nss.watershed(image.data, seeds.data, **settings))
    seeds.undo()
    change_engine(dock, method="growcut")
    np.testing.assert_array_equal(shown(dock), growcut)


@pytest.fixture
def halves(scratch_registry: None) -> None:
    """A seeded method as another package would bring it."""

    @method(title="Halves", family="seeded", channels="single", bytes_per_voxel=1)
    def halves(image: ImageArray, seeds: LabelArray) -> LabelArray:
        """Give the upper half to class 1 and the lower one to class 2.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seeds : (M, N[, P]) array
            Painted classes.
        """
        if len(np.unique(seeds[seeds > 0])) < 2:
            raise InputError("Halves: expected seeds of two classes; paint another.")
        labels = np.ones(image.shape, np.uint8)
        labels[len(labels) // 2 :] = 2
        return labels


def test_engine_of_another_package_appears_by_itself(
    halves: None, dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.engine.choice.value = "halves"
    dock.preview()
    settle(dock)
    assert (shown(dock)[0] == 1).all()
    assert (shown(dock)[-1] == 2).all()


@pytest.mark.parametrize("engine", ["growcut", "watershed"])
@pytest.mark.parametrize("n_classes", [0, 1])
def test_missing_class_is_said_in_a_sentence(
    viewer: Any, dock: GrowDock, image: Any, engine: str, n_classes: int
) -> None:
    seeds = viewer.add_labels(strokes() * (strokes() <= n_classes), name="brain seeds")
    dock.engine.set_values({"method": engine, "settings": {"guide": "none", "connectivity": 1}})
    dock.preview()
    settle(dock)
    assert dock.controller.is_on
    assert "class" in dock.message
    assert "aint" in dock.message
    assert "failed" not in dock.message
    seeds.paint((3, 2, 2), 1)
    seeds.paint((3, 11, 12), 2)
    settle(dock)
    expected = nss.get_method(engine).function(image.data, seeds.data, **dock.engine.settings())
    np.testing.assert_array_equal(shown(dock), expected)
    assert "voxels changed" in dock.message


def test_without_an_image_or_seeds_a_sentence_says_so(viewer: Any, dock: GrowDock) -> None:
    assert dock.message == "Open an image to start."
    assert not dock.commands.preview.isEnabled()
    dock.preview()
    dock.new_seeds()
    assert dock.message == "Open an image to start."
    viewer.add_image(blobs(), name="brain")
    assert dock.message.startswith("Press New seeds layer")
    assert dock.commands.preview.isEnabled()
    dock.preview()
    assert dock.message.startswith("Press New seeds layer")
    dock.inputs.new_button.click()
    assert dock.inputs.seeds.value.name == "brain seeds"
    assert dock.message.startswith("Paint a stroke")
    dock.preview()
    settle(dock)
    assert "two classes" in dock.message
