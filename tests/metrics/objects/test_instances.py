"""Instance metrics: values by hand, exact thresholds, and a naive reference over dense loops."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics.contingency import Contingency, contingency_table
from napari_segsuite.metrics.objects.centroids import centroids, with_centroids
from napari_segsuite.metrics.objects.instances import INSTANCES, match_at, match_instances

SCORES = {metric.name: metric.function for metric in INSTANCES}


def found(prediction, reference, **options):
    return match_instances(contingency_table(prediction, reference, **options))


def scores(prediction, reference):
    instances = found(prediction, reference)
    return {name: function(instances) for name, function in SCORES.items()}


def line(*runs):
    """A line of labels from (label, length) pairs."""
    return np.repeat([label for label, _ in runs], [n for _, n in runs]).astype(np.int32)


# Two objects: one with IoU 8/10, one with IoU 3/6, and a speck.
REFERENCE = line((1, 10), (0, 5), (2, 5), (0, 5))
PREDICTION = line((7, 8), (0, 7), (4, 3), (0, 2), (4, 1), (0, 2), (3, 2))


# --- known values -------------------------------------------------------------------------
def test_counts_by_hand():
    instances = found(PREDICTION, REFERENCE)
    assert instances.thresholds == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    assert instances.tp.tolist() == [2, 1, 1, 1, 1, 1, 1, 0, 0, 0]
    assert instances.fp.tolist() == [1, 2, 2, 2, 2, 2, 2, 3, 3, 3]
    assert instances.fn.tolist() == [0, 1, 1, 1, 1, 1, 1, 2, 2, 2]
    assert instances.tp_above.tolist() == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert instances.sum_iou == pytest.approx([1.3] + [0.8] * 6 + [0] * 3)
    assert (instances.n_reference, instances.n_predicted, instances.reason) == (2, 3, "")
    strict = match_instances(contingency_table(PREDICTION, REFERENCE), strict=True)
    assert strict.tp.tolist() == instances.tp_above.tolist()
    assert strict.sum_iou.tolist() == instances.sum_iou_above.tolist()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ap50", 2 / 3), ("ap75", 1 / 4), ("mean_ap", (2 / 3 + 6 / 4) / 10),
        ("dsb2018", 6 / 4 / 10), ("instance_precision", 2 / 3), ("instance_recall", 1),
        ("instance_f1", 4 / 5), ("pq", 0.8 / 2.5), ("sq", 0.8), ("rq", 1 / 2.5),
        ("aji", 11 / (10 + 6 + 2)), ("n_split", 0), ("n_merged", 0), ("n_missed", 1),
        ("n_spurious", 2),
    ],
)  # fmt: skip
def test_scores_by_hand(name, value):
    assert scores(PREDICTION, REFERENCE)[name] == pytest.approx(value, abs=1e-15)


def test_every_row_says_what_it_is():
    assert len(SCORES) == len(INSTANCES) == 15
    for metric in INSTANCES:
        assert (metric.group, metric.per_class) == ("instances", False)
        assert metric.better == ("lower" if metric.name.startswith("n_") else "higher")
    for metric in INSTANCES[:3]:
        assert "without confidences" in metric.help


def test_identical_objects_are_perfect():
    labels = np.random.default_rng(0).integers(0, 5, (6, 7, 8)).repeat(3, 2)
    other = np.array([0, 90, 2**40, 7, 12])[labels]
    for name, value in scores(other, labels).items():
        assert value == (0 if name.startswith("n_") else 1), name


def test_disjoint_objects_share_nothing():
    values = scores(line((0, 5), (1, 5)), line((1, 5), (0, 5)))
    assert math.isnan(values.pop("sq"))
    assert values.pop("n_missed") == values.pop("n_spurious") == 1
    assert set(values.values()) == {0}
    reason = found(line((0, 5), (1, 5)), line((1, 5), (0, 5))).reason
    assert reason == "no object has a match with an IoU above 0.5"


# --- splits and mergers -------------------------------------------------------------------
def test_a_merger_and_a_split_in_halves():
    reference = line((1, 4), (2, 4), (0, 2), (3, 4))
    prediction = line((1, 8), (0, 2), (2, 2), (3, 2))
    table = contingency_table(prediction, reference)
    instances = match_instances(table)
    assert (instances.n_split, instances.n_merged) == (1, 1)
    assert (instances.n_missed, instances.n_spurious) == (0, 0)
    assert instances.tp_above[0] == 0  # 2 / 4 is not above 0.5, nor is 4 / 8
    assert instances.tp[0] == 2  # but equal to it
    assert len(match_at(table, 50, strict=True).iou) == 0
    assert [(o.role, o.label, o.match, o.iou, o.status) for o in instances.objects] == [
        ("reference", 1, 0, 0.5, "merged"),
        ("reference", 2, 0, 0.5, "merged"),
        ("reference", 3, 0, 0.5, "split"),
        ("prediction", 1, 0, 0.5, "merged"),
        ("prediction", 2, 0, 0.5, "split"),
        ("prediction", 3, 0, 0.5, "split"),
    ]


def test_a_matched_object_can_be_split_and_a_matched_prediction_a_merger():
    reference = line((1, 10), (0, 3), (2, 10), (3, 2), (0, 2))
    prediction = line((5, 9), (6, 1), (0, 3), (7, 12), (8, 2))
    instances = found(prediction, reference)
    status = {(o.role[0], o.label): o.status for o in instances.objects}
    assert status == {
        ("r", 1): "matched", ("r", 2): "matched", ("r", 3): "merged",
        ("p", 5): "matched", ("p", 6): "split", ("p", 7): "matched", ("p", 8): "spurious",
    }  # fmt: skip
    assert (instances.n_split, instances.n_merged) == (1, 1)
    assert (instances.n_missed, instances.n_spurious) == (0, 1)


def test_exactly_half_of_an_object_is_not_in_another():
    instances = found(line((1, 4), (0, 8)), line((0, 2), (1, 5), (0, 5)))
    assert (instances.n_missed, instances.n_spurious) == (1, 1)
    halves = found(line((1, 4), (2, 4)), line((0, 2), (1, 4), (0, 2)))
    assert halves.n_split == 0


def test_objects_are_listed_with_their_sizes_and_best_overlap():
    rows = found(PREDICTION, REFERENCE).objects
    assert [(o.role[0], o.label, o.size, o.match, o.status) for o in rows] == [
        ("r", 1, 10, 7, "matched"), ("r", 2, 5, 0, "missed"),
        ("p", 3, 2, 0, "spurious"), ("p", 4, 4, 0, "spurious"), ("p", 7, 8, 1, "matched"),
    ]  # fmt: skip
    assert [o.iou for o in rows] == pytest.approx([0.8, 0.5, 0, 0.5, 0.8])
    assert [o.dice for o in rows] == pytest.approx([16 / 18, 6 / 9, 0, 6 / 9, 16 / 18])
    assert all(type(o.label) is int and type(o.iou) is float for o in rows)


# --- thresholds are exact -----------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64", "f4"])
@pytest.mark.parametrize(
    ("shared", "union"), [(13, 20), (4, 5), (11, 20), (19, 20), (65, 100), (7, 10)]
)
def test_an_iou_equal_to_the_threshold_matches(dtype, shared, union):
    reference = line((1, union), (0, 1)).astype(dtype)
    prediction = line((1, shared), (0, union - shared + 1)).astype(dtype)
    table = contingency_table(prediction, reference)
    percent = 100 * shared // union
    assert len(match_at(table, percent).iou) == 1
    assert len(match_at(table, percent, strict=True).iou) == 0
    assert len(match_at(table, percent + 1).iou) == 0
    instances = match_instances(table)
    at = round(percent / 5) - 10
    assert instances.tp.tolist() == [1] * (at + 1) + [0] * (9 - at)
    assert instances.tp_above.tolist() == [1] * at + [0] * (10 - at)


def test_no_overflow_for_a_trillion_voxels():
    table = Contingency(
        np.array([1], np.uint64),
        np.array([0, 1], np.uint64),
        np.array([0, 0]),
        np.array([0, 1]),
        np.array([2**38, 3 * 2**38]),
    )
    assert [len(match_at(table, percent).iou) for percent in (75, 76)] == [1, 0]
    assert len(match_at(table, 75, strict=True).iou) == 0
    instances = match_instances(table)
    assert SCORES["ap75"](instances) == 1
    assert SCORES["aji"](instances) == SCORES["sq"](instances) == 0.75


@pytest.mark.parametrize("threshold", [0, 101, 0.5, "50"])
def test_a_threshold_is_a_percent(threshold):
    with pytest.raises(ParameterError, match=r"whole percents from 1 to 100, got") as raised:
        match_at(contingency_table([1], [1]), threshold)
    assert raised.value.name == "threshold_percent"


def test_at_half_an_object_matches_once():
    table = contingency_table(line((1, 1), (2, 1)), line((1, 2)))
    assert match_instances(table).tp[0] == 1
    assert match_at(table, 50).prediction_labels.tolist() in ([1], [2])


# --- nothing to compare -------------------------------------------------------------------
@pytest.mark.parametrize(
    ("prediction", "reference", "undefined", "reason"),
    [
        ([0, 0], [0, 0], set(SCORES), "neither the prediction nor the reference has an object"),
        ([0, 0], [0, 3], {"instance_precision", "sq"}, "the prediction has no object"),
        ([0, 3], [0, 0], {"instance_recall", "sq"}, "the reference has no object"),
    ],
)
def test_without_objects(prediction, reference, undefined, reason):
    values = scores(prediction, reference)
    assert {name for name, value in values.items() if math.isnan(value)} == undefined
    counts = {"n_missed", "n_spurious"} - undefined
    assert all(values[name] == 0 for name in SCORES if name not in undefined | counts)
    instances = found(prediction, reference)
    assert instances.reason == reason
    assert (instances.n_missed, instances.n_spurious) == (int(any(reference)), int(any(prediction)))
    assert len(instances.objects) == instances.n_reference + instances.n_predicted


def test_everything_ignored():
    instances = found([1, 2], [9, 9], ignore=(9,))
    assert (instances.n_reference, instances.n_predicted) == (0, 0)
    assert math.isnan(SCORES["pq"](instances))


# --- the aggregated Jaccard index ---------------------------------------------------------
def test_aji_uses_a_prediction_for_every_object_it_fits_best():
    reference = line((1, 4), (2, 6), (3, 2), (0, 4))
    prediction = line((1, 10), (0, 4), (2, 2))
    # 1 and 2 both go with prediction 1, 3 with none; prediction 2 is nobody's.
    assert scores(prediction, reference)["aji"] == pytest.approx((4 + 6) / (10 + 10 + 2 + 2))


# --- naive reference ----------------------------------------------------------------------
def dense(prediction, reference):
    """Sizes, and IoU of all pairs as fractions."""
    labels = [sorted(set(a.ravel().tolist()) - {0}) for a in (reference, prediction)]
    iou = {}
    for r, p in itertools.product(*labels):
        shared = int(((reference == r) & (prediction == p)).sum())
        iou[r, p] = Fraction(shared, int(((reference == r) | (prediction == p)).sum()))
    return *labels, iou


def best_matching(rows, columns, iou, threshold, strict):
    """Most matches, then largest sum of IoU, by trying every assignment."""
    if not rows:
        return 0, Fraction(0)
    rest = best_matching(rows[1:], columns, iou, threshold, strict)
    for p in columns:
        value = iou[rows[0], p]
        if value > threshold or (value == threshold and not strict):
            others = [c for c in columns if c != p]
            n, total = best_matching(rows[1:], others, iou, threshold, strict)
            rest = max(rest, (n + 1, total + value))
    return rest


def naive_aji(prediction, reference):
    rows, columns, iou = dense(prediction, reference)
    shared, either, used = 0, 0, set()
    for r in rows:
        mine = reference == r
        best = max(columns, key=lambda p, r=r: iou[r, p], default=None)
        if best is None or not iou[r, best]:
            either += mine.sum()
            continue
        shared += (mine & (prediction == best)).sum()
        either += (mine | (prediction == best)).sum()
        used.add(best)
    either += sum((prediction == p).sum() for p in columns if p not in used)
    return shared / either if either else float("nan")


label_arrays = st.integers(0, 5).flatmap(
    lambda top: hnp.arrays(np.uint8, (2, 5, 4), elements=st.integers(0, top))
)


@settings(max_examples=150, deadline=None)
@given(label_arrays, st.integers(1, 100), st.booleans())
def test_matching_against_every_assignment(arrays, percent, strict):
    prediction, reference = arrays
    matches = match_at(contingency_table(prediction, reference), percent, strict=strict)
    rows, columns, iou = dense(prediction, reference)
    n, total = best_matching(rows, columns, iou, Fraction(percent, 100), strict)
    assert len(matches.iou) == n
    assert matches.iou.sum() == pytest.approx(float(total))
    assert len(set(matches.reference_labels)) == len(set(matches.prediction_labels)) == n
    labels = zip(matches.reference_labels.tolist(), matches.prediction_labels.tolist(), strict=True)
    assert [float(iou[pair]) for pair in labels] == matches.iou.tolist()


@settings(max_examples=60, deadline=None)
@given(label_arrays)
def test_scores_against_dense_loops(arrays):
    prediction, reference = arrays
    instances = found(prediction, reference)
    rows, columns, iou = dense(prediction, reference)
    aps = []
    for k in range(10):
        threshold = Fraction(50 + 5 * k, 100)
        for strict, tp in ((False, instances.tp), (True, instances.tp_above)):
            assert tp[k] == best_matching(rows, columns, iou, threshold, strict)[0]
        n_all = len(rows) + len(columns) - instances.tp[k]
        aps.append(instances.tp[k] / n_all if n_all else np.nan)
    assert SCORES["mean_ap"](instances) == pytest.approx(np.mean(aps), nan_ok=True)
    assert SCORES["aji"](instances) == pytest.approx(naive_aji(prediction, reference), nan_ok=True)
    good = [value for value in iou.values() if value > Fraction(1, 2)]
    if rows or columns:
        expected = float(2 * sum(good, Fraction(0)) / (len(rows) + len(columns)))
        assert SCORES["pq"](instances) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(label_arrays)
def test_swapping_the_two_swaps_splits_and_mergers(arrays):
    one, other = found(*arrays), found(*arrays[::-1])
    assert (one.n_split, one.n_missed) == (other.n_merged, other.n_spurious)
    assert one.tp.tolist() == other.tp.tolist()
    status = [
        sorted(row.status for row in i.objects if row.status == "matched") for i in (one, other)
    ]
    assert status[0] == status[1]


def test_many_objects_that_compete():
    rng = np.random.default_rng(0)
    from scipy.optimize import linear_sum_assignment

    prediction, reference = rng.integers(0, 60, (2, 4000))
    table = contingency_table(prediction, reference)
    matches = match_at(table, 1)
    shared = np.zeros((60, 60))
    np.add.at(shared, (reference, prediction), 1)
    union = shared.sum(1, keepdims=True) + shared.sum(0) - shared
    iou = (shared / union)[1:, 1:]
    good = shared[1:, 1:] * 100 >= union[1:, 1:]
    rows, columns = linear_sum_assignment(good * (1 + iou / 200), maximize=True)
    assert len(matches.iou) == good[rows, columns].sum() > 50
    assert matches.iou.sum() == pytest.approx((iou * good)[rows, columns].sum())


# --- where objects lie --------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(40, 50), (9, 130, 260)])
@pytest.mark.parametrize("factor", [1, 2**35])
def test_centroids_against_argwhere(shape, factor):
    labels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint64) * np.uint64(factor)
    ids = np.array([1, 3, 9], np.uint64) * np.uint64(factor)
    places = centroids(labels, ids)
    assert places.shape == (3, len(shape))
    assert np.isnan(places[2]).all()
    for label, place in zip(ids[:2], places[:2], strict=True):
        assert place == pytest.approx(np.argwhere(labels == label).mean(axis=0))


def test_objects_with_their_centroids():
    reference, prediction = np.zeros((2, 6, 8), np.int32)
    reference[1:4, 2:5], prediction[1:4, 3:6] = 3, 4
    rows = with_centroids(found(prediction, reference).objects, prediction, reference)
    assert [(o.label, o.centroid) for o in rows] == [(3, (2.0, 3.0)), (4, (2.0, 4.0))]
    assert centroids(reference, []).shape == (0, 2)
    with pytest.raises(InputError, match=r"shape \(M, N\) or \(M, N, P\)"):
        centroids([1, 2], [1])
