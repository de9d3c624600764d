"""Points that stand for voxels: their range, their places and samples of them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.families.clustering.features import Features, features_of


def all_points(features: Features) -> np.ndarray:
    return np.concatenate([features.points(rows) for rows in features.slabs()], axis=1)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.int64, np.float32, np.float64])
def test_points_are_the_channels_but_for_shift_and_common_scale(dtype: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 2 if dtype is bool else 100, (2, 9, 300, 30)).astype(dtype)
    points = all_points(features_of(tuple(image), None, None, False, "Example"))
    values = image.reshape(2, -1).astype(float)
    slopes = [np.polyfit(v, p, 1)[0] for v, p in zip(values, points, strict=True)]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-5)
    assert np.abs(points).max() <= 1
    assert np.log2(slopes[0]) == pytest.approx(round(np.log2(slopes[0])), abs=1e-5)


@pytest.mark.parametrize("standardize", [False, True])
def test_the_smallest_numbers_there_are_give_finite_points(standardize: bool) -> None:
    image = np.arange(12.0).reshape(2, 2, 3) * 5e-324
    assert np.isfinite(
        features_of(image, None, None, standardize, "Example").points(slice(None))
    ).all()


def test_standardized_points_have_deviation_one() -> None:
    rng = np.random.default_rng(0)
    image = np.stack([rng.normal(3, 100, (40, 50)), rng.normal(0, 1e-3, (40, 50))])
    image[0, 3, 4] = np.nan
    points = all_points(features_of(tuple(image), None, None, True, "Example"))
    assert points.shape == (2, 1999)
    np.testing.assert_allclose(points.std(axis=1), 1, rtol=1e-4)


def test_a_constant_channel_says_nothing() -> None:
    image = np.stack([np.full((5, 5), 7), np.arange(25).reshape(5, 5)])
    points = all_points(features_of(tuple(image), None, None, True, "Example"))
    assert not points[0].any()


def test_values_return_to_their_places() -> None:
    image = np.zeros((2, 100, 50, 30))
    mask = np.random.default_rng(0).random((100, 50, 30)) < 0.3
    features = features_of(tuple(image), None, mask, False, "Example")
    out = np.zeros((100, 50, 30), int)
    start = 0
    for rows in features.slabs():
        n = features.points(rows).shape[1]
        features.place(np.arange(start, start + n) + 1, rows, out)
        start += n
    np.testing.assert_array_equal(out[mask], np.arange(mask.sum()) + 1)
    assert not out[~mask].any()


def test_a_sample_draws_from_everywhere_and_only_what_counts() -> None:
    image = np.indices((300, 200)).astype(np.float32)
    mask = image[0] % 2 == 0
    features = features_of(tuple(image), None, mask, False, "Example")
    sample = features.sample(3000, np.random.default_rng(0))
    points = sample.points(slice(None))
    assert points.shape == (2, 3000)
    rows = points[0] / features.scale[0] + features.offset[0]
    assert not (rows % 2).any()
    share, _ = np.histogram(rows, 10, (0, 300))
    assert share.min() > 200
    everything = features.sample(10**6, np.random.default_rng(0)).points(slice(None))
    np.testing.assert_array_equal(everything, all_points(features))


def test_regions_bring_their_sizes_as_weights() -> None:
    image = np.arange(24.0).reshape(2, 3, 4)
    regions = np.array([[1, 1, 1, 1], [5, 5, 0, 0], [5, 5, 5, 5]])
    features = features_of(tuple(image), regions, None, False, "Example")
    assert features.weights_of(slice(None)).tolist() == [4, 6]
    assert features.sample(9, np.random.default_rng(0)).weights_of(slice(None)).tolist() == [4, 6]
    assert features.on_grid(np.array([1, 2], np.uint8))[:, 2].tolist() == [1, 0, 2]
