"""Clusters named by the classes of a reference."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from napari_segsuite.errors import InputError
from napari_segsuite.metrics.matching import match_labels, rename_labels


def agreement(prediction: np.ndarray, reference: np.ndarray, mapping: dict[int, int]) -> int:
    return int((rename_labels(prediction, mapping) == reference).sum())


def test_renumbered_reference_is_matched_back() -> None:
    reference = np.random.default_rng(0).integers(0, 4, (9, 10))
    renumbered = np.array([3, 1, 4, 2])[reference]
    assert match_labels(renumbered, reference) == {3: 0, 1: 1, 4: 2, 2: 3}
    np.testing.assert_array_equal(
        rename_labels(renumbered, match_labels(renumbered, reference)), reference
    )


def test_agreement_is_that_of_the_best_of_all_assignments() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        prediction, reference = rng.integers(1, 5, 60), rng.integers(0, 4, 60)
        best = max(
            agreement(prediction, reference, dict(zip(range(1, 5), order, strict=True)))
            for order in permutations(range(4))
        )
        assert agreement(prediction, reference, match_labels(prediction, reference)) == best


def test_best_for_all_is_not_the_best_for_each() -> None:
    # Both overlap class 5 most, but 2 loses less by taking 6.
    prediction = np.repeat([1, 1, 2, 2], [9, 1, 6, 5])
    reference = np.repeat([5, 6, 5, 6], [9, 1, 6, 5])
    assert match_labels(prediction, reference) == {1: 5, 2: 6}
    assert match_labels(prediction, reference, many_to_one=True) == {1: 5, 2: 5}


def test_clusters_left_over_go_where_they_overlap_most() -> None:
    prediction = np.array([1, 1, 1, 2, 2, 2, 3, 4])
    reference = np.array([0, 0, 0, 7, 7, 7, 7, 0])
    assert match_labels(prediction, reference) == {1: 0, 2: 7, 3: 7, 4: 0}


def test_more_classes_than_clusters_leave_classes_over() -> None:
    assert match_labels([1, 1, 2], [4, 4, 9]) == {1: 4, 2: 9}
    assert match_labels([1, 1, 1], [4, 4, 9]) == {1: 4}


def test_unlabelled_and_ignored_voxels_have_no_say() -> None:
    prediction = np.array([0, 0, 0, 1, 1, 2, 3])
    reference = np.array([8, 8, 8, 255, 8, 9, 255])
    assert match_labels(prediction, reference, ignore=(255,)) == {1: 8, 2: 9, 3: 0}


def test_nothing_predicted_matches_nothing() -> None:
    assert match_labels(np.zeros(3, int), [1, 2, 3]) == {}
    assert rename_labels(np.zeros(3, int), {}).tolist() == [0, 0, 0]


def test_shapes_have_to_agree() -> None:
    with pytest.raises(InputError, match="one shape"):
        match_labels([1, 2], [1, 2, 3])


def test_a_label_takes_no_class_that_it_never_meets() -> None:
    # Class 0 and class 2 have no label of their own.
    prediction, reference = [0, 0, 1, 1, 3, 0], [2, 2, 1, 1, 1, 0]
    assert match_labels(prediction, reference) == {1: 1, 3: 1}
