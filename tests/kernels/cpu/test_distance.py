"""Distances against a search over all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.distance import squared_distance


def by_all_pairs(inside: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    points = np.argwhere(np.ones(inside.shape, dtype=bool)) * spacing
    outside = np.argwhere(~inside) * spacing
    squares = ((points[:, None] - outside[None]) ** 2).sum(axis=-1)
    return squares.min(axis=1).reshape(inside.shape)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
@pytest.mark.parametrize(
    ("shape", "spacing"), [((9, 13), (1.0, 2.5)), ((5, 7, 6), (5.5, 0.75, 1.0)), ((1, 8), (1, 1))]
)
def test_the_nearest_voxel_outside_is_found(
    shape: tuple[int, ...], spacing: tuple[float, ...], share: float
) -> None:
    inside = np.random.default_rng(3).random(shape) < share
    inside.flat[2] = False
    expected = by_all_pairs(inside, spacing)
    np.testing.assert_allclose(squared_distance(inside, spacing), expected, rtol=1e-6)
    turned = squared_distance(inside.T, spacing[::-1])
    np.testing.assert_allclose(turned, expected.T, rtol=1e-6)


def test_without_an_outside_every_distance_is_infinite() -> None:
    assert np.isinf(squared_distance(np.ones((3, 4), dtype=bool), (1.0, 1.0))).all()
    assert not squared_distance(np.zeros((3, 4), dtype=bool), (1.0, 1.0)).any()
