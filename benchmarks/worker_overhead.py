"""What running a job through the viewer's runner costs, against calling it directly.

Run with ``python benchmarks/worker_overhead.py``: prints, for a thread and for the compute
process, worker time / direct time (to stay at or below 1.3) and the gaps of the event loop.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time

import numpy as np
from qtpy.QtCore import QEventLoop, QObject, QTimer
from qtpy.QtWidgets import QApplication

from napari_segsuite.compute import ComputeProcess, JobRequest
from napari_segsuite.image import Image
from napari_segsuite.napari_ui.runner import Runner

TARGET = 1.3


class Measurement(QObject):
    """Runs requests through a runner while a timer beats."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = Runner(self)
        self.beats: list[float] = []
        self._timer = QTimer(self)
        self._timer.setInterval(1)
        self._timer.timeout.connect(lambda: self.beats.append(time.perf_counter()))
        self._timer.start()

    def seconds(self, request: JobRequest) -> float:
        """Time from submitting a request to having its result on the main thread."""
        loop = QEventLoop()
        start = time.perf_counter()
        job = self.runner.submit(request)
        job.failed.connect(print)
        job.ended.connect(loop.quit)
        loop.exec()
        return time.perf_counter() - start


def _seconds_directly(request: JobRequest) -> float:
    start = time.perf_counter()
    request.run()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns, so that a change of the machine's load meets all alike."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=256, help="voxels along each axis")
    parser.add_argument("--passes", type=int, default=20, help="work done on each voxel")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    importlib.import_module("worker_overhead_methods")
    app = QApplication([])
    data = np.random.default_rng(0).random((options.side,) * 3, dtype=np.float32)
    requests = [
        JobRequest(name, Image.from_array(data), settings={"passes": options.passes})
        for name in ("local_work", "remote_work")
    ]
    measurement = Measurement()
    for request in requests:
        ratios = []
        measurement.seconds(request)
        measurement.beats.clear()
        for _ in range(options.repeats):
            direct = _seconds_directly(request)
            measurement.beats.append(float("nan"))
            ratios.append(measurement.seconds(request) / direct)
        gaps = 1000 * np.diff(measurement.beats)
        gaps = gaps[np.isfinite(gaps)]
        verdict = "ok" if statistics.median(ratios) <= TARGET else f"above {TARGET}"
        print(
            f"{request.method}: direct {direct:.2f} s, worker / direct median "
            f"{statistics.median(ratios):.2f} (max {max(ratios):.2f}, {verdict}); event loop gap "
            f"median {np.median(gaps):.1f} ms, 99 % {np.percentile(gaps, 99):.1f} ms, "
            f"max {gaps.max():.1f} ms"
        )
    measurement.runner.close()

    compute = ComputeProcess()
    tiny = JobRequest("remote_work", Image.from_array(np.zeros((4, 4), np.float32)))
    for label in ("first job, process started", "next job"):
        start = time.perf_counter()
        compute.run(tiny)
        print(f"compute process, {label}: {1000 * (time.perf_counter() - start):.0f} ms")
    compute.close()
    app.quit()


if __name__ == "__main__":
    main()
