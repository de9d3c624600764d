"""Shapes between slices, where geometry says what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss

SHAPE = (13, 48, 64)


def disks(
    centres: Any, radii: Any, shape: tuple[int, int, int] = SHAPE, spacing: Any = (1.0, 1.0)
) -> np.ndarray:
    """One disk a plane, by its centre (y, x) and radius as functions of the plane."""
    y, x = np.indices(shape[1:]) * np.reshape(spacing, (2, 1, 1))
    planes = [
        (y - centres(z)[0]) ** 2 + (x - centres(z)[1]) ** 2 < radii(z) ** 2 for z in range(shape[0])
    ]
    return np.array(planes).astype(np.uint8)


def kept(truth: np.ndarray, planes: Any) -> np.ndarray:
    labels = np.zeros_like(truth)
    labels[list(planes)] = truth[list(planes)]
    return labels


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def middle(_z: int) -> tuple[float, float]:
    return 24, 30


@pytest.mark.parametrize("planes", [(0, 12), (0, 4, 8, 12), (0, 1, 7, 12)])
def test_a_cylinder_is_filled_exactly(planes: tuple[int, ...]) -> None:
    truth = disks(middle, lambda z: 11.3)
    filled = nss.fill_between_slices(kept(truth, planes))
    np.testing.assert_array_equal(filled, truth)


@pytest.mark.parametrize("planes", [(0, 12), (0, 5, 12)])
def test_the_radius_of_a_cone_changes_evenly(planes: tuple[int, ...]) -> None:
    filled = nss.fill_between_slices(kept(disks(middle, lambda z: 6.0 + z), planes))
    radii = np.sqrt(filled.sum(axis=(1, 2)) / np.pi)
    np.testing.assert_allclose(radii, 6.0 + np.arange(13), atol=0.4)


def test_a_tilted_cylinder_is_followed() -> None:
    truth = disks(lambda z: (24, 12 + 3 * z), lambda z: 9.0)
    filled = nss.fill_between_slices(kept(truth, (0, 5, 12)))
    assert overlap(filled, truth) > 0.985


def test_a_disk_that_has_moved_farther_than_its_width_travels() -> None:
    truth = disks(lambda z: (12 + 2 * z, 8 + 4 * z), lambda z: 5.0)
    filled = nss.fill_between_slices(kept(truth, (0, 12)))
    assert overlap(filled, truth) > 0.97
    assert filled.any(axis=(1, 2)).all()


def test_spacing_counts() -> None:
    spacing = (4.0, 1.0, 0.5)
    truth = disks(lambda z: (24, 8 + z), lambda z: 4.0 + 0.25 * z, spacing=spacing[1:])
    labels = kept(truth, (0, 12))
    physical = overlap(nss.fill_between_slices(labels, spacing=spacing), truth)
    assert physical > 0.96
    assert physical > overlap(nss.fill_between_slices(labels), truth)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_axis_is_found_or_given(axis: int) -> None:
    truth = disks(lambda z: (24, 12 + 3 * z), lambda z: 9.0)
    labels = kept(truth, (0, 6, 12))
    expected = np.moveaxis(nss.fill_between_slices(labels, axis=0), 0, axis)
    turned = np.moveaxis(labels, 0, axis)
    np.testing.assert_array_equal(nss.fill_between_slices(turned), expected)
    np.testing.assert_array_equal(nss.fill_between_slices(turned, axis=axis), expected)


def test_objects_with_a_gap_between_them_are_not_taken_for_slices() -> None:
    labels = np.zeros((20, 20, 20), dtype=np.uint8)
    labels[2:6, 2:6, 2:6] = labels[14:18, 14:18, 14:18] = 1
    np.testing.assert_array_equal(nss.fill_between_slices(labels), labels)
    single = kept(disks(middle, lambda z: 9.0), (5,))
    np.testing.assert_array_equal(nss.fill_between_slices(single), single)


def test_what_appears_on_one_side_only_tapers_off_half_way() -> None:
    labels = kept(disks(middle, lambda z: 12.0), (0,))
    labels[12, :5, :5] = 2
    labels[12, 24, 30] = 1
    labels[0, 5:20, 45:60] = 3
    filled = nss.fill_between_slices(labels)
    areas = (filled == 3).sum(axis=(1, 2))
    assert (np.diff(areas[1:7]) < 0).all()
    assert not areas[6:].any()
    assert (filled == 2).any(axis=(1, 2)).tolist() == [False] * 7 + [True] * 6


def test_two_classes_that_touch_move_their_border_and_leave_next_to_no_gap() -> None:
    y, x = np.indices(SHAPE[1:])
    border = 20 + 2 * np.arange(13)
    inside = (y - 24) ** 2 + (x - 32) ** 2 < 400
    truth = np.array([np.where(x < b, 1, 2) * inside for b in border]).astype(np.uint8)
    filled = nss.fill_between_slices(kept(truth, (0, 12)))
    assert overlap(filled > 0, truth > 0) > 0.985
    assert (filled == truth)[truth > 0].mean() > 0.98


def test_a_complete_partition_stays_complete_and_new_classes_come_up_in_it() -> None:
    labels = np.zeros((9, 30, 30), dtype=np.uint16)
    labels[0], labels[8] = 300, 300
    labels[8, 10:20, 10:20] = 7
    filled = nss.fill_between_slices(labels)
    assert filled.dtype == np.uint16
    assert filled.all()
    assert (filled == 7).any(axis=(1, 2)).tolist() == [False] * 4 + [True] * 5


def test_one_object_becomes_two() -> None:
    labels = np.zeros((9, 40, 60), dtype=np.uint8)
    labels[0, 10:30, 10:50] = 1
    labels[8, 10:30, 10:24] = labels[8, 10:30, 36:50] = 1
    filled = nss.fill_between_slices(labels)
    assert (filled.sum(axis=(1, 2)) > 500).all()
    assert (filled[:, 20, 15] == 1).all()
    assert (filled[:, 20, 45] == 1).all()


def test_labelled_voxels_and_what_lies_outside_stay() -> None:
    rng = np.random.default_rng(0)
    labels = kept(rng.integers(0, 4, (13, 20, 20)).astype(np.uint8), (2, 5, 9))
    filled = nss.fill_between_slices(labels)
    np.testing.assert_array_equal(filled[[2, 5, 9]], labels[[2, 5, 9]])
    assert not filled[[0, 1, 10, 11, 12]].any()
    assert filled[3].any()


def test_classes_drawn_on_different_slices_are_filled_one_by_one() -> None:
    left = disks(lambda z: (24, 14), lambda z: 8.0)
    right = disks(lambda z: (24, 44), lambda z: 8.0)
    labels = kept(left, (0, 4, 8, 12)) + 2 * kept(right, (2, 6, 10))
    first = nss.fill_between_slices(labels, classes=(1,))
    np.testing.assert_array_equal(first == 1, left)
    np.testing.assert_array_equal(first == 2, labels == 2)
    both = nss.fill_between_slices(first, classes=(2,))
    np.testing.assert_array_equal(both == 1, left)
    np.testing.assert_array_equal((both == 2)[2:11], right[2:11])


def nearest_slice(labels: np.ndarray, planes: list[int]) -> np.ndarray:
    return np.array(
        [labels[min(planes, key=lambda p: (abs(p - z), p))] for z in range(len(labels))]
    )


def mean_dice(found: np.ndarray, truth: np.ndarray) -> float:
    report = nss.evaluate(found, truth)
    return float(np.nanmean(list(report.per_class["dice"].values())))


@pytest.mark.parametrize(("name", "least"), [("ct_organs", 0.78), ("mr_organs", 0.81)])
def test_real_organs_on_every_fourth_slice(test_data: Path, name: str, least: float) -> None:
    truth = nss.read(test_data / "ct_mr_multiorgan" / f"{name}.nii.gz", kind="labels")
    planes = list(range(0, len(truth.labels), 4))
    between = [z for z in range(planes[-1]) if z not in planes]
    labels = kept(truth.labels, planes)
    source = nss.Segmentation(labels, truth.space)
    filled = nss.run("fill_between_slices", source).labels
    np.testing.assert_array_equal(filled[planes], truth.labels[planes])
    dice = mean_dice(filled[between], truth.labels[between])
    copied = mean_dice(nearest_slice(labels, planes)[between], truth.labels[between])
    assert dice > copied + 0.03
    assert dice > least
