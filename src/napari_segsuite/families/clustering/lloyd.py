"""K-means of points with several coordinates: good starts on a sample, then all points."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray
from .features import Features
from .lines import segment_of
from .ordering import ascending
from .starts import main_axis, spread_out

if TYPE_CHECKING:
    from ...kernels.cpu.crew import Crew

# One slab, and enough to tell a good start from a bad one.
_SAMPLE = 1 << 15
# Iterations end where they lower the squares by no more than this part.
_ENOUGH = 1e-6


def fit_centres(
    features: Features,
    n_clusters: int,
    n_init: int,
    max_iterations: int,
    rng: np.random.Generator,
    progress: Progress,
    crew: Crew,
) -> FloatArray:
    """Find centres with a small sum of squared distances.

    Parameters
    ----------
    features : Features
    n_clusters : int
        At most 256.
    n_init : int
        Starts on the sample; the first one along the main axis, the others drawn.
    max_iterations : int
    rng : Generator
    progress : callable
    crew : Crew

    Returns
    -------
    (K, C) float32 array
        Coordinates of the centres, ascending; fewer than `n_clusters` where clusters were
        left without points.
    """
    sample = features.sample(_SAMPLE, rng)
    progress(0.1, "starts")
    fits = []
    for i in range(n_init):
        start = _start(sample, n_clusters, i, rng)
        fits.append(_improve(sample, start, max_iterations, SILENT, crew))
        progress(0.1 + 0.4 * (i + 1) / n_init, "starts")
    centres = _best(fits)
    centres, _ = _improve(features, centres, max_iterations, part_of(progress, 0.5, 0.9), crew)
    return centres[ascending(centres)]


def label_nearest(
    features: Features, centres: FloatArray, done: Callable[[], None], crew: Crew
) -> NDArray[np.uint8]:
    """Number of the nearest centre from 1, for each point that counts; 0 for the others.

    Parameters
    ----------
    features : Features
    centres : (K, C) float32 array
        At most 255.
    done : callable
        Called now and then.
    crew : Crew
    """
    from ...kernels.cpu.kmeans import nearest

    labels = np.zeros(features.shape, np.uint8)

    def label(rows: slice) -> None:
        found, _ = nearest(features.points(rows), centres)
        features.place(found + np.uint8(1), rows, labels)

    crew.run(label, [(rows,) for rows in features.slabs()], done)
    return labels


def _start(sample: Features, n_clusters: int, number: int, rng: np.random.Generator) -> FloatArray:
    from ...kernels.cpu.optimal_segments import optimal_segments

    points, weights = sample.points(slice(None)), sample.weights_of(slice(None))
    if number == 0:
        axis = main_axis(points, weights)
        starts = optimal_segments(axis.values, axis.counts, n_clusters)
        # Fewer different places than clusters: points may differ in another direction.
        if len(starts) == n_clusters:
            segment = segment_of(starts, len(axis.values))[axis.place]
            sums = np.stack([np.bincount(segment, weights * row) for row in points], axis=1)
            return (sums / np.bincount(segment, weights)[:, None]).astype(np.float32)
    return points[:, spread_out(points, weights, n_clusters, rng)].T


def _best(fits: list[tuple[FloatArray, float]]) -> FloatArray:
    """The first of the fits that are as good as the best, but for rounding."""
    least = min(inertia for _, inertia in fits)
    return next(centres for centres, inertia in fits if inertia <= least * (1 + 1e-6))


def _improve(
    features: Features,
    centres: FloatArray,
    max_iterations: int,
    progress: Progress,
    crew: Crew,
) -> tuple[FloatArray, float]:
    """Move centres to the means of their points until the squared distances settle."""
    before = np.inf
    for i in range(max_iterations):
        sums = _sums(features, centres, partial(progress, 1 - 0.8**i, "iterations"), crew)
        weights, inertia = sums[:, -2], float(sums[:, -1].sum())
        filled = weights > 0
        centres = (sums[filled, :-2] / weights[filled, None]).astype(np.float32)
        if inertia >= before * (1 - _ENOUGH):
            break
        before = inertia
    return centres, inertia


def _sums(
    features: Features, centres: FloatArray, done: Callable[[], None], crew: Crew
) -> NDArray[np.float64]:
    """Sums over all slabs, added in their order whichever thread found them."""
    from ...kernels.cpu.kmeans import cluster_sums

    slabs = features.slabs()
    parts = np.empty((len(slabs), len(centres), centres.shape[1] + 2))

    def add(i: int, rows: slice) -> None:
        parts[i] = cluster_sums(features.points(rows), features.weights_of(rows), centres)

    crew.run(add, list(enumerate(slabs)), done)
    total: NDArray[np.float64] = parts.sum(axis=0)
    return total
