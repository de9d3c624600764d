"""Fixtures of the docks that compare: a viewer without a window, layers, and the docks on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from grow_docks import wait_for
from method_forms import GEOMETRY, brightness
from napari_segsuite.napari_ui import runner
from napari_segsuite.napari_ui.compare import clusters_dock
from napari_segsuite.napari_ui.compare.clusters_dock import ClustersDock
from napari_segsuite.napari_ui.compare.dock import CompareDock


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> ViewerModel:
    # A process that fills the cache of compiled code takes seconds for each type of image.
    for module in (runner, clusters_dock):
        monkeypatch.setattr(module, "prepare", lambda *_: None)
    return ViewerModel()


@pytest.fixture
def image(viewer: ViewerModel) -> Any:
    """A dark and a bright half."""
    return viewer.add_image(brightness(), name="brain", **GEOMETRY)


@pytest.fixture
def truth(viewer: ViewerModel, image: Any) -> Any:
    """The bright half as class 3."""
    labels = (brightness() > 100).astype(np.uint8) * 3
    names = {"index": [0, 3], "name": ["background", "inside"]}
    return viewer.add_labels(labels, name="truth", features=names, **GEOMETRY)


@pytest.fixture
def dock(qapp: Any, viewer: ViewerModel, image: Any) -> Iterator[CompareDock]:
    dock = CompareDock(viewer)
    dock.extent.value = "whole"
    yield from _opened(dock, viewer)


@pytest.fixture
def clusters(qapp: Any, viewer: ViewerModel, image: Any) -> Iterator[ClustersDock]:
    yield from _opened(ClustersDock(viewer), viewer)


def _opened(dock: Any, viewer: ViewerModel) -> Iterator[Any]:
    yield dock
    dock.cancel()
    wait_for(lambda: not runner.runner_for(viewer)._running)
    dock.close()
    dock.deleteLater()
