"""A class table, on its own and in a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from class_table_hands import (
    Answers,
    add_layer,
)
from napari_segsuite.napari_ui.class_table import ClassTable


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def model():
    """Layers without a window: quick to make, and enough for most."""
    return ViewerModel()


@pytest.fixture
def table(model, answers, qtbot):
    widget = ClassTable(model, answers)
    qtbot.addWidget(widget)
    widget.resize(350, 300)
    widget.show()
    return widget


@pytest.fixture
def docked(viewer, qtbot):
    """A table in a window, and its seeds, which are the active layer."""
    widget = ClassTable(viewer)
    seeds = add_layer(viewer, "seeds")
    viewer.window.add_dock_widget(widget, name="Classes")
    viewer.window._qt_window.show()
    viewer.layers.selection.active = seeds
    with qtbot.waitSignal(widget._counter.counted):
        widget.set_layers(seeds)
    return widget, seeds


@pytest.fixture
def seeds(model):
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[2, 3:5, 3:6] = 2
    labels[3, 3, 3] = 7
    return add_layer(model, "seeds", labels=labels)


@pytest.fixture
def counted(table, seeds, qtbot):
    with qtbot.waitSignal(table._counter.counted):
        table.set_layers(seeds)
    return table
