"""Entropy seeds: sparse, inside, ordered, and good to grow from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skimage.filters import rank
from skimage.morphology import disk

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.method import Extras


def steps_image(ndim: int, values: tuple[int, ...] = (200, 20, 90)) -> np.ndarray:
    """Bands of one value each, ten voxels wide, with mild noise."""
    rng = np.random.default_rng(0)
    image = np.repeat(np.array(values), 10) + np.zeros((12,) * (ndim - 1) + (1,))
    return image + rng.integers(0, 2, image.shape)


@pytest.mark.parametrize("ndim", [2, 3])
def test_seeds_are_sparse_and_numbered_by_intensity(ndim: int) -> None:
    image = steps_image(ndim)
    seeds = nss.entropy_seeds(image, n_classes=3, grey_levels=32)
    truth = np.repeat([3, 1, 2], 10) + np.zeros(image.shape, dtype=int)
    painted = seeds > 0
    assert painted.any(axis=tuple(range(ndim - 1)))[[5, 15, 25]].all()
    np.testing.assert_array_equal(seeds[painted], truth[painted])
    # No seed lies on a border between bands.
    assert not painted[..., [9, 10, 19, 20]].any()


def test_growth_from_the_seeds_finds_the_bands() -> None:
    image = steps_image(3)
    seeds = nss.entropy_seeds(image, n_classes=3, grey_levels=32)
    truth = np.repeat([3, 1, 2], 10) + np.zeros(image.shape, dtype=int)
    np.testing.assert_array_equal(nss.growcut(image, seeds), truth)


def test_the_entropy_is_of_the_grey_levels_and_the_mean_of_the_channels() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (40, 40, 2)).astype(np.uint8)
    image[0, :2] = [[0, 0], [255, 255]]
    extras = Extras(("entropy",))
    nss.entropy_seeds(image, radius=3, grey_levels=256, channel_axis=-1, extras=extras)
    low, high = (np.percentile(image, q, method="inverted_cdf", axis=(0, 1)) for q in (0.1, 99.9))
    levels = ((np.clip(image, low, high) - low) / (high - low) * 256).clip(0, 255).astype(np.uint8)
    expected = np.mean([rank.entropy(levels[..., c], disk(3)) for c in range(2)], axis=0)
    np.testing.assert_allclose(extras["entropy"], expected, atol=1e-5)


def test_distances_are_physical() -> None:
    image = np.random.default_rng(2).integers(0, 256, (30, 32)).astype(np.uint8)
    one = nss.entropy_seeds(image, radius=2, min_distance=3, min_volume=2)
    settings = {"radius": 6, "min_distance": 9, "min_volume": 18}
    other = nss.entropy_seeds(image, **settings, spacing=(3.0, 3.0))
    np.testing.assert_array_equal(one, other)
    assert 0 < (one > 0).sum() < (nss.entropy_seeds(image, radius=2) > 0).sum()


def test_masked_voxels_are_left_unpainted_and_do_not_count() -> None:
    image = steps_image(2)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :10] = False
    other = image.copy()
    other[:, :10] = 10**6
    seeds = nss.entropy_seeds(image, mask, n_classes=2)
    np.testing.assert_array_equal(seeds, nss.entropy_seeds(other, mask, n_classes=2))
    assert not seeds[~mask].any()
    assert set(np.unique(seeds)) == {0, 1, 2}


def test_nothing_large_enough_paints_nothing() -> None:
    assert not nss.entropy_seeds(steps_image(2), min_volume=1e6).any()


def test_unusable_calls_are_refused() -> None:
    image = np.zeros((300, 300, 300), dtype=np.uint8)
    with pytest.raises(ParameterError, match="choose a smaller one"):
        nss.entropy_seeds(image, radius=200)
    with pytest.raises(InputError, match="widen the mask"):
        nss.entropy_seeds(np.ones((4, 4)), np.zeros((4, 4), dtype=bool))


def test_growth_from_the_seeds_finds_tissues(test_data: Path) -> None:
    image = nss.read(test_data / "brain_mni152" / "t1_2mm.nii.gz")
    truth = nss.read(test_data / "brain_mni152" / "tissue_2mm.nii.gz").data.astype(int)
    seeds = nss.run("entropy_seeds", image)
    grown = nss.run("growcut", image, seeds=seeds).labels
    both = np.bincount(4 * (grown.ravel() - 1) + truth.ravel(), minlength=16).reshape(4, 4)
    dice = 2 * both / (both.sum(axis=0) + both.sum(axis=1)[:, None])
    found = dice[linear_sum_assignment(-dice)]
    assert (np.sort(found)[1:] > (0.8, 0.8, 0.98)).all()
    assert found.mean() > 0.8
