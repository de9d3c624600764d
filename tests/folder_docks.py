"""Folders of labels, and the dock that evaluates them, as a user works with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import Qt

import napari_segsuite as nss
from grow_docks import wait_for
from napari_segsuite.image import LabelClass
from napari_segsuite.napari_ui.folders.dock import FolderDock
from napari_segsuite.space import Space

SHAPE = (3, 10, 12)
SPACE = Space.regular(3, (3.0, 0.5, 0.5), "mm")
CLASSES = (LabelClass(1, "core"), LabelClass(2, "rim"))
N_CASES = 7
NO_KEY = Qt.KeyboardModifier.NoModifier


def labels_of(case: int, shift: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 1 : 9 - case % 3, 1 + shift : 9 + shift] = 2
    labels[:, 3:6, 3 + shift : 6 + shift] = 1
    return labels


def write(folder: Path, name: str, labels: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    nss.write(folder / f"{name}.nii.gz", nss.Segmentation(labels, SPACE, CLASSES))


def choose(dock: FolderDock, predictions: Path, references: Path) -> None:
    dock.form.predictions.path, dock.form.references.path = predictions, references
    look(dock)


def look(dock: FolderDock) -> None:
    wait_for(lambda: not dock.form.preview.is_looking)


def run(dock: FolderDock, folders: Path, *further: str) -> None:
    choose(dock, folders / "good", folders / "truth")
    for name in further:
        dock.further.add().path = folders / name
    dock.run()
    wait_for(lambda: dock.job is None)


def contents(table: Any) -> list[list[Any]]:
    return [
        [table.item(line, column).content for column in range(table.columnCount())]
        for line in range(table.rowCount())
    ]


def heads(table: Any) -> list[str]:
    items = [table.horizontalHeaderItem(column) for column in range(table.columnCount())]
    assert all(item.toolTip() for item in items)
    return [item.text() for item in items]
