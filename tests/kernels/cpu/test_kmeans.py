"""Nearest centres and sums against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.kmeans import cluster_sums, nearest


@pytest.mark.parametrize("n", [1, 511, 512, 1300])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_nearest_is_the_least_of_all_distances(n: int, n_channels: int) -> None:
    rng = np.random.default_rng(n)
    # Whole numbers: distances are exact, and there are ties.
    points = rng.integers(0, 9, (n_channels, n)).astype(np.float32)
    centres = rng.integers(0, 9, (5, n_channels)).astype(np.float32)
    squares = ((points.T[:, None] - centres) ** 2).sum(axis=2)
    label, distance = nearest(points, centres)
    np.testing.assert_array_equal(label, squares.argmin(axis=1))
    np.testing.assert_array_equal(distance, squares.min(axis=1))


def test_sums_are_those_of_the_points_of_each_centre() -> None:
    rng = np.random.default_rng(0)
    points = rng.integers(0, 50, (2, 700)).astype(np.float32)
    centres = np.array([[10, 10], [40, 40], [10, 40], [900, 900]], dtype=np.float32)
    weights = rng.integers(1, 5, 700).astype(np.float64)
    label, distance = nearest(points, centres)
    for given, used in ((np.empty(0), np.ones(700)), (weights, weights)):
        sums = cluster_sums(points, given, centres)
        for k in range(4):
            own = label == k
            expected = [*(points[:, own] @ used[own]), used[own].sum(), distance[own] @ used[own]]
            np.testing.assert_allclose(sums[k], expected, rtol=1e-6)
    assert not sums[3].any()


def test_layout_does_not_matter() -> None:
    points = np.random.default_rng(0).random((600, 3), dtype=np.float32)
    centres = points[:4]
    whole = np.ascontiguousarray(points.T)
    np.testing.assert_array_equal(nearest(points.T, centres)[0], nearest(whole, centres)[0])
