"""Fixtures of the dock that evaluates folders: the folders, a viewer and the dock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel

from folder_docks import (
    N_CASES,
    labels_of,
    write,
)
from grow_docks import wait_for
from napari_segsuite.napari_ui import runner
from napari_segsuite.napari_ui.folders.dock import FolderDock


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References, two folders of predictions, and files that are trouble in the better one."""
    root = tmp_path_factory.mktemp("study")
    for case in range(N_CASES):
        write(root / "truth", f"case{case}", labels_of(case, 0))
        write(root / "good", f"case{case}", labels_of(case, case % 2))
        write(root / "bad", f"case{case}", labels_of(case, 2 + case % 2))
    write(root / "good", "stray", labels_of(0, 0))
    write(root / "truth", "lone1", labels_of(0, 0))
    write(root / "truth", "lone2", labels_of(0, 0))
    write(root / "truth", "broken", labels_of(0, 0))
    (root / "good" / "broken.nii.gz").write_bytes(b"no image")
    return root


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def dock(qapp: Any, viewer: ViewerModel) -> Iterator[FolderDock]:
    dock = FolderDock(viewer)
    yield dock
    dock.cancel()
    wait_for(lambda: not runner.runner_for(viewer)._running)
    dock.close()
    dock.deleteLater()
