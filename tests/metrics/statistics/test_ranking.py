"""Rankings: values by hand, ties, failures, invariances."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics.statistics.ranking import rank_scores

NAN = math.nan
TABLES = st.integers(1, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from([0.1, 0.4, 0.5, 0.9, NAN]), min_size=n, max_size=n),
        min_size=1,
        max_size=5,
    )
)


def by_name(ranking):
    return {standing.name: standing for standing in ranking.standings}


def test_values_by_hand():
    ranking = rank_scores({"a": [0.9, 0.8, 0.1], "b": [0.8, 0.7, 0.9], "c": [0.7, 0.9, 0.2]})
    # Ranks: a 1 2 3, b 2 3 1, c 3 1 2.
    assert [(s.name, s.place, s.mean_rank, s.wins) for s in ranking.standings] == [
        ("a", 1, 2, 1), ("b", 1, 2, 1), ("c", 1, 2, 1),
    ]  # fmt: skip
    assert [s.mean for s in ranking.standings] == pytest.approx([0.6, 0.8, 0.6])
    assert [s.median for s in ranking.standings] == [0.8, 0.8, 0.7]


def test_the_order_by_ranks_can_be_another_than_by_means():
    ranking = rank_scores({"steady": [0.7] * 5, "mostly best": [0.8, 0.8, 0.8, 0.8, 0.0]})
    first, second = ranking.standings
    assert (first.name, first.place, first.wins, first.mean_rank) == ("mostly best", 1, 4, 1.2)
    assert (second.place, second.mean_rank) == (2, 1.8)
    assert first.mean < second.mean


def test_lower_can_be_better():
    scores = {"a": [1.0, 2.0], "b": [3.0, 1.5], "c": [4.0, 5.0]}
    ranking = rank_scores(scores, better="lower")
    assert [s.name for s in ranking.standings] == ["a", "b", "c"]
    assert [s.mean_rank for s in ranking.standings] == [1.5, 1.5, 3]
    assert [s.place for s in ranking.standings] == [1, 1, 3]


def test_equal_scores_share_ranks_and_wins():
    found = by_name(rank_scores({"a": [0.5], "b": [0.5], "c": [0.1]}))
    assert [found[name].mean_rank for name in "abc"] == [1.5, 1.5, 3]
    assert [found[name].wins for name in "abc"] == [0.5, 0.5, 0]


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_no_value_is_the_worst_rank_and_no_win(better):
    found = by_name(rank_scores({"a": [NAN, 0.5], "b": [0.4, 0.5], "c": [NAN, NAN]}, better=better))
    assert [found[name].mean_rank for name in "abc"] == [(2.5 + 1.5) / 2, (1 + 1.5) / 2, 2.75]
    assert [found[name].wins for name in "abc"] == [0.5, 1.5, 0]
    assert [(found[name].n, found[name].n_nan) for name in "abc"] == [(1, 1), (2, 0), (0, 2)]
    assert found["a"].mean == 0.5
    assert math.isnan(found["c"].mean)
    assert math.isnan(found["c"].median)


def test_cases_in_which_none_has_a_value_are_ties_that_nobody_wins():
    found = by_name(rank_scores({"a": [NAN, 0.9], "b": [NAN, 0.8]}))
    assert (found["a"].mean_rank, found["b"].mean_rank) == (1.25, 1.75)
    assert (found["a"].wins, found["b"].wins) == (1, 0)


@settings(max_examples=100, deadline=None)
@given(TABLES)
def test_against_comparing_each_with_each(rows):
    ranking = rank_scores({str(i): row for i, row in enumerate(rows)})
    n_cases = len(rows[0])
    for standing in ranking.standings:
        mine = rows[int(standing.name)]
        rank = 0.0
        for case, score in enumerate(mine):
            key = -1 if math.isnan(score) else score
            others = [-1 if math.isnan(row[case]) else row[case] for row in rows]
            rank += sum(o > key for o in others) + (sum(o == key for o in others) + 1) / 2
        assert standing.mean_rank == pytest.approx(rank / n_cases)
        assert standing.n + standing.n_nan == n_cases
    mean_ranks = [standing.mean_rank for standing in ranking.standings]
    assert mean_ranks == sorted(mean_ranks)
    assert np.mean(mean_ranks) == pytest.approx((len(rows) + 1) / 2)
    won = sum(any(not math.isnan(row[case]) for row in rows) for case in range(n_cases))
    assert sum(standing.wins for standing in ranking.standings) == pytest.approx(won)


def test_the_order_of_cases_and_predictions_does_not_matter():
    rng = np.random.default_rng(0)
    table = {name: rng.uniform(size=20) for name in "abcd"}
    order = rng.permutation(20)
    turned = rank_scores({name: table[name][order] for name in "dbca"})
    one, other = by_name(rank_scores(table)), by_name(turned)
    for name in "abcd":
        assert one[name].mean == pytest.approx(other[name].mean, abs=1e-15)
        for field in ("place", "mean_rank", "wins", "median", "n"):
            assert getattr(one[name], field) == getattr(other[name], field)


def test_higher_is_lower_of_the_negated():
    table = {name: np.random.default_rng(i).uniform(size=9) for i, name in enumerate("abc")}
    one = by_name(rank_scores(table))
    other = by_name(rank_scores({name: -row for name, row in table.items()}, better="lower"))
    assert all(one[name].mean_rank == other[name].mean_rank for name in "abc")


def test_one_prediction_alone_is_first():
    (only,) = rank_scores({"a": [0.5, NAN]}).standings
    assert (only.place, only.mean_rank, only.wins) == (1, 1, 1)


@pytest.mark.parametrize("scores", [{}, {"a": []}, {"a": [1.0], "b": [1.0, 2.0]}])
def test_what_cannot_be_ranked(scores):
    with pytest.raises(InputError, match="one per case"):
        rank_scores(scores)


def test_another_direction_is_refused():
    with pytest.raises(ParameterError) as caught:
        rank_scores({"a": [1.0]}, better="zero")
    assert caught.value.name == "better"


def test_tables_and_plain_data():
    ranking = rank_scores({"a|1": [0.5, 0.6], "b": [NAN, NAN]})
    data = json.loads(json.dumps(ranking.to_dict(), allow_nan=False))
    assert data["standings"][1]["mean"] is None
    assert data["standings"][0]["mean_rank"] == 1
    assert (data["better"], data["n_cases"]) == ("higher", 2)
    lines = ranking.to_markdown().splitlines()
    assert lines[2].startswith("| a\\|1 | 1 | 1 | 2 | 0.55 |")
    assert lines[3].endswith("| – | – | 0 | 2 |")
    assert "worst rank" in lines[-1]


def test_what_only_rounding_made_different_is_a_tie():
    found = by_name(rank_scores({"a": [0.1 + 0.2, 1.0], "b": [0.3, 1.0]}))
    assert found["a"].mean_rank == found["b"].mean_rank == 1.5
    assert found["a"].wins == found["b"].wins == 1


def test_lists_within_lists_are_refused():
    with pytest.raises(InputError, match="unequal length"):
        rank_scores({"a": [[1], [2, 3]], "b": [1, 2]})
