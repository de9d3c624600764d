"""Intervals of the scores of one volume, over its slices or its objects."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_segsuite.errors import ParameterError
from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.metrics import evaluate
from napari_segsuite.metrics.statistics.score_intervals import score_intervals
from napari_segsuite.space import Space


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 3, (20, 12, 12)).astype(np.uint8)
    noise = rng.integers(0, 3, reference.shape)
    prediction = np.where(rng.random(reference.shape) < 0.2, noise, reference).astype(np.uint8)
    prediction[5:8] = 0
    return prediction, reference


def by_place(found):
    return {(score.metric, score.label): score.interval for score in found.scores}


def test_values_are_those_of_the_whole_volume(pair):
    found = by_place(score_intervals(*pair, metrics=("dice", "specificity", "mcc")))
    report = evaluate(*pair)
    for (metric, label), interval in found.items():
        assert interval.value == pytest.approx(report.per_class[metric][label], abs=1e-12)
        assert interval.low < interval.value < interval.high
        assert interval.n == 20
    assert {label for _, label in found} == {1, 2}


def test_intervals_are_those_of_drawing_slices_by_hand(pair):
    prediction, reference = pair
    interval = by_place(score_intervals(*pair, metrics="dice", classes=[1], n_resamples=4000))
    rng = np.random.default_rng(1)
    dice = []
    for _ in range(1500):
        drawn = rng.integers(0, 20, 20)
        p, r = prediction[drawn] == 1, reference[drawn] == 1
        dice.append(2 * (p & r).sum() / (p.sum() + r.sum()))
    low, high = np.quantile(dice, (0.025, 0.975))
    found = interval["dice", 1]
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


def test_slices_that_are_all_alike_leave_no_doubt():
    labels = np.repeat([[0, 1, 1, 1]], 5, axis=0)
    (found,) = score_intervals(np.roll(labels, 1, axis=1), labels, metrics="dice").scores
    assert found.interval.low == found.interval.value == found.interval.high == 2 / 3


def test_objects_are_drawn_with_their_overlap():
    reference, prediction = np.zeros((2, 10, 40), np.uint8)
    for i in range(8):
        reference[2:8, 5 * i : 5 * i + 4] = i + 1
    prediction[2:8, :20] = reference[2:8, :20]
    found = by_place(score_intervals(prediction, reference, over="objects"))
    for metric in ("object_iou", "object_dice", "instance_recall"):
        interval = found[metric, None]
        assert (interval.value, interval.n) == (0.5, 8)
        assert 0 < interval.low < 0.5 < interval.high < 1


def test_what_there_is_to_say_is_said_in_every_form(pair):
    names = (LabelClass(1, "=grey"), LabelClass(2, "white"))
    reference = Segmentation(pair[1], Space.regular(3), names)
    found = score_intervals(pair[0], reference, metrics="dice", confidence=0.9)
    assert "90 % over slices" in found.to_markdown()
    assert "2 white" in found.to_markdown()
    rows = list(found.rows())
    assert [row["metric"] for row in rows] == ["dice_low", "dice_high"] * 2
    assert rows[0]["name"] == "'=grey"
    assert rows[1]["definition"].endswith("upper end of the 90 % bootstrap interval over slices")
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["scores"][1]["class"] == 2


def test_one_slice_has_no_interval_and_says_so():
    found = score_intervals([[[0, 1]]], [[[1, 1]]], metrics="dice")
    assert np.isnan(found.scores[0].interval.low)
    assert "interval takes two at least" in found.to_markdown()


def test_the_same_seed_gives_the_same_interval(pair):
    first, second = (score_intervals(*pair, rng=3) for _ in range(2))
    assert first.scores == second.scores


@pytest.mark.parametrize("setting", [{"over": "voxels"}, {"metrics": "kappa"}, {"confidence": 1}])
def test_settings_that_are_none_are_refused(pair, setting):
    with pytest.raises(ParameterError):
        score_intervals(*pair, **setting)


def test_nothing_but_background_has_no_scores():
    zeros = np.zeros((3, 4), np.uint8)
    assert score_intervals(zeros, zeros).scores == ()
    objects = score_intervals(zeros, zeros, over="objects").scores
    assert all(score.interval.reason == "no value" for score in objects)
