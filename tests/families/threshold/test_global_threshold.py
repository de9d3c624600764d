"""Global threshold against hand-made histograms."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError

TWO_PEAKS = np.repeat([10, 11, 12, 90, 91, 92], [20, 40, 20, 10, 20, 10]).reshape(12, 10)
ALGORITHMS = ["otsu", "li", "yen", "triangle", "isodata", "mean"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_two_separate_peaks_are_split_between_them(algorithm: str) -> None:
    image = TWO_PEAKS.astype(np.uint8)
    expected = image > 50
    if algorithm == "triangle":  # its threshold lies at the foot of the larger peak
        expected = image > 12
    np.testing.assert_array_equal(nss.global_threshold(image, algorithm=algorithm), expected)


def test_minimum_finds_the_valley_of_a_smooth_histogram() -> None:
    rng = np.random.default_rng(0)
    dark, bright = rng.normal(60, 8, 5000), rng.normal(160, 8, 5000)
    image = np.concatenate([dark, bright]).reshape(100, 100).astype(np.float32)
    labels = nss.global_threshold(image, algorithm="minimum")
    assert labels[:50].mean() < 0.001
    assert labels[50:].mean() > 0.999


def test_minimum_without_a_valley_says_so() -> None:
    with pytest.raises(InputError, match="two peaks"):
        nss.global_threshold(np.full((8, 8), 3, dtype=np.uint8), algorithm="minimum")


def test_manual_is_strictly_above_the_value() -> None:
    image = np.array([[4, 5, 6]], dtype=np.int16)
    bright = nss.global_threshold(image, algorithm="manual", value=5)
    dark = nss.global_threshold(image, algorithm="manual", value=5, foreground="dark")
    np.testing.assert_array_equal(bright, [[0, 0, 1]])
    np.testing.assert_array_equal(dark, [[1, 1, 0]])
    with pytest.raises(ParameterError, match="'value' must be a number when"):
        nss.global_threshold(image, algorithm="manual")
    with pytest.raises(ParameterError, match=r"got 5\.0 with 'otsu'"):
        nss.global_threshold(image, value=5)


def test_mask_and_nan_take_no_part() -> None:
    image = np.array([[0, 0.1, 100, 101, 5000, np.nan]], dtype=np.float32)
    mask = np.array([[1, 1, 1, 1, 0, 1]], dtype=bool)
    np.testing.assert_array_equal(nss.global_threshold(image, mask), [[0, 0, 1, 1, 0, 0]])
    dark = nss.global_threshold(image, mask, foreground="dark")
    np.testing.assert_array_equal(dark, [[1, 1, 0, 0, 0, 0]])
    with pytest.raises(InputError, match="at least one finite voxel inside the mask"):
        nss.global_threshold(image, np.isnan(image))


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "manual"])
def test_constant_image_has_no_foreground_unless_the_value_says_so(algorithm: str) -> None:
    image = np.full((4, 4), 7, dtype=np.uint8)
    value = 6 if algorithm == "manual" else None
    for foreground in ("bright", "dark"):
        labels = nss.global_threshold(
            image, algorithm=algorithm, value=value, foreground=foreground
        )
        assert labels.any() == (algorithm == "manual" and foreground == "bright")


@pytest.mark.parametrize("algorithm", ["otsu", "yen", "triangle", "isodata"])
def test_integers_far_apart_take_no_memory_for_the_values_between(algorithm):
    image = np.array([[0, 1, 2, 3], [2**50, 2**50 + 1, 2**50 + 2, 2**50 + 3]])
    assert nss.global_threshold(image, algorithm=algorithm).tolist() == [[0] * 4, [1] * 4]


def test_nuclei_stand_out_by_otsu(test_data) -> None:
    from skimage.io import imread

    folder = test_data / "nuclei_dsb2018" / "val"
    scores = []
    for path in sorted((folder / "images").glob("*.png")):
        image = imread(path)
        if image.ndim > 2:
            continue
        truth = imread(folder / "labels" / path.name) > 0
        found = nss.global_threshold(image) > 0
        scores.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert len(scores) > 10
    assert np.mean(scores) > 0.85
