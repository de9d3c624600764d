"""From a stroke to its pixels in a real window, and how long the window ever stood still.

Run ``xvfb-run -a python benchmarks/grow_window.py --size native --strokes 40`` (or on a
desktop without xvfb-run). A stroke is painted through napari's own painting; what is timed
runs from there to the first drawing of the canvas that shows the labels grown from it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
import psutil
from brain_volumes import CLASSES, brain_volume
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication

from napari_segsuite import growcut
from napari_segsuite.napari_ui.grow.dock import GrowDock

BRUSH = 5
LONGEST_WAIT = 120.0


class Heartbeat(QObject):
    """A timer that beats each millisecond, and the longest it had to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def restart(self) -> None:
        """Forget what was measured."""
        self.longest, self._last = 0.0, time.perf_counter()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now


class Stopwatch:
    """Times from painting to drawing."""

    def __init__(self, viewer: Any, dock: GrowDock) -> None:
        self._canvas = viewer.window._qt_viewer.canvas._scene_canvas  # noqa: SLF001
        self._canvas.events.draw.connect(self._on_draw, position="last")
        dock.controller.grown.connect(self._on_grown)
        self._is_waiting = False
        self.drawn_at: float | None = None

    def restart(self) -> None:
        """Forget what was measured."""
        self._is_waiting, self.drawn_at = False, None

    def _on_grown(self, _growth: Any) -> None:
        self._is_waiting = True

    def _on_draw(self, _event: Any) -> None:
        if self._is_waiting and self.drawn_at is None:
            self.drawn_at = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="native", help='"native" or a side length')
    parser.add_argument("--strokes", type=int, default=40)
    parser.add_argument("--guide", default="none", choices=["none", "auto", "learned"])
    options = parser.parse_args()

    volume = brain_volume(options.size)
    viewer = napari.Viewer()
    viewer.window.resize(1300, 850)
    viewer.add_image(volume.image, name="brain")
    seeds = viewer.add_labels(volume.seeds.copy(), name="brain seeds")
    dock = GrowDock(viewer)
    viewer.window.add_dock_widget(dock, name="Grow from seeds")
    dock.engine.set_values({"method": "growcut", "settings": {"guide": options.guide}})
    heart, watch = Heartbeat(), Stopwatch(viewer, dock)
    _wait(lambda: False, 2.0)

    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    dock.preview()
    _wait(lambda: dock.controller.is_settled)
    first = time.perf_counter() - start
    held = (psutil.Process().memory_info().rss - before) / volume.image.size
    print(f"{volume.image.shape}, guide {options.guide}: preview after {first:.2f} s, "
          f"{held:.1f} bytes per voxel held; {dock.message}")  # fmt: skip

    rng = np.random.default_rng(1)
    seeds.brush_size = BRUSH
    times: dict[str, list[float]] = {"add": [], "relabel": [], "erase": [], "undo": []}
    gaps, settled = [], []
    for _ in range(options.strokes):
        place = tuple(int(rng.integers(n // 3, 2 * n // 3)) for n in volume.image.shape)
        label = int(volume.truth[place])
        viewer.dims.set_current_step(0, place[0])
        _wait(lambda: dock.controller.is_settled)
        actions = {
            "add": lambda place=place, label=label: seeds.paint(place, label),
            "relabel": lambda place=place, label=label: seeds.paint(
                place, 1 + label % len(CLASSES)
            ),
            "erase": lambda place=place: seeds.paint(place, 0),
            "undo": seeds.undo,
        }
        for kind, act in actions.items():
            watch.restart()
            heart.restart()
            start = time.perf_counter()
            act()
            _wait(lambda: watch.drawn_at is not None, 2.0)
            if watch.drawn_at is not None:
                times[kind].append(watch.drawn_at - start)
            _wait(lambda: dock.controller.is_settled)
            settled.append(time.perf_counter() - start)
            gaps.append(heart.longest)
    for kind, seconds in times.items():
        _report(kind, seconds)
    _report("all", [second for seconds in times.values() for second in seconds])
    _report("settled", settled)
    _report("longest pause of the event loop", gaps)
    fresh = growcut(volume.image, seeds.data, connectivity=3, guide=options.guide)
    same = np.array_equal(fresh, _preview(dock))
    print("the preview equals a fresh solve:", same)
    dock.cancel()
    viewer.close()


def _preview(dock: GrowDock) -> NDArray[Any]:
    layer = dock.controller.preview.layer
    return layer.data


def _wait(done: Callable[[], bool], seconds: float = LONGEST_WAIT) -> None:
    end = time.perf_counter() + seconds
    while not done() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)


def _report(name: str, seconds: list[float]) -> None:
    p50, p95 = 1e3 * np.percentile(seconds, [50, 95])
    print(f"{name:32} n {len(seconds):4} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   "
          f"max {1e3 * max(seconds):6.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
