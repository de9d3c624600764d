"""Borders after joint smoothing, where they can be told beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_segsuite.families.postprocessing.smoothing import smooth_labels


def ball(radius: float, spacing: tuple[float, ...], side: float) -> np.ndarray:
    """A centred ball in a cube, radius and side in physical units."""
    axes = [np.arange(-(side // (2 * s)), side // (2 * s) + 1) * s for s in spacing]
    squares = sum(np.square(axis) for axis in np.meshgrid(*axes, indexing="ij"))
    return (squares <= radius**2).astype(np.uint8)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@settings(max_examples=30, deadline=None)
@given(
    axis=st.integers(0, 2),
    edges=st.tuples(st.integers(3, 6), st.integers(9, 12)),
    ids=st.permutations([0, 1, 300]),
    length=st.floats(0.1, 2.0),
)
def test_plane_borders_stay(axis: int, edges: tuple[int, int], ids: list[int], length: float):
    layers = np.repeat(ids, [edges[0], edges[1] - edges[0], 16 - edges[1]]).astype(np.uint16)
    labels = np.empty((16, 16, 16), dtype=np.uint16)
    np.moveaxis(labels, axis, -1)[...] = layers
    result = smooth_labels(labels, None, length)
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, labels)


def test_a_surface_is_not_notched_where_classes_meet_in_it() -> None:
    labels = np.zeros((16, 20, 20), dtype=np.uint8)
    labels[8:, :9], labels[8:, 9:] = 1, 2
    labels[8:, :, 12:] = 3
    np.testing.assert_array_equal(smooth_labels(labels, None, 2.0) > 0, labels > 0)


@pytest.mark.parametrize("length", [0.7, 1.5, 4.0])
def test_a_complete_partition_stays_complete(length: float) -> None:
    labels = np.random.default_rng(0).integers(1, 6, (12, 13, 14)).astype(np.uint8)
    result = smooth_labels(labels, None, length)
    assert result.all()
    assert (result != labels).any()


@pytest.mark.parametrize(
    ("radius", "length", "spacing"),
    [
        (8.0, 1.5, (1.0, 1.0, 1.0)),
        (12.0, 2.0, (1.0, 1.0, 1.0)),
        (12.0, 2.0, (2.0, 1.0, 1.0)),
        (12.0, 3.0, (1.0, 1.0)),
    ],
)
def test_a_ball_stays_a_ball_of_its_volume(
    radius: float, length: float, spacing: tuple[float, ...]
) -> None:
    labels = ball(radius, spacing, 40)
    result = smooth_labels(labels, spacing, length)
    assert result.sum() == pytest.approx(labels.sum(), rel=0.015)
    assert overlap(result, labels) > 0.985


def test_noise_on_a_border_goes() -> None:
    truth = ball(12.0, (1.0, 1.0, 1.0), 40)
    noise = np.random.default_rng(0).random(truth.shape)
    depth = ndimage.distance_transform_edt(truth) - ndimage.distance_transform_edt(1 - truth)
    near = np.abs(depth) < 3
    noisy = np.where(near & (noise < 0.3), 1 - truth, truth).astype(np.uint8)
    assert overlap(noisy, truth) < 0.9
    assert overlap(smooth_labels(noisy, None, 1.5), truth) > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_mirrored_labels_give_the_mirrored_result(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (9, 10, 11)).astype(np.uint8)
    expected = smooth_labels(labels, (2.0, 1.0, 1.0), 1.3)
    for axis in range(3):
        mirrored = smooth_labels(np.flip(labels, axis), (2.0, 1.0, 1.0), 1.3)
        np.testing.assert_array_equal(np.flip(mirrored, axis), expected)


def test_the_length_is_physical() -> None:
    labels = np.random.default_rng(1).integers(0, 3, (10, 12, 14)).astype(np.uint8)
    expected = smooth_labels(labels, None, 1.0)
    np.testing.assert_array_equal(smooth_labels(labels, (9.0,) * 3, 9.0), expected)
    assert (smooth_labels(labels, (9.0, 1.0, 1.0), 1.0) != expected).any()
    by_planes = np.stack([smooth_labels(plane, None, 1.0) for plane in labels])
    np.testing.assert_array_equal(smooth_labels(labels, (9.0, 1.0, 1.0), 1.0), by_planes)


def test_of_equal_classes_a_voxel_keeps_its_own_and_else_the_lowest_id_wins() -> None:
    checks = np.indices((8, 8)).sum(axis=0) % 2
    pair = np.where(checks == 1, 5, 2).astype(np.uint8)
    wide = np.pad(pair, 20, mode="wrap")
    np.testing.assert_array_equal(smooth_labels(wide, None, 3.0)[20:28, 20:28], pair)
    cross = np.zeros((9, 9), dtype=np.uint8)
    cross[:, :4], cross[:, 5:] = 7, 3
    cross[4, 4] = 9
    cross[:4, 4] = cross[5:, 4] = 9
    assert (smooth_labels(cross, None, 2.0)[:, 4] == 3).all()


def test_other_classes_neither_give_nor_take() -> None:
    labels = np.random.default_rng(2).integers(0, 5, (12, 12, 12)).astype(np.uint8)
    result = smooth_labels(labels, None, 1.0, (1, 3))
    changed = result != labels
    assert changed.any()
    assert np.isin(labels[changed], (0, 1, 3)).all()
    assert np.isin(result[changed], (0, 1, 3)).all()
    np.testing.assert_array_equal(smooth_labels(labels, None, 1.0, (9,)), labels)


def test_far_apart_ids_and_a_large_one_cost_nothing() -> None:
    labels = np.zeros((8, 9), dtype=np.uint32)
    labels[2:6, 2:7] = 4_000_000_000
    labels[3, 7] = 5
    small = np.where(labels > 5, 6, labels).astype(np.uint8)
    result = smooth_labels(labels, None, 1.0)
    np.testing.assert_array_equal(np.where(result > 5, 6, result), smooth_labels(small, None, 1.0))
