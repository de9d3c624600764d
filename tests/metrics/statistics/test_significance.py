"""Paired tests: exact p-values from tables, all signs tried, and peers."""

from __future__ import annotations

import json
import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError
from napari_segsuite.metrics.statistics.significance import holm_correction, paired_tests


def test_of(one, other):
    """The test of two lists of scores."""
    return paired_tests({"one": one, "other": other}).tests[0]


test_of.__test__ = False

NAN = math.nan
FALLING = st.lists(st.integers(-6, 6), min_size=6, max_size=9)


# --- the signed-rank test -----------------------------------------------------------------
@pytest.mark.parametrize(("n", "p"), [(6, 1 / 32), (7, 1 / 64), (10, 1 / 512)])
def test_always_better_is_the_rarest_outcome(n, p):
    found = test_of(np.linspace(0.6, 0.9, n), np.linspace(0.5, 0.7, n))
    assert (found.p, found.method, found.statistic) == (p, "exact", n * (n + 1) / 2)


@pytest.mark.parametrize(
    ("n", "negative", "p"),
    # 25 of 1024 ways give 8 or less; 9 of 256 give 5 or less; half give 10 or less of 21.
    [(10, (8,), 50 / 1024), (8, (5,), 20 / 256), (6, (4, 6), 1.0)],
)
def test_p_values_of_known_rank_sums(n, negative, p):
    differences = np.arange(1, n + 1) * np.where(np.isin(np.arange(1, n + 1), negative), -1, 1)
    assert test_of(differences / 100, np.zeros(n)).p == pytest.approx(p, abs=1e-15)


def test_the_depression_scores_of_hollander_and_wolfe():
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    found = test_of(before, after)
    assert (found.statistic, found.p) == (40, 0.0390625)


@settings(max_examples=80, deadline=None)
@given(FALLING)
def test_against_trying_all_signs(differences):
    nonzero = np.array([d for d in differences if d])
    sizes = np.abs(nonzero)
    ranks = np.array([(sizes < s).sum() + ((sizes == s).sum() + 1) / 2 for s in sizes])
    centre, seen = ranks.sum() / 2, ranks[nonzero > 0].sum()
    sums = [np.dot(signs, ranks) for signs in product((0, 1), repeat=len(nonzero))]
    expected = np.mean([abs(total - centre) >= abs(seen - centre) for total in sums])
    found = test_of(np.array(differences) / 10, np.zeros(len(differences)))
    assert found.p == pytest.approx(expected, abs=1e-12)
    assert found.n_equal == len(differences) - len(nonzero)


@pytest.mark.parametrize("n", [6, 20, 45])
def test_exact_against_scipy(n):
    peer = pytest.importorskip("scipy.stats")
    one, other = np.random.default_rng(n).uniform(size=(2, n))
    theirs = peer.wilcoxon(one, other, method="exact")
    assert test_of(one, other).p == pytest.approx(theirs.pvalue, rel=1e-12)


@pytest.mark.parametrize("digits", [1, 5])
def test_many_cases_against_scipy(digits):
    peer = pytest.importorskip("scipy.stats")
    # Whole numbers: in the peer, ties of fractions hang on the last digit.
    one, other = np.random.default_rng(0).integers(0, 10**digits, (2, 400))
    theirs = peer.wilcoxon(one, other, method="approx")
    found = test_of(one, other)
    assert found.method == "normal approximation"
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_the_approximation_meets_the_exact_values_where_they_change_over():
    rng = np.random.default_rng(2)
    differences = rng.normal(0.15, 1, 201)
    exact, approximate = (test_of(differences[:n], np.zeros(n)) for n in (200, 201))
    assert (exact.method, approximate.method) == ("exact", "normal approximation")
    assert exact.p == pytest.approx(approximate.p, rel=0.3)


def test_swapping_and_reordering_change_nothing_but_signs():
    rng = np.random.default_rng(0)
    one, other = rng.uniform(size=(2, 12)).round(1)
    order = rng.permutation(12)
    found, turned = test_of(one, other), test_of(other, one)
    assert found.p == turned.p == test_of(one[order], other[order]).p
    assert found.median_difference == -turned.median_difference


def test_differences_made_by_rounding_are_ties():
    # 0.9 - 0.8, 0.8 - 0.7 and 0.4 - 0.3 differ in the last digit.
    one, other = [0.9, 0.8, 0.4, 0.1, 0.5, 0.7], [0.8, 0.7, 0.3, 0.2, 0.6, 0.6]
    units = [[round(10 * value) for value in scores] for scores in (one, other)]
    found, expected = test_of(one, other), test_of(*units)
    assert (found.statistic, found.p) == (expected.statistic, expected.p) == (4 * 3.5, 0.6875)


def test_scipy_ranks_differences_made_by_rounding():
    """We are right: the scores have one decimal, and all differences are 0.1."""
    peer = pytest.importorskip("scipy.stats")
    one, other = [0.9, 0.8, 0.4, 0.1, 0.5, 0.7], [0.8, 0.7, 0.3, 0.2, 0.6, 0.6]
    assert peer.wilcoxon(one, other, method="exact").statistic == 6
    assert sum(range(1, 7)) - test_of(one, other).statistic == 7


@pytest.mark.parametrize("factor", [1e9, 1e-9])
def test_units_do_not_matter(factor):
    one, other = np.random.default_rng(0).uniform(size=(2, 15))
    assert test_of(one * factor, other * factor).p == test_of(one, other).p


def test_fewer_than_six_usable_cases_are_refused():
    found = test_of([1, 2, 3, 4, 5, NAN], [0, 0, 0, 0, 0, 0])
    assert math.isnan(found.p)
    assert math.isnan(found.p_holm)
    assert (found.n, found.n_left_out, found.method) == (5, 1, "")
    assert "6 at least" in found.reason
    assert found.median_difference == 3


def test_nothing_to_compare():
    found = test_of([1, NAN], [NAN, 1])
    assert math.isnan(found.median_difference)
    assert (found.n, found.n_left_out) == (0, 2)


def test_equal_scores_are_no_difference():
    found = test_of([0.5] * 8, [0.5] * 8)
    assert (found.p, found.p_holm, found.n_equal) == (1, 1, 8)
    assert "equal scores" in found.reason


def test_cases_are_left_out_pair_by_pair():
    rng = np.random.default_rng(0)
    table = {name: rng.uniform(size=9) for name in "abc"}
    table["a"][0] = table["b"][1] = NAN
    tests = paired_tests(table).tests
    assert [(t.first, t.second, t.n, t.n_left_out) for t in tests] == [
        ("a", "b", 7, 2), ("a", "c", 8, 1), ("b", "c", 8, 1),
    ]  # fmt: skip
    assert tests[1].p == test_of(table["a"][1:], table["c"][1:]).p


# --- the correction -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.04, 0.01, 0.03], [0.06, 0.03, 0.06]),
        ([0.5, 0.6], [1, 1]),
        ([0.02], [0.02]),
        ([NAN, 0.02, 0.5], [NAN, 0.04, 0.5]),
        ([NAN], [NAN]),
        ([], []),
    ],
)
def test_holm_by_hand(given, expected):
    assert holm_correction(given).tolist() == pytest.approx(expected, nan_ok=True, abs=1e-15)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_never_lowers(p_values):
    given = np.array(p_values)
    corrected = holm_correction(given)
    assert (corrected >= given).all()
    assert (corrected <= np.minimum(1, given * given.size + 1e-15)).all()
    assert (np.diff(corrected[np.argsort(given, kind="stable")]) >= 0).all()
    assert given.tolist() == p_values


def test_refused_tests_do_not_count_in_the_correction():
    scores = {"a": np.arange(6.0), "b": np.arange(6.0) / 2 - 1, "c": [1, NAN, 0, 0, 0, 0]}
    tests = paired_tests(scores).tests
    assert [math.isnan(test.p) for test in tests] == [False, True, True]
    assert tests[0].p_holm == tests[0].p


def test_three_predictions_are_corrected_for_three_tests():
    rng = np.random.default_rng(0)
    tests = paired_tests({name: rng.uniform(size=10) + i for i, name in enumerate("abc")}).tests
    assert [test.p for test in tests] == [1 / 512] * 3
    assert [test.p_holm for test in tests] == [3 / 512] * 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_over_every_set_of_tests(p_values):
    """A test stands only if every set of tests that it is in does (Marcus et al. 1976)."""
    places = range(len(p_values))
    sets = [s for n in places for s in combinations(places, n + 1)]
    expected = [
        max(min(1, len(s) * min(p_values[j] for j in s)) for s in sets if i in s) for i in places
    ]
    assert holm_correction(p_values) == pytest.approx(expected, abs=1e-15)


# --- in and out ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"a": [1.0]}, "two predictions"),
        ({}, "two predictions"),
        ({"a": [1.0, 2], "b": [1.0]}, "2 for 'a', 1 for 'b'"),
        ({"a": [], "b": []}, "0 for 'a'"),
        ({"a": [1.0], "b": [math.inf]}, "finite scores.*'b'"),
        ({"a": ["x"], "b": [1]}, "'a'"),
    ],
)
def test_what_cannot_be_compared(scores, words):
    with pytest.raises(InputError, match=words):
        paired_tests(scores)


def test_tables_and_plain_data():
    found = paired_tests({"a|1": np.arange(6.0), "b": np.zeros(6), "c": [NAN] * 6})
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["pairs"][0]["p"] == found.tests[0].p == 0.0625  # five cases differ
    assert data["pairs"][1]["p"] is None
    lines = found.to_markdown().splitlines()
    assert len(lines) == 2 + 3 + 2
    assert "a\\|1 – b" in lines[2]
    assert "exact" in lines[2]
    assert "0 usable cases" in lines[3]
