"""Felzenszwalb regions on images whose regions are known, and against scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from skimage import segmentation
from skimage.io import imread

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.families.superpixels import felzenszwalb as felzenszwalb_module
from napari_segsuite.families.superpixels.felzenszwalb import neighbour_offsets
from napari_segsuite.kernels.cpu import felzenszwalb as kernel
from napari_segsuite.kernels.cpu.felzenszwalb import graph_regions

REAL = [
    "em_axon_myelin/val/images/sem_12.png",
    "nuclei_dsb2018/val/images/13f2bec0a24c7034.png",
    "nuclei_dsb2018/val/images/139946af9e2c7ef4.png",
]


def boxes(shape: tuple[int, ...]) -> np.ndarray:
    """Labels: background 1, two boxes 2 and 3 that touch."""
    truth = np.ones(shape, dtype=np.uint8)
    core = (slice(3, -3),) * (len(shape) - 1)
    truth[(*core, slice(3, 9))] = 2
    truth[(*core, slice(9, 16))] = 3
    return truth


@pytest.mark.parametrize("smallest", [0, 20])
@pytest.mark.parametrize("name", REAL)
def test_regions_of_real_images_are_those_of_scikit_image(
    name: str, smallest: int, test_data: Path
) -> None:
    image = np.atleast_3d(imread(test_data / name))[:256, :256, :3].astype(np.float64) / 255
    smooth = ndimage.gaussian_filter(image, (0.8, 0.8, 0)).astype(np.float32)
    theirs = segmentation.felzenszwalb(
        smooth.astype(np.float64), scale=100, sigma=0, min_size=smallest
    )
    features = np.ascontiguousarray(np.moveaxis(smooth, -1, 0))[:, np.newaxis]
    usable = np.ones(features.shape[1:], dtype=bool)
    ours, count = graph_regions(features, usable, neighbour_offsets(2, 2), 100 / 255, smallest)
    assert 20 < count == theirs.max() + 1
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
    assert pairs.shape[1] == count, "each region of one is a region of the other"


@pytest.mark.parametrize("connectivity", [1, 2, 3])
@pytest.mark.parametrize("shape", [(20, 20), (12, 14, 20)])
def test_boxes_in_noise_are_found(shape: tuple[int, ...], connectivity: int) -> None:
    truth = boxes(shape)
    image = truth * 60.0 + np.random.default_rng(0).normal(0, 1, shape)
    labels = nss.felzenszwalb(image, smoothing=0, scale=300, connectivity=connectivity)
    np.testing.assert_array_equal(labels, truth)


def test_a_region_of_any_shape_is_one() -> None:
    image = np.zeros((31, 31), dtype=np.uint8)
    image[1::4, 1:30] = 255
    image[1:30, 1] = 255
    labels = nss.felzenszwalb(image, smoothing=0, min_volume=0, connectivity=1)
    np.testing.assert_array_equal(labels, 1 + (image > 0))


def test_a_higher_scale_gives_fewer_regions() -> None:
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((60, 60)), 2)
    counts = [nss.felzenszwalb(image, scale=s, min_volume=0).max() for s in (10, 100, 1000)]
    assert counts[0] > 2 * counts[1] > 4 * counts[2]


@pytest.mark.parametrize(("volume", "n_regions"), [(53.9, 3), (54.1, 2)])
def test_least_volume_is_physical(volume: float, n_regions: int) -> None:
    image = np.zeros((9, 9, 9), dtype=np.uint8)
    image[1:4, 1:4, 1:4] = 100
    image[5:9, 5:9, 5:9] = 200
    labels = nss.felzenszwalb(image, smoothing=0, min_volume=volume, spacing=(2.0, 1.0, 1.0))
    assert labels.max() == n_regions
    assert labels[2, 2, 2] == (2 if n_regions == 3 else labels[0, 0, 0])


@pytest.mark.parametrize("size", [1e-4, 0.25, 3.0, 1000.0])
def test_defaults_serve_any_resolution(size: float) -> None:
    image = np.random.default_rng(0).random((40, 40)) + (np.indices((40, 40))[1] > 20)
    expected = nss.felzenszwalb(image, smoothing=0.8, min_volume=20)
    np.testing.assert_array_equal(nss.felzenszwalb(image, spacing=(size, size)), expected)


def test_smoothing_is_physical() -> None:
    image = np.random.default_rng(0).random((20, 30))
    fine = nss.felzenszwalb(image, smoothing=1.5, min_volume=4)
    coarse = nss.felzenszwalb(image, smoothing=15, min_volume=400, spacing=(10.0, 10.0))
    np.testing.assert_array_equal(fine, coarse)
    assert 1 < fine.max() < nss.felzenszwalb(image, smoothing=0, min_volume=4).max()


@pytest.mark.parametrize("kind", ["uint16", "int16", "float64"])
def test_scale_means_the_same_for_every_type(kind: str) -> None:
    image = ndimage.gaussian_filter(np.random.default_rng(0).random((40, 40)), 1)
    image = np.round(255 * (image - image.min()) / np.ptp(image))
    expected = nss.felzenszwalb(image.astype(np.uint8), scale=50)
    found = nss.felzenszwalb((image * 64 - 300 * (kind != "uint16")).astype(kind), scale=50)
    assert (found == expected).mean() > 0.97


def test_what_is_outside_the_mask_or_not_finite_stays_out() -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, 14:16] = False
    image[4:6, 4:6] = np.nan
    labels = nss.felzenszwalb(image, mask)
    np.testing.assert_array_equal(labels > 0, mask & np.isfinite(image))
    assert not set(np.unique(labels[:, :14])) & set(np.unique(labels[:, 16:])) - {0}


def test_hidden_intensities_do_not_leak_through_the_smoothing() -> None:
    image = np.random.default_rng(0).random((20, 20))
    mask = np.ones(image.shape, dtype=bool)
    mask[8:12] = False
    other = np.where(mask, image, 1e6)
    np.testing.assert_array_equal(
        nss.felzenszwalb(image, mask, smoothing=2), nss.felzenszwalb(other, mask, smoothing=2)
    )


def test_too_many_edges_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "MOST_EDGES", 100)
    with pytest.raises(InputError, match="at most 25 voxels at this connectivity, got 30; crop"):
        felzenszwalb_module.felzenszwalb(np.zeros((5, 6)))
