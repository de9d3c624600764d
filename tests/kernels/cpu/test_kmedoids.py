"""FasterPAM against its definition: a state that no swap improves."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.errors import Cancelled
from napari_segsuite.kernels.cpu.kmedoids import faster_pam


def naive_cost(points: np.ndarray, weights: np.ndarray, medoids: np.ndarray) -> float:
    away = np.linalg.norm(points.T[:, None] - points.T[medoids], axis=2).min(axis=1)
    return float(away @ weights)


@pytest.mark.parametrize("n_medoids", [1, 2, 5])
def test_no_swap_is_left_that_lowers_the_cost(n_medoids: int) -> None:
    rng = np.random.default_rng(n_medoids)
    points = rng.random((2, 40)).astype(np.float32)
    weights = rng.integers(1, 6, 40).astype(np.float64)
    start = np.arange(n_medoids)
    medoids, cost = faster_pam(points, weights, start)
    assert cost == pytest.approx(naive_cost(points, weights, medoids), rel=1e-5)
    assert cost <= naive_cost(points, weights, start)
    for k in range(n_medoids):
        for candidate in range(40):
            swapped = medoids.copy()
            swapped[k] = candidate
            assert naive_cost(points, weights, swapped) > cost * (1 - 1e-5)
    np.testing.assert_array_equal(start, np.arange(n_medoids))


def test_weights_stand_for_repeated_points() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((3, 25)).astype(np.float32)
    weights = rng.integers(1, 4, 25)
    medoids, cost = faster_pam(points, weights.astype(np.float64), np.array([0, 1, 2]))
    repeated = np.repeat(points, weights, axis=1)
    start = np.concatenate([[0], np.cumsum(weights)[:2]])
    again, same = faster_pam(repeated, np.ones(repeated.shape[1]), start)
    assert cost == pytest.approx(same, rel=1e-6)
    np.testing.assert_array_equal(
        np.sort(points[:, medoids], axis=1), np.sort(repeated[:, again], axis=1)
    )


def test_groups_far_apart_get_a_medoid_each() -> None:
    rng = np.random.default_rng(1)
    group = np.arange(60) % 3
    points = (rng.random((2, 60)) + 100 * group).astype(np.float32)
    medoids, _ = faster_pam(points, np.ones(60), np.array([0, 3, 6]))
    assert sorted(group[medoids]) == [0, 1, 2]


def test_it_reports_within_a_pass_over_many_points() -> None:
    points, reports = np.arange(6001, dtype=np.float32)[None], []
    faster_pam(points, np.ones(6001), np.array([3000]), lambda: reports.append(1))
    assert len(reports) == 3


def test_it_stops_between_passes() -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        faster_pam(np.zeros((1, 5), np.float32), np.ones(5), np.array([0]), stop)
