"""K-means against sklearn, hand-made answers, and its own promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans

import napari_segsuite as nss
from napari_segsuite.errors import InputError


def inertia(image: np.ndarray, labels: np.ndarray) -> float:
    points = image.reshape(labels.size, -1).astype(np.float64)
    own = [points[labels.ravel() == label] for label in np.unique(labels)]
    return float(sum(np.square(part - part.mean(axis=0)).sum() for part in own))


def peer(image: np.ndarray, n_clusters: int, n_init: int, n_channels: int = 1) -> np.ndarray:
    points = image.reshape(-1, n_channels).astype(np.float64)
    return KMeans(n_clusters, n_init=n_init, random_state=0).fit(points).labels_


def grey(dtype: Any = np.uint8, size: int = 64) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres, widths = np.array([30, 80, 95, 200]), np.array([4, 12, 6, 20])
    group = rng.choice(4, (size, size), p=[0.5, 0.3, 0.15, 0.05])
    return rng.normal(centres[group], widths[group]).clip(0, 255).astype(dtype)


def colour(size: int = 48, n: int = 6) -> np.ndarray:
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, 255, (n, 3))
    noise = rng.normal(0, 15, (size, size, 3))
    return (centres[rng.integers(0, n, (size, size))] + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("n_init", [1, 10])
@pytest.mark.parametrize("n_clusters", [2, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_one_channel_is_never_worse_than_sklearn(dtype: Any, n_clusters: int, n_init: int) -> None:
    image = grey(dtype)
    ours = inertia(image, nss.kmeans(image, n_clusters=n_clusters))
    # 65536 bins of a range of 255 stand for float64.
    rounding = 1e-9 if dtype != np.float64 else 1e-6
    assert ours <= inertia(image, peer(image, n_clusters, n_init)) * (1 + rounding)


@pytest.mark.parametrize("n_clusters", [2, 6, 12])
def test_several_channels_are_as_good_as_the_best_of_ten_starts_of_sklearn(
    n_clusters: int,
) -> None:
    image = colour()
    labels = nss.kmeans(image, n_clusters=n_clusters, channel_axis=-1)
    best = inertia(image, peer(image, n_clusters, 10, 3))
    assert inertia(image, labels) <= best * 1.01


def test_clusters_are_numbered_by_intensity() -> None:
    image = colour()
    labels = nss.kmeans(image, n_clusters=6, channel_axis=-1)
    means = [image[..., 0][labels == label].mean() for label in range(1, 7)]
    assert means == sorted(means)
    assert nss.kmeans(np.array([[200, 0, 100]]), n_clusters=3).tolist() == [[3, 1, 2]]


def test_fewer_values_than_clusters_give_fewer_clusters() -> None:
    image = np.array([[5, 5, 9], [9, 5, 7]], dtype=np.uint8)
    expected = [[1, 1, 3], [3, 1, 2]]
    assert nss.kmeans(image, n_clusters=9).tolist() == expected
    several = np.stack([image, 255 - image, image])
    assert nss.kmeans(several, n_clusters=9, channel_axis=0).tolist() == expected


@pytest.mark.parametrize("axis", [0, -1])
def test_nan_and_masked_voxels_stay_out_and_have_no_say(axis: int) -> None:
    image = colour().astype(np.float32)
    image[3, 4, 1], image[10, 11, 0] = np.nan, np.inf
    mask = np.ones(image.shape[:2], bool)
    mask[20:30] = False
    changed = image.copy()
    changed[20:30] = 1e6
    labels, same = (
        nss.kmeans(np.moveaxis(array, -1, axis), mask=mask, channel_axis=axis)
        for array in (image, changed)
    )
    np.testing.assert_array_equal(labels, same)
    outside = ~mask
    outside[3, 4] = outside[10, 11] = True
    np.testing.assert_array_equal(labels == 0, outside)


def test_volumes_are_clustered_like_their_planes_laid_side_by_side() -> None:
    image = grey(np.uint16, 48)
    volume = image.reshape(12, 16, 12)
    np.testing.assert_array_equal(nss.kmeans(volume), nss.kmeans(image).reshape(volume.shape))


def test_a_region_is_clustered_by_its_mean_and_weighs_its_size() -> None:
    # Voxels would be split between 0 and 8; the means 4, 5 and 100 are not.
    image = np.array([[0, 8, 0, 8, 5, 5, 100, 7]], dtype=np.uint8)
    regions = np.array([[9, 9, 9, 9, 2, 2, 4, 0]])
    assert nss.kmeans(image, regions, n_clusters=2).tolist() == [[1, 1, 1, 1, 1, 1, 2, 0]]
    several = np.stack([image, image[:, ::-1]])
    labels = nss.kmeans(several, regions, n_clusters=3, channel_axis=0)
    assert labels[0, :4].tolist() == [labels[0, 0]] * 4
    assert labels[0, 7] == 0
    # Alone, 0 and 6 are nearer; but 13 is one voxel among nine.
    image, sizes = np.array([0, 6, 13]), [9, 9, 1]
    labels = nss.kmeans(
        np.repeat(image, sizes)[None], np.repeat([1, 2, 3], sizes)[None], n_clusters=2
    )
    assert labels[0].tolist() == np.repeat([1, 2, 2], sizes).tolist()


def test_regions_of_single_voxels_change_nothing() -> None:
    image = grey(np.uint8, 20)
    regions = np.arange(1, 401).reshape(20, 20)
    np.testing.assert_array_equal(nss.kmeans(image, regions), nss.kmeans(image))
    picture = colour(20)
    np.testing.assert_array_equal(
        nss.kmeans(picture, regions, channel_axis=-1), nss.kmeans(picture, channel_axis=-1)
    )


def test_standardized_channels_have_the_same_say() -> None:
    rng = np.random.default_rng(0)
    halves = np.indices((30, 30))
    wide = 1000 * (halves[0] >= 15) + rng.normal(0, 300, (30, 30))
    narrow = (halves[1] >= 15) + rng.normal(0, 0.05, (30, 30))
    image = np.stack([wide, narrow])
    truth = 1 + (halves[1] >= 15)
    plain = nss.kmeans(image, n_clusters=2, channel_axis=0)
    assert (plain == 1 + (halves[0] >= 15)).mean() > 0.9
    four = nss.kmeans(image, n_clusters=4, channel_axis=0, standardize=True)
    by_column = [four[truth == half] for half in (1, 2)]
    assert not set(np.unique(by_column[0])) & set(np.unique(by_column[1]))


def test_many_voxels_are_polished_beyond_the_sample() -> None:
    image = colour(256, 5)
    labels = nss.kmeans(image, n_clusters=5, channel_axis=-1)
    means = np.stack([image[labels == label].mean(axis=0) for label in range(1, 6)])
    away = np.square(image[..., None, :] - means).sum(axis=-1)
    assert (away.argmin(axis=-1) + 1 == labels).mean() > 0.9999


def test_ranges_beyond_float64_are_refused() -> None:
    image = np.full((2, 4, 4), -1.7e308)
    image[:, 0] = 1.7e308
    for axis, array in ((0, image), (None, image[0])):
        with pytest.raises(InputError, match="scale the image down"):
            nss.kmeans(array, channel_axis=axis)


def test_tissues_of_a_brain_are_found(test_data: Path) -> None:
    volume = nss.read(test_data / "brain_mni152" / "t1_2mm.nii.gz").data
    ours = nss.kmeans(volume, n_clusters=4)
    assert inertia(volume, ours) <= inertia(volume, peer(volume, 4, 1)) * (1 + 1e-9)
