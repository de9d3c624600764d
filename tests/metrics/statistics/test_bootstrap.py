"""Bootstrap intervals: known distributions, invariances, and resampling slice by slice."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics import confusion_matrix
from napari_segsuite.metrics.statistics import bootstrap
from napari_segsuite.metrics.statistics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_slices,
)

SCORES = [0.91, 0.85, 0.6, 0.88, 0.79, 0.93, 0.72, 0.81]


def dice(tables):
    """Of each label, (B, K)."""
    both = tables.sum(axis=1) + tables.sum(axis=2)
    with np.errstate(invalid="ignore"):
        return 2 * tables.diagonal(axis1=1, axis2=2) / both


# --- of values ----------------------------------------------------------------------------
def test_two_values_are_drawn_together_or_each_alone():
    found = bootstrap_interval([0.0, 1.0])
    assert (found.value, found.low, found.high) == (0.5, 0, 1)
    # Both means of equal draws lie outside the middle 40 % of all, which are mixed.
    found = bootstrap_interval([0.0, 1.0], confidence=0.4)
    assert (found.low, found.high) == (0.5, 0.5)


def test_many_values_have_the_interval_of_normal_theory():
    values = np.random.default_rng(0).uniform(size=2000)
    found = bootstrap_interval(values)
    half = 1.959964 * values.std() / math.sqrt(2000)
    assert found.value == pytest.approx(values.mean(), abs=1e-12)
    assert found.low == pytest.approx(values.mean() - half, abs=half / 15)
    assert found.high == pytest.approx(values.mean() + half, abs=half / 15)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng, held = np.random.default_rng(1), 0
    for seed in range(600):
        found = bootstrap_interval(rng.normal(3, 2, 40), confidence=0.9, n_resamples=200, rng=seed)
        held += found.low <= 3 <= found.high
    assert 0.86 < held / 600 < 0.92


def test_against_every_possible_draw():
    means = np.array(list(product(SCORES[:6], repeat=6))).mean(axis=1)
    ours = bootstrap_interval(SCORES[:6], n_resamples=50_000)
    assert ours.low == pytest.approx(np.quantile(means, 0.025), abs=0.002)
    assert ours.high == pytest.approx(np.quantile(means, 0.975), abs=0.002)


@settings(max_examples=30, deadline=None)
@given(st.permutations([*SCORES, math.nan]))
def test_the_order_of_cases_does_not_matter(values):
    assert bootstrap_interval(values, n_resamples=200) == bootstrap_interval(
        [*SCORES, math.nan], n_resamples=200
    )


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_units_scale_and_shift_the_interval(factor, shift):
    one = bootstrap_interval(SCORES, n_resamples=200)
    other = bootstrap_interval(np.array(SCORES) * factor + shift, n_resamples=200)
    for name in ("value", "low", "high"):
        expected = getattr(one, name) * factor + shift
        assert getattr(other, name) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_more_confidence_is_wider_and_the_mean_is_inside():
    narrow, wide = (bootstrap_interval(SCORES, confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high
    assert min(SCORES) <= wide.low
    assert wide.high <= max(SCORES)


def test_seeds_decide_the_draws():
    first = bootstrap_interval(SCORES, rng=3)
    assert first == bootstrap_interval(SCORES, rng=np.random.default_rng(3))
    assert first != bootstrap_interval(SCORES, rng=4)


@pytest.mark.parametrize("piece", [1, 50, 999])
def test_pieces_do_not_change_the_draws(monkeypatch, piece):
    tables = np.arange(27).reshape(3, 3, 3)
    whole = bootstrap_interval(SCORES), bootstrap_slices(tables, dice)
    monkeypatch.setattr(bootstrap, "_PIECE", piece)
    assert (bootstrap_interval(SCORES), bootstrap_slices(tables, dice)) == whole


def test_values_that_are_missing_are_left_out_and_counted():
    found = bootstrap_interval([math.nan, 0.5, 0.7, math.nan, 0.6])
    assert (found.n, found.n_left_out, found.reason) == (3, 2, "")
    assert found == Interval(**{**vars(bootstrap_interval([0.5, 0.6, 0.7])), "n_left_out": 2})


@pytest.mark.parametrize(
    ("values", "value", "n_left_out", "words"),
    [([0.5, math.nan], 0.5, 1, "two"), ([], math.nan, 0, "no value"),
     ([math.nan], math.nan, 1, "no value")],
)  # fmt: skip
def test_fewer_than_two_values_have_no_interval(values, value, n_left_out, words):
    found = bootstrap_interval(values)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.n_left_out == n_left_out
    assert words in found.reason


def test_inputs_stay_as_they_were():
    values = np.array([0.9, 0.2, 0.5])
    values.flags.writeable = False
    bootstrap_interval(values)
    assert values.tolist() == [0.9, 0.2, 0.5]


@pytest.mark.parametrize("values", [[[0.5, 0.6]], ["a"], [0.5, math.inf], [None, 1], 0.5])
def test_what_is_no_list_of_numbers_is_refused(values):
    with pytest.raises(InputError, match="one score per case"):
        bootstrap_interval(values)


@pytest.mark.parametrize(
    "setting",
    [{"confidence": 0}, {"confidence": 1}, {"confidence": 95}, {"confidence": math.nan},
     {"n_resamples": 99}, {"n_resamples": 2000.0}],
)  # fmt: skip
def test_settings_out_of_range(setting):
    for resample in (
        lambda: bootstrap_interval(SCORES, **setting),
        lambda: bootstrap_slices(np.ones((2, 2, 2), int), dice, **setting),
    ):
        with pytest.raises(ParameterError) as caught:
            resample()
        assert caught.value.name == next(iter(setting))


# --- of slices ----------------------------------------------------------------------------
@pytest.fixture
def volume():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 3, (6, 4, 5))
    prediction = np.where(rng.uniform(size=reference.shape) < 0.7, reference, 0)
    tables = np.zeros((6, 3, 3), np.int64)
    np.add.at(tables, (np.indices(reference.shape)[0], reference, prediction), 1)
    return prediction, reference, tables


def test_pooled_tables_are_those_of_the_slices_drawn(volume):
    prediction, reference, tables = volume
    found = bootstrap_slices(tables, dice, n_resamples=100, rng=5)
    drawn = np.random.default_rng(5).multinomial(6, np.full(6, 1 / 6), 100)
    scores = []
    for times in drawn:
        resampled = (np.repeat(labels, times, axis=0) for labels in (prediction, reference))
        scores.append(dice(confusion_matrix(*resampled).counts[np.newaxis])[0])
    low, high = np.quantile(scores, [0.025, 0.975], axis=0)
    assert [interval.low for interval in found] == pytest.approx(low, abs=1e-12)
    assert [interval.high for interval in found] == pytest.approx(high, abs=1e-12)
    whole = dice(tables.sum(axis=0)[np.newaxis])[0]
    assert [interval.value for interval in found] == pytest.approx(whole, abs=1e-15)


def test_one_score_is_one_interval(volume):
    tables = volume[2]
    every = bootstrap_slices(tables, dice)
    (one,) = bootstrap_slices(tables, lambda tables: dice(tables)[:, 1])
    assert one == every[1]


def test_equal_slices_leave_no_doubt():
    table = np.array([[50, 3], [2, 9]])
    for interval in bootstrap_slices(np.stack([table] * 5), dice):
        assert interval.low == pytest.approx(interval.value, abs=1e-15)
        assert interval.high == pytest.approx(interval.value, abs=1e-15)


def test_slices_without_voxels_are_left_out(volume):
    tables = volume[2]
    gaps = np.insert(tables, [0, 3, 6], 0, axis=0)
    for found, expected in zip(
        bootstrap_slices(gaps, dice), bootstrap_slices(tables, dice), strict=True
    ):
        assert (found.low, found.high) == (expected.low, expected.high)
        assert (found.n, found.n_left_out) == (6, 3)


def test_resamples_without_a_value_are_left_out_and_counted():
    tables = np.zeros((4, 3, 3), int)
    tables[:, 0, 0] = 10
    tables[0, 1, 1] = 5  # label 1 is in one slice alone, label 2 in none
    background, one, absent = bootstrap_slices(tables, dice)
    assert background.reason == ""
    assert (one.value, one.low, one.high) == (1, 1, 1)
    missing = int(one.reason.split()[3])
    assert missing / 2000 == pytest.approx(0.75**4, abs=0.03)
    assert math.isnan(absent.low)
    assert absent.reason == "no value in all slices together"


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_slices_have_no_interval(n):
    tables = np.zeros((3, 2, 2), int)
    tables[:n] = [[4, 0], [0, 4]]
    for interval in bootstrap_slices(tables, dice):
        assert interval.value == pytest.approx(1 if n else math.nan, nan_ok=True)
        assert math.isnan(interval.low)
        assert "two" in interval.reason


@pytest.mark.parametrize(
    "tables",
    [np.ones((2, 2)), np.ones((3, 2, 2)), np.ones((3, 2, 3), int), -np.ones((3, 2, 2), int),
     np.zeros((0, 2, 2), int)],
)  # fmt: skip
def test_what_are_no_confusion_matrices(tables):
    with pytest.raises(InputError, match="S, K, K"):
        bootstrap_slices(tables, dice)


def test_scores_that_do_not_fit_the_tables():
    with pytest.raises(InputError, match="score for each of 1 tables"):
        bootstrap_slices(np.ones((3, 2, 2), int), lambda tables: np.array(0.5))


def test_lists_within_lists_are_refused():
    with pytest.raises(InputError, match="unequal length"):
        bootstrap_interval([[1], [2, 3]])
    with pytest.raises(InputError, match="unequal length"):
        bootstrap_slices([[[1, 2]], [[3]]], lambda tables: tables)
