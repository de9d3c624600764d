"""Objects numbered anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

import napari_segsuite as nss

LABELS = np.array(
    [
        [9, 9, 0, 4],
        [0, 0, 4, 0],
        [9, 0, 0, 0],
    ],
    dtype=np.uint8,
)
label_volumes = arrays(np.uint8, st.sampled_from([(5, 6), (3, 4, 5)]), elements=st.integers(0, 4))


def test_labels_are_numbered_in_their_own_order() -> None:
    assert nss.relabel(LABELS).tolist() == [[2, 2, 0, 1], [0, 0, 1, 0], [2, 0, 0, 0]]


def test_parts_touch_by_faces_or_also_by_corners() -> None:
    by_faces = nss.relabel(LABELS, objects="parts")
    assert by_faces.tolist() == [[3, 3, 0, 1], [0, 0, 2, 0], [4, 0, 0, 0]]
    by_corners = nss.relabel(LABELS, objects="parts", connectivity=3)
    assert by_corners.tolist() == [[2, 2, 0, 1], [0, 0, 1, 0], [3, 0, 0, 0]]


def test_order_by_position_and_by_size() -> None:
    assert nss.relabel(LABELS, order="position").tolist() == [
        [1, 1, 0, 2],
        [0, 0, 2, 0],
        [1, 0, 0, 0],
    ]
    by_size = nss.relabel(LABELS, objects="parts", connectivity=2, order="size")
    assert by_size.tolist() == [[1, 1, 0, 2], [0, 0, 2, 0], [3, 0, 0, 0]]


def test_other_labels_keep_their_ids_which_are_not_given_again() -> None:
    labels = np.array([[1, 0, 7, 0, 7]], dtype=np.uint8)
    result = nss.relabel(labels, classes=(7,), objects="parts")
    assert result.tolist() == [[1, 0, 2, 0, 3]]


def test_type_grows_with_the_number_of_objects() -> None:
    labels = np.zeros((40, 40), dtype=np.uint8)
    labels[::2, ::2] = 5
    result = nss.relabel(labels, objects="parts")
    assert result.dtype == np.uint16
    assert result.max() == 400


def test_nothing_labelled_stays_nothing() -> None:
    assert not nss.relabel(np.zeros((3, 4), dtype=np.uint8), order="size").any()


@given(label_volumes, st.sampled_from(["label", "position", "size"]), st.booleans())
def test_same_objects_under_numbers_without_gaps(labels, order, by_part) -> None:
    result = nss.relabel(labels, order=order, objects="parts" if by_part else "labels")
    ids = np.unique(result[result > 0])
    assert ids.tolist() == list(range(1, len(ids) + 1))
    assert ((result > 0) == (labels > 0)).all()
    expected = sum(ndimage.label(labels == i)[1] if by_part else 1 for i in set(labels.flat) - {0})
    assert len(ids) == expected
    for i in ids:
        assert len(np.unique(labels[result == i])) == 1


@given(label_volumes)
def test_sizes_fall_and_first_voxels_rise(labels) -> None:
    by_size = nss.relabel(labels, order="size", objects="parts")
    sizes = np.bincount(by_size.ravel())[1:]
    assert (np.diff(sizes) <= 0).all()
    by_position = nss.relabel(labels, order="position")
    seen = [by_position.ravel().tolist().index(i) for i in range(1, by_position.max() + 1)]
    assert seen == sorted(seen)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32])
def test_type_is_kept_where_it_holds_all(dtype) -> None:
    assert nss.relabel(LABELS.astype(dtype)).dtype == dtype
