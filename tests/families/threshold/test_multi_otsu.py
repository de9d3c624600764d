"""Otsu with several classes against skimage, hand-made histograms and real tissue."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu

import napari_segsuite as nss


@pytest.mark.parametrize("n_classes", [2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(60, 50), (6, 20, 25)])
def test_thresholds_of_bytes_are_those_of_the_peer(n_classes, shape):
    rng = np.random.default_rng(n_classes)
    peaks = rng.normal(rng.choice([30, 90, 150, 220], shape), 15)
    image = peaks.clip(0, 255).astype(np.uint8)
    image //= 1 if n_classes < 5 else 4  # of which the peer takes seconds otherwise
    expected = np.digitize(image, threshold_multiotsu(image, n_classes), right=True) + 1
    np.testing.assert_array_equal(nss.multi_otsu(image, n_classes=n_classes), expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_finer_than_the_256_bins_of_the_peer(dtype):
    # A single far voxel leaves the peer's bins too coarse for what is near zero.
    values = np.repeat([10, 11, 12, 30, 31, 32, 50, 51, 52], 100)
    image = np.append(values, [60000] * 4).astype(dtype).reshape(-1, 4)
    labels = nss.multi_otsu(image, n_classes=4)
    expected = np.append(np.repeat([1, 2, 3], 300), [4] * 4).reshape(-1, 4)
    np.testing.assert_array_equal(labels, expected)
    with pytest.raises(ValueError, match="only 2 different values"):
        threshold_multiotsu(image.astype(np.float32), 4)


def test_offset_and_scale_change_nothing():
    image = np.random.default_rng(0).integers(0, 200, (40, 40)).astype(np.uint8)
    expected = nss.multi_otsu(image, n_classes=4)
    moved = image.astype(np.float64) * 1e-3 - 7
    np.testing.assert_array_equal(nss.multi_otsu(moved, n_classes=4), expected)
    np.testing.assert_array_equal(nss.multi_otsu(image * 1e300, n_classes=4), expected)


def test_mask_and_nan_take_no_part():
    image = np.array([[0, 1, 50, 51, 99, 100, 1e6, np.nan, np.inf]], dtype=np.float32)
    mask = np.array([[1, 1, 1, 1, 1, 1, 0, 1, 1]], dtype=bool)
    assert nss.multi_otsu(image, mask).tolist() == [[1, 1, 2, 2, 3, 3, 0, 0, 0]]


def test_fewer_values_than_classes_get_a_class_each():
    image = np.array([[4, 4, 9]], dtype=np.uint8)
    assert nss.multi_otsu(image, n_classes=5).tolist() == [[1, 1, 2]]
    assert nss.multi_otsu(np.full((2, 2), 4)).tolist() == [[1, 1], [1, 1]]


def test_tissues_of_a_brain(test_data):
    folder = test_data / "brain_mni152"
    image = nss.read(folder / "t1_2mm.nii.gz").data
    truth = nss.read(folder / "tissue_2mm.nii.gz", kind="labels").labels
    found = nss.multi_otsu(image, truth > 0, n_classes=3)
    dice = nss.evaluate(found, truth).per_class["dice"]
    assert found.max() == 3
    assert dice[2] > 0.80, dice
    assert dice[3] > 0.85, dice
