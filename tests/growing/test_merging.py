"""Merging by each rule: worked examples, and rules stated voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite import boxes
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.growing import merging
from napari_segsuite.growing.merging import merge

RESULT = np.array([[0, 0, 1, 1], [2, 2, 3, 3]], np.uint8)
GROWN = np.array([[1, 4, 4, 1], [2, 1, 0, 4]], np.uint8)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rule": "replace"}, [[1, 4, 4, 1], [2, 1, 0, 4]]),
        ({"rule": "replace", "background": 4}, [[1, 0, 0, 1], [2, 1, 0, 0]]),
        ({"rule": "replace", "locked": [3]}, [[1, 4, 4, 1], [2, 1, 3, 3]]),
        ({"rule": "unlabelled"}, [[1, 4, 1, 1], [2, 2, 3, 3]]),
        ({"rule": "unlabelled", "background": 4}, [[1, 0, 1, 1], [2, 2, 3, 3]]),
        ({"rule": "classes", "classes": [1]}, [[1, 0, 0, 1], [2, 1, 3, 3]]),
        ({"rule": "classes", "classes": [1], "locked": [2]}, [[1, 0, 0, 1], [2, 2, 3, 3]]),
        ({"rule": "classes", "classes": [3, 4]}, [[0, 4, 4, 1], [2, 2, 0, 4]]),
        ({"rule": "classes", "classes": [4], "locked": [4, 1]}, [[0, 4, 1, 1], [2, 2, 3, 4]]),
        # What is background does not count as a class that has grown.
        ({"rule": "classes", "classes": [1, 4], "background": 4}, [[1, 0, 0, 1], [2, 1, 3, 3]]),
    ],
)
def test_worked_examples(options, expected):
    np.testing.assert_array_equal(merge(RESULT, GROWN, **options), expected)


def rule_for_one_voxel(old, new, rule, classes, locked, background):
    if new == background:
        new = 0
    if old in locked:
        return old
    if rule == "replace":
        return new
    if rule == "unlabelled":
        return new if old == 0 else old
    if new in classes:
        return new
    return 0 if old in classes else old


ids = st.sets(st.integers(1, 5), max_size=3)


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["replace", "unlabelled", "classes"]),
    ids.filter(bool),
    ids,
    st.none() | st.integers(1, 5),
    st.sampled_from([("u1", "u1"), ("i8", "u2"), ("u1", "i4")]),
)
def test_every_voxel_follows_the_rule(seed, rule, classes, locked, background, dtypes):
    rng = np.random.default_rng(seed)
    old, new = (rng.integers(0, 6, (3, 4, 5)).astype(dtype) for dtype in dtypes)
    copies = old.copy(), new.copy()
    merged = merge(old, new, rule, classes=classes, locked=locked, background=background)
    expected = np.vectorize(rule_for_one_voxel, excluded=[2, 3, 4, 5])(
        old, new, rule, classes, locked, background
    )
    np.testing.assert_array_equal(merged, expected)
    np.testing.assert_array_equal(old, copies[0])
    np.testing.assert_array_equal(new, copies[1])
    assert merged.dtype == np.uint8


def test_slabs_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    old, new = (rng.integers(0, 6, (6, 4, 5)).astype(np.uint8) for _ in range(2))
    expected = merge(old, new, "classes", classes=[1, 2], locked=[3])
    monkeypatch.setattr(merging, "slabs", lambda box: boxes.slabs(box, voxels=20))
    np.testing.assert_array_equal(merge(old, new, "classes", classes=[1, 2], locked=[3]), expected)


def test_outside_the_box_nothing_changes():
    box = (slice(0, 2), slice(1, 3))
    merged = merge(RESULT, GROWN[box], "replace", box=box)
    np.testing.assert_array_equal(merged, [[0, 4, 4, 1], [2, 1, 0, 3]])


@pytest.mark.parametrize(("label", "dtype"), [(255, "u1"), (256, "u2"), (65536, "u4")])
def test_smallest_type_that_fits(label, dtype):
    grown = np.where(GROWN == 4, label, GROWN.astype(np.int64))
    assert merge(RESULT, grown).dtype == dtype
    assert merge(grown, RESULT).dtype == np.uint8
    assert merge(grown, RESULT, "unlabelled").dtype == dtype


def test_wrong_questions_are_answered_with_what_to_do():
    with pytest.raises(ParameterError, match="replace, unlabelled, classes"):
        merge(RESULT, GROWN, "all")
    with pytest.raises(ParameterError, match="choose some"):
        merge(RESULT, GROWN, "classes")
    with pytest.raises(InputError, match=r"shape \(2, 4\), got \(4, 2\)"):
        merge(RESULT, GROWN.T)
    with pytest.raises(InputError, match=r"shape \(1, 2\), got \(2, 4\)"):
        merge(RESULT, GROWN, box=(slice(0, 1), slice(0, 2)))
    with pytest.raises(InputError, match="labels from 0 up"):
        merge(RESULT.astype(int) - 1, GROWN)
