"""Medoids on a line against all choices there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.kernels.cpu.kmedoids_line import optimal_medoids


def cost(values: np.ndarray, counts: np.ndarray, medoids: tuple[int, ...]) -> float:
    away = np.abs(values[:, None] - values[list(medoids)]).min(axis=1)
    return float(away @ counts)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.integers(-40, 40), st.integers(1, 9), min_size=1, max_size=9),
    st.integers(1, 5),
)
def test_no_other_choice_costs_less(weighted: dict[int, int], n_medoids: int) -> None:
    values = np.array(sorted(weighted), dtype=np.float64)
    counts = np.array([weighted[int(value)] for value in values])
    n = min(n_medoids, len(values))
    found = optimal_medoids(values, counts, n_medoids)
    assert found.tolist() == sorted(set(found.tolist()))
    best = min(cost(values, counts, chosen) for chosen in combinations(range(len(values)), n))
    assert cost(values, counts, tuple(found)) == best


def test_a_heavy_outlier_is_its_own_medoid() -> None:
    values, counts = np.array([0.0, 1, 2, 1000]), np.array([5, 5, 5, 1])
    assert optimal_medoids(values, counts, 2).tolist() == [1, 3]
    # The median, not the mean, which lies at about 63.
    assert optimal_medoids(values, counts, 1).tolist() == [1]


def test_one_value_is_its_medoid() -> None:
    assert optimal_medoids(np.array([7.0]), np.array([3]), 4).tolist() == [0]


def test_scale_and_shift_change_nothing() -> None:
    rng = np.random.default_rng(0)
    values, counts = np.unique(rng.integers(0, 5000, 800)).astype(float), None
    counts = rng.integers(1, 50, len(values))
    expected = optimal_medoids(values, counts, 6)
    for scale, shift in ((2.0**900, 0.0), (2.0**-900, 0.0), (1.0, -(2.0**40))):
        found = optimal_medoids(values * scale + shift, counts, 6)
        np.testing.assert_array_equal(found, expected)
