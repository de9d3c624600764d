"""Fixtures of the dock that measures: open on two layers, and a measurement that waits."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from measure_docks import GUESS, TRUTH, add_result, docked
from napari_segsuite.napari_ui.measure import measurement
from napari_segsuite.napari_ui.measure.dock import MeasureDock


@pytest.fixture
def open_dock(viewer: Any) -> Any:
    """Open the dock on a reference and one result."""

    def open_dock(prediction: np.ndarray = GUESS, **geometry: Any) -> MeasureDock:
        features = {"index": [1, 2], "name": ["liver", "spleen"]}
        viewer.add_labels(TRUTH.copy(), name="my reference", features=features)
        add_result(viewer, prediction, "guess", **geometry)
        return docked(viewer)

    return open_dock


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Measuring waits until this is set."""
    go_on, evaluate = threading.Event(), measurement.evaluate

    def wait(*args: Any, progress: Any, **kwargs: Any) -> Any:
        while not go_on.wait(0.005):
            progress(0.5, "on and on")
        return evaluate(*args, progress=progress, **kwargs)

    monkeypatch.setattr(measurement, "evaluate", wait)
    return go_on
