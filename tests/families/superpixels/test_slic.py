"""SLIC superpixels on images whose regions are known."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage
from skimage import segmentation
from skimage.io import imread

import napari_segsuite as nss
from napari_segsuite.errors import ParameterError


def assert_partition(labels: np.ndarray, inside: np.ndarray) -> None:
    """Numbered 1 … K in scan order inside, 0 outside, each number joined by faces."""
    np.testing.assert_array_equal(labels > 0, inside)
    values, firsts = np.unique(labels[inside], return_index=True)
    np.testing.assert_array_equal(values, np.arange(1, len(values) + 1))
    assert (np.diff(firsts) > 0).all()
    for value, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        assert ndimage.label(labels[box] == value)[1] == 1


def purity(labels: np.ndarray, truth: np.ndarray) -> float:
    """Share of voxels whose truth is the most frequent one of their superpixel."""
    table = np.zeros((int(labels.max()) + 1, int(truth.max()) + 1))
    np.add.at(table, (labels.ravel(), truth.ravel()), 1)
    return float(table.max(axis=1).sum() / table.sum())


def blobs(shape: tuple[int, ...], n_channels: int = 0) -> np.ndarray:
    """Blobs of all intensities, a few voxels wide."""
    shape += (n_channels,) if n_channels else ()
    sigmas = [1.5] * (len(shape) - bool(n_channels)) + [0] * bool(n_channels)
    image = ndimage.gaussian_filter(np.random.default_rng(4).random(shape), sigmas)
    return np.round(255 * (image - image.min()) / np.ptp(image)).astype(np.uint8)


def test_a_flat_image_is_cut_into_a_regular_grid() -> None:
    labels = nss.slic(np.full((30, 40), 9, dtype=np.uint8), n_superpixels=12)
    rows, columns = np.indices((30, 40))
    np.testing.assert_array_equal(labels, rows // 10 * 4 + columns // 10 + 1)


def test_borders_follow_an_edge_that_the_grid_does_not() -> None:
    image = np.zeros((40, 40, 40), dtype=np.uint16)
    z, y, x = np.indices(image.shape)
    image[z + y + x > 53] = 3000
    labels = nss.slic(image, n_superpixels=64, compactness=2)
    assert purity(labels, (image > 0).astype(int)) == 1


@pytest.mark.parametrize("shape", [(40, 50), (12, 20, 24)])
def test_superpixels_of_blobs_are_connected_and_numbered_in_scan_order(
    shape: tuple[int, ...],
) -> None:
    labels = nss.slic(blobs(shape), n_superpixels=30, compactness=5)
    assert_partition(labels, np.ones(shape, dtype=bool))
    assert 15 <= labels.max() <= 45
    smallest = labels.size / 30 / 4 * 0.9
    assert np.bincount(labels.ravel())[1:].min() >= smallest


def test_superpixels_are_as_deep_as_wide_in_physical_space() -> None:
    flat = np.zeros((8, 64, 64), dtype=np.uint8)
    labels = nss.slic(flat, n_superpixels=64, spacing=(8.0, 1.0, 1.0))
    assert [side.stop - side.start for side in ndimage.find_objects(labels)[0]] == [2, 16, 16]


def test_the_unit_of_the_spacing_does_not_matter() -> None:
    image = blobs((10, 20, 30))
    in_mm = nss.slic(image, n_superpixels=20, spacing=(2.0, 1.0, 1.0), scale=1.0)
    in_um = nss.slic(image, n_superpixels=20, spacing=(64.0, 32.0, 32.0), scale=32.0)
    np.testing.assert_array_equal(in_mm, in_um)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int16", "float32", "float64"])
def test_compactness_means_the_same_for_every_type(kind: str) -> None:
    image = blobs((40, 40))
    scaled = image * 0.25 - 20 if kind.startswith("f") else image.astype(np.int32) * 100
    scaled = scaled - 12800 if kind == "int16" else scaled
    image_of_kind = image if kind == "uint8" else scaled.astype(kind)
    labels = nss.slic(image_of_kind, n_superpixels=25)
    assert (labels == nss.slic(image, n_superpixels=25)).mean() > 0.99


def test_more_compact_is_rounder() -> None:
    def spread(compactness: float) -> float:
        labels = nss.slic(blobs((60, 60)), n_superpixels=36, compactness=compactness)
        parts = [np.argwhere(labels == k) for k in range(1, labels.max() + 1)]
        return sum(part.var(axis=0).sum() * len(part) for part in parts) / labels.max()

    spreads = [spread(compactness) for compactness in (5, 20, 300)]
    assert spreads[0] > 1.1 * spreads[1] > 1.1 * spreads[2]


def test_adaptive_superpixels_are_round_in_texture_and_still_follow_faint_edges() -> None:
    image = np.full((80, 80), 100.0)
    image[:, :40] += blobs((80, 40)) - 128.0
    image[46:, 40:] += 4
    faint = np.zeros((80, 80), dtype=int)
    faint[46:, 40:] = 1

    def scores(adaptive: bool) -> tuple[float, float]:
        labels = nss.slic(image, n_superpixels=64, adaptive=adaptive, compactness=10)
        rough = segmentation.find_boundaries(labels)[:, :36].mean()
        return rough, purity(labels[:, 44:], faint[:, 44:])

    (rough, found), (rough_fixed, found_fixed) = scores(True), scores(False)
    assert rough < 0.8 * rough_fixed
    assert found > found_fixed


def test_a_mask_gets_as_many_superpixels_as_wanted_all_inside() -> None:
    z, y, x = np.indices((24, 32, 32))
    mask = (z - 12) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 < 81
    labels = nss.slic(blobs(mask.shape), mask, n_superpixels=40)
    assert_partition(labels, mask)
    assert 28 <= labels.max() <= 52


def test_islands_of_a_mask_are_superpixels_of_their_own() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[2:20, 2:20] = mask[30:33, 30:33] = True
    labels = nss.slic(blobs(mask.shape), mask, n_superpixels=9)
    assert_partition(labels, mask)
    assert len(np.unique(labels[30:33, 30:33])) == 1


def test_voxels_that_are_not_finite_count_as_outside() -> None:
    image = blobs((30, 30)).astype(np.float32)
    image[5:9, 5:9], image[20, 20] = np.nan, np.inf
    labels = nss.slic(image, n_superpixels=20, scale=1.0)
    assert_partition(labels, np.isfinite(image))


def test_colours_that_differ_only_in_hue_are_told_apart() -> None:
    image = np.zeros((40, 40, 3), dtype=np.uint8)
    image[..., 0], image[..., 1] = 190, 80
    image[17:, :, :2] = image[17:, :, 1::-1]
    truth = np.arange(40)[:, None] // 17 % 3 > 0
    labels = nss.slic(image, n_superpixels=16, channel_axis=-1)
    assert purity(labels, truth.repeat(40, axis=1).astype(int)) == 1
    np.testing.assert_array_equal(
        labels, nss.slic(image, n_superpixels=16, channel_axis=-1, colour="lab")
    )
    as_given = nss.slic(blobs((40, 40), 3), channel_axis=-1, n_superpixels=16, colour="as given")
    assert (as_given != nss.slic(blobs((40, 40), 3), channel_axis=-1, n_superpixels=16)).any()


def test_colours_need_three_channels() -> None:
    with pytest.raises(ParameterError, match=r"three channels .* got 2; choose") as caught:
        nss.slic(blobs((9, 9), 2), channel_axis=-1, colour="lab")
    assert caught.value.name == "colour"


def test_any_number_of_channels_is_taken() -> None:
    labels = nss.slic(blobs((30, 30), 5), channel_axis=-1, n_superpixels=16)
    assert_partition(labels, np.ones((30, 30), dtype=bool))


def test_tissues_are_kept_apart_as_well_as_by_scikit_image(test_data: Path) -> None:
    folder = test_data / "brain_mni152"
    t1, tissue = (
        np.asarray(nibabel.load(folder / f"{name}_2mm.nii.gz").dataobj)[20:60, 20:60, 20:60]
        for name in ("t1", "tissue")
    )
    ours = nss.slic(t1, n_superpixels=300)
    theirs = segmentation.slic(t1, 300, 0.1, channel_axis=None, start_label=1)
    assert purity(ours, tissue) > purity(theirs, tissue) - 0.005
    assert ours.max() <= 330


def test_nuclei_are_kept_apart_as_well_as_by_scikit_image(test_data: Path) -> None:
    folder = test_data / "nuclei_dsb2018" / "val"
    path = folder / "images" / "139946af9e2c7ef4.png"
    image, truth = imread(path), imread(folder / "labels" / path.name)
    ours = nss.slic(image, n_superpixels=400)
    theirs = segmentation.slic(image, 400, 0.1, channel_axis=None, start_label=1)
    assert purity(ours, truth) > purity(theirs, truth) - 0.002
    assert ours.max() <= 440


def test_colours_from_0_to_1_are_those_of_8_bits() -> None:
    colours = np.random.default_rng(0).integers(0, 90, (40, 40, 3)).astype(np.uint8)
    labels = nss.slic(colours, n_superpixels=16, channel_axis=-1, colour="lab")
    shares = colours.astype(np.float32) / np.float32(255)
    again = nss.slic(shares, n_superpixels=16, channel_axis=-1, colour="lab")
    np.testing.assert_array_equal(again, labels)


def test_hidden_colours_do_not_leak_through_the_smoothing() -> None:
    colours = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    mask = np.ones((40, 40), dtype=bool)
    mask[:, 18:22] = False
    other = colours.copy()
    other[~mask] = 255
    labels = [
        nss.slic(each, mask, n_superpixels=16, channel_axis=-1, scale=2.0)
        for each in (colours, other)
    ]
    np.testing.assert_array_equal(*labels)
