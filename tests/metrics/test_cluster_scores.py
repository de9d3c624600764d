"""Scores of clusterings against sklearn and by hand."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import davies_bouldin_score, silhouette_score

from napari_segsuite.metrics.cluster_scores import ClusterScores, score_clusters


def example(size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.choice([1, 2, 4], (size, size), p=[0.6, 0.3, 0.1]).astype(np.uint8)
    return labels, rng.normal(0, 1, (2, size, size)) + [[[3]], [[1]]] * labels


def scores(labels: np.ndarray, image: np.ndarray, seed: int = 0) -> ClusterScores:
    return score_clusters(4, labels, tuple(image), np.random.default_rng(seed))


def test_inertia_and_davies_bouldin_are_those_of_sklearn() -> None:
    labels, image = example()
    points, flat = image.reshape(2, -1).T, labels.ravel()
    found = scores(labels, image)
    own = [points[flat == label] for label in (1, 2, 4)]
    assert found.inertia == pytest.approx(sum(len(p) * p.var(axis=0).sum() for p in own))
    assert found.davies_bouldin == pytest.approx(davies_bouldin_score(points, flat))
    assert (found.n_clusters, found.n_found) == (4, 3)
    assert math.isnan(found.dice)


def test_silhouette_is_exact_where_all_voxels_fit_and_near_it_elsewhere() -> None:
    labels, image = example()
    exact = silhouette_score(image.reshape(2, -1).T, labels.ravel())
    assert scores(labels, image).silhouette == pytest.approx(exact)
    labels, image = example(70)
    exact = silhouette_score(image.reshape(2, -1).T, labels.ravel())
    assert scores(labels, image).silhouette == pytest.approx(exact, abs=0.03)
    assert scores(labels, image) == scores(labels, image)
    assert scores(labels, image, 1).silhouette != scores(labels, image).silhouette


def test_bic_is_that_of_a_gaussian_per_cluster() -> None:
    labels, image = example()
    points, flat = image.reshape(2, -1).T, labels.ravel()
    likelihood = 0.0
    for label in (1, 2, 4):
        own = points[flat == label]
        density = stats.multivariate_normal(own.mean(axis=0), np.cov(own.T, ddof=0))
        likelihood += density.logpdf(own).sum() + len(own) * np.log(len(own) / len(points))
    n_free = 2 + 3 * 2 + 3 * 3
    expected = n_free * np.log(len(points)) - 2 * likelihood
    assert scores(labels, image).bic == pytest.approx(expected, rel=1e-4)


def test_bic_prefers_the_number_of_gaussians_there_are() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 4, (50, 50))
    image = 20.0 * truth + rng.normal(0, 1, truth.shape)
    halved = truth + 3 * ((truth == 3) & (image > 60))
    joined = np.minimum(truth, 2)
    by_labels = [scores(labels, image[None]).bic for labels in (joined, truth, halved)]
    assert min(by_labels) == by_labels[1]


def test_unlabelled_voxels_take_no_part() -> None:
    labels, image = example()
    labels[:10] = 0
    changed = image.copy()
    changed[:, :10] = np.nan
    assert scores(labels, changed) == scores(labels, image)


def test_one_cluster_has_no_neighbours() -> None:
    image = np.arange(12.0).reshape(1, 3, 4)
    found = scores(np.ones((3, 4), np.uint8), image)
    assert found.inertia == pytest.approx(12 * image.var())
    assert math.isnan(found.silhouette)
    assert math.isnan(found.davies_bouldin)
    assert math.isfinite(found.bic)


def test_clusters_of_one_value_are_perfect() -> None:
    labels = np.array([[1, 1, 2, 2], [3, 3, 3, 3]], np.uint8)
    found = scores(labels, labels[None] * 10)
    assert (found.inertia, found.silhouette, found.davies_bouldin) == (0, 1, 0)
    assert math.isfinite(found.bic)


def test_scores_take_no_copy_of_the_volume() -> None:
    image = np.random.default_rng(0).integers(0, 9, (1, 200, 200, 150)).astype(np.uint8)
    labels = (1 + image[0] // 3).astype(np.uint8)
    scores(labels[:9], image[:, :9])
    tracemalloc.start()
    scores(labels, image)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The distances of 2000 voxels to one another are most of it.
    assert peak < 40 * 2**20
