"""Marks of right and wrong voxels: their counts are those of the confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import InputError, ParameterError, SpaceMismatchError
from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.io import write
from napari_segsuite.metrics import blocks, confusion_matrix
from napari_segsuite.metrics.error_labels import (
    CONFUSED,
    MISSED,
    RIGHT,
    TOO_MUCH,
    error_labels,
)
from napari_segsuite.space import Space

PAIRS = hnp.arrays(np.uint8, (2, 4, 5, 3), elements=st.integers(0, 3))


def marks(*args, **kwargs):
    return error_labels(*args, **kwargs).labels


def test_marks_by_hand():
    prediction, reference = [[0, 1, 1, 2, 0]], [[0, 1, 0, 1, 2]]
    assert marks(prediction, reference).tolist() == [[0, RIGHT, TOO_MUCH, CONFUSED, MISSED]]
    assert marks(prediction, reference, label=1).tolist() == [[0, RIGHT, TOO_MUCH, MISSED, 0]]
    assert marks(prediction, reference, label=1, predicted=2).tolist() == [[0, 0, 0, CONFUSED, 0]]
    assert marks(prediction, reference, label=0, predicted=1).tolist() == [[0, 0, CONFUSED, 0, 0]]
    assert marks(prediction, reference, label=0).tolist() == [[RIGHT, 0, MISSED, 0, TOO_MUCH]]


def test_an_object_goes_by_another_label_in_each():
    prediction, reference = [[7, 7, 3, 0]], [[0, 3, 3, 3]]
    assert marks(prediction, reference, objects=(3, 7)).tolist() == [
        [TOO_MUCH, RIGHT, MISSED, MISSED]
    ]
    assert marks(prediction, reference, objects=(3, 0)).tolist() == [[0, MISSED, MISSED, MISSED]]
    assert marks(prediction, reference, objects=(0, 7)).tolist() == [[TOO_MUCH, TOO_MUCH, 0, 0]]


@given(PAIRS, st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_counts_are_those_of_the_confusion_matrix(pair, label, predicted):
    prediction, reference = pair
    matrix = np.zeros((4, 4), int)
    found = confusion_matrix(prediction, reference)
    matrix[np.ix_(found.labels, found.labels)] = found.counts
    of_class = np.bincount(marks(prediction, reference, label=label).ravel(), minlength=5)
    assert of_class[RIGHT] == matrix[label, label]
    assert of_class[TOO_MUCH] == matrix[:, label].sum() - matrix[label, label]
    assert of_class[MISSED] == matrix[label].sum() - matrix[label, label]
    of_pair = marks(prediction, reference, label=label, predicted=predicted)
    assert np.count_nonzero(of_pair == CONFUSED) == (label != predicted) * matrix[label, predicted]
    of_all = np.bincount(marks(prediction, reference).ravel(), minlength=5)
    assert of_all[RIGHT] == matrix[1:, 1:].trace()
    assert of_all[TOO_MUCH] == matrix[0, 1:].sum()
    assert of_all[MISSED] == matrix[1:, 0].sum()
    assert of_all[CONFUSED] == matrix[1:, 1:].sum() - matrix[1:, 1:].trace()


def test_many_blocks_are_marked_as_one(monkeypatch):
    rng = np.random.default_rng(0)
    prediction, reference = rng.integers(0, 4, (2, 9, 8, 7), np.uint16)
    whole = marks(prediction, reference, ignore=3, mapping={2: 1})
    monkeypatch.setattr(blocks, "_USUAL", 60)
    np.testing.assert_array_equal(marks(prediction, reference, ignore=3, mapping={2: 1}), whole)


def test_ignored_voxels_stay_unmarked_and_labels_can_be_mapped():
    prediction, reference = [[1, 1, 5, 0]], [[1, 255, 1, 255]]
    assert marks(prediction, reference, ignore=255).tolist() == [[RIGHT, 0, CONFUSED, 0]]
    assert marks(prediction, reference, ignore=(255,), mapping={5: 1}).tolist() == [
        [RIGHT, 0, RIGHT, 0]
    ]


def test_marks_have_names_colours_and_the_references_place():
    space = Space.regular(2, (2.0, 3.0), "mm")
    classes = (LabelClass(1, "grey"), LabelClass(2, "white"))
    reference = Segmentation(np.array([[1, 2]], np.uint8), space, classes)
    prediction = Segmentation(np.array([[2, 2]], np.uint8), space)
    errors = error_labels(prediction, reference)
    assert errors.labels.dtype == np.uint8
    assert errors.space is space
    assert [entry.name for entry in errors.classes] == ["right", "too much", "missed", "confused"]
    assert len({entry.colour for entry in errors.classes}) == 4
    assert [entry.id for entry in error_labels(prediction, reference, label=1).classes] == [1, 2, 3]
    (of_pair,) = error_labels(prediction, reference, label=1, predicted=2).classes
    assert (of_pair.id, of_pair.name) == (CONFUSED, "grey taken for white")
    (of_pair,) = error_labels(prediction, reference, label=0, predicted=2).classes
    assert of_pair.name == "background taken for white"


def test_grids_that_differ_are_refused_unless_allowed():
    fine = Segmentation(np.ones((4, 4), np.uint8), Space.regular(2, (1, 1), "mm"))
    coarse = Segmentation(np.ones((2, 2), np.uint8), fine.space.resample((0.5, 0.5)))
    with pytest.raises(SpaceMismatchError, match="one grid"):
        error_labels(coarse, fine)
    errors = error_labels(coarse, fine, other_grid="nearest")
    assert (errors.labels == RIGHT).all()
    assert errors.space.is_close(fine.space)


def test_files_are_read(tmp_path):
    space = Space.regular(3, (3.0, 0.7, 0.5), "mm")
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1] = 2
    write(tmp_path / "labels.nii.gz", Segmentation(labels, space))
    errors = error_labels(tmp_path / "labels.nii.gz", tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(errors.labels, (labels > 0).astype(np.uint8))


def test_bad_questions_are_refused_in_a_sentence():
    with pytest.raises(ParameterError, match="name the class"):
        error_labels([1], [1], predicted=1)
    with pytest.raises(ParameterError, match="leave one out"):
        error_labels([1], [1], label=1, objects=(1, 1))
    with pytest.raises(InputError, match="one shape"):
        error_labels([[1]], [[1, 2]])
    with pytest.raises(InputError, match="whole numbers"):
        error_labels([0.5], [1])


def test_inputs_stay_as_they_are():
    prediction = np.array([[0, 1, 2]], np.int64)
    prediction.setflags(write=False)
    reference = np.array([[2, 1, 0]], np.uint32)
    before = reference.copy()
    error_labels(prediction, reference, mapping={2: 1}, ignore=0)
    np.testing.assert_array_equal(reference, before)
