"""Otsu's thresholds against scikit-image: times taken in turns, median of the ratios.

Run ``python benchmarks/thresholds.py [DEPTH] [REPEATS]``: a volume of DEPTH x 256 x 256
voxels in 16 bits. For several classes the peer is given its 256 bins, as floating-point
numbers: its search grows with their number to the power of the thresholds. Ours are the
times of the labels, the peer's those of its thresholds and ``numpy.digitize``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_multiotsu, threshold_otsu

import napari_segsuite as nss

Volume = NDArray[np.uint16]


def five_peaks(depth: int) -> Volume:
    """Noise around five intensities."""
    rng = np.random.default_rng(0)
    peaks = np.array([6000, 15000, 27000, 40000, 55000], dtype=np.float32)
    centre = peaks[rng.integers(0, len(peaks), (depth, 256, 256), dtype=np.uint8)]
    noise = rng.standard_normal(centre.shape, dtype=np.float32) * 2500
    return (centre + noise).clip(0, 65535).astype(np.uint16)


def peer(image: Volume, n_classes: int) -> NDArray[Any]:
    """Classes by the peer: exact for two, with 256 bins for more."""
    if n_classes == 2:
        return image > threshold_otsu(image)
    thresholds = threshold_multiotsu(image.astype(np.float32), n_classes)
    return np.digitize(image, thresholds, right=True)


def ours(image: Volume, n_classes: int) -> NDArray[Any]:
    """Classes by the exact optimum over all values."""
    if n_classes == 2:
        return nss.global_threshold(image)
    return nss.multi_otsu(image, n_classes=n_classes)


def spread(image: Volume, labels: NDArray[Any]) -> float:
    """Mean variance within the classes: what Otsu's criterion asks to be small."""
    parts = [image[labels == label].astype(np.float64) for label in np.unique(labels)]
    return float(sum(part.var() * part.size for part in parts) / image.size)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def main(depth: int = 32, repeats: int = 5) -> None:
    """Print one line per number of classes."""
    image = five_peaks(depth)
    print(f"{image.shape}, {image.dtype}")
    print(
        f"{'classes':>7} {'ours ms':>9} {'peer ms':>10} {'ratio':>7}   variance within, ours/peer"
    )
    for n_classes in (2, 3, 4, 5):
        excess = spread(image, ours(image, n_classes)) / spread(image, peer(image, n_classes))
        pairs = [
            (seconds(ours, image, n_classes), seconds(peer, image, n_classes))
            for _ in range(repeats)
        ]
        mine, theirs = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
        ratio = statistics.median(slow / fast for fast, slow in pairs)
        print(f"{n_classes:>7} {mine:>9.1f} {theirs:>10.1f} {ratio:>7.1f}   {excess:.6f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
