"""Values and how often they occur."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_segsuite.errors import InputError
from napari_segsuite.families.histogram import histogram_of


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.uint16, np.int16])
def test_narrow_integers_are_counted_exactly(dtype) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 2, (5, 70, 90)).astype(dtype)
    if dtype is not bool:
        limits = np.iinfo(dtype)
        image = rng.integers(limits.min, limits.max, image.shape, endpoint=True, dtype=dtype)
    histogram = histogram_of(image, None, "Test")
    values, counts = np.unique(image, return_counts=True)
    np.testing.assert_array_equal(histogram.values, values)
    np.testing.assert_array_equal(histogram.counts, counts)


@settings(deadline=None)  # of which compiling may be a part
@given(arrays(np.int64, (4, 6), elements=st.integers(-(2**40), 2**40)))
def test_wide_integers_are_exact_where_they_span_little(image) -> None:
    low = int(image.min())
    image = low + (image - low) % 60_000
    histogram = histogram_of(image, None, "Test")
    values, counts = np.unique(image, return_counts=True)
    np.testing.assert_array_equal(histogram.values, values)
    np.testing.assert_array_equal(histogram.counts, counts)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_bins_of_floats_are_narrow_and_hold_their_means(dtype) -> None:
    image = np.random.default_rng(0).normal(10, 3, (60, 70)).astype(dtype)
    histogram = histogram_of(image, None, "Test")
    assert histogram.counts.sum() == image.size
    assert (np.diff(histogram.values) > 0).all()
    back = histogram.label(np.arange(1, len(histogram.values) + 1, dtype=np.uint32))
    span = float(image.max()) - float(image.min())
    error = np.abs(histogram.values[back - 1] - image.astype(np.float64))
    assert error.max() <= span / 65_535
    mean = (histogram.values * histogram.counts).sum() / image.size
    assert mean == pytest.approx(image.astype(np.float64).mean(), rel=1e-6)


def test_only_usable_voxels_count_and_get_labels() -> None:
    image = np.array([[1.0, 2.0, np.nan, np.inf, 2.0, 3.0]])
    mask = np.array([[True, True, True, True, True, False]])
    histogram = histogram_of(image, mask, "Test")
    assert histogram.values.tolist() == [1, 2]
    assert histogram.counts.tolist() == [1, 2]
    assert histogram.label(np.array([5, 6], np.uint8)).tolist() == [[5, 6, 0, 0, 6, 0]]


def test_layout_does_not_matter() -> None:
    image = np.random.default_rng(0).integers(0, 255, (9, 40, 30)).astype(np.uint8)
    mask = image % 3 > 0
    expected = histogram_of(image, mask, "Test")
    turned = histogram_of(image.transpose(2, 0, 1), mask.transpose(2, 0, 1), "Test")
    np.testing.assert_array_equal(turned.counts, expected.counts)
    table = (expected.values % 7 + 1).astype(np.uint8)
    np.testing.assert_array_equal(turned.label(table), expected.label(table).transpose(2, 0, 1))


def test_constant_and_extreme_spans() -> None:
    assert histogram_of(np.full((3, 4), 7.5), None, "Test").values.tolist() == [7.5]
    tiny = histogram_of(np.array([[0.0, 5e-324]]), None, "Test")
    assert tiny.counts.sum() == 2
    with pytest.raises(InputError, match="scale the image down"):
        histogram_of(np.array([[-1.7e308, 1.7e308]]), None, "Test")
    with pytest.raises(InputError, match="widen the mask"):
        histogram_of(np.ones((2, 2)), np.zeros((2, 2), bool), "Test")


def test_small_steps_on_a_high_plateau_stay_apart_and_in_order() -> None:
    steps = np.random.default_rng(0).normal(size=(300, 400))
    histogram = histogram_of(1e12 + steps, None, "Test")
    expected = histogram_of((1e12 + steps) - 1e12, None, "Test")
    np.testing.assert_array_equal(histogram.counts, expected.counts)
    np.testing.assert_allclose(histogram.values - 1e12, expected.values, atol=2e-4)
    assert (np.diff(histogram.values) >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_usual_range_leaves_out_the_ends_unless_all_lies_there(dtype) -> None:
    image = np.arange(256).repeat(8).reshape(32, 64).astype(dtype)
    image[0, 0] = 255
    assert histogram_of(image, None, "Test").usual_range() == (0, 255)
    sparse = np.zeros((50, 50), dtype)
    sparse[3, 4] = 90
    assert histogram_of(sparse, None, "Test").usual_range() == (0, 90)


def test_usual_range_is_exact_beside_far_outliers() -> None:
    image = np.linspace(0, 1, 10_000).reshape(100, 100)
    image[0, 0], image[-1, -1] = -1e30, 1e30
    low, high = histogram_of(image, None, "Test").usual_range()
    assert (low, high) == pytest.approx((0.001, 0.999), abs=3e-4)
    assert histogram_of(image, None, "Test").quantile(0.5) == pytest.approx(0.5, abs=1)
