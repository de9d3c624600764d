"""Consensus of three raters against SimpleITK, probability maps against scikit-learn.

Times taken in turns, median of the ratios of wall and of CPU times.
Run ``python benchmarks/raters.py [SIZE] [REPEATS]``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from napari_segsuite.metrics.probability.curves import evaluate_probabilities
from napari_segsuite.metrics.raters.consensus import consensus

Labels = NDArray[np.uint8]


def raters_of(size: int, n_labels: int) -> list[Labels]:
    """Nested balls, as three raters see them who disagree on where they are."""
    axis = np.arange(size, dtype=np.float32) - size / 2
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)
    shells = np.clip((0.45 * size - radius) / (0.4 * size) * (n_labels - 1) + 1, 0, n_labels - 1)
    return [np.roll(shells.astype(np.uint8), i + 1, i) for i in range(3)]


def map_of(size: int) -> tuple[NDArray[np.float32], Labels]:
    """Noisy probabilities of a ball."""
    reference = raters_of(size, 2)[0]
    noise = np.random.default_rng(0).normal(0, 0.2, reference.shape)
    return np.clip(0.3 + 0.4 * reference + noise, 0, 1).astype(np.float32), reference


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU time of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def row(
    title: str, ours: Callable[[], object], theirs: Callable[[], object], note: str, repeats: int
) -> None:
    """Time the two in turns and print a line."""
    # By repeat, ours and theirs, wall and CPU.
    times = np.array([(seconds(ours), seconds(theirs)) for _ in range(repeats)])
    shown = np.median(times, axis=0).ravel() * 1e3
    by_wall, by_cpu = np.median(times[:, 1] / times[:, 0], axis=0)
    print(
        f"{title:<28} {shown[0]:>8.1f} {shown[2]:>8.0f} {by_wall:>7.1f}"
        f" {shown[1]:>8.1f} {shown[3]:>8.0f} {by_cpu:>7.1f}  {note}"
    )


def main(size: int = 256, repeats: int = 3) -> None:
    """Print one line per comparison, with the largest difference of the results."""
    heads = f"{'ours':>8} {'peer':>8} {'ratio':>7}"
    print(f"{'ms of wall, ms of CPU':<28} {heads} {heads}  largest difference")
    masks = raters_of(size, 2)
    images = [sitk.GetImageFromArray(mask) for mask in masks]
    peer = sitk.STAPLEImageFilter()
    peer.SetForegroundValue(1)
    peer.Execute(images)
    n = peer.GetElapsedIterations() + 1
    found = consensus(masks, max_iterations=n).performance.sensitivity[:, 1]
    settled = consensus(masks).performance.sensitivity[:, 1]
    off, off_settled = (np.abs(v - peer.GetSensitivity()).max() for v in (found, settled))
    assert off <= 1e-8
    note = f"sensitivity {off:.1e} after {n} iterations each, {off_settled:.1e} converged"
    row("STAPLE", lambda: consensus(masks), lambda: peer.Execute(images), note, repeats)

    labels = raters_of(size, 5)
    images = [sitk.GetImageFromArray(array) for array in labels]
    expected = sitk.GetArrayViewFromImage(sitk.MultiLabelSTAPLE(images, 0))
    wrong = np.mean(consensus(labels).segmentation.labels != expected)
    row(
        "STAPLE of 5 labels",
        lambda: consensus(labels),
        lambda: sitk.MultiLabelSTAPLE(images, 0),
        f"{wrong:.1e} of the voxels",
        repeats,
    )

    values, reference = map_of(size // 2)
    stored = np.round(values * 255).astype(np.uint8)
    for name, probability in (("float32", values), ("uint8", stored)):
        p, y = probability.ravel(), reference.ravel()

        def by_scikit_learn(p: NDArray[np.generic] = p, y: Labels = y) -> tuple[float, float]:
            return average_precision_score(y, p), roc_auc_score(y, p)

        report = evaluate_probabilities(probability, reference)
        off = np.abs(np.subtract(by_scikit_learn(), (report.average_precision, report.auc))).max()
        assert off <= 1e-12
        row(
            f"AP and AUC, {name}, {size // 2}³",
            lambda p=probability: evaluate_probabilities(p, reference),
            by_scikit_learn,
            f"{off:.1e}",
            repeats,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
