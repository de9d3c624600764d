"""Thresholds from a histogram against those of skimage from the image."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import filters

from napari_segsuite.families.histogram import histogram_of
from napari_segsuite.families.threshold.criteria import find_threshold

ALGORITHMS = ["otsu", "li", "yen", "triangle", "isodata", "mean", "minimum"]


def scene(dtype, seed=0, shape=(100, 90), peaks=(60, 150), width=12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(rng.choice(peaks, shape, p=(0.7, 0.3)), width).clip(0, 255).astype(dtype)


def ours(image, algorithm) -> float:
    return find_threshold(histogram_of(image, None, "Test"), algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "image",
    [
        scene(np.uint8),
        scene(np.uint8, 1, (8, 30, 40), width=25),
        scene(np.uint16, 2) * np.uint16(3) + np.uint16(1000),
        scene(np.int16, 3) - np.int16(900),
    ],
    ids=["2D", "3D", "uint16", "int16"],
)
def test_integers_are_split_as_by_the_peer(image, algorithm):
    theirs = getattr(filters, f"threshold_{algorithm}")(image.copy())
    np.testing.assert_array_equal(image > ours(image, algorithm), image > theirs)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_numbers_are_split_within_a_bin_of_the_peers(dtype, algorithm):
    image = scene(dtype, 4) / 17 - 3
    theirs = getattr(filters, f"threshold_{algorithm}")(image.copy())
    differs = (image > ours(image, algorithm)) != (image > theirs)
    assert np.abs(image[differs] - theirs).max(initial=0) <= np.ptp(image) / 256


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bytes_of_every_shape_are_split_as_by_the_peer(algorithm):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        image = rng.gamma(rng.uniform(0.5, 9), 12, (50, 40)).clip(0, 255).astype(np.uint8)
        image = image if seed % 2 else 255 - image
        try:
            theirs = getattr(filters, f"threshold_{algorithm}")(image.copy())
        except RuntimeError:  # one peak for "minimum"
            continue
        np.testing.assert_array_equal(image > ours(image, algorithm), image > theirs)
