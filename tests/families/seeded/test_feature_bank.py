"""What the bank of features holds, and on which scale."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.errors import InputError
from napari_segsuite.families.seeded.feature_bank import (
    build_bank,
    distinct_channels,
    robust_scale,
)
from napari_segsuite.progress import Cancelled


def test_robust_scale_ignores_outliers_and_gain() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(100, 10, (1, 40, 50))
    spoiled = image.copy()
    spoiled[0, 0, 0] = 1e6
    expected, found = robust_scale(image, None, "Test"), robust_scale(spoiled, None, "Test")
    np.testing.assert_allclose(found[0, 1:], expected[0, 1:], atol=0.01)
    np.testing.assert_allclose(robust_scale(3 * image + 7, None, "Test"), expected, atol=1e-4)
    assert found.max() == np.float32(1.5)


def test_robust_scale_fills_what_is_not_finite_and_looks_inside_the_mask_only() -> None:
    image = np.array([[[0.0, 10.0, np.nan, np.inf, 1000.0]]])
    mask = np.array([[True, True, True, True, False]])
    scaled = robust_scale(image, mask, "Test")
    assert np.isfinite(scaled).all()
    assert scaled[0, 0, 2] == scaled[0, 0, 3] == 0.5
    assert scaled[0, 0, 0] < 0.01
    assert 0.99 < scaled[0, 0, 1] < 1.1


@pytest.mark.parametrize("value", [0, 7, -3])
def test_a_constant_image_becomes_zero(value: int) -> None:
    assert not robust_scale(np.full((1, 4, 5), value, np.int16), None, "Test").any()


def test_a_rare_value_in_a_flat_image_still_differs() -> None:
    image = np.zeros((1, 30, 30), np.uint8)
    image[0, 3, 3] = 9
    assert robust_scale(image, None, "Test").max() == 1


def test_intensities_beyond_float32_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="Test: expected intensities"):
        robust_scale(np.full((1, 2, 2), 1e300), None, "Test")


def test_repeated_channels_are_found_nan_included() -> None:
    a = np.array([[1.0, np.nan]])
    assert distinct_channels(np.stack([a, a + 1, a, a + 1])) == (0, 1)


def test_bank_has_a_byte_for_each_feature_and_place_last() -> None:
    channels = np.random.default_rng(0).random((2, 5, 9, 11), dtype=np.float32)
    bank = build_bank(channels, (5.0, 1.0, 1.0))
    without = build_bank(channels, (5.0, 1.0, 1.0), position=False)
    assert bank.planes.dtype == np.uint8
    np.testing.assert_array_equal(bank.planes[:-3], without.planes)
    assert (np.diff(bank.planes[-3].astype(int), axis=0) > 0).all()
    assert (np.diff(bank.planes[-1].astype(int), axis=2) > 0).all()
    assert (bank.planes[-1, :, :, 0] == 0).all()
    assert (bank.planes[-1, :, :, -1] == 255).all()


def test_scales_are_physical_so_that_thick_slices_do_not_mix() -> None:
    channels = np.zeros((1, 7, 24, 24), np.float32)
    channels[0, 3] = 1
    thick = build_bank(channels, (100.0, 1.0, 1.0), position=False).planes
    thin = build_bank(channels, (1.0, 1.0, 1.0), position=False).planes
    assert len(np.unique(thick[:, :3].reshape(len(thick), -1), axis=1).T) == 1
    assert len(np.unique(thin[:, :3].reshape(len(thin), -1), axis=1).T) > 1


def test_edges_used_again_give_the_same_features_in_the_same_image() -> None:
    channels = np.random.default_rng(0).random((2, 20, 21), dtype=np.float32)
    bank = build_bank(channels, None)
    np.testing.assert_array_equal(build_bank(channels, None, edges=bank.edges).planes, bank.planes)


def test_cancel_is_honoured() -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        build_bank(np.zeros((1, 9, 9), np.float32), None, progress=stop)
