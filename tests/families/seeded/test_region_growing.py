"""Region growing against a naive flood, ITK, and regions that are known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError


def noisy_ball(shape=(24, 26, 28), dtype=np.float32):
    rng = np.random.default_rng(0)
    grid = np.meshgrid(*(np.arange(n) - n / 2 for n in shape), indexing="ij")
    truth = sum(g**2 for g in grid) < 8**2
    return (100.0 * truth + rng.normal(0, 5, shape)).astype(dtype), truth


def flooded(inside, start):
    """Face-connected voxels reached from `start`, one by one."""
    found, waiting = np.zeros_like(inside), [start]
    while waiting:
        p = waiting.pop()
        if min(p) < 0 or any(x >= n for x, n in zip(p, inside.shape, strict=True)):
            continue
        if found[p] or not inside[p]:
            continue
        found[p] = True
        for axis in range(len(p)):
            for side in (-1, 1):
                waiting.append(tuple(x + side * (a == axis) for a, x in enumerate(p)))
    return found


@pytest.mark.parametrize("shape", [(12, 13), (6, 7, 8)])
@pytest.mark.parametrize("seed", range(5))
def test_tolerance_equals_a_naive_flood(shape, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 100, shape).astype(np.int16)
    seeds = np.zeros(shape, np.uint8)
    start = tuple(int(n) // 2 for n in shape)
    seeds[start] = 3
    labels = nss.region_growing(image, seeds, algorithm="tolerance", tolerance=35.5)
    inside = np.abs(image - image[start]) <= 35.5
    np.testing.assert_array_equal(labels, 3 * flooded(inside, start))


def confidence_connected(image, seed, multiplier, iterations):
    itk = pytest.importorskip("itk")
    peer = itk.ConfidenceConnectedImageFilter.New(
        itk.image_from_array(image),
        Multiplier=multiplier,
        NumberOfIterations=iterations,
        InitialNeighborhoodRadius=1,
        ReplaceValue=1,
    )
    peer.AddSeed(seed[::-1])
    peer.Update()
    return itk.array_from_image(peer.GetOutput())


@pytest.mark.parametrize("iterations", [0, 1, 4])
@pytest.mark.parametrize("multiplier", [1.5, 2.5])
def test_equals_confidence_connected_of_itk(iterations, multiplier):
    image, _ = noisy_ball()
    with warnings.catch_warnings():
        # ITK's modules crash while they are loaded where their warnings are errors.
        warnings.simplefilter("ignore")
        expected = confidence_connected(image, (12, 13, 14), multiplier, iterations)
    seeds = np.zeros(image.shape, np.uint8)
    seeds[12, 13, 14] = 1
    labels = nss.region_growing(image, seeds, multiplier=multiplier, iterations=iterations)
    assert (labels == expected).mean() > 0.999


def test_a_ball_and_what_is_around_it():
    image, truth = noisy_ball()
    seeds = np.zeros(image.shape, np.uint16)
    seeds[12, 13, 12:16], seeds[2, 2:20, 2] = 9, 500
    labels = nss.region_growing(image, seeds, multiplier=4)
    assert labels.dtype == np.uint16
    assert (labels == np.where(truth, 9, 500)).mean() > 0.995


def test_contested_voxels_go_to_the_class_that_fits_better():
    image = np.array([[10, 12, 14, 16, 18, 20]], np.uint8)
    seeds = np.array([[1, 0, 0, 0, 0, 2]], np.uint8)
    labels = nss.region_growing(image, seeds, algorithm="tolerance", tolerance=9)
    np.testing.assert_array_equal(labels, [[1, 1, 1, 2, 2, 2]])


def test_connectivity_leads_across_corners():
    image = np.eye(4, dtype=np.uint8) * 50
    seeds = np.zeros((4, 4), np.uint8)
    seeds[0, 0] = 1
    settings = {"algorithm": "tolerance", "tolerance": 1.0}
    assert nss.region_growing(image, seeds, **settings).sum() == 1
    labels = nss.region_growing(image, seeds, connectivity=2, **settings)
    np.testing.assert_array_equal(labels, np.eye(4))


def test_channels_count_by_their_own_spread():
    rng = np.random.default_rng(0)
    truth = np.arange(40) < 20
    image = np.stack([rng.normal(0, 50, (30, 40)), rng.normal(0, 1, (30, 40)) + 20 * truth])
    seeds = np.zeros((30, 40), np.uint8)
    seeds[5:25, 3:9] = 1
    labels = nss.region_growing(image, seeds, multiplier=3, channel_axis=0)
    assert (labels[:, 20:] == 0).all()
    assert (labels[:, :20] == 1).mean() > 0.95


def test_mask_and_nan_hold_the_region():
    image, seeds = np.zeros((5, 9)), np.zeros((5, 9), np.uint8)
    image[:, 6], seeds[2, 2] = np.nan, 1
    mask = np.ones(image.shape, bool)
    mask[0] = False
    labels = nss.region_growing(image, seeds, mask)
    assert labels[1:, :6].all()
    assert not labels[0].any()
    assert not labels[:, 6:].any()


def test_what_is_missing_is_said():
    image, seeds = np.zeros((4, 4)), np.zeros((4, 4), np.uint8)
    with pytest.raises(InputError, match="expected seeds of at least one class, got none; paint"):
        nss.region_growing(image, seeds)
    seeds[0, 0] = 1
    with pytest.raises(ParameterError, match="expected a tolerance"):
        nss.region_growing(image, seeds, algorithm="tolerance")


def test_one_of_several_classes_does_not_swallow_the_others():
    from napari_segsuite.samples import load

    sample = load("brain")
    half = np.s_[::2, ::2, ::2]
    image, truth = sample["image"].data[half], sample["reference"].labels[half]
    inside = np.random.default_rng(0).random(truth.shape) < 0.002
    seeds = np.where(inside, truth, 0).astype(np.uint8)

    def dice(iterations):
        labels = nss.region_growing(image, seeds, iterations=iterations)
        pairs = [(labels == c, truth == c) for c in (2, 3, 4)]
        return min(2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs)

    assert dice(0) > 0.7
    assert dice(2) > 0.5
