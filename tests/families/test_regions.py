"""What is measured of regions, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_segsuite.errors import InputError
from napari_segsuite.families.regions import Regions, numbered_regions, region_features
from napari_segsuite.kernels.cpu import planes
from napari_segsuite.kernels.cpu.region_sums import in_scan_order


@pytest.fixture(params=[(13, 17), (7, 8, 9)], ids=["2D", "3D"])
def labelled(request: pytest.FixtureRequest):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 6, request.param) * 7
    return rng.normal(100, 20, request.param), labels, (2.0, 0.5, 3.0)[-labels.ndim :]


def test_measures_are_those_of_scipy(labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "_VOXELS_PER_PIECE", 100)
    image, labels, spacing = labelled
    ids = [7, 14, 21, 28, 35]
    regions = numbered_regions(labels, None, "Test")
    found = region_features([image, -image], regions, spacing=spacing, title="Test")
    assert found.sizes.tolist() == [np.count_nonzero(labels == i) for i in ids]
    np.testing.assert_allclose(found.means[:, 0], ndimage.mean(image, labels, ids))
    np.testing.assert_allclose(found.means[:, 1], -found.means[:, 0])
    deviations = [image[labels == i].std() for i in ids]
    np.testing.assert_allclose(found.deviations[:, 0], deviations)
    centres = np.array(ndimage.center_of_mass(np.ones(labels.shape), labels, ids)) * spacing
    np.testing.assert_allclose(found.centroids, centres)


def test_roughness_is_the_mean_change_within_a_region(labelled) -> None:
    image, labels, _ = labelled
    found = region_features([image], numbered_regions(labels, None, "Test"), spacing=None, title="")
    for k, i in enumerate((7, 14, 21, 28, 35)):
        alone = np.where(labels == i, image, np.nan)
        changes = np.concatenate([np.diff(alone, axis=a).ravel() for a in range(image.ndim)])
        assert found.roughness[k, 0] == pytest.approx(np.nanmean(np.abs(changes)))


def test_deviation_of_a_large_offset_is_exact() -> None:
    image = np.array([[1e9, 1e9 + 2]])
    regions = Regions(np.ones((1, 2), np.int32), 1)
    found = region_features([image], regions, spacing=None, title="Test")
    assert found.deviations.tolist() == [[1.0]]


def test_gaps_are_closed_and_unused_regions_dropped() -> None:
    labels = np.array([[9, 0, 4, 70_000, 4]])
    usable = np.array([[False, True, True, True, False]])
    assert numbered_regions(labels, None, "Test").numbers.tolist() == [[2, 0, 1, 3, 1]]
    assert numbered_regions(labels, usable, "Test").numbers.tolist() == [[0, 0, 1, 2, 0]]


def test_huge_ids_are_numbered_alike() -> None:
    labels = np.array([[0, 4_000_000_000, 3, 4_000_000_000]], dtype=np.uint32)
    assert numbered_regions(labels, None, "Test").numbers.tolist() == [[0, 2, 1, 2]]


def test_labels_without_a_region_are_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"expected at least one region.*, got none"):
        numbered_regions(np.zeros((2, 3), np.uint8), None, "Test")


def test_classes_are_numbered_where_they_come_first(labelled, monkeypatch) -> None:
    monkeypatch.setattr(planes, "_VOXELS_PER_PIECE", 20)
    _, labels, _ = labelled
    regions = numbered_regions(labels, None, "Test")
    classes = np.array([0, 4, 2, 4, 1, 2], dtype=np.int32)
    numbered = regions.label(in_scan_order(regions.numbers, classes))
    firsts = [int(np.flatnonzero(numbered.ravel() == k)[0]) for k in (1, 2, 3)]
    assert firsts == sorted(firsts)
    assert numbered.max() == 3
