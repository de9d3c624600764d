"""A seed per object, where the objects are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

import napari_segsuite as nss
from napari_segsuite.errors import InputError


def disks(apart: int = 30, radius: int = 20, stretch: int = 1) -> np.ndarray:
    """Two disks in a row; `stretch` pixels along y make one unit."""
    y, x = np.mgrid[: 60 * stretch, : 60 + apart]
    y = y / stretch - 30
    centres = (30, 30 + apart)
    return np.any([(x - c) ** 2 + y**2 < radius**2 for c in centres], axis=0)


def test_touching_disks_get_a_seed_each_around_their_centres() -> None:
    image = disks()
    seeds = nss.distance_seeds(np.where(image, 180, 20))
    assert seeds[30, 30] == 2
    assert seeds[30, 60] == 3
    assert set(np.unique(seeds)) == {0, 1, 2, 3}
    assert image[seeds > 1].all()
    assert not image[seeds == 1].any()
    assert seeds[30, 45] == 0, "the neck is left open"
    assert seeds[30, 9] == 1
    assert seeds[30, 10] == 0, "the background keeps its distance"


def test_without_background_objects_begin_at_one() -> None:
    seeds = nss.distance_seeds(disks(), background=False)
    assert set(np.unique(seeds)) == {0, 1, 2}


def test_watershed_from_the_seeds_separates_the_disks() -> None:
    image = disks()
    grown = nss.watershed(image, nss.distance_seeds(image))
    assert (grown[:, :44] > 1)[image[:, :44]].mean() > 0.95
    assert (grown[image & (np.arange(90) < 44)] != 3).all()
    assert (grown[image & (np.arange(90) > 46)] != 2).all()


def test_near_centres_are_one_object_and_lengths_are_physical() -> None:
    for image, spacing in ((disks(), (2.0, 2.0)), (disks(stretch=4), (0.5, 2.0))):
        assert nss.distance_seeds(image, spacing=spacing, min_distance=57).max() == 3
        assert nss.distance_seeds(image, spacing=spacing, min_distance=63).max() == 2


def test_objects_come_from_labels_thresholds_or_darkness() -> None:
    inside = disks()
    expected = nss.distance_seeds(inside)
    noise = np.random.default_rng(0).random(inside.shape)
    np.testing.assert_array_equal(nss.distance_seeds(noise, 7 * inside.astype(int)), expected)
    grey = np.where(inside, 10.0, 30.0)
    np.testing.assert_array_equal(nss.distance_seeds(grey, foreground="dark"), expected)
    np.testing.assert_array_equal(
        nss.distance_seeds(grey, foreground="dark", threshold=20), expected
    )
    assert (nss.distance_seeds(grey, threshold=40) == 1).all()


def test_smoothing_joins_what_a_rough_border_splits() -> None:
    rng = np.random.default_rng(3)
    rough = disks(apart=0, radius=22) & (rng.random((60, 60)) < 0.99)
    assert nss.distance_seeds(rough).max() > 3
    assert nss.distance_seeds(rough, smoothing=6).max() == 2


def test_small_objects_get_no_seed() -> None:
    image = np.zeros((30, 30), dtype=np.uint8)
    image[3:6, 3:6], image[10:25, 10:25] = 1, 1
    assert nss.distance_seeds(image, min_volume=9).max() == 3
    assert nss.distance_seeds(image, min_volume=10).max() == 2
    assert nss.distance_seeds(image, min_volume=37, spacing=(2.0, 2.0)).max() == 2


def test_masked_and_nan_voxels_stay_unpainted() -> None:
    image = np.where(disks(), 1.0, 0.0)
    image[30, 30] = np.nan
    mask = np.ones(image.shape, dtype=bool)
    mask[:, 45:] = False
    seeds = nss.distance_seeds(image, mask=mask)
    assert not seeds[~mask].any()
    assert seeds[30, 30] == 0
    assert seeds.max() >= 2
    with pytest.raises(InputError, match="widen the mask"):
        nss.distance_seeds(image, mask=np.zeros_like(mask))


def test_an_image_of_one_object_alone_has_one_seed() -> None:
    labels = np.ones((5, 6, 7), dtype=np.uint8)
    assert (nss.distance_seeds(labels, labels) == 2).all()


def test_most_nuclei_get_one_seed(test_data: Path) -> None:
    folder = test_data / "nuclei3d_stardist"
    truth = imread(folder / "labels.tif")
    seeds = nss.distance_seeds(truth, truth)
    pairs = {(a, b) for a, b in zip(truth.flat, seeds.flat, strict=True) if a and b > 1}
    owners = [len({b for a, b in pairs if a == nucleus}) for nucleus in np.unique(truth)[1:]]
    assert np.mean(np.array(owners) == 1) > 0.7
