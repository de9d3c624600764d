"""The forest: what trees must be whatever was drawn, and a naive walk of their arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import Cancelled, InputError, ParameterError
from napari_segsuite.kernels.cpu.forest import MAX_TREES, predict, train


def two_moons(n, seed):
    """Two interleaved half circles with noise, as bytes in 0 … 255, and their classes."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, n).astype(np.uint8)
    angle = rng.uniform(0, np.pi, n) + np.pi * classes
    points = np.stack([np.cos(angle) + classes, np.sin(angle) + 0.5 * classes])
    points += rng.normal(0, 0.15, points.shape)
    return np.clip(points * 50 + 100, 0, 255).astype(np.uint8), classes


def leaf_of(forest, root, sample):
    node = forest.roots[root]
    while forest.child[node] >= 0:
        node = forest.child[node] + (sample[forest.feature[node]] > forest.threshold[node])
    return -1 - forest.child[node]


def votes(forest, sample):
    """Sum of the leaves that a sample reaches, tree by tree."""
    return sum(
        forest.leaves[leaf_of(forest, t, sample)].astype(int) for t in range(len(forest.roots))
    )


@st.composite
def problems(draw, max_samples=40):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, n_features = draw(st.integers(1, max_samples)), draw(st.integers(1, 5))
    n_classes = draw(st.integers(1, 4))
    levels = draw(st.sampled_from([1, 2, 5, 256]))
    samples = rng.integers(0, levels, (n_features, n)).astype(np.uint8)
    return samples, rng.integers(0, n_classes, n).astype(np.uint8), n_classes


@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(1, 3), st.sampled_from([1, 7, MAX_TREES]), st.data())
def test_predictions_equal_a_naive_walk(problem, min_leaf, n_trees, data):
    samples, _, n_classes = problem
    forest = train(*problem, min_leaf=min_leaf, n_trees=n_trees)
    shape = data.draw(st.sampled_from([(11,), (3, 5), (2, 3, 4), (1, 1, 9), (9, 2, 1)]))
    bank = np.random.default_rng(0).integers(0, 256, (len(samples), *shape)).astype(np.uint8)
    for dtype in (np.uint8, np.uint16):
        out = predict(forest, bank, np.empty((n_classes, *shape), dtype))
        whole = np.iinfo(dtype).max
        np.testing.assert_array_equal(out.sum(0), whole)
        for at in np.ndindex(shape):
            running = np.cumsum(votes(forest, bank[:, *at]))
            given_out = np.cumsum(out[:, *at].astype(int))
            for sum_of_votes, upto in zip(running.tolist(), given_out.tolist(), strict=True):
                exact = Fraction(sum_of_votes * int(whole), 255 * n_trees)
                assert abs(upto - exact) <= Fraction(501, 1000)


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(1, 4))
def test_leaves_hold_the_balanced_classes_of_enough_samples(problem, min_leaf):
    samples, classes, n_classes = problem
    forest = train(*problem, min_leaf=min_leaf, n_trees=3)
    counts = np.bincount(classes, minlength=n_classes)
    np.testing.assert_array_equal(forest.leaves.sum(1, dtype=int), 255)
    reached = []
    for root in range(3):
        leaves = np.array([leaf_of(forest, root, sample) for sample in samples.T])
        for leaf in np.unique(leaves):
            here = np.bincount(classes[leaves == leaf], minlength=n_classes)
            assert here.sum() >= min(min_leaf, len(classes))
            shares = here / np.maximum(counts, 1)
            np.testing.assert_allclose(
                forest.leaves[leaf], 255 * shares / shares.sum(), rtol=0, atol=1.001
            )
            reached.append(leaf)
    # No leaf without samples: each is reached, and by one tree.
    assert sorted(reached) == list(range(len(forest.leaves)))


@settings(max_examples=40, deadline=None)
@given(problems())
def test_trees_that_may_split_everything_learn_every_distinct_sample(problem):
    samples, classes, n_classes = problem
    _, first = np.unique(samples, axis=1, return_index=True)
    samples, classes = samples[:, first], classes[first]
    forest = train(samples, classes, n_classes, min_leaf=1, n_trees=5)
    out = predict(forest, samples)
    np.testing.assert_array_equal(out, 255 * (np.arange(n_classes)[:, np.newaxis] == classes))


@settings(max_examples=20, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(problem, random):
    samples, classes, n_classes = problem
    order = list(range(len(classes)))
    random.shuffle(order)
    forest = train(samples, classes, n_classes, n_trees=5)
    shuffled = train(samples[:, order], classes[order], n_classes, n_trees=5)
    for array, other in zip(forest, shuffled, strict=True):
        np.testing.assert_array_equal(array, other)


def test_any_number_of_threads_gives_the_same():
    samples, classes = two_moons(3000, seed=0)
    forests = [train(samples, classes, 2, seed=3, threads=n) for n in (1, 2, 5)]
    bank = np.random.default_rng(0).integers(0, 256, (2, 20, 90, 41)).astype(np.uint8)
    results = [predict(forests[0], bank, threads=n) for n in (1, 2, 5)]
    for forest, result in zip(forests[1:], results[1:], strict=True):
        for array, other in zip(forests[0], forest, strict=True):
            np.testing.assert_array_equal(array, other)
        np.testing.assert_array_equal(result, results[0])


def test_trees_differ_with_the_seed_and_from_one_another():
    samples, classes = two_moons(300, seed=0)
    forest, other = (train(samples, classes, 2, seed=s) for s in (0, 1))
    assert len(forest.child) != len(other.child) or (forest.threshold != other.threshold).any()
    roots = forest.roots
    assert len({(forest.feature[r], forest.threshold[r]) for r in roots.tolist()}) > len(roots) / 2


@pytest.mark.parametrize(
    "part",
    [
        np.s_[:, 7],
        np.s_[:, :, 3],
        np.s_[:, ..., 5],
        np.s_[:, 2:9, ::2],
        np.s_[:, ::-1],
        np.s_[:, 4, 5],
    ],
)
def test_a_part_of_a_bank_is_predicted_as_in_the_whole(part):
    samples, classes = two_moons(500, seed=0)
    forest = train(samples, classes, 2)
    bank = np.random.default_rng(0).integers(0, 256, (2, 19, 22, 35)).astype(np.uint8)
    whole = predict(forest, bank)
    out = np.zeros_like(whole)
    assert predict(forest, bank[part], out[part]).base is out
    np.testing.assert_array_equal(out[part], whole[part])
    assert np.count_nonzero(out) == np.count_nonzero(whole[part])


def test_one_class_is_certain():
    forest = train(np.array([[3, 200]], np.uint8), np.zeros(2, np.uint8), 1)
    assert predict(forest, np.zeros((1, 4), np.uint8)).tolist() == [[255] * 4]


def test_a_class_without_samples_gets_nothing():
    forest = train(np.array([[3, 200]], np.uint8), np.array([0, 2], np.uint8), 4, min_leaf=1)
    assert predict(forest, np.array([[3, 200]], np.uint8)).tolist() == [
        [255, 0], [0, 0], [0, 255], [0, 0],
    ]  # fmt: skip


def test_features_that_do_not_vary_leave_the_balance():
    samples = np.full((3, 9), 7, np.uint8)
    forest = train(samples, np.array([0] * 8 + [1], np.uint8), 2)
    assert len(forest.child) == len(forest.roots)
    assert predict(forest, samples[:, :1])[:, 0].tolist() == [128, 127]


def test_one_varying_feature_among_many_is_found():
    samples = np.zeros((80, 20), np.uint8)
    samples[79, 10:] = 1
    classes = samples[79]
    forest = train(samples, classes, 2, features_per_node=0.01)
    np.testing.assert_array_equal(predict(forest, samples)[1], 255 * classes)


def test_weights_count():
    samples, classes = np.zeros((1, 2), np.uint8), np.array([0, 1], np.uint8)
    forest = train(samples, classes, 2, weights=np.array([1.0, 3.0]))
    assert set(map(tuple, forest.leaves.tolist())) == {(64, 191)}


def test_deep_trees_are_walked():
    """A class for each single value of one feature makes trees as deep as they get."""
    samples = np.arange(256, dtype=np.uint8)[np.newaxis]
    classes = samples[0] % 2
    forest = train(samples, classes, 2, min_leaf=1, n_trees=20)
    assert forest.depth > 12
    np.testing.assert_array_equal(predict(forest, samples)[1], 255 * classes)


@pytest.mark.parametrize("n_classes", [0, 256])
def test_number_of_classes_is_bounded(n_classes):
    with pytest.raises(InputError, match="expected 1 to 255 classes"):
        train(np.zeros((1, 3), np.uint8), np.zeros(3, np.uint8), n_classes)


def test_255_classes_are_told_apart():
    samples = np.arange(255, dtype=np.uint8)[np.newaxis]
    forest = train(samples, samples[0], 255, min_leaf=1, n_trees=2)
    np.testing.assert_array_equal(predict(forest, samples).argmax(0), samples[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": np.zeros((1, 3), np.float32)}, "bin the features"),
        ({"samples": np.zeros((0, 3), np.uint8)}, "expected samples"),
        ({"classes": np.zeros(2, np.uint8)}, "each of 3 samples"),
        ({"classes": np.array([0, 1, 2], np.uint8)}, "classes below 2, got 2"),
        ({"weights": np.array([1, 0, 1])}, "positive weight"),
        ({"weights": np.array([1, np.nan, 1])}, "positive weight"),
        ({"folds": np.zeros(3, int)}, "outside of each fold"),
    ],
)  # fmt: skip
def test_unusable_samples_are_refused(change, message):
    arguments = {
        "samples": np.zeros((1, 3), np.uint8), "classes": np.zeros(3, np.uint8), "n_classes": 2,
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        train(**(arguments | change))


@pytest.mark.parametrize(
    "setting",
    [{"n_trees": 0}, {"n_trees": 258}, {"min_leaf": 0}, {"features_per_node": 0.0},
     {"features_per_node": 1.5}],
)  # fmt: skip
def test_settings_are_bounded(setting):
    with pytest.raises(ParameterError, match=next(iter(setting))):
        train(np.zeros((1, 3), np.uint8), np.zeros(3, np.uint8), 2, **setting)


def test_a_bank_of_other_features_is_refused():
    samples, classes = two_moons(100, seed=0)
    forest = train(samples, classes, 2)
    with pytest.raises(InputError, match="at least 2 feature planes"):
        predict(forest, samples[:1])
    with pytest.raises(InputError, match="uint8 bank"):
        predict(forest, samples.astype(np.int16))
    with pytest.raises(InputError, match=r"probabilities \(2, 100\)"):
        predict(forest, samples, np.empty((3, 100), np.uint8))
    with pytest.raises(InputError, match="uint8 or uint16"):
        predict(forest, samples, np.empty((2, 100), np.float32))


def test_no_voxels_are_fine():
    forest = train(*two_moons(100, seed=0), 2)
    assert predict(forest, np.empty((2, 0, 5), np.uint8)).shape == (2, 0, 5)


@pytest.mark.parametrize("threads", [1, 2])
def test_both_steps_can_be_cancelled(threads):
    def cancel(fraction, message=""):
        raise Cancelled

    samples, classes = two_moons(500, seed=0)
    with pytest.raises(Cancelled):
        train(samples, classes, 2, threads=threads, progress=cancel)
    forest = train(samples, classes, 2)
    with pytest.raises(Cancelled):
        predict(forest, np.zeros((2, 90, 90, 90), np.uint8), threads=threads, progress=cancel)


def test_progress_reaches_the_end():
    forest = train(*two_moons(100, seed=0), 2)
    fractions = []
    predict(
        forest, np.zeros((2, 9, 90, 90), np.uint8), progress=lambda f, m="": fractions.append(f)
    )
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
