"""Medoids of many points, found on samples of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, part_of
from ...typing import FloatArray
from .features import Features
from .ordering import ascending
from .starts import main_axis, spread_out

_JUDGED = 1 << 16


def find_medoids(
    features: Features,
    n_clusters: int,
    sample_size: int,
    n_samples: int,
    rng: np.random.Generator,
    progress: Progress,
) -> FloatArray:
    """Find medoids on each of several samples and keep those that serve most points best.

    Parameters
    ----------
    features : Features
    n_clusters : int
        At most 256.
    sample_size : int
        Points that medoids are looked for among at a time.
    n_samples : int
        The first starts along the main axis, the others from drawn points.
    rng : Generator
    progress : callable

    Returns
    -------
    (K, C) float32 array
        Coordinates of the medoids, ascending; fewer than `n_clusters` where there are fewer
        different points.
    """
    from ...kernels.cpu.kmedoids import faster_pam

    judged = features.sample(_JUDGED, rng)
    best, least = np.empty((0, 0), np.float32), np.inf
    for i in range(n_samples):
        start, stop = (0.05 + 0.85 * j / n_samples for j in (i, i + 1))
        report = _settling(part_of(progress, start, stop), f"sample {i + 1}")
        report()
        sample = features.sample(sample_size, rng)
        points, weights = sample.points(slice(None)), sample.weights_of(slice(None))
        medoids = _start(points, weights, n_clusters, i, rng)
        medoids, _ = faster_pam(points, weights, medoids, report)
        centres = points[:, medoids].T
        cost = _total_distance(judged, centres)
        # Rounding makes no clusters better.
        if cost < least * (1 - 1e-6):
            best, least = centres, cost
    return best[ascending(best)]


def _settling(progress: Progress, message: str) -> Callable[[], None]:
    """Reports on steps of which nobody knows how many there will be."""
    steps = itertools.count()
    return lambda: progress(1 - 0.95 ** next(steps), message)


def _start(
    points: FloatArray,
    weights: NDArray[np.float64],
    n_clusters: int,
    number: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    from ...kernels.cpu.kmedoids_line import optimal_medoids

    if number == 0:
        axis = main_axis(points, weights)
        medoids = optimal_medoids(axis.values, axis.counts, n_clusters)
        # Fewer different places than clusters: points may differ in another direction.
        if len(medoids) == n_clusters:
            chosen: NDArray[np.int64] = axis.first[medoids]
            return chosen
    return spread_out(points, weights, n_clusters, rng)


def _total_distance(features: Features, centres: FloatArray) -> float:
    from ...kernels.cpu.kmeans import nearest

    squares = nearest(features.points(slice(None)), centres)[1]
    return float(np.sqrt(squares, dtype=np.float64) @ features.weights_of(slice(None)))
