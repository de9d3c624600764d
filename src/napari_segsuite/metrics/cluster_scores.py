"""How good a clustering is, from its labels and the intensities alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..label_values import label_counts
from ..typing import ImageArray, LabelArray, MaskArray

_SLAB = 1 << 18
_SILHOUETTE_SAMPLE = 2000
_LEAST_VARIANCE = 1e-6

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterScores:
    """What speaks for a number of clusters.

    Attributes
    ----------
    n_clusters : int
        As asked for.
    n_found : int
        Clusters with voxels.
    inertia : float
        Sum of the squared distances of voxels to the mean of their cluster; it falls with
        the number of clusters, fast up to a good one.
    silhouette : float
        Between -1 and 1, higher is better: mean over up to 2000 voxels, drawn from all
        clusters in proportion, of how much nearer a voxel is to its cluster than to the
        next one (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7). NaN for one cluster.
    davies_bouldin : float
        From 0, lower is better: how wide clusters are relative to their distances, for the
        worst neighbour of each (Davies & Bouldin 1979, doi:10.1109/TPAMI.1979.4766909).
        NaN for one cluster.
    bic : float
        Lower is better: -2 log L + p log n, where each of the n voxels comes from the
        Gaussian of its cluster, ``log L = sum_k n_k (log(n_k / n) - (C log 2 pi + log det
        S_k + C) / 2)`` for C channels and covariances S_k, and p = K - 1 + K C + K C (C + 1)
        / 2 (Schwarz 1978, doi:10.1214/aos/1176344136). Variances have a millionth of the
        whole image's added.
    dice : float
        Mean Dice of the foreground classes of a reference, with clusters named by
        `metrics.matching.match_labels`. NaN without a reference.
    """

    n_clusters: int
    n_found: int
    inertia: float
    silhouette: float
    davies_bouldin: float
    bic: float
    dice: float = math.nan


@dataclass(frozen=True, eq=False)
class _Clusters:
    """Moments of clusters that have voxels."""

    counts: Matrix
    means: Matrix
    covariances: Matrix
    distances: Matrix


def score_clusters(
    n_clusters: int,
    labels: LabelArray,
    channels: Sequence[ImageArray],
    rng: np.random.Generator,
) -> ClusterScores:
    """Score labels without a reference.

    Parameters
    ----------
    n_clusters : int
        As asked for.
    labels : (M, N[, P]) unsigned integer array
        Clusters from 1 to 256 or so; 0 takes no part.
    channels : sequence of (M, N[, P]) array
    rng : Generator
        Draws the voxels for the silhouette.

    Examples
    --------
    >>> labels, image = np.array([[1, 1, 2, 2]]), np.array([[0.0, 2.0, 10.0, 12.0]])
    >>> scores = score_clusters(2, labels, (image,), np.random.default_rng(0))
    >>> scores.inertia, scores.davies_bouldin
    (4.0, 0.2)
    """
    clusters = _moments(labels, channels)
    traces = clusters.covariances.trace(axis1=1, axis2=2)
    return ClusterScores(
        n_clusters=n_clusters,
        n_found=len(clusters.counts),
        inertia=float(clusters.counts @ traces),
        silhouette=_silhouette(labels, channels, rng),
        davies_bouldin=_davies_bouldin(clusters),
        bic=_bic(clusters),
    )


def _slabs(
    labels: LabelArray, channels: Sequence[ImageArray]
) -> list[tuple[LabelArray, Sequence[ImageArray]]]:
    """Views of some rows or planes at a time."""
    depth = max(1, _SLAB * len(labels) // labels.size)
    starts = range(0, len(labels), depth)
    return [
        (labels[start : start + depth], [channel[start : start + depth] for channel in channels])
        for start in starts
    ]


def _points(labels: LabelArray, channels: Sequence[ImageArray]) -> Matrix:
    """Intensities, (C, n), of labelled voxels."""
    inside: MaskArray = labels > 0
    return np.stack([channel[inside].astype(np.float64) for channel in channels])


def _moments(labels: LabelArray, channels: Sequence[ImageArray]) -> _Clusters:
    n_labels, n_channels = int(labels.max()) + 1, len(channels)
    counts, sums = np.zeros(n_labels), np.zeros((n_channels, n_labels))
    for part, values in _slabs(labels, channels):
        inside = part[part > 0]
        counts += np.bincount(inside, minlength=n_labels)
        for row, total in zip(_points(part, values), sums, strict=True):
            total += np.bincount(inside, row, n_labels)
    means = sums / np.maximum(counts, 1)
    squares, away = np.zeros((n_channels, n_channels, n_labels)), np.zeros(n_labels)
    for part, values in _slabs(labels, channels):
        inside = part[part > 0]
        centred = _points(part, values) - means[:, inside]
        away += np.bincount(inside, np.sqrt(np.square(centred).sum(axis=0)), n_labels)
        for i in range(n_channels):
            for j in range(n_channels):
                squares[i, j] += np.bincount(inside, centred[i] * centred[j], n_labels)
    found = counts > 0
    per_voxel = counts[found]
    return _Clusters(
        per_voxel,
        means.T[found],
        squares.transpose(2, 0, 1)[found] / per_voxel[:, None, None],
        away[found] / per_voxel,
    )


def _davies_bouldin(clusters: _Clusters) -> float:
    if len(clusters.counts) < 2:
        return math.nan
    between = np.linalg.norm(clusters.means[:, None] - clusters.means, axis=2)
    widths = clusters.distances[:, None] + clusters.distances
    np.fill_diagonal(between, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((widths / between).max(axis=1).mean())


def _bic(clusters: _Clusters) -> float:
    n_clusters, n_channels = clusters.means.shape
    n, shares = clusters.counts.sum(), clusters.counts / clusters.counts.sum()
    centred = clusters.means - shares @ clusters.means
    whole = np.tensordot(shares, clusters.covariances, 1) + (shares * centred.T) @ centred
    least = _LEAST_VARIANCE * whole.trace() / n_channels or 1.0
    sizes = np.linalg.slogdet(clusters.covariances + least * np.eye(n_channels))[1]
    constant = n_channels * (math.log(2 * math.pi) + 1)
    likelihood = clusters.counts @ (np.log(shares) - (constant + sizes) / 2)
    n_free = n_clusters - 1 + n_clusters * n_channels * (1 + (n_channels + 1) / 2)
    return float(n_free * math.log(n) - 2 * likelihood)


def _silhouette(
    labels: LabelArray, channels: Sequence[ImageArray], rng: np.random.Generator
) -> float:
    from sklearn.metrics import silhouette_score

    chosen = _stratified(labels.reshape(-1), rng)
    drawn = labels.reshape(-1)[chosen]
    if not 2 <= len(np.unique(drawn)) < len(drawn):
        return math.nan
    places = np.unravel_index(chosen, labels.shape)
    points = np.stack([channel[places].astype(np.float64) for channel in channels], axis=1)
    return float(silhouette_score(points, drawn))


def _stratified(labels: LabelArray, rng: np.random.Generator) -> NDArray[np.intp]:
    """Places of up to 2000 labelled voxels, from each cluster in proportion, two at least."""
    counts = label_counts(labels)
    share = min(1.0, _SILHOUETTE_SAMPLE / max(sum(counts.values()), 1))
    drawn = []
    for label, count in sorted(counts.items()):
        n = min(count, max(2, int(share * count)))
        ranks = rng.choice(count, n, replace=False, shuffle=False)
        drawn.append(_places(labels, label, np.sort(ranks)))
    return np.concatenate([np.empty(0, np.intp), *drawn])


def _places(labels: LabelArray, label: int, ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where the voxels of a label lie that have these ranks among them, ascending from 0."""
    found, before = [], 0
    for start in range(0, labels.size, _SLAB):
        places = start + np.flatnonzero(labels[start : start + _SLAB] == label)
        first, last = np.searchsorted(ranks, [before, before + len(places)])
        found.append(places[ranks[first:last] - before])
        before += len(places)
    return np.concatenate(found)
