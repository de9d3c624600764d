"""K-medoids: exact on a line, as good as FasterPAM on everything in space."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.families.clustering.clara import find_medoids
from napari_segsuite.families.clustering.features import features_of
from napari_segsuite.progress import SILENT


def cost(image: np.ndarray, labels: np.ndarray) -> float:
    """Least sum of distances to one voxel of each cluster."""
    points = image.reshape(labels.size, -1).astype(np.float64)
    total = 0.0
    for label in np.unique(labels):
        values, counts = np.unique(points[labels.ravel() == label], axis=0, return_counts=True)
        away = np.linalg.norm(values[:, None] - values, axis=2)
        total += float((away @ counts).min())
    return total


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_one_channel_has_the_least_cost_of_all_choices(dtype: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.choice(np.arange(-9 if dtype != np.uint8 else 0, 40, 5), (6, 7)).astype(dtype)
    values, counts = np.unique(image, return_counts=True)
    for n in (1, 2, 3):
        best = min(
            float(np.abs(values[:, None].astype(float) - chosen).min(axis=1) @ counts)
            for chosen in combinations(values.tolist(), n)
        )
        assert cost(image, nss.kmedoids(image, n_clusters=n)) == pytest.approx(best)


def test_an_outlier_weighs_less_than_for_kmeans() -> None:
    image = np.array([[0, 1, 2, 3, 20, 21, 22, 23, 50]], dtype=np.uint8)
    assert nss.kmeans(image, n_clusters=2).tolist() == [[1, 1, 1, 1, 2, 2, 2, 2, 2]]
    image[0, -1] = 70
    assert nss.kmeans(image, n_clusters=2).tolist() == [[1] * 8 + [2]]
    assert nss.kmedoids(image, n_clusters=2).tolist() == [[1] * 4 + [2] * 5]


def test_halfway_between_two_medoids_belongs_to_the_one_before() -> None:
    image = np.array([[0, 0, 0, 5, 10, 10, 10]], dtype=np.uint8)
    expected = [[1, 1, 1, 1, 2, 2, 2]]
    assert nss.kmedoids(image, n_clusters=2).tolist() == expected
    assert nss.kmedoids(np.stack([image] * 2), n_clusters=2, channel_axis=0).tolist() == expected


def colour(size: int = 40) -> np.ndarray:
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, 255, (5, 3))
    noise = rng.standard_t(3, (size, size, 3)) * 10
    return (centres[rng.integers(0, 5, (size, size))] + noise).clip(0, 255).astype(np.uint8)


def test_several_channels_cost_no_more_than_the_truth() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, (40, 40))
    centres = np.array([[0, 0, 0], [90, 0, 40], [160, 250, 0], [200, 100, 200]])
    image = centres[truth] + rng.integers(-9, 10, (40, 40, 3))
    labels = nss.kmedoids(image, n_clusters=4, channel_axis=-1)
    np.testing.assert_array_equal(labels, truth + 1)


def test_samples_cost_little_more_than_all_voxels() -> None:
    image = colour()
    everything = nss.kmedoids(image, n_clusters=5, channel_axis=-1, sample_size=1600)
    sampled = nss.kmedoids(image, n_clusters=5, channel_axis=-1, sample_size=200)
    assert cost(image, sampled) <= 1.05 * cost(image, everything)


def test_more_samples_never_cost_more() -> None:
    features = features_of(tuple(np.moveaxis(colour(), -1, 0)), None, None, False, "Example")
    points = features.points(slice(None)).T

    def least(n_samples: int) -> float:
        rng = np.random.default_rng(0)
        centres = find_medoids(features, 6, 100, n_samples, rng, SILENT)
        return float(np.linalg.norm(points[:, None] - centres, axis=2).min(axis=1).sum())

    assert least(10) < least(1)


def test_fewer_colours_than_clusters_give_fewer_clusters() -> None:
    image = np.array([[[5, 9, 5, 5]], [[1, 0, 3, 1]]], dtype=np.uint8)
    assert nss.kmedoids(image, n_clusters=7, channel_axis=0).tolist() == [[1, 3, 2, 1]]


def test_regions_share_a_cluster_and_weigh_their_size() -> None:
    sizes = [9, 2, 1]
    image = np.repeat([0, 6, 15], sizes)[None]
    regions = np.repeat([1, 2, 0], sizes)[None]
    assert nss.kmedoids(image, regions, n_clusters=2).tolist() == [[1] * 9 + [2, 2, 0]]
    several = np.stack([image, image % 7])
    labels = nss.kmedoids(several, regions, n_clusters=1, channel_axis=0)
    assert labels.tolist() == [[1] * 11 + [0]]


def test_nan_and_masked_voxels_stay_out() -> None:
    image = colour(20).astype(np.float64)
    image[0, 0, 2] = np.nan
    mask = np.ones((20, 20), bool)
    mask[5] = False
    labels = nss.kmedoids(image, mask=mask, channel_axis=-1)
    outside = ~mask
    outside[0, 0] = True
    np.testing.assert_array_equal(labels == 0, outside)


def test_volumes_work_alike() -> None:
    volume = colour(24).reshape(4, 12, 12, 3)
    labels = nss.kmedoids(volume, channel_axis=-1)
    flat = nss.kmedoids(volume.reshape(48, 12, 3), channel_axis=-1)
    np.testing.assert_array_equal(labels.reshape(48, 12), flat)
