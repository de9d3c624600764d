"""The forest and its features against scikit-learn and scipy: in turns, median of the times.

Run ``python benchmarks/forest.py``. A T1 head with noise, 197 x 233 x 189; the samples are
voxels of balls painted in three tissues, with some painted wrong. Scikit-learn is given
its samples ready made, as float32 and in its own order, and as many jobs as we have threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from brain_volumes import Volume, brain_volume
from numba import config
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import ExtraTreesClassifier

from napari_segsuite.kernels.cpu.feature_bank import (
    compute_features,
    feature_names,
    sampled_edges,
)
from napari_segsuite.kernels.cpu.filter_windows import Extremes, Median
from napari_segsuite.kernels.cpu.filters import Intensity, Scale, Structure
from napari_segsuite.kernels.cpu.forest import predict, train

SIGMAS = (0.7, 1.5, 3.0, 6.0)
FILTERS = (
    Intensity(), *(Scale((s, s, s)) for s in SIGMAS), Structure((1.0,) * 3, (2.0,) * 3),
    Structure((2.0,) * 3, (4.0,) * 3), Extremes((0, 2, 2)), Median(),
)  # fmt: skip
SLAB = np.s_[80:112]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--trees", type=int, default=60)
    options = parser.parse_args()

    volume = brain_volume("native")
    image = volume.image.astype(np.float32) / 255
    bank = compare_features(image, options.repeats)
    for wrong in (0.0, 0.1):
        compare_forests(volume, bank, options.samples, options.trees, wrong, options.repeats)


def compare_features(image: NDArray[np.float32], repeats: int) -> NDArray[np.uint8]:
    edges = sampled_edges(image, FILTERS)
    bank = np.empty((len(feature_names(FILTERS)), *image.shape), dtype=np.uint8)
    seconds = in_turns(
        {"all": lambda: compute_features(image, FILTERS, edges=edges, out=bank)}, repeats
    )
    print(f"\n{len(bank)} features of {image.shape}, binned: {seconds['all']:.2f} s")
    box = (slice(90, 91), slice(None), slice(None))
    seconds = in_turns(
        {
            "one slice": lambda: compute_features(image, FILTERS, edges=edges, box=box),
            "edges": lambda: sampled_edges(image, FILTERS),
        },
        repeats,
    )
    print(*(f"{name}: {1000 * value:.0f} ms" for name, value in seconds.items()), sep="; ")
    slab = image[SLAB].copy()
    print(f"\n{'a scale of ' + str(slab.shape):34}{'ours s':>8}{'scipy s':>9}{'ratio':>7}")
    for sigma in SIGMAS:
        seconds = in_turns(
            {
                "ours": lambda s=sigma: compute_features(slab, [Scale((s, s, s))], threads=1),
                "scipy": lambda s=sigma: scipy_scale(slab, s),
            },
            repeats,
        )
        ratio = seconds["scipy"] / seconds["ours"]
        label = f"sigma {sigma}, one thread each"
        print(f"{label:34}{seconds['ours']:8.2f}{seconds['scipy']:9.2f}{ratio:7.1f}")
    return bank


def scipy_scale(image: NDArray[np.float32], sigma: float) -> NDArray[Any]:
    """The planes of `Scale`, without the eigenvalues."""

    def g(array: NDArray[np.float32], *orders: int) -> NDArray[np.float32]:
        return ndimage.gaussian_filter(array, sigma, orders, truncate=3.0)

    smooth = g(image, 0, 0, 0)
    slopes = [g(image, *order) for order in np.eye(3, dtype=int)]
    bends = [
        g(image, *order)
        for order in ((2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 2, 0), (0, 1, 1), (0, 0, 2))
    ]
    deviation = np.sqrt(np.maximum(g(image**2, 0, 0, 0) - smooth**2, 0))
    return np.stack([smooth, np.sqrt(sum(slope**2 for slope in slopes)), deviation, *bends])


def compare_forests(
    volume: Volume,
    bank: NDArray[np.uint8],
    n_samples: int,
    n_trees: int,
    wrong: float,
    repeats: int,
) -> None:
    samples, classes = painted(volume, bank, n_samples, wrong)
    peer = ExtraTreesClassifier(
        n_trees, min_samples_leaf=2, max_features=0.3, class_weight="balanced",
        n_jobs=int(config.NUMBA_NUM_THREADS), random_state=0,
    )  # fmt: skip
    table = np.ascontiguousarray(samples.T, dtype=np.float32)
    forest = train(samples, classes, 3, n_trees=n_trees)
    print(
        f"\n{samples.shape[1]} samples, {len(samples)} features, {wrong:.0%} wrong; "
        f"{n_trees} trees of {len(forest.child) / n_trees:.0f} nodes"
    )
    learning = in_turns(
        {
            "ours": lambda: train(samples, classes, 3, n_trees=n_trees),
            "scikit-learn": lambda: peer.fit(table, classes),
        },
        repeats,
    )
    slab = bank[:, SLAB]
    voxels = np.ascontiguousarray(slab.reshape(len(slab), -1).T, dtype=np.float32)
    asking = in_turns(
        {
            "ours": lambda: predict(forest, slab),
            "scikit-learn": lambda: peer.predict_proba(voxels),
        },
        repeats,
    )
    one = bank[:, 90]
    single = in_turns({"ours": lambda: predict(forest, one)}, 3 * repeats)["ours"]
    truth = volume.truth[SLAB].ravel() - 1
    right = {
        "ours": (predict(forest, slab).argmax(0).ravel() == truth).mean(),
        "scikit-learn": (peer.predict(voxels) == truth).mean(),
    }
    print(f"{'':14}{'train s':>9}{'predict s':>11}{'ns/voxel/tree':>15}{'right':>8}")
    for name in learning:
        each = asking[name] / len(voxels) / n_trees * 1e9
        print(f"{name:14}{learning[name]:9.3f}{asking[name]:11.3f}{each:15.2f}{right[name]:8.3f}")
    ratios = [times["scikit-learn"] / times["ours"] for times in (learning, asking)]
    print(f"{'ratio':14}{ratios[0]:9.1f}{ratios[1]:11.1f}")
    print(f"one slice {one.shape[1:]}: {1000 * single:.1f} ms")


def painted(
    volume: Volume, bank: NDArray[np.uint8], count: int, wrong: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Features and classes of painted voxels, some with a class drawn at random."""
    rng = np.random.default_rng(0)
    some = np.sort(rng.choice(np.flatnonzero(volume.seeds), count, replace=False))
    classes = volume.seeds.ravel()[some] - 1
    mistaken = rng.random(count) < wrong
    classes[mistaken] = rng.integers(0, 3, mistaken.sum())
    return bank.reshape(len(bank), -1)[:, some], classes


def in_turns(jobs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each job."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


if __name__ == "__main__":
    main()
