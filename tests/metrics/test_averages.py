"""Averages over classes: macro, micro and weighted, and what they leave out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.metrics import evaluate

REFERENCE = np.repeat([0, 0, 1, 1, 2, 2], [50, 10, 30, 10, 8, 2])
PREDICTION = np.repeat([0, 1, 1, 0, 2, 1], [50, 10, 30, 10, 8, 2])


def test_three_averages_of_dice_by_hand():
    report = evaluate(PREDICTION, REFERENCE)
    one, two = 60 / (42 + 40), 16 / (8 + 10)
    assert report.mean["dice"] == pytest.approx((one + two) / 2)
    assert report.micro["dice"] == pytest.approx(2 * 38 / (2 * 38 + 12 + 12))
    assert report.weighted["dice"] == pytest.approx((40 * one + 10 * two) / 50)


def test_averages_leave_out_what_has_no_value_and_say_how_many():
    report = evaluate([0, 1, 1, 2], [0, 1, 1, 0], classes=(0, 1, 2, 3))
    score = report.scores["recall"]
    assert (score.n_used, score.n_nan, score.n_empty) == (1, 2, 1)
    assert (report.mean["recall"], report.weighted["recall"]) == (1, 1)
    assert report.micro["recall"] == 1
    dice = report.scores["dice"]
    assert (dice.n_used, dice.n_nan, dice.n_empty) == (2, 1, 1)
    assert report.mean["dice"] == 0.5
    assert report.weighted["dice"] == 1  # the class that is only predicted weighs nothing


def test_a_report_of_background_alone_has_no_averages():
    report = evaluate([0, 0], [0, 0])
    for average in (report.mean["dice"], report.micro["dice"], report.weighted["dice"]):
        assert math.isnan(average)
    assert report.scores["dice"].mean_reason == "no class has a value"


def test_volumes_have_no_micro_average():
    report = evaluate(PREDICTION, REFERENCE, metrics=("volume", "dice"))
    assert set(report.micro) == set(report.weighted) == {"dice"}


labels_of = hnp.arrays(np.uint8, st.just((5, 6)), elements=st.integers(0, 3))


@settings(max_examples=60, deadline=None)
@given(labels_of, labels_of)
def test_averages_are_those_of_scikit_learn(prediction, reference):
    peer = pytest.importorskip("sklearn.metrics")
    report = evaluate(prediction, reference, classes=(1, 2, 3))
    recall = report.per_class["recall"]
    present = [label for label in (1, 2, 3) if not math.isnan(recall[label])]
    flat = reference.ravel(), prediction.ravel()
    if (reference > 0).any():
        weighted = peer.recall_score(*flat, labels=present, average="weighted", zero_division=0)
        micro = peer.recall_score(*flat, labels=[1, 2, 3], average="micro", zero_division=0)
        assert report.weighted["recall"] == pytest.approx(weighted)
        assert report.micro["recall"] == pytest.approx(micro)
    mcc = report.mean["multiclass_mcc"]
    if len(np.unique(reference)) > 1 and len(np.unique(prediction)) > 1:
        assert mcc == pytest.approx(peer.matthews_corrcoef(*flat))
    else:
        assert math.isnan(mcc)  # scikit-learn says 0, which reads as a correlation found


@settings(max_examples=60, deadline=None)
@given(labels_of, labels_of)
def test_scores_of_one_class_are_those_of_its_mask(prediction, reference):
    peer = pytest.importorskip("sklearn.metrics")
    masks = reference.ravel() == 1, prediction.ravel() == 1
    report = evaluate(prediction, reference, classes=(1,))
    if masks[0].any() and not masks[0].all():
        expected = peer.balanced_accuracy_score(*masks)
        assert report.per_class["balanced_accuracy"][1] == pytest.approx(expected)
        expected = peer.fbeta_score(*masks, beta=2, zero_division=0)
        assert report.per_class["f_beta"][1] == pytest.approx(expected)
        if masks[1].any() and not masks[1].all():
            expected = peer.matthews_corrcoef(*masks)
            assert report.per_class["mcc"][1] == pytest.approx(expected)
