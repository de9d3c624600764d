"""Features of whole images, boxes and bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.kernels.cpu.bins import quantile_edges, to_bins
from napari_segsuite.kernels.cpu.feature_bank import (
    compute_features,
    feature_names,
    sampled_edges,
)
from napari_segsuite.kernels.cpu.filter_windows import Extremes, Median
from napari_segsuite.kernels.cpu.filters import Intensity, Scale, Structure

SOLID = [
    Intensity(), Scale((1.0, 1.0, 2.0)), Structure((1.0,) * 3, (1.0, 1.0, 2.0)),
    Extremes((0, 1, 1)), Median(),
]  # fmt: skip
FLAT = [Intensity(), Scale((1.0, 2.0)), Structure((1.0, 1.0), (1.0, 2.0)), Extremes((1, 1))]


def random_image(shape):
    return np.random.default_rng(0).random(shape).astype(np.float32)


def test_planes_are_those_of_the_filters_in_order():
    image = random_image((20, 70, 30))
    bank = compute_features(image, SOLID)
    assert len(bank) == len(feature_names(SOLID)) == 13
    expected = [each(image, (0, 0, 0), image.shape) for each in SOLID]
    np.testing.assert_array_equal(bank, np.concatenate(expected))


def test_an_image_of_two_axes_is_one_plane():
    image = random_image((80, 30))
    bank = compute_features(image, FLAT)
    expected = [each(image[np.newaxis], (0, 0, 0), (1, 80, 30)) for each in FLAT]
    np.testing.assert_array_equal(bank, np.concatenate(expected)[:, 0])
    part = compute_features(image, FLAT, box=np.s_[20:30, 5:])
    np.testing.assert_array_equal(part, bank[:, 20:30, 5:])


@pytest.mark.parametrize("box", [np.s_[7:8, :, :], np.s_[:, 3:69, 4:5], np.s_[-3:, 60:, :-1]])
def test_a_box_is_computed_into_place(box):
    image = random_image((20, 70, 30))
    edges = sampled_edges(image, SOLID)
    bank = compute_features(image, SOLID, edges=edges)
    room = np.zeros_like(bank)
    compute_features(image, SOLID, edges=edges, box=box, out=room[:, *box])
    np.testing.assert_array_equal(room[:, *box], bank[:, *box])
    room[:, *box] = 0
    assert not room.any()


def test_any_number_of_threads_gives_the_same():
    image = random_image((20, 150, 30))
    banks = [compute_features(image, SOLID, threads=n) for n in (1, 2, 5)]
    np.testing.assert_array_equal(banks[1], banks[0])
    np.testing.assert_array_equal(banks[2], banks[0])


def test_bins_of_a_feature_are_about_equally_full():
    image = random_image((9, 60, 70)) ** 4
    bank = compute_features(image, SOLID, edges=sampled_edges(image, SOLID))
    assert bank.dtype == np.uint8
    for plane in bank:
        counts = np.bincount(plane.ravel(), minlength=256)
        assert counts.max() < 3 * plane.size / 256


@given(
    hnp.arrays(np.float32, st.integers(1, 300), elements=st.floats(-9, 9, width=32)),
    hnp.arrays(np.float32, st.integers(1, 50), elements=st.floats(-99, 99, width=32)),
)
def test_a_bin_counts_the_edges_up_to_a_value(sample, values):
    edges = quantile_edges(sample)
    assert edges.shape == (255,)
    assert (np.diff(edges[np.isfinite(edges)]) >= 0).all()
    expected = [(edges <= value).sum() for value in values]
    np.testing.assert_array_equal(to_bins(values, edges), expected)


@given(st.integers(1, 256))
def test_up_to_256_values_keep_a_bin_each(count):
    values = np.arange(count, dtype=np.float32) ** 2
    edges = quantile_edges(np.random.default_rng(0).permutation(np.repeat(values, 3)))
    np.testing.assert_array_equal(to_bins(values, edges), np.arange(count))


def test_a_value_that_is_everywhere_takes_one_bin():
    sample = np.concatenate([np.zeros(9000), np.linspace(1, 2, 1000)]).astype(np.float32)
    bins = to_bins(sample, quantile_edges(sample))
    assert len(np.unique(bins[:9000])) == 1
    assert len(np.unique(bins[9000:])) > 200


def test_nan_falls_into_the_first_bin():
    sample = np.array([1, 2, 3, np.nan, np.inf], dtype=np.float32)
    edges = quantile_edges(sample)
    assert to_bins(sample, edges).tolist() == [0, 1, 2, 0, 255]


def test_progress_reaches_the_end_and_can_stop():
    image, fractions = random_image((40, 70, 30)), []
    compute_features(image, SOLID, progress=lambda f, m="": fractions.append(f))
    assert fractions == sorted(fractions)
    assert len(fractions) == 6
    assert fractions[-1] == 1

    def cancel(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        compute_features(image, SOLID, progress=cancel)


@pytest.mark.parametrize(
    ("image", "arguments", "message"),
    [
        (np.zeros((5, 5)), {}, "float32 image"),
        (np.zeros((5, 5, 5), np.float32)[::2], {}, "C-contiguous"),
        (np.zeros((2, 5, 5, 5), np.float32), {}, "two or three axes"),
        (np.zeros((5, 5), np.float32), {"edges": np.zeros((1, 255))}, r"edges \(10, 255\)"),
        (np.zeros((5, 5), np.float32), {"out": np.zeros((10, 5, 5), np.uint8)}, "room for float32"),
        (np.zeros((5, 5), np.float32), {"out": np.zeros((10, 5, 4), np.float32)}, "room for"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(image, arguments, message):
    with pytest.raises(InputError, match=message):
        compute_features(image, FLAT, **arguments)
