"""Seeds for the next frame: erosion by definition, and objects that move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.growing.next_frame import seeds_from_result

SPACING = (2.0, 1.0, 0.7)


def naive_seeds(labels, spacing, erosion):
    """Every voxel against all voxels of other classes; lost parts keep their deepest."""
    places = np.argwhere(np.ones(labels.shape, bool)) * np.asarray(spacing)
    flat = labels.ravel()
    depth = np.full(len(flat), np.inf)
    for i, label in enumerate(flat):
        others = places[flat != label]
        if len(others):
            depth[i] = np.sqrt(((others - places[i]) ** 2).sum(1)).min()
    depth = depth.reshape(labels.shape)
    seeds = np.where(depth > erosion + 1e-5, labels, 0)
    for label in set(flat.tolist()) - {0}:
        parts, n = ndimage.label(labels == label, np.ones((3,) * labels.ndim))
        for part in range(1, n + 1):
            inner = parts == part
            if not seeds[inner].any():
                seeds[inner & (depth > depth[inner].max() - 1e-5)] = label
    return seeds


def blobs(seed, shape, n_classes) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = [ndimage.gaussian_filter(rng.random(shape), 1.0) for _ in range(n_classes + 1)]
    return np.argmax(noise, axis=0).astype(np.uint8)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(9, 11), (5, 6, 7)]),
    st.sampled_from([0.0, 0.5, 1.3, 2.6, 30.0]),
)
def test_erosion_is_that_of_its_definition(seed, shape, erosion):
    labels = blobs(seed, shape, 3)
    spacing = SPACING[-len(shape) :]
    np.testing.assert_array_equal(
        seeds_from_result(labels, spacing, erosion), naive_seeds(labels, spacing, erosion)
    )


@pytest.mark.parametrize("size", [0.1, 0.3, 0.7, 1.1])
@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_whole_voxels_are_not_confused_by_rounding(size, n):
    labels = np.repeat(np.array([[1, 2]], np.uint8), 20, axis=1)
    seeds = seeds_from_result(labels, (1, size), erosion=n * size)
    assert (seeds[0] == 0).sum() == 2 * n


def test_every_part_lives_on():
    labels = np.ones((20, 20), np.uint8)
    labels[3, 2:18] = 2  # a thin line
    labels[8, 8] = 3  # a single pixel
    labels[12:18, 12:18] = labels[12:14, 3:5] = 2  # a large and a small part of one class
    seeds = seeds_from_result(labels, (1, 1), erosion=2)
    assert (seeds[3, 2:18] == 2).all()
    assert seeds[8, 8] == 3
    assert (seeds == 2)[12:18, 12:18].sum() == 4
    assert (seeds[12:14, 3:5] == 2).any()
    assert set(np.unique(seeds)) == {0, 1, 2, 3}


def test_only_chosen_classes_are_handed_on():
    labels = blobs(1, (20, 20), 3)
    chosen = seeds_from_result(labels, (1, 1), 1, classes=[2, 3])
    every = seeds_from_result(labels, (1, 1), 1)
    np.testing.assert_array_equal(chosen, np.where(np.isin(every, [2, 3]), every, 0))


def test_what_is_painted_already_wins():
    labels = np.ones((9, 9), np.uint8)
    keep = np.zeros((9, 9), np.uint16)
    keep[4, 4] = 300
    seeds = seeds_from_result(labels, (1, 1), 1, keep=keep)
    assert seeds.dtype == np.uint16
    assert seeds[4, 4] == 300
    assert (seeds == 1).sum() == 80


def test_a_class_that_fills_the_image_and_an_empty_result():
    assert (seeds_from_result(np.ones((5, 6), np.uint8), (1, 1), 3) == 1).all()
    assert not seeds_from_result(np.zeros((5, 6), np.uint8), (1, 1), 3).any()


def test_wrong_input_is_refused():
    labels = np.ones((4, 5), np.uint8)
    for erosion in (-1, np.nan, np.inf):
        with pytest.raises(InputError, match="erosion of 0 or more"):
            seeds_from_result(labels, (1, 1), erosion)
    with pytest.raises(InputError, match=r"next frame of the result's shape \(4, 5\)"):
        seeds_from_result(labels, (1, 1), 1, keep=labels.T)


def ball_at(centre, radius, shape=(24, 40, 44)) -> np.ndarray:
    squares = [
        ((index - place) * size) ** 2
        for index, place, size in zip(np.indices(shape), centre, SPACING, strict=True)
    ]
    return np.sqrt(sum(squares)) < radius


def dice(one, other) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_a_moving_and_shrinking_ball_is_followed_over_frames():
    rng = np.random.default_rng(0)
    truths = [ball_at((10 + t / 2, 17 + t, 18 + 2 * t), 9 - t / 2) for t in range(5)]
    result = np.where(truths[0], 2, 1)
    for truth in truths[1:]:
        image = (100.0 * truth + rng.normal(0, 12, truth.shape)).astype(np.float32)
        seeds = seeds_from_result(result, SPACING, erosion=3)
        assert {1, 2} <= set(np.unique(seeds))
        former = result == 2
        result = nss.growcut(image, seeds, spacing=SPACING)
        assert dice(result == 2, truth) > 0.95
        # Without growth anew it would not do.
        assert dice(former, truth) < 0.9
