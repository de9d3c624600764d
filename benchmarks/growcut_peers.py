"""GrowCut against its peers: one process, taken in turns, median of the times.

Run ``python benchmarks/growcut_peers.py --sizes 128 native 256 --repeats 3``. Peers that
are not installed are left out. Memory is the growth of the resident set over what the
process held before, at its highest.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from brain_volumes import CLASSES, Volume, brain_volume, dice
from numpy.typing import NDArray

from napari_segsuite.kernels.cpu.growcut import grow
from napari_segsuite.kernels.growcut_cost import build_steps

Labels = NDArray[np.uint8]
Solver = Callable[[Volume], Labels]
BASELINE = "itk-growcut"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["128", "native", "256"])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    voxels = np.ones((16,) * 3, dtype=np.uint8)
    solvers = {"one thread": lambda v: ours(v, 1), "threads": lambda v: ours(v, None), **peers()}
    for solver in solvers.values():
        solver(Volume(voxels, voxels, voxels))  # loads libraries, starts their threads
    for size in options.sizes:
        volume = brain_volume(size)
        print(f"\n{size}: {volume.image.shape}, {(volume.seeds > 0).mean():.2%} seeds")
        compare(solvers, volume, options.repeats)


def compare(solvers: dict[str, Solver], volume: Volume, repeats: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in solvers}
    memory: dict[str, float] = dict.fromkeys(solvers, 0.0)
    scores: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, solver in solvers.items():
            gc.collect()
            before = reset_peak()
            start = time.perf_counter()
            labels = solver(volume)
            times[name].append(time.perf_counter() - start)
            memory[name] = max(memory[name], resident("VmHWM") - before)
            scores[name] = dice(labels, volume.truth)
            del labels
    print(
        f"{'':14}{'median s':>10}{'min s':>8}{'ratio':>8}{'B/voxel':>9}  Dice {[*CLASSES.values()]}"
    )
    base = statistics.median(times[BASELINE]) if BASELINE in times else float("nan")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        per_voxel = memory[name] / volume.image.size
        scored = " / ".join(f"{score:.3f}" for score in scores[name])
        print(
            f"{name:14}{median:10.3f}{min(seconds):8.3f}{base / median:8.2f}{per_voxel:9.1f}"
            f"  {scored}"
        )


def ours(volume: Volume, threads: int | None) -> Labels:
    steps = build_steps(3, 3, 255.0)
    return grow(volume.image[np.newaxis], volume.seeds, steps, threads=threads)[0]


def peers() -> dict[str, Solver]:
    """Those that are installed."""
    found: dict[str, Solver] = {}
    for name, module, solver in (
        (BASELINE, "itk", itk_growcut),
        ("FastGeodis", "FastGeodis", fast_geodis),
    ):
        try:
            __import__(module)
            found[name] = solver
        except ImportError:
            print(f"{name}: not installed, left out")
    return found


def itk_growcut(volume: Volume) -> Labels:
    import itk

    kind = itk.Image[itk.UC, 3]
    growing = itk.FastGrowCut[kind, kind].New()
    growing.SetInput(itk.image_view_from_array(volume.image))
    growing.SetSeedImage(itk.image_view_from_array(volume.seeds))
    growing.Update()
    return itk.array_from_image(growing.GetOutput())


def fast_geodis(volume: Volume) -> Labels:
    import FastGeodis
    import torch

    image = torch.from_numpy(volume.image.astype(np.float32) / 255)[None, None]
    distances = []
    for label in CLASSES:
        elsewhere = torch.from_numpy((volume.seeds != label).astype(np.float32))[None, None]
        distances.append(
            FastGeodis.generalised_geodesic3d(image, elsewhere, [1.0] * 3, 1e10, 1.0, 2)[0, 0]
        )
    nearest: Any = torch.stack(distances).argmin(0)
    return np.array(list(CLASSES), dtype=np.uint8)[nearest.numpy()]


def reset_peak() -> float:
    """Forget the highest resident set so far; returns the present one in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


def resident(entry: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(entry):
            return 1024 * float(line.split()[1])
    raise LookupError(entry)


if __name__ == "__main__":
    main()
