"""Time of a stroke in a live GrowCut session, and that the result is exact.

Run ``python benchmarks/growcut_strokes.py --size native --strokes 30``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from brain_volumes import Volume, brain_volume
from numpy.typing import NDArray

from napari_segsuite import GrowSession

STROKE = (3, 3, 50)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="native", help='"native" or a side length')
    parser.add_argument("--strokes", type=int, default=30)
    parser.add_argument("--connectivity", type=int, default=3)
    options = parser.parse_args()

    compile_kernels()
    volume = brain_volume(options.size)
    start = time.perf_counter()
    session = GrowSession(volume.image, volume.seeds, options.connectivity)
    print(f"{volume.image.shape}: session made in {time.perf_counter() - start:.2f} s")
    rng = np.random.default_rng(1)
    times: dict[str, list[float]] = {"add": [], "relabel": [], "erase": []}
    for _ in range(options.strokes):
        stroke, label = random_stroke(volume, rng)
        for kind, value in (("add", label), ("relabel", 1 + label % 3), ("erase", 0)):
            start = time.perf_counter()
            session.paint(stroke, value)
            times[kind].append(time.perf_counter() - start)
        session.paint(stroke, label)
    for kind, seconds in times.items():
        p50, p95 = 1e3 * np.percentile(seconds, [50, 95])
        print(f"{kind:8} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   max {1e3 * max(seconds):6.1f} ms")
    fresh = GrowSession(volume.image, session.seeds, options.connectivity)
    same = np.array_equal(fresh.labels, session.labels)
    same &= np.array_equal(fresh.strength, session.strength)
    print("labels and strengths equal a fresh solve:", same)


def compile_kernels() -> None:
    """Paint once in a miniature, so that no stroke waits for the compiler."""
    small = np.zeros((8, 8, 8), dtype=np.uint8)
    GrowSession(small, small, 3).paint(([4], [4], [4]), 1)


def random_stroke(
    volume: Volume, rng: np.random.Generator
) -> tuple[tuple[NDArray[np.int64], ...], int]:
    """A straight stroke in the middle of the volume, and the true class where it begins."""
    corner = [int(rng.integers(n // 3, 2 * n // 3)) for n in volume.image.shape]
    indices = np.indices(STROKE).reshape(3, -1) + np.array(corner)[:, None]
    return tuple(indices), int(volume.truth[tuple(corner)])


if __name__ == "__main__":
    main()
