"""Intensities of any type and offset on one scale, whatever outliers there are."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.families.superpixels.scaled_channels import scaled_channels, usual_range


def two_halves(shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    """Noise from 0 to 1, and from 3 to 4 on the right."""
    image = np.random.default_rng(0).random(shape)
    image[:, shape[1] // 2 :] += 3
    return image


@pytest.mark.parametrize("method", ["slic", "felzenszwalb"])
def test_offset_and_factor_change_no_regions(method: str) -> None:
    image, find = np.round(two_halves() * 100), nss.get_method(method).function
    expected = find(image)
    for other in (image.astype(np.int32) + 10**9, image + 1e12, image * 1e300, image * 1e-300):
        np.testing.assert_array_equal(find(other), expected)


def test_outliers_leave_the_scale_of_the_others() -> None:
    image = two_halves().astype(np.float32)
    expected = scaled_channels([image], None, "Test", 100)[0]
    image[0, :2] = -3e38, 3e38
    found = scaled_channels([image], None, "Test", 100)[0]
    np.testing.assert_allclose(found[1:], expected[1:], atol=0.5)
    assert found[0, 0] < -1000
    assert found[0, 1] > 1000
    assert np.isfinite(found**2).all()


@pytest.mark.parametrize("outlier", [5.0, 1e30])
def test_the_usual_range_leaves_out_a_thousandth_at_either_end(outlier: float) -> None:
    image = np.linspace(0, 1, 10_000).reshape(100, 100)
    image[0, 0], image[-1, -1] = -outlier, outlier
    assert usual_range(image, None, "Test") == pytest.approx((0.001, 0.999), abs=3e-4)


def test_nodata_among_few_values_leaves_all_others_apart() -> None:
    image = np.full((40, 40), 7.0, np.float32)
    image[0, 0] = -3.4e38
    assert usual_range(image, None, "Test") == (pytest.approx(-3.4e38), 7.0)
