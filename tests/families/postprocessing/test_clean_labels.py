"""Cleaning labels whose tidy form is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss


def grid(text: str) -> np.ndarray:
    """Labels drawn as rows of digits, a dot for 0."""
    return np.array([[int(c) for c in row.replace(".", "0")] for row in text.split()], np.uint8)


def cleaned(text: str, **settings: Any) -> str:
    rows = nss.clean_labels(grid(text), **settings)
    return " ".join("".join(map(str, row)).replace("0", ".") for row in rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_type_is_kept_and_without_a_task_nothing_changes(dtype: Any) -> None:
    labels = np.random.default_rng(0).integers(0, 5, (6, 7, 8)).astype(dtype)
    labels[0, 0, 0] = np.iinfo(dtype).max
    result = nss.clean_labels(labels)
    assert result.dtype == dtype
    assert result is not labels
    np.testing.assert_array_equal(result, labels)
    assert nss.clean_labels(labels, keep_largest=True).flat[0] == np.iinfo(dtype).max


# --- parts ----------------------------------------------------------------------------


def test_the_largest_part_of_each_class_stays() -> None:
    before = "11..2.1 11.22.. 1...... ..1..22"
    assert cleaned(before, keep_largest=True) == "11..2.. 11.22.. 1...... ......."
    assert cleaned(before, keep_largest=True, classes=(2,)) == "11..2.1 11.22.. 1...... ..1...."


def test_parts_that_touch_at_corners_are_one() -> None:
    assert cleaned("1... .1.. ..1. 1...", keep_largest=True) == "1... .1.. ..1. ...."
    cube = np.zeros((3, 3, 3), dtype=np.uint8)
    cube[0, 0, 0] = cube[1, 1, 1] = cube[2, 2, 2] = 1
    assert nss.clean_labels(cube, min_volume=3).sum() == 3


def test_of_equally_large_parts_the_first_stays() -> None:
    assert cleaned("11.11", keep_largest=True) == "11..."


@pytest.mark.parametrize(
    ("min_volume", "n_left"), [(0.0, 7), (0.9, 7), (0.91, 6), (5.4, 6), (5.41, 0)]
)
def test_parts_below_the_least_volume_go_and_it_is_physical(min_volume: float, n_left: int) -> None:
    labels = np.zeros((3, 4, 5), dtype=np.uint8)
    labels[0, 0, 0] = 1  # 0.9 cubed units
    labels[2, 1:4, 1:3] = 2  # 5.4
    result = nss.clean_labels(labels, min_volume=min_volume, spacing=(3.0, 0.6, 0.5))
    assert np.count_nonzero(result) == n_left


def test_removed_voxels_go_to_what_surrounds_them_if_so_asked() -> None:
    before = "1111.... 1211..2. 1111.... 33333333 33233333 33333333"
    assert cleaned(before, min_volume=3) == "1111.... 1.11.... 1111.... 33333333 33.33333 33333333"
    assert (
        cleaned(before, min_volume=3, removed="neighbour")
        == "1111.... 1111.... 1111.... 33333333 33333333 33333333"
    )


def test_a_complete_partition_stays_complete() -> None:
    labels = np.random.default_rng(1).integers(1, 4, (9, 10, 11)).astype(np.uint8)
    assert not nss.clean_labels(labels, keep_largest=True).all()
    assert nss.clean_labels(labels, keep_largest=True, removed="neighbour").all()


def test_nothing_is_left_where_all_is_too_small() -> None:
    for removed in ("background", "neighbour"):
        assert cleaned("11 11", min_volume=5, removed=removed) == ".. .."


# --- holes ----------------------------------------------------------------------------


def test_holes_are_filled_but_bays_and_other_classes_are_not() -> None:
    before = "11111. 1...1. 1.2.1. 1...1. 11.11."
    assert cleaned(before, fill_holes="volume") == before
    before = "11111 1..21 1.221 1...1 11111"
    assert cleaned(before, fill_holes="volume") == "11111 11121 11221 11111 11111"
    assert cleaned(before, fill_holes="volume", classes=(2,)) == before


def test_a_hole_that_only_a_corner_closes_is_one() -> None:
    assert cleaned(".1. 1.1 .1.", fill_holes="volume") == ".1. 111 .1."


def test_the_hole_of_a_ring_inside_a_ring_belongs_to_the_inner_one() -> None:
    before = "1111111 1.....1 1.222.1 1.2.2.1 1.222.1 1.....1 1111111"
    after = "1111111 1111111 1122211 1122211 1122211 1111111 1111111"
    assert cleaned(before, fill_holes="volume") == after
    swapped = before.translate(str.maketrans("12", "21"))
    assert cleaned(swapped, fill_holes="volume") == after.translate(str.maketrans("12", "21"))


def test_a_tube_is_filled_in_slices_only() -> None:
    tube = np.zeros((4, 5, 5), dtype=np.uint8)
    tube[:, 1:4, 1:4] = 1
    tube[:, 2, 2] = 0
    np.testing.assert_array_equal(nss.clean_labels(tube, fill_holes="volume"), tube)
    assert (nss.clean_labels(tube, fill_holes="slices")[:, 2, 2] == 1).all()
    tube[[0, -1], 2, 2] = 1
    assert (nss.clean_labels(tube, fill_holes="volume")[:, 2, 2] == 1).all()


def test_what_was_removed_leaves_no_hole() -> None:
    before = "11111 11211 11111 ..... 222.."
    after = "11111 11111 11111 ..... 222.."
    assert cleaned(before, keep_largest=True, fill_holes="volume") == after


# --- all of it ------------------------------------------------------------------------


def test_smoothing_comes_last_and_is_physical() -> None:
    labels = np.zeros((20, 20, 20), dtype=np.uint8)
    labels[10:] = 1
    labels[9, 10, 10] = 1
    fine = nss.clean_labels(labels, smoothing=1.0, spacing=(10.0, 10.0, 10.0))
    np.testing.assert_array_equal(fine, labels)
    assert not nss.clean_labels(labels, smoothing=10.0, spacing=(10.0, 10.0, 10.0))[9].any()


def test_chosen_classes_alone_change_in_real_organs(test_data: Any) -> None:
    organs = nss.read(test_data / "ct_mr_multiorgan" / "ct_organs.nii.gz", kind="labels")
    chosen = tuple(entry.id for entry in nss.run("clean_labels", organs).classes)[::3]
    settings: dict[str, Any] = {
        "keep_largest": True,
        "fill_holes": "slices",
        "smoothing": 3.0,
        "classes": chosen,
    }
    result = nss.run("clean_labels", organs, **settings).labels
    changed = result != organs.labels
    assert changed.any()
    assert np.isin(organs.labels[changed], (0, *chosen)).all()
    assert np.isin(result[changed], (0, *chosen)).all()
