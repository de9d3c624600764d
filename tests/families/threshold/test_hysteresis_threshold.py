"""Two thresholds against skimage, and what they choose by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold, threshold_multiotsu

import napari_segsuite as nss
from napari_segsuite.errors import ParameterError


def smooth_noise(shape) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, 1.5)
    return (smooth / smooth.std() * 40 + 128).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(60, 70), (12, 30, 25)])
def test_both_sides_agree_with_the_peer(shape):
    image = smooth_noise(shape)
    low, high = (int(np.percentile(image, share)) for share in (85, 97))
    expected = apply_hysteresis_threshold(image, low, high)
    assert (image > high).sum() < expected.sum() < (image > low).sum()
    bright = nss.hysteresis_threshold(image, low=low, high=high)
    np.testing.assert_array_equal(bright, expected)
    # Counted from the other end, what is above a value is at and below another.
    dark = nss.hysteresis_threshold(255 - image, low=254 - high, high=254 - low, foreground="dark")
    np.testing.assert_array_equal(dark, expected)


def test_corners_connect_where_they_may():
    image = np.zeros((3, 3, 3), np.uint8)
    image[0, 0, 0], image[1, 1, 1], image[2, 2, 1] = 9, 5, 5
    sizes = [
        int(nss.hysteresis_threshold(image, low=3, high=7, connectivity=n).sum()) for n in (1, 2, 3)
    ]
    assert sizes == [1, 1, 3]


def test_left_alone_it_takes_the_thresholds_of_otsu():
    image = smooth_noise((60, 70))
    low, high = threshold_multiotsu(image, 3)
    expected = nss.hysteresis_threshold(image, low=low, high=high)
    np.testing.assert_array_equal(nss.hysteresis_threshold(image), expected)
    np.testing.assert_array_equal(nss.hysteresis_threshold(image, low=low), expected)
    np.testing.assert_array_equal(nss.hysteresis_threshold(image, high=high), expected)


def test_one_threshold_beyond_the_automatic_other_stands_for_both():
    image = smooth_noise((60, 70))
    np.testing.assert_array_equal(nss.hysteresis_threshold(image, low=220), image > 220)
    np.testing.assert_array_equal(nss.hysteresis_threshold(image, high=20), image > 20)


def test_two_values_and_one():
    image = np.array([[3, 3, 8]], np.uint8)
    assert nss.hysteresis_threshold(image).tolist() == [[0, 0, 1]]
    assert nss.hysteresis_threshold(image, foreground="dark").tolist() == [[1, 1, 0]]
    for foreground in ("bright", "dark"):
        assert not nss.hysteresis_threshold(np.full((3, 3), 7), foreground=foreground).any()


def test_low_above_high_is_refused():
    with pytest.raises(ParameterError, match="'low' must be at most 'high'") as caught:
        nss.hysteresis_threshold(np.zeros((2, 2)), low=3, high=2)
    assert caught.value.name == "low"


def test_parts_do_not_connect_through_what_does_not_count():
    image = np.array([[9, 5, np.nan, 5, 5]], np.float32)
    assert nss.hysteresis_threshold(image, low=3, high=7).tolist() == [[1, 1, 0, 0, 0]]
    mask = np.array([[1, 0, 1, 1, 1]], bool)
    assert nss.hysteresis_threshold(image, mask, low=3, high=7).tolist() == [[1, 0, 0, 0, 0]]
