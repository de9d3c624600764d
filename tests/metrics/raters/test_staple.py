"""STAPLE and majority vote on tables of patterns: known answers, a naive EM over voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.kernels.cpu.vote_patterns import VotePatterns
from napari_segsuite.metrics.raters.staple import majority, staple
from napari_segsuite.progress import Cancelled


def quiet(fraction):
    pass


def patterns_of(raters, n_labels=256):
    table = VotePatterns(raters, np.arange(n_labels))
    table.count(quiet)
    return table


def naive_staple(raters, n_classes, n_iterations):
    """The formulas of the paper, voxel by voxel, from the share of votes."""
    posterior = np.mean([np.eye(n_classes)[rater] for rater in raters], axis=0)
    prior = posterior.mean(axis=0)
    for _ in range(n_iterations):
        mass = posterior.sum(axis=0)
        confusions = [
            np.array([posterior[rater == k].sum(axis=0) for k in range(n_classes)]) / mass
            for rater in raters
        ]
        posterior = prior * np.prod(
            [c[rater] for c, rater in zip(confusions, raters, strict=True)], axis=0
        )
        posterior /= posterior.sum(axis=1, keepdims=True)
    return confusions, posterior


# --- patterns -----------------------------------------------------------------------------
votes = hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 200)),
                   elements=st.integers(0, 3))  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(votes)
def test_patterns_are_the_distinct_columns(raters):
    table = patterns_of(list(raters))
    expected, counts = np.unique(raters, axis=1, return_counts=True)
    order = np.lexsort(table.codes.T[::-1])
    assert np.array_equal(table.codes[order].T, expected)
    assert np.array_equal(table.counts[order], counts)


@settings(max_examples=80, deadline=None)
@given(votes)
def test_each_voxel_finds_its_pattern_again(raters):
    table = patterns_of(list(raters))
    number = np.empty(raters.shape[1], np.int64)
    table.write(np.arange(len(table.counts)), number, quiet)
    assert np.array_equal(table.codes[number].T, raters)


@pytest.mark.parametrize("turn", [lambda a: a, np.asfortranarray, lambda a: a[:, ::-1, ::2]])
def test_many_patterns_in_many_blocks(turn):
    rng = np.random.default_rng(0)
    raters = [turn(rng.integers(0, 40, (70, 80, 90), dtype=np.uint8)) for _ in range(3)]
    table = patterns_of(raters)
    n = len(np.unique(np.stack([r.ravel() for r in raters]), axis=1).T)
    assert len(table.counts) == n > 10000
    number = np.empty(raters[0].shape, np.int32)
    table.write(np.arange(n, dtype=np.int32), number, quiet)
    for rater, codes in zip(raters, table.codes.T, strict=True):
        assert np.array_equal(codes[number], rater)


def test_patterns_come_in_the_order_of_the_voxels():
    table = patterns_of([np.array([3, 3, 0, 3]), np.array([1, 1, 2, 0])])
    assert table.codes.tolist() == [[3, 1], [0, 2], [3, 0]]
    assert table.counts.tolist() == [2, 1, 1]


def test_labels_beyond_a_byte_are_numbered():
    labels = np.array([0, 7, 70000])
    table = VotePatterns([np.array([70000, 7]), np.array([0, 7])], labels)
    table.count(quiet)
    assert labels[table.codes].tolist() == [[70000, 0], [7, 7]]


@pytest.mark.parametrize("n_raters", [1, 4, 5, 8, 9, 16, 21])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 1000])
def test_any_number_of_raters(n_raters, n):
    rng = np.random.default_rng(n)
    # Few changes, so that there are runs; labels that differ in any of the bits.
    changes = np.where(rng.random((n_raters, n)) < 0.02, rng.integers(0, 256, (n_raters, n)), 0)
    raters = np.bitwise_xor.accumulate(changes, axis=1).astype(np.uint8)
    table = patterns_of(list(raters))
    expected, counts = np.unique(raters, axis=1, return_counts=True)
    order = np.lexsort(table.codes.T[::-1])
    assert np.array_equal(table.codes[order].T, expected)
    assert np.array_equal(table.counts[order], counts)
    number = np.empty(n, np.int64)
    table.write(np.arange(len(counts)), number, quiet)
    assert np.array_equal(table.codes[number].T, raters)


def half_noise():
    """Long runs in one half and none in the other, over several blocks."""
    rng = np.random.default_rng(0)
    raters = np.zeros((3, 80, 90, 100), np.uint8)
    raters[:, :40, 20:60, 30:70] = rng.integers(0, 3, (3, 1, 40, 1))
    raters[:, 40:] = rng.integers(0, 9, (3, 40, 90, 100))
    return list(raters)


@pytest.mark.parametrize("turn", [np.ascontiguousarray, np.asfortranarray, lambda a: a[:, ::-1]])
@pytest.mark.parametrize("turn_out", [np.ascontiguousarray, np.asfortranarray])
def test_runs_and_noise_in_any_layout(turn, turn_out):
    raters = [turn(rater) for rater in half_noise()]
    table = patterns_of(raters)
    expected, counts = np.unique(np.reshape(raters, (3, -1)), axis=1, return_counts=True)
    order = np.lexsort(table.codes.T[::-1])
    assert np.array_equal(table.codes[order].T, expected)
    assert np.array_equal(table.counts[order], counts)
    number = turn_out(np.empty(raters[0].shape, np.int32))
    table.write(np.arange(len(counts), dtype=np.int32), number, quiet)
    for rater, codes in zip(raters, table.codes.T, strict=True):
        assert np.array_equal(codes[number], rater)


def test_raters_in_different_layouts():
    first, second, third = half_noise()
    swapped = np.ascontiguousarray(third.transpose(1, 0, 2)).transpose(1, 0, 2)
    table = patterns_of([np.asfortranarray(first), second, swapped])
    number = np.empty(first.shape, np.int32)
    table.write(np.arange(len(table.counts), dtype=np.int32), number, quiet)
    for rater, codes in zip((first, second, third), table.codes.T, strict=True):
        assert np.array_equal(codes[number], rater)


def test_both_passes_tell_how_far_they_are():
    told = []
    table = VotePatterns(half_noise(), np.arange(256))
    table.count(told.append)
    table.write(np.arange(len(table.counts)), np.empty((80, 90, 100), np.int64), told.append)
    half = len(told) // 2
    assert half > 1
    assert told[:half] == told[half:] == sorted(told[:half])
    assert told[-1] == 1


# --- STAPLE -------------------------------------------------------------------------------
def noisy(truth, n_classes, errors, rng):
    raters = []
    for error in errors:
        wrong = rng.random(truth.shape) < error
        raters.append(np.where(wrong, rng.integers(0, n_classes, truth.shape), truth))
    return [rater.astype(np.uint8) for rater in raters]


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_iterations", [1, 2, 7, 40])
def test_against_the_formulas_voxel_by_voxel(n_classes, n_iterations):
    rng = np.random.default_rng(n_classes)
    truth = rng.integers(0, n_classes, 900)
    raters = noisy(truth, n_classes, (0.1, 0.2, 0.3, 0.5), rng)
    confusions, posterior = naive_staple(raters, n_classes, n_iterations)
    table = patterns_of(raters)
    found = staple(table.codes, table.counts, n_classes, n_iterations)
    for rater in range(4):
        expected = np.diag(confusions[rater])
        assert np.allclose(found.sensitivity[rater], expected, rtol=0, atol=1e-11)
    winners = np.empty(900, np.int64)
    table.write(found.winners, winners, quiet)
    best = np.sort(posterior, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-6
    assert clear.mean() > 0.9
    assert np.array_equal(winners[clear], posterior.argmax(axis=1)[clear])


def test_for_two_classes_sensitivity_of_one_is_specificity_of_the_other():
    raters = noisy(np.arange(600) % 2, 2, (0.1, 0.2, 0.4), np.random.default_rng(0))
    table = patterns_of(raters)
    found = staple(table.codes, table.counts, 2)
    assert found.has_converged
    assert np.allclose(found.sensitivity, found.specificity[:, ::-1], rtol=0, atol=1e-14)


def test_specificity_of_many_classes_by_hand():
    codes = np.array([[0, 0], [1, 1], [2, 2], [2, 1]], np.uint8)
    found = majority(codes, np.array([5, 3, 2, 4]), 3)
    assert found.winners.tolist() == [0, 1, 2, -1]
    assert found.specificity.tolist() == [[1, 1, 1], [1, 1, 1]]
    three = np.column_stack([codes, [0, 1, 2, 2]]).astype(np.uint8)
    found = majority(three, np.array([5, 3, 2, 4]), 3)
    assert found.sensitivity[1].tolist() == [1, 1, 2 / 6]
    assert found.specificity[1].tolist() == [1, 7 / 11, 1]


def test_raters_that_always_agree_are_perfect():
    codes = np.array([[0] * 3, [1] * 3], np.uint8)
    found = staple(codes, np.array([900, 100]), 2)
    assert found.sensitivity.tolist() == found.specificity.tolist() == [[1, 1]] * 3


def test_the_opposite_of_two_others_is_always_wrong():
    codes = np.array([[0, 0, 1], [1, 1, 0]], np.uint8)
    found = staple(codes, np.array([900, 100]), 2)
    assert np.allclose(found.sensitivity[:, 1], [1, 1, 0], rtol=0, atol=1e-9)
    assert np.allclose(found.specificity[:, 1], [1, 1, 0], rtol=0, atol=1e-9)
    assert found.winners.tolist() == [0, 1]


def test_many_raters_do_not_run_out_of_numbers():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], (5000, 500))
    raters = noisy(truth, 2, [0.4] * 400, rng)
    table = patterns_of(raters)
    found = staple(table.codes, table.counts, 2)
    winners = np.empty(len(truth), np.int64)
    table.write(found.winners, winners, quiet)
    assert np.array_equal(winners, truth)
    assert np.isfinite(found.sensitivity).all()


def test_the_order_of_raters_does_not_matter():
    raters = noisy(np.arange(500) % 3, 3, (0.1, 0.3, 0.5), np.random.default_rng(1))
    one, other = (patterns_of(order) for order in (raters, raters[::-1]))
    first, second = (staple(t.codes, t.counts, 3).sensitivity for t in (one, other))
    assert np.allclose(first, second[::-1], rtol=0, atol=1e-8)


def test_being_stopped_early_is_told():
    raters = noisy(np.arange(500) % 2, 2, (0.2, 0.3, 0.4), np.random.default_rng(0))
    table = patterns_of(raters)
    few = staple(table.codes, table.counts, 2, max_iterations=2)
    assert (few.n_iterations, few.has_converged) == (2, False)
    assert staple(table.codes, table.counts, 2).has_converged


def test_it_can_be_cancelled():
    def cancel(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        staple(np.array([[0, 1], [1, 1]], np.uint8), np.array([1, 2]), 2, 10, cancel)
