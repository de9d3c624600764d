"""Doubt per slice, on results whose doubtful places are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError
from napari_segsuite.growing.certainty import least_certain_slice, slice_uncertainty

HALVES = np.repeat(np.array([1, 1, 1, 2, 2, 2], np.uint8)[None, None], 8, 0).repeat(5, 1)


def margins(per_slice) -> np.ndarray:
    return np.broadcast_to(np.asarray(per_slice)[:, None, None], HALVES.shape)


def naive_uncertainty(margin, labels, axis):
    border = np.zeros(labels.shape, bool)
    for place in np.ndindex(labels.shape):
        for along in range(labels.ndim):
            for step in (-1, 1):
                other = list(place)
                other[along] += step
                if 0 <= other[along] < labels.shape[along]:
                    pair = {int(labels[place]), int(labels[tuple(other)])}
                    border[place] |= len(pair) == 2 and 0 not in pair
    sums = np.zeros(labels.shape[axis])
    if border.any():
        certain = np.percentile(margin[border], 95)
        for place in np.argwhere(border):
            value = margin[tuple(place)]
            doubt = 1.0 if certain == 0 else max(0.0, 1 - value / certain)
            sums[place[axis]] += doubt
    return sums / sums.max() if sums.any() else sums


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(4, 6), (3, 4, 5)]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["f4", "u1"]),
)
def test_equals_its_definition(seed, shape, n_classes, dtype):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes + 1, shape).astype(np.uint8)
    margin = (rng.random(shape) * (200 if dtype == "u1" else 1)).astype(dtype)
    for axis in range(len(shape)):
        found = slice_uncertainty(margin, labels, axis)
        np.testing.assert_allclose(found, naive_uncertainty(margin, labels, axis), atol=1e-6)


def test_the_doubtful_slice_is_found_whatever_the_scale_of_the_margin():
    per_slice = np.array([0.8, 0.8, 0.7, 0.8, 0.3, 0.8, 0.8, 0.8])
    for scale in (1, 0.01):
        doubts = slice_uncertainty(margins(per_slice * scale), HALVES, 0)
        assert np.argmax(doubts) == 4
        assert doubts[4] == 1
        np.testing.assert_allclose(doubts[2], 0.2)
        assert not doubts[[0, 1, 3, 5, 6, 7]].any()


def test_doubt_far_from_borders_does_not_count():
    margin = margins(np.full(8, 0.8)).copy()
    margin[3, :, [0, 5]] = 0.0
    margin[6, :, 2] = 0.4
    assert least_certain_slice(margin, HALVES, 0) == 6


def test_a_long_border_in_doubt_comes_before_a_short_one():
    labels = HALVES.copy()
    labels[2, 1:] = 0
    margin = margins([0.8, 0.8, 0.2, 0.8, 0.8, 0.2, 0.8, 0.8])
    assert least_certain_slice(margin, labels, 0) == 5


def test_what_nothing_reached_is_no_border():
    labels = np.where(HALVES == 2, 0, 1)
    assert not slice_uncertainty(margins(np.zeros(8)), labels, 0).any()
    assert least_certain_slice(margins(np.zeros(8)), labels, 0) is None


def test_borders_that_are_all_undecided_are_all_in_doubt():
    assert (slice_uncertainty(margins(np.zeros(8)), HALVES, 0) == 1).all()


def test_painted_slices_give_way_unless_far_more_doubtful():
    seeds = np.zeros_like(HALVES)
    seeds[4, 2, 1] = 1
    close = margins([0.8, 0.35, 0.8, 0.8, 0.3, 0.8, 0.8, 0.8])
    assert least_certain_slice(close, HALVES, 0) == 4
    assert least_certain_slice(close, HALVES, 0, painted=seeds) == 1
    far = margins([0.8, 0.7, 0.8, 0.8, 0.3, 0.8, 0.8, 0.8])
    assert least_certain_slice(far, HALVES, 0, painted=seeds) == 4
    seeds[...] = 1
    assert least_certain_slice(close, HALVES, 0, painted=seeds) == 4
    assert least_certain_slice(close, HALVES, 0, painted=np.zeros_like(seeds)) == 4


def test_other_axes_and_other_shapes():
    turned = np.moveaxis(margins([0.8] * 6 + [0.1, 0.8]), 0, 2)
    assert least_certain_slice(turned, np.moveaxis(HALVES, 0, 2), axis=2) == 6
    with pytest.raises(InputError, match="margin of the labels' shape"):
        slice_uncertainty(margins(np.zeros(8))[:4], HALVES, 0)
