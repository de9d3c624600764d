"""Clustering against scikit-learn and kmedoids: times taken in turns, median of the ratios.

K-means against ``sklearn.cluster.KMeans`` (Lloyd, one start), K-medoids against
``kmedoids.fasterpam`` with the distances it needs. The quality is the sum of squares or
distances of ours over that of the peer, in float64; up to 1 it is as good or better.

Run ``python benchmarks/clustering.py [REPEATS]``; it needs scikit-learn and kmedoids.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import kmedoids as peer_of_kmedoids
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances

import napari_segsuite as nss

Image = NDArray[Any]
SAMPLE = 4000


def tissues(shape: tuple[int, ...], dtype: type, n_channels: int = 1) -> Image:
    """Four overlapping classes and a dark background, in the range of the type."""
    rng = np.random.default_rng(0)
    n = int(np.prod(shape))
    group = rng.choice(5, n, p=[0.4, 0.1, 0.2, 0.2, 0.1])
    centres = rng.permuted(np.tile([0.04, 0.3, 0.5, 0.7, 0.9], (n_channels, 1)), axis=1)
    if n_channels == 1:
        centres.sort()
    noise = rng.normal(0, np.array([0.01, 0.06, 0.04, 0.03, 0.05])[group], (n_channels, n))
    values = (centres[:, group] + noise).clip(0, 1) * np.iinfo(dtype).max
    return values.T.astype(dtype).reshape(*shape, *([n_channels] * (n_channels > 1)))


def points_of(image: Image, n_channels: int) -> NDArray[np.float64]:
    return image.reshape(-1, n_channels).astype(np.float64)


def squares(points: NDArray[np.float64], labels: NDArray[Any]) -> float:
    """Squared distances to the means of clusters."""
    total = 0.0
    for label in np.unique(labels):
        own = points[labels == label]
        total += float(np.square(own - own.mean(axis=0)).sum())
    return total


def distances(points: NDArray[np.float64], labels: NDArray[Any]) -> float:
    """Distances to the best medoid of each cluster."""
    total = 0.0
    for label in np.unique(labels):
        own = points[labels == label]
        total += float(pairwise_distances(own).sum(axis=1).min())
    return total


def sklearn_kmeans(image: Image, n_clusters: int, n_channels: int) -> NDArray[Any]:
    points = image.reshape(-1, n_channels)
    return KMeans(n_clusters, n_init=1, random_state=0).fit(points).labels_


def fasterpam(image: Image, n_clusters: int, n_channels: int) -> NDArray[Any]:
    away = pairwise_distances(image.reshape(-1, n_channels).astype(np.float32))
    return peer_of_kmedoids.fasterpam(away, n_clusters, random_state=0).labels


def timed(work: Callable[[], NDArray[Any]]) -> tuple[float, NDArray[Any]]:
    """Wall time of one call, and what it returns."""
    start = time.perf_counter()
    labels = work()
    return time.perf_counter() - start, labels.ravel()


def compare(
    name: str,
    ours: Callable[[], NDArray[Any]],
    peer: Callable[[], NDArray[Any]],
    cost: Callable[[NDArray[Any]], float],
    repeats: int,
) -> None:
    """Print one line; the first call of each is not counted."""
    quality = cost(ours().ravel()) / cost(peer().ravel())
    pairs = [(timed(ours)[0], timed(peer)[0]) for _ in range(repeats)]
    mine, theirs = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(f"{name:<40} {mine:>9.1f} {theirs:>9.1f} {ratio:>7.1f} {quality:>14.9f}", flush=True)


def main(repeats: int = 5) -> None:
    """Print one line per method, type and number of clusters."""
    print(f"{'':<40} {'ours ms':>9} {'peer ms':>9} {'ratio':>7} {'quality':>14}")
    for dtype in (np.uint8, np.uint16):
        image = tissues((128, 128, 128), dtype)
        for n in (4, 5):
            compare(
                f"kmeans {dtype.__name__} 128³, {n} clusters",
                lambda n=n, image=image: nss.kmeans(image, n_clusters=n),
                lambda n=n, image=image: sklearn_kmeans(image, n, 1),
                lambda labels, image=image: squares(points_of(image, 1), labels),
                repeats,
            )
    colours = tissues((2048, 2048), np.uint8, 3)
    for n in (4, 8):
        compare(
            f"kmeans RGB 2048², {n} clusters",
            lambda n=n: nss.kmeans(colours, n_clusters=n, channel_axis=-1),
            lambda n=n: sklearn_kmeans(colours, n, 3),
            lambda labels: squares(points_of(colours, 3), labels),
            repeats,
        )
    for dtype in (np.uint8, np.uint16):
        line = tissues((SAMPLE // 50, 50), dtype)
        for n in (4, 8):
            compare(
                f"kmedoids {dtype.__name__} {SAMPLE} voxels, {n} clusters",
                lambda n=n, line=line: nss.kmedoids(line, n_clusters=n),
                lambda n=n, line=line: fasterpam(line, n, 1),
                lambda labels, line=line: distances(points_of(line, 1), labels),
                repeats,
            )
    few = tissues((SAMPLE // 50, 50), np.uint8, 3)
    for n in (4, 8):
        compare(
            f"kmedoids RGB {SAMPLE} voxels, {n} clusters, 1 start",
            lambda n=n: nss.kmedoids(few, n_clusters=n, channel_axis=-1, n_samples=1),
            lambda n=n: fasterpam(few, n, 3),
            lambda labels: distances(points_of(few, 3), labels),
            repeats,
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
