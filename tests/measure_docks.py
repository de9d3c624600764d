"""Working the dock "Measure" as a user does, and what it then shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels

from grow_docks import wait_for
from napari_segsuite.napari_ui.adapters import METADATA_KEY
from napari_segsuite.napari_ui.measure.dock import MeasureDock

TRUTH = np.repeat([[0, 1, 2, 2]], 4, axis=0)
GUESS = np.repeat([[0, 1, 1, 2]], 4, axis=0)
RESULT: dict[str, Any] = {METADATA_KEY: {}}


def docked(viewer: Any) -> MeasureDock:
    dock = MeasureDock(viewer)
    viewer.window.add_dock_widget(dock, name="Measure")
    return dock


def add_result(viewer: Any, labels: np.ndarray, name: str, **kwargs: Any) -> Labels:
    return viewer.add_labels(labels.copy(), **{"name": name, "metadata": dict(RESULT)} | kwargs)


def measure(dock: MeasureDock) -> Any:
    dock.measure()
    settle(dock)
    return dock.results


def settle(dock: MeasureDock) -> None:
    wait_for(lambda: dock.job is None)


def value(dock: MeasureDock, name: str, metric: str = "dice", label: int = 1) -> float:
    return dock.results.named(name).report.per_class[metric][label]


def texts(table: Any) -> dict[str, dict[str, str]]:
    """Cells by head of line and column; of lines of several predictions, the last."""
    model = table.scores
    heads = [column.title for column in model.grid.columns]
    return {
        line.title: {
            head: model.data(model.index(row, i)) for i, head in enumerate(heads) if not line.text
        }
        for row, line in enumerate(model.lines)
    }


def spans(table: Any) -> list[str]:
    return [line.text for line in table.scores.lines if line.text]
