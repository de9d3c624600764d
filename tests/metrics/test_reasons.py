"""Every value that is missing says why, and what it says is so."""

from __future__ import annotations

import csv
import math
from itertools import compress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.metrics import METRICS, evaluate

GROUPS = ("overlap", "volume", "instances", "partition", "warping")
labels = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4)), elements=st.integers(0, 2))
pairs = labels.flatmap(
    lambda a: st.tuples(st.just(a), hnp.arrays(np.uint8, a.shape, elements=st.integers(0, 2)))
)
ABSENT = "absent from both prediction and reference"

# What makes each metric of a class undefined, beside the class being nowhere.
CAUSES = {
    "precision": {"absent from the prediction"},
    "recall": {"absent from the reference"},
    "specificity": {"the reference has no other class"},
    "balanced_accuracy": {"absent from the reference", "the reference has no other class"},
    "mcc": {
        "absent from the reference",
        "absent from the prediction",
        "the reference has no other class",
        "the prediction has no other class",
    },
    "relative_volume_difference": {"absent from the reference"},
}


@settings(max_examples=100, deadline=None)
@given(pairs, st.sets(st.integers(0, 2), max_size=1))
def test_the_reason_of_a_class_is_a_fact_and_the_cause(arrays, ignore):
    prediction, reference = arrays
    report = evaluate(
        prediction, reference, metrics=("overlap", "volume"), classes=(0, 1, 2), ignore=ignore
    )
    counted = ~np.isin(reference, list(ignore))
    p, r = prediction[counted], reference[counted]
    for name, reasons in report.reasons.items():
        for label, reason in reasons.items():
            expected, predicted = int((r == label).sum()), int((p == label).sum())
            facts = {
                ABSENT: expected == predicted == 0,
                "absent from the reference": not expected,
                "absent from the prediction": not predicted,
                "the reference has no other class": expected == len(r),
                "the prediction has no other class": predicted == len(r),
            }
            assert facts[reason], (name, label, reason)
            assert reason == ABSENT or reason in CAUSES[name], (name, label, reason)


@settings(max_examples=100, deadline=None)
@given(pairs, st.sets(st.integers(0, 2), max_size=1))
def test_the_reason_of_an_image_is_a_fact(arrays, ignore):
    prediction, reference = arrays
    report = evaluate(prediction[None], reference[None], metrics=GROUPS, ignore=ignore)
    counted = ~np.isin(reference, list(ignore))
    p, r = prediction[counted], reference[counted]
    inside = r != 0
    n, n_inside = len(r), int(inside.sum())
    alone = [len(np.unique(a[inside])) == n_inside for a in (p, r)]
    alike = [len(np.unique(a[inside])) == 1 for a in (p, r)]
    n_predicted, n_reference = len(set(p) - {0}), len(set(r) - {0})
    no_pair = "no two voxels of the foreground share a label"
    facts = {
        "no voxel is counted": n == 0,
        "no voxel is compared": n == 0,
        "no pixel is compared": n == 0,
        "all voxels have one label, the same in prediction and reference": len({*p, *r}) == 1,
        "all voxels have one label, in the prediction or the reference or both": 1
        in (len(set(p)), len(set(r))),
        "a single voxel is compared: there is no pair": n == 1,
        "the reference has no foreground": n_inside == 0,
        f"{no_pair}, in either": all(alone),
        f"{no_pair} in the prediction": alone[0],
        f"{no_pair} in the reference": alone[1],
        "the foreground is one region in both: there is no information": all(alike),
        "neither the prediction nor the reference has an object": n_predicted == n_reference == 0,
        "the reference has no object": n_reference == 0,
        "the prediction has no object": n_predicted == 0,
        "no object has a match with an IoU above 0.5": n_predicted > 0 and n_reference > 0,
    }
    for name, value in report.overall.items():
        reason = report.scores[name].mean_reason
        assert math.isnan(value) == bool(reason), name
        assert not reason or facts[reason], (name, reason)


def test_a_weighted_average_without_weights_says_so(tmp_path):
    report = evaluate([1, 0, 0], [0, 0, 0])
    assert (report.mean["dice"], report.micro["dice"]) == (0, 0)
    assert math.isnan(report.weighted["dice"])
    reason = "no class that has a value occurs in the reference"
    assert report.to_dict()["weighted_reasons"]["dice"] == reason
    report.to_csv(tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["metric"], row["class"]): row for row in csv.DictReader(file)}
    assert rows["dice", "weighted"]["reason"] == reason
    assert all(bool(row["value"]) != bool(row["reason"]) for row in rows.values())


def test_classes_that_are_nowhere_do_not_enter_the_micro_average():
    prediction, reference = [0, 1, 1, 2], [0, 1, 2, 2]
    some, many = (evaluate(prediction, reference, classes=range(n)) for n in (3, 50))
    assert many.micro == some.micro
    assert many.n_nan["dice"] == 47


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].needs])
def test_what_a_metric_needs_decides_whether_it_has_a_value(name):
    holds = {"reference": 1, "prediction": 1, "rest of reference": 0, "rest of prediction": 0}
    for present in np.ndindex(2, 2, 2, 2):
        # One voxel each of: class in both, in the reference, in the prediction, in neither.
        voxels = list(compress(((1, 1), (0, 1), (1, 0), (0, 0)), present))
        if not any(1 in pair for pair in voxels):
            continue
        prediction, reference = zip(*voxels, strict=True)
        value = evaluate(prediction, reference, metrics=name).per_class[name][1]
        lacks = [
            need
            for need in METRICS[name].needs
            if holds[need] not in (prediction if "prediction" in need else reference)
        ]
        assert math.isnan(value) == bool(lacks), (voxels, lacks)
