"""Local thresholds against skimage, uneven light, masks and real nuclei."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import filters

import napari_segsuite as nss
from napari_segsuite.errors import InputError

ALGORITHMS = ["gaussian", "mean", "median", "niblack", "sauvola"]


def texture(shape, dtype=np.uint8) -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 256, shape)
    image.flat[:2] = 0, 255
    return image.astype(dtype)


def peer(image, algorithm, radius, k) -> np.ndarray:
    """Threshold for a dark foreground."""
    width = 2 * radius + 1
    if algorithm == "niblack":
        return filters.threshold_niblack(image.astype(np.float64), width, k)
    if algorithm == "sauvola":
        return filters.threshold_sauvola(image.astype(np.float64), width, k, r=127.5)
    return filters.threshold_local(image.astype(np.float64), width, algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("shape", "radius"), [((60, 70), 6), ((17, 18, 19), 3)])
def test_inside_it_is_the_threshold_of_the_peer(algorithm, shape, radius):
    image = texture(shape)
    threshold = peer(image, algorithm, radius, 0.3)
    inner = (slice(2 * radius, -2 * radius),) * len(shape)
    excess = (image - threshold)[inner]
    assert excess.size > 100
    settings = {"algorithm": algorithm, "radius": radius, "offset": 0, "k": 0.3}
    found = nss.local_threshold(image, foreground="dark", **settings)[inner]
    differs = found != (excess < 0)
    # Where a voxel equals its threshold, rounding decides in the peer.
    assert np.abs(excess[differs]).max(initial=0) < 1e-6


@pytest.mark.parametrize("algorithm", ["gaussian", "mean", "median"])
def test_offset_keeps_away_from_the_surroundings(algorithm):
    image = texture((40, 40), np.uint16)
    inner = np.s_[12:-12, 12:-12]
    found = nss.local_threshold(image, algorithm=algorithm, radius=5, offset=30.5)
    expected = image > peer(image, algorithm, 5, 0) + 30.5
    np.testing.assert_array_equal(found[inner], expected[inner])
    dark = nss.local_threshold(image, algorithm=algorithm, radius=5, offset=30.5, foreground="dark")
    expected = image < peer(image, algorithm, 5, 0) - 30.5
    np.testing.assert_array_equal(dark[inner], expected[inner])


@pytest.mark.parametrize("algorithm", ["gaussian", "mean", "niblack", "sauvola"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_bright_is_the_dark_of_the_negative(algorithm, dtype):
    image = texture((40, 50), dtype)
    image[20:30, 20:30] = 255
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :7] = False
    settings = {"algorithm": algorithm, "radius": 6, "mask": mask}
    bright = nss.local_threshold(image, **settings)
    dark = nss.local_threshold(255 - image, foreground="dark", **settings)
    np.testing.assert_array_equal(bright, dark)


@pytest.mark.parametrize("algorithm", ["gaussian", "mean", "median", "sauvola"])
@pytest.mark.parametrize("foreground", ["bright", "dark"])
def test_noise_in_flat_areas_stays_background(algorithm, foreground):
    rng = np.random.default_rng(0)
    truth = np.zeros((100, 100), dtype=bool)
    truth[40:52, 40:52] = True
    image = np.where(truth, 200.0, 40.0) + rng.normal(0, 3, truth.shape)
    image = 255 - image if foreground == "dark" else image
    found = nss.local_threshold(image, algorithm=algorithm, foreground=foreground)
    assert (found == truth).mean() > 0.99


@pytest.mark.parametrize("algorithm", ["gaussian", "mean", "median", "niblack"])
def test_uneven_light_is_evened_out(algorithm):
    rows, columns = np.mgrid[:80, :80]
    spots = (rows % 16 < 5) & (columns % 16 < 5)
    image = (2.0 * columns + 40 * spots).astype(np.float32)
    found = nss.local_threshold(image, algorithm=algorithm, radius=12, k=0.5)
    assert (found == spots)[8:-8, 8:-8].mean() > 0.95
    assert (nss.global_threshold(image) == spots).mean() < 0.7


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_radius_is_physical(algorithm):
    image = texture((9, 14, 15))
    cubes = nss.local_threshold(image, algorithm=algorithm, radius=4)
    slabs = nss.local_threshold(image, algorithm=algorithm, radius=4, spacing=(3, 1, 1))
    same = nss.local_threshold(image, algorithm=algorithm, radius=8, spacing=(6, 2, 2))
    assert (cubes != slabs).any()
    np.testing.assert_array_equal(same, slabs)


def test_box_in_thick_slices_stays_in_the_plane():
    image = texture((3, 20, 20))
    found = nss.local_threshold(image, algorithm="mean", radius=4, spacing=(10, 1, 1))
    planes = [nss.local_threshold(plane, algorithm="mean", radius=4) for plane in image]
    np.testing.assert_array_equal(found, planes)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_does_not_count_does_no_harm(algorithm):
    image = texture((30, 40), np.float32)
    image[0, :2] = 128  # the extremes lie in what is cut off
    image[5, 5], image[5, 35] = 0, 255
    mask = np.zeros(image.shape, dtype=bool)
    mask[:, :20] = True
    alone = nss.local_threshold(image[:, :20], algorithm=algorithm, radius=4)
    image[:, 20:] = 1e9
    masked = nss.local_threshold(image, mask, algorithm=algorithm, radius=4)
    np.testing.assert_array_equal(masked[:, :20], alone)
    assert not masked[:, 20:].any()
    image[:, 20:] = np.nan
    with_nan = nss.local_threshold(image, algorithm=algorithm, radius=4)
    np.testing.assert_array_equal(with_nan, masked)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_flat_areas_hold_no_speckles(algorithm, value):
    image = np.full((64, 64), value)
    image[:8] = value + 50
    found = nss.local_threshold(image, algorithm=algorithm, radius=5, k=0.2)
    assert not found[20:].any()
    assert not nss.local_threshold(image[20:], algorithm=algorithm, radius=5).any()


def test_medians_of_many_values_are_near():
    image = np.random.default_rng(0).normal(size=(60, 60))
    found = nss.local_threshold(image, algorithm="median", radius=7, offset=0)
    inner = np.s_[8:-8, 8:-8]
    excess = (image - peer(image, "median", 7, 0))[inner]
    differs = found[inner] != (excess > 0)
    assert differs.mean() < 0.01
    assert np.abs(excess[differs]).max(initial=0) < 0.02


def test_too_wide_a_span_is_refused():
    with pytest.raises(InputError, match="scale the image down"):
        nss.local_threshold(np.array([[-1.7e308, 1.7e308]]))


def test_nuclei_of_uneven_brightness(test_data):
    from skimage.io import imread

    folder = test_data / "nuclei_dsb2018" / "val"
    scores = []
    for path in sorted((folder / "images").glob("*.png")):
        image = imread(path)
        if image.ndim > 2 or max(image.shape) > 400:
            continue
        truth = imread(folder / "labels" / path.name) > 0
        found = nss.local_threshold(image, radius=40) > 0
        scores.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert len(scores) > 10
    assert np.mean(scores) > 0.78
