"""Working the dock "Grow from seeds" as a user does, and what it then has to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from napari_segsuite.napari_ui.grow.dock import GrowDock

LONGEST_WAIT = 60.0
SHAPE = (6, 22, 26)


def blobs(shape: tuple[int, ...] = SHAPE, dtype: Any = np.uint8) -> np.ndarray:
    """A bright ball in a dark box, with noise: something that seeds can tell apart."""
    rng = np.random.default_rng(3)
    places = np.indices(shape)
    middle = np.array(shape).reshape(-1, *(1,) * len(shape)) / 2
    distance = np.sqrt((((places - middle) / middle) ** 2).sum(axis=0))
    image = np.where(distance < 0.6, 170.0, 60.0) + rng.normal(0, 12, shape)
    return np.clip(image, 0, 255).astype(dtype)


def strokes(shape: tuple[int, ...] = SHAPE, dtype: Any = np.uint8) -> np.ndarray:
    """Class 1 in a corner of the middle slice, class 2 in the middle of it."""
    seeds = np.zeros(shape, dtype)
    middle = tuple(n // 2 for n in shape[:-2])
    rows, columns = shape[-2:]
    seeds[(*middle, slice(1, 3), slice(1, columns - 1))] = 1
    seeds[(*middle, slice(rows // 2, rows // 2 + 2), slice(columns // 2 - 3, columns // 2 + 3))] = 2
    return seeds


def wait_for(done: Callable[[], bool], seconds: float = LONGEST_WAIT) -> None:
    """Let the window work until something holds."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        QApplication.processEvents()
        time.sleep(0.001)


def pump(seconds: float) -> None:
    """Let the window work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.001)


def settle(dock: GrowDock) -> None:
    """Wait until the preview shows all there is to show."""
    QApplication.processEvents()
    wait_for(lambda: dock.controller.is_settled)


def choose_plain(dock: GrowDock, **settings: Any) -> None:
    """Choose GrowCut without a guide."""
    dock.engine.set_values({"method": "growcut", "settings": {"guide": "none"} | settings})


def start(dock: GrowDock, **settings: Any) -> np.ndarray:
    """Press Preview, wait, and return what the preview shows."""
    choose_plain(dock, **settings)
    dock.preview()
    settle(dock)
    return shown(dock)


def shown(dock: GrowDock, time_point: int | None = None) -> np.ndarray:
    """What the preview shows, of one time point where there are several."""
    layer = dock.controller.preview.layer
    assert layer is not None, dock.message
    return np.asarray(layer.data if time_point is None else layer.data[time_point])


def grown(image: np.ndarray, seeds: np.ndarray, **settings: Any) -> np.ndarray:
    """What has to be shown: GrowCut from scratch, of however few classes."""
    settings = {"connectivity": 3} | settings
    free = seeds if settings.get("mask") is None else seeds[settings["mask"]]
    if len(np.unique(free[free > 0])) < 2:
        return np.asarray(nss.GrowSession(image, seeds, **settings).labels)
    return nss.growcut(image, seeds, **settings)
