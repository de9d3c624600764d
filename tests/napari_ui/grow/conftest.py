"""Fixtures of the dock "Grow from seeds": a viewer without a window, and a dock on it.

What a window adds is tested in test_window.py; without one a test takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from napari.components import ViewerModel

from grow_docks import blobs, strokes, wait_for
from napari_segsuite.napari_ui.grow import controller, seed_watch
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.napari_ui.runner import runner_for


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own, and no waiting."""
    for name in ("user_data_dir", "user_config_dir"):
        monkeypatch.setattr(platformdirs, name, lambda *_, name=name: str(tmp_path / name))
    # A process that fills the cache of compiled code takes seconds for each type of image.
    monkeypatch.setattr(controller, "prepare_growth", lambda *_: None)
    monkeypatch.setattr(seed_watch, "_LOOK_AT_HIDDEN_MS", 100)
    monkeypatch.setattr(controller, "_REST_MS", 20)


@pytest.fixture
def viewer(surroundings: None) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def dock(qapp: Any, viewer: ViewerModel) -> Iterator[GrowDock]:
    """An open dock; closed after the test."""
    dock = GrowDock(viewer)
    yield dock
    dock.controller.stop()
    runner = runner_for(viewer)
    wait_for(lambda: not runner._running)
    dock.close()
    dock.deleteLater()


@pytest.fixture
def image(viewer: ViewerModel, dock: GrowDock) -> Any:
    """An image layer, chosen in the dock."""
    return viewer.add_image(blobs(), name="brain")


@pytest.fixture
def seeds(viewer: ViewerModel, image: Any) -> Any:
    """Seeds of two classes, chosen in the dock."""
    return viewer.add_labels(strokes(), name="brain seeds")
