"""Random walker against scikit-image at 64 voxels a side, and by itself on a whole brain.

Run ``python benchmarks/random_walker.py --repeats 3``. In one process, taken in turns;
median of the times. Memory is the peak of what numpy holds beyond the inputs.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from brain_volumes import Volume, brain_volume
from numpy.typing import NDArray
from skimage.segmentation import random_walker as skimage_random_walker

import napari_segsuite as nss

Labels = NDArray[Any]
# scikit-image's own multigrid needs pyamg.
PEER_MODE = "cg_mg" if importlib.util.find_spec("pyamg") else "cg_j"

BETA = 130.0  # of both, the peer's default


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small-only", action="store_true")
    options = parser.parse_args()
    small = brain_volume("64")
    compare(small, options.repeats)
    if not options.small_only:
        for method in (nss.random_walker, nss.geodesic):
            measure(method, brain_volume("native"), options.repeats)
        agreement(brain_volume("native"))


def peer(volume: Volume) -> Labels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = volume.image / 255
        return skimage_random_walker(image, volume.seeds, beta=BETA, mode=PEER_MODE, tol=1e-3)


def ours(volume: Volume) -> Labels:
    return nss.random_walker(volume.image, volume.seeds, beta=BETA)


def compare(volume: Volume, repeats: int) -> None:
    solvers = {"here": ours, f"skimage {PEER_MODE}": peer}
    times: dict[str, list[float]] = {name: [] for name in solvers}
    labels: dict[str, Labels] = {}
    ours(volume)  # loads compiled code
    for _ in range(repeats):
        for name, solver in solvers.items():
            seconds, labels[name] = timed(solver, volume)
            times[name].append(seconds)
    exact = nss.random_walker(volume.image, volume.seeds, beta=BETA, tolerance=1e-8)
    base = statistics.median(times["here"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        same = (labels[name] == exact).mean()
        print(f"{name:16}{median:9.3f} s{median / base:8.1f} x   as solved to 1e-8: {same:.4%}")


def measure(method: Callable[..., Labels], volume: Volume, repeats: int) -> None:
    seconds = [timed(lambda v: method(v.image, v.seeds), volume)[0] for _ in range(repeats)]
    tracemalloc.start()
    method(volume.image, volume.seeds)
    peak = tracemalloc.get_traced_memory()[1] / volume.image.size
    tracemalloc.stop()
    print(
        f"{method.__name__}: {volume.image.shape}: {statistics.median(seconds):.2f} s, "
        f"{peak:.1f} bytes a voxel"
    )


def agreement(volume: Volume) -> None:
    rough = nss.random_walker(volume.image, volume.seeds)
    exact = nss.random_walker(volume.image, volume.seeds, tolerance=1e-8)
    print(f"random_walker: as solved to 1e-8: {np.mean(rough == exact):.4%}")


def timed(solver: Callable[[Volume], Labels], volume: Volume) -> tuple[float, Labels]:
    start = time.perf_counter()
    labels = solver(volume)
    return time.perf_counter() - start, labels


if __name__ == "__main__":
    main()
