"""Folds of strokes, and judging samples by trees that have not seen them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_segsuite.errors import ParameterError
from napari_segsuite.kernels.cpu.forest import train
from napari_segsuite.kernels.cpu.forest_folds import stratified_folds


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), min_size=1), st.integers(2, 4))
def test_folds_keep_groups_together_and_leave_some_of_each_class(pairs, n_folds):
    classes, groups = np.array(pairs).T
    folds = stratified_folds(classes, groups, n_folds)
    for k in np.unique(classes):
        of_class = classes == k
        strokes = np.unique(groups[of_class])
        fold_of = [np.unique(folds[of_class & (groups == stroke)]).tolist() for stroke in strokes]
        assert all(len(each) == 1 for each in fold_of)
        if len(strokes) == 1:
            assert fold_of == [[-1]]
        else:
            sizes = np.bincount(np.concatenate(fold_of), minlength=n_folds)
            assert (sizes < len(strokes)).all()
            assert sizes.max() - sizes.min() <= 1


def test_the_largest_groups_are_dealt_first():
    groups = np.repeat([1, 2, 3, 4], [1, 8, 2, 9])
    folds = stratified_folds(np.zeros(20, int), groups, 2)
    assert [folds[groups == g][0].item() for g in (4, 2, 3, 1)] == [0, 1, 0, 1]


def test_fewer_than_two_folds_are_refused():
    with pytest.raises(ParameterError, match="at least 2 folds, got 1"):
        stratified_folds(np.zeros(3), np.zeros(3), 1)


def random_strokes(n_groups=12, size=25):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), size)
    # Samples of a group are alike, its class says nothing about them.
    samples = rng.integers(0, 256, (6, n_groups))[:, groups] + rng.integers(-2, 3, (6, len(groups)))
    classes = (np.arange(n_groups) % 2).astype(np.uint8)[groups]
    return np.clip(samples, 0, 255).astype(np.uint8), classes, groups


def test_a_tree_does_not_depend_on_the_fold_it_is_kept_from():
    samples, classes, groups = random_strokes()
    folds = stratified_folds(classes, groups, 3)
    forest = train(samples, classes, 2, folds=folds, n_trees=9)
    assert forest.left_out.tolist() == [0, 1, 2] * 3
    changed, other_classes = samples.copy(), classes.copy()
    changed[:, folds == 1] = 0
    other_classes[folds == 1] = 1
    other = train(changed, other_classes, 2, folds=folds, n_trees=9)
    ends, other_ends = ([*f.roots[1:], len(f.child)] for f in (forest, other))
    same = [
        np.array_equal(
            forest.threshold[forest.roots[t] : ends[t]],
            other.threshold[other.roots[t] : other_ends[t]],
        )
        for t in range(9)
    ]
    assert same == [False, True, False] * 3
