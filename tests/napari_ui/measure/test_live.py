"""Noticing edits of labels layers once it is quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication

from grow_docks import pump, wait_for
from napari_segsuite.napari_ui.measure.live import LayerWatch

SHAPE = (3, 8, 8)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def layer(viewer: ViewerModel) -> Any:
    layer = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="labels")
    layer.brush_size = 1
    return layer


class Watched:
    """A watch of a layer, and how often it told of edits."""

    def __init__(self, viewer: ViewerModel, layer: Any) -> None:
        self.parent = QObject()
        self.watch = LayerWatch(viewer, self.parent)
        self.n_told = 0
        self.watch.settled.connect(self._count)
        self.watch.watch([layer])

    def _count(self) -> None:
        self.n_told += 1

    @property
    def is_waiting(self) -> bool:
        return bool(self.watch._quiet.isActive())

    def settle(self) -> int:
        """Wait for quiet; how often it told since the last time."""
        wait_for(lambda: not self.is_waiting)
        n, self.n_told = self.n_told, 0
        return n


@pytest.fixture
def watched(qapp: Any, viewer: ViewerModel, layer: Any) -> Iterator[Watched]:
    watched = Watched(viewer, layer)
    yield watched
    watched.watch.stop()


def edits(layer: Any) -> dict[str, Any]:
    return {
        "paint": lambda: layer.paint((1, 2, 2), 3),
        "undo": layer.undo,
        "redo": layer.redo,
        "fill": lambda: layer.fill((0, 0, 0), 2),
        "data": lambda: setattr(layer, "data", np.ones(SHAPE, np.uint8)),
        "refresh": layer.refresh,
        "scale": lambda: setattr(layer, "scale", (2, 1, 1)),
        "names": lambda: setattr(layer, "features", {"index": [1], "name": ["liver"]}),
    }


def test_every_edit_is_told_of_once(watched: Watched, layer: Any) -> None:
    for name, edit in edits(layer).items():
        edit()
        assert watched.is_waiting, name
        assert watched.settle() == 1, name


def test_edits_that_follow_quickly_are_told_of_together(watched: Watched, layer: Any) -> None:
    for column in range(6):
        layer.paint((1, 2, column), 3)
        pump(0.02)
        assert watched.n_told == 0
    assert watched.settle() == 1


def test_going_to_another_slice_is_no_edit(
    watched: Watched, viewer: ViewerModel, layer: Any
) -> None:
    drawn: list[Any] = []
    layer.events.set_data.connect(drawn.append)
    for n, step in enumerate((0, 2, 1), 1):
        viewer.dims.set_current_step(0, step)
        assert len(drawn) == n
        assert not watched.is_waiting


def test_what_is_undone_in_a_hidden_layer_counts_when_it_is_shown(
    watched: Watched, layer: Any
) -> None:
    layer.paint((1, 2, 2), 3)
    layer.visible = False
    watched.settle()
    layer.undo()
    assert not watched.is_waiting
    layer.visible = True
    assert watched.is_waiting
    assert watched.settle() == 1


def test_layers_that_are_not_watched_any_more_are_silent(
    watched: Watched, viewer: ViewerModel, layer: Any
) -> None:
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    watched.watch.watch([other])
    layer.paint((1, 2, 2), 3)
    assert not watched.is_waiting
    other.paint((1, 2, 2), 3)
    assert watched.is_waiting
    watched.watch.stop()
    assert watched.settle() == 0
    other.paint((1, 2, 2), 1)
    assert not watched.is_waiting


def test_a_watch_that_is_gone_does_no_harm(qapp: Any, viewer: ViewerModel, layer: Any) -> None:
    watched = Watched(viewer, layer)
    watched.parent.deleteLater()
    QApplication.sendPostedEvents(watched.parent, QEvent.Type.DeferredDelete)
    assert not isalive(watched.watch)
    layer.paint((1, 2, 2), 3)
    assert layer.data[1, 2, 2] == 3
