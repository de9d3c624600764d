"""Cuts of least variance against all cuts there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.kernels.cpu.optimal_segments import optimal_segments


def within_squares(values, counts, starts) -> float:
    ends = [*starts[1:], len(values)]
    total = 0.0
    for start, end in zip(starts, ends, strict=True):
        v, w = values[start:end], counts[start:end]
        total += float((w * (v - np.average(v, weights=w)) ** 2).sum())
    return total


def least_squares(values, counts, n_segments) -> float:
    inner = combinations(range(1, len(values)), n_segments - 1)
    return min(within_squares(values, counts, (0, *starts)) for starts in inner)


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(-1000, 1000), st.integers(1, 50), min_size=1, max_size=11),
    st.integers(1, 6),
)
def test_no_other_cut_has_less_variance(histogram, n_segments):
    values = np.array(sorted(histogram), dtype=np.float64)
    counts = np.array([histogram[value] for value in sorted(histogram)])
    starts = optimal_segments(values, counts, n_segments)
    assert len(starts) == min(n_segments, len(values))
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    least = least_squares(values, counts, len(starts))
    assert within_squares(values, counts, starts) == pytest.approx(least, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("n_segments", [2, 3, 7])
def test_long_sequences_agree_with_the_plain_recursion(n_segments):
    rng = np.random.default_rng(n_segments)
    values, counts = np.sort(rng.normal(size=300)), rng.integers(1, 100, 300)
    squares = np.array(
        [
            [within_squares(values[i:j], counts[i:j], [0]) if i < j else np.inf for i in range(300)]
            for j in range(1, 301)
        ]
    )
    best = squares[:, 0]
    for _ in range(n_segments - 1):
        best = np.array([(np.r_[np.inf, best[:-1]] + row).min() for row in squares])
    starts = optimal_segments(values, counts, n_segments)
    assert within_squares(values, counts, starts) == pytest.approx(best[-1])


@pytest.mark.parametrize(("offset", "scale"), [(1e9, 1.0), (-3.0, 1e300), (0.0, 1e-300)])
def test_offset_and_scale_move_no_cut(offset, scale):
    rng = np.random.default_rng(1)
    values = np.unique(rng.integers(0, 4000, 500)).astype(np.float64)
    counts = rng.integers(1, 9, len(values))
    expected = optimal_segments(values, counts, 4)
    np.testing.assert_array_equal(optimal_segments((values + offset) * scale, counts, 4), expected)


def test_of_equal_cuts_the_first_wins():
    assert optimal_segments(np.array([0.0, 1, 2]), np.array([1, 1, 1]), 2).tolist() == [0, 1]


def test_as_many_segments_as_values_at_most():
    assert optimal_segments(np.array([3.0, 5]), np.array([1, 9]), 4).tolist() == [0, 1]
    assert optimal_segments(np.array([3.0]), np.array([2]), 3).tolist() == [0]
