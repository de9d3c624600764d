"""Splitting objects whose number is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import napari_segsuite as nss

RADIUS = 20


def two_disks(apart: int, stretch: int = 1) -> np.ndarray:
    """Two disks in a row; `stretch` pixels along y make one unit."""
    y, x = np.mgrid[: 60 * stretch, : 60 + apart]
    y = y / stretch - 30
    centres = (30, 30 + apart)
    return np.any([(x - c) ** 2 + y**2 < RADIUS**2 for c in centres], axis=0)


def neck_of(apart: int) -> float:
    """Width of the neck between the disks as a share of theirs."""
    return float(np.sqrt(1 - (apart / 2 / RADIUS) ** 2))


@pytest.mark.parametrize("apart", [15, 24, 30, 36])
def test_two_disks_are_split_at_necks_narrower_than_asked(apart: int) -> None:
    assert nss.split_touching(two_disks(apart), neck=neck_of(apart) - 0.06).max() == 1
    split = nss.split_touching(two_disks(apart), neck=neck_of(apart) + 0.06)
    assert split.max() == 2
    # The cut runs through the middle, in a column or beside it.
    middle = 30 + apart / 2
    columns = np.arange(split.shape[1])
    assert (split[:, columns < middle - 1] != 2).all()
    assert (split[:, columns > middle + 1] != 1).all()


def test_parts_nearer_than_the_distance_are_one_and_it_is_physical() -> None:
    for labels, spacing in ((two_disks(30), (2.0, 2.0)), (two_disks(30, 4), (0.5, 2.0))):
        assert nss.split_touching(labels, spacing=spacing, min_distance=57).max() == 2
        assert nss.split_touching(labels, spacing=spacing, min_distance=63).max() == 1


def test_spacing_makes_disks_of_ellipses() -> None:
    labels = two_disks(30, 5)
    result = nss.split_touching(labels, spacing=(0.2, 1.0), neck=neck_of(30) + 0.06)
    assert result.max() == 2
    assert nss.split_touching(labels, spacing=(0.2, 1.0), neck=neck_of(30) - 0.06).max() == 1


def test_nothing_is_lost_and_ids_follow_the_scan() -> None:
    labels = np.random.default_rng(0).random((20, 30, 30)) < 0.3
    result = nss.split_touching(labels)
    np.testing.assert_array_equal(result > 0, labels)
    ids, firsts = np.unique(result, return_index=True)
    assert ids.tolist() == list(range(len(ids)))
    assert (np.diff(firsts[1:]) > 0).all()


def test_the_type_grows_with_the_number_of_objects() -> None:
    labels = np.zeros((60, 60), dtype=np.uint8)
    labels[::2, ::2] = 1
    result = nss.split_touching(labels)
    assert result.dtype == np.uint16
    assert result.max() == 900


def test_without_splitting_objects_are_connected_components() -> None:
    labels = np.random.default_rng(1).random((15, 16, 17)) < 0.1
    expected, _ = ndimage.label(labels, np.ones((3, 3, 3)))
    np.testing.assert_array_equal(nss.split_touching(labels, neck=0.0), expected)


def test_classes_that_touch_stay_apart_and_an_image_full_of_one_is_one_object() -> None:
    labels = np.ones((9, 10), dtype=np.uint8)
    assert (nss.split_touching(labels) == 1).all()
    labels[:, 5:] = 7
    assert nss.split_touching(labels).tolist() == [[1] * 5 + [2] * 5] * 9


def test_other_classes_keep_their_ids_and_these_are_not_given_again() -> None:
    labels = np.zeros((3, 9), dtype=np.uint8)
    labels[:, 0], labels[:, 2], labels[:, 4], labels[:, 6], labels[:, 8] = 5, 2, 5, 5, 4
    result = nss.split_touching(labels, classes=(5,))
    assert result[0].tolist() == [1, 0, 2, 0, 3, 0, 5, 0, 4]
    np.testing.assert_array_equal(nss.split_touching(labels, classes=(9,)), labels)


def test_kept_classes_keep_their_names_and_objects_get_none() -> None:
    labels = np.array([[5, 0, 5, 0, 2]], dtype=np.uint8)
    classes = (nss.LabelClass(1, "unused"), nss.LabelClass(2, "rest"), nss.LabelClass(5, "cells"))
    source = nss.Segmentation(labels, nss.Space.regular(2), classes)
    result = nss.run("split_touching", source, classes=(5,))
    assert result.labels.tolist() == [[1, 0, 3, 0, 2]]
    assert [entry.name for entry in result.classes] == ["class 1", "rest", "class 3"]
    names = [entry.name for entry in nss.run("split_touching", source).classes]
    assert names == ["class 1", "class 2", "class 3"]


def matches(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Objects found (IoU > 1/2), found wrongly and missed."""
    joint = np.zeros((int(found.max()) + 1, int(truth.max()) + 1))
    np.add.at(joint, (found.ravel(), truth.ravel()), 1)
    sizes, true_sizes = joint.sum(axis=1), joint.sum(axis=0)
    union = sizes[:, None] + true_sizes[None] - joint
    hits = (joint[1:, 1:] > union[1:, 1:] / 2).sum()
    return np.array([hits, (sizes[1:] > 0).sum() - hits, (true_sizes[1:] > 0).sum() - hits])


def ap50(counts: np.ndarray) -> float:
    return float(counts[0] / counts.sum())


def test_nuclei_in_a_volume_are_told_apart(test_data: Path) -> None:
    from skimage.io import imread

    truth: Any = imread(test_data / "nuclei3d_stardist" / "labels.tif")
    joined, _ = ndimage.label(truth > 0)
    assert ap50(matches(joined, truth)) < 0.2
    found = nss.split_touching(truth > 0)
    assert ap50(matches(found, truth)) > 0.8
    n_true = len(np.unique(truth)) - 1
    assert abs(int(found.max()) - n_true) <= 0.2 * n_true


def test_nuclei_in_pictures_are_told_apart(test_data: Path) -> None:
    from skimage.io import imread

    paths = sorted((test_data / "nuclei_dsb2018" / "val" / "labels").glob("*.png"))
    counts, before = np.zeros(3), np.zeros(3)
    for path in paths:
        truth: Any = imread(path)
        counts += matches(nss.split_touching(truth > 0), truth)
        before += matches(ndimage.label(truth > 0)[0], truth)
    assert ap50(counts) > ap50(before) + 0.05
    assert ap50(counts) > 0.88
