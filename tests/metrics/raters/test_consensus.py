"""Consensus and agreement of raters: known answers, what goes in and what comes out."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import FormatError, InputError, ParameterError, SpaceMismatchError
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.io import read, write
from napari_segsuite.metrics.raters.consensus import consensus, rater_agreement
from napari_segsuite.progress import Cancelled
from napari_segsuite.space import Space


def masks(shape=(12, 13, 14)):
    """A ball, and the same moved by one voxel along each axis."""
    grid = np.indices(shape)
    ball = sum((g - n // 2) ** 2 for g, n in zip(grid, shape, strict=True)) < 16
    ball = ball.astype(np.uint8)
    return [ball, *(np.roll(ball, 1, axis) for axis in range(ball.ndim))]


# --- consensus ----------------------------------------------------------------------------
@pytest.mark.parametrize("rule", ["staple", "majority"])
def test_three_equal_raters(rule):
    labels = masks()[0]
    found = consensus([labels] * 3, rule=rule)
    assert np.array_equal(found.segmentation.labels, labels)
    assert (found.performance.sensitivity == 1).all()
    assert (found.performance.specificity == 1).all()
    assert (found.agreement.dice == 1).all()
    assert (found.agreement.kappa == 1).all()
    assert found.agreement.fleiss_kappa == 1
    assert found.n_undecided == 0


def test_the_complement_of_two_others_is_never_right():
    labels = masks()[0]
    found = consensus([labels, labels, 1 - labels])
    assert found.performance.classes == (0, 1)
    assert np.allclose(found.performance.sensitivity[:, 1], [1, 1, 0], rtol=0, atol=1e-9)
    assert np.allclose(found.performance.specificity[:, 1], [1, 1, 0], rtol=0, atol=1e-9)
    assert np.array_equal(found.segmentation.labels, labels)
    assert found.agreement.dice[0].tolist() == [1, 1, 0]


def test_few_good_raters_outweigh_many_poor_ones():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.array([0, 1], np.uint8), 5000)
    errors = (0.02, 0.02, 0.02, 0.45, 0.45, 0.45, 0.45, 0.45)
    raters = [truth ^ (rng.random(truth.shape) < error).astype(np.uint8) for error in errors]
    wrong = {
        rule: np.mean(consensus(raters, rule=rule).segmentation.labels != truth)
        for rule in ("staple", "majority")
    }
    assert wrong["staple"] < wrong["majority"] / 5


labels_of = hnp.arrays(np.uint8, st.tuples(st.integers(2, 4), st.integers(1, 60)),
                       elements=st.integers(0, 3))  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(labels_of)
def test_the_majority_counts_heads(raters):
    found = consensus(list(raters), rule="majority")
    undecided = 0
    for voxel, votes in zip(found.segmentation.labels, raters.T, strict=True):
        values, heads = np.unique(votes, return_counts=True)
        best = values[heads == heads.max()]
        assert voxel == (best[0] if len(best) == 1 else 0)
        undecided += len(best) > 1
    assert found.n_undecided == undecided


@pytest.mark.parametrize("rule", ["staple", "majority"])
def test_a_tie_is_background_and_counted(rule):
    found = consensus([[1, 1, 0, 1], [0, 1, 0, 2]], rule="majority")
    assert found.segmentation.labels.tolist() == [0, 1, 0, 0]
    assert found.n_undecided == 2
    both = consensus([[1, 0], [0, 1]], rule=rule)
    assert both.segmentation.labels.tolist() == [0, 0]
    assert both.n_undecided == 2


@pytest.mark.parametrize("rule", ["staple", "majority"])
def test_everywhere_one_label(rule):
    empty = consensus([np.zeros((3, 4), np.uint8)] * 2, rule=rule)
    assert empty.performance.sensitivity.tolist() == [[1], [1]]
    assert np.isnan(empty.performance.specificity).all()
    assert np.isnan(empty.agreement.dice).all()
    assert math.isnan(empty.agreement.fleiss_kappa)
    assert set(empty.agreement.reasons) == {"dice", "kappa", "fleiss_kappa"}
    full = consensus([np.ones((3, 4), np.uint8)] * 2, rule=rule)
    assert full.performance.classes == (1,)
    assert (full.segmentation.labels == 1).all()
    reasons = {reason for measure, *_, reason in full.performance.values() if measure[1] == "p"}
    assert reasons == {"no voxel is inferred to be of another class"}


def test_a_class_that_nobody_painted():
    space = Space.regular(1)
    named = Segmentation(np.array([0, 1, 1], np.uint8), space, (LabelClass(3, "tumour"),))
    found = consensus([named, named])
    assert found.performance.classes == (0, 1, 3)
    assert np.isnan(found.performance.sensitivity[:, 2]).all()
    assert (found.performance.specificity[:, 2] == 1).all()
    missing = [row for row in found.to_dict()["performance"] if row["value"] is None]
    assert {(row["metric"], row["class"]) for row in missing} == {("sensitivity", 3)}
    assert all("no voxel" in row["reason"] for row in missing)


def test_a_rater_who_painted_nothing():
    labels = masks()[0]
    found = consensus([labels, labels, np.zeros_like(labels)])
    assert found.performance.sensitivity[2].tolist() == [1, 0]
    assert found.performance.specificity[2].tolist() == [0, 1]


def test_large_labels_keep_their_value():
    raters = [np.array([0, 300, 70000, 300]), np.array([0, 300, 70000, 70000])] * 2
    found = consensus([*raters, raters[0]], rule="majority")
    assert found.segmentation.labels.tolist() == [0, 300, 70000, 300]
    assert found.segmentation.labels.dtype == np.uint32
    assert found.performance.classes == (0, 300, 70000)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", ">i4", "f4", "uint64"])
def test_types_and_memory_order_do_not_matter(dtype):
    raters = masks()
    expected = consensus(raters)
    for turn in (np.asfortranarray, lambda a: a[::-1][::-1], lambda a: a.T.copy().T):
        found = consensus([turn(rater.astype(dtype)) for rater in raters])
        assert np.array_equal(found.segmentation.labels, expected.segmentation.labels)
        assert np.array_equal(found.performance.sensitivity, expected.performance.sensitivity)


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda a: a.transpose(1, 2, 0).copy().T])
def test_noise_in_another_layout_gives_the_very_same_numbers(turn):
    rng = np.random.default_rng(0)
    raters = list(rng.integers(0, 3, (4, 11, 12, 13), dtype=np.uint8))
    raters = [turn(rater) for rater in raters]
    expected = consensus([np.ascontiguousarray(rater) for rater in raters])
    found = consensus(raters)
    assert np.array_equal(found.segmentation.labels, expected.segmentation.labels)
    assert np.array_equal(found.performance.sensitivity, expected.performance.sensitivity)
    assert np.array_equal(found.performance.specificity, expected.performance.specificity)
    assert found.agreement.to_dict() == expected.agreement.to_dict()


def test_mapped_files_are_merged_into_memory(tmp_path):
    raters = masks()
    mapped = []
    for i, rater in enumerate(raters):
        np.save(tmp_path / f"{i}.npy", rater)
        mapped.append(np.load(tmp_path / f"{i}.npy", mmap_mode="r"))
    found = consensus(mapped)
    assert type(found.segmentation.labels) is np.ndarray
    assert np.array_equal(found.segmentation.labels, consensus(raters).segmentation.labels)


def test_labels_with_gaps_up_to_the_last_byte():
    raters = [np.array([7, 255, 0, 7], np.uint8), np.array([7, 255, 0, 255], np.uint8)] * 2
    found = consensus([*raters, raters[0]], rule="majority")
    assert found.segmentation.labels.tolist() == [7, 255, 0, 7]
    assert found.performance.classes == (0, 7, 255)


def test_inputs_stay_as_they_were():
    raters = masks()
    before = [rater.copy() for rater in raters]
    for rater in raters:
        rater.flags.writeable = False
    consensus(raters)
    assert all(np.array_equal(a, b) for a, b in zip(raters, before, strict=True))


# --- geometry -----------------------------------------------------------------------------
def test_the_grid_and_classes_of_the_first_rater(tmp_path):
    first, second, *_ = masks()
    space = Space.regular(3, (3.0, 0.7, 0.5), "mm")
    write(tmp_path / "ann.nii.gz", Segmentation(first, space, (LabelClass(1, "ball"),)))
    other = Segmentation(second, space, (LabelClass(1, "blob"), LabelClass(2, "rest")))
    found = consensus([tmp_path / "ann.nii.gz", other, second, Image(second, space)])
    assert found.segmentation.space.is_close(space)
    assert [entry.name for entry in found.segmentation.classes] == ["ball", "rest"]
    assert np.array_equal(found.segmentation.labels, second)


def test_turned_axes_are_matched_up_and_turned_back():
    first, second, third, _ = masks()
    space = Space.regular(3, (3.0, 0.7, 0.5), "mm")
    expected = consensus([first, second, third])
    flip = np.diag([3.0, -0.7, 0.5, 1])
    flip[1, 3] = 0.7 * (first.shape[1] - 1)
    turned = Segmentation(first[:, ::-1], Space.from_matrix(flip, "mm"))
    found = consensus([turned, Segmentation(second, space), Segmentation(third, space)])
    assert found.segmentation.space is turned.space
    assert np.array_equal(found.segmentation.labels[:, ::-1], expected.segmentation.labels)
    assert np.array_equal(found.performance.sensitivity, expected.performance.sensitivity)


def test_other_grids_are_refused_by_name():
    labels = masks()[0]
    space = Space.regular(3, (3.0, 0.7, 0.5), "mm")
    here = Segmentation(labels, space, name="ann")
    moved = Segmentation(labels[1:], space.crop((slice(1, 12),) + (slice(0, 20),) * 2), name="bob")
    with pytest.raises(SpaceMismatchError, match=r"bob and ann.*resample"):
        consensus([here, replace(here, name="eve"), moved])


# --- agreement ----------------------------------------------------------------------------
def test_fleiss_kappa_of_the_known_example():
    # Ten subjects, fourteen raters, five categories: the published example gives 0.210.
    heads = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    raters = np.array([np.repeat(np.arange(5), row) for row in heads]).T
    assert rater_agreement(list(raters)).fleiss_kappa == pytest.approx(0.20993, abs=1e-5)


def test_dice_and_kappa_of_pairs():
    found = rater_agreement([[0, 0, 1, 1, 2], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
    assert found.dice[0, 1] == pytest.approx((0.8 + 0) / 2)
    assert found.dice[0].tolist() == found.dice[:, 0].tolist()
    assert found.dice[1, 2] == 0
    assert found.kappa[0, 1] == pytest.approx((0.6 - 10 / 25) / (1 - 10 / 25))
    assert math.isnan(found.dice[2, 2])
    assert math.isnan(found.kappa[2, 2])
    assert set(found.reasons) == {"dice", "kappa"}
    assert (found.n_patterns, found.n_voxels) == (4, 5)


# --- what goes in -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("raters", "words"),
    [
        ([[0, 1]], "at least 2 raters, got 1"),
        ([], "at least 2 raters, got 0"),
        ("file.nii", "a list of segmentations"),
        (np.uint8(3), "a list of segmentations"),
        ([[0, 1], [0.5, 1]], "rater 2: .*0.5"),
        ([[0, -1], [0, 1]], "rater 1: .*-1"),
        ([[0, 1], [0, 1, 1]], "rater 2 and rater 1"),
        ([[0, 1], [[0, 1]]], r"\(2,\).*\(1, 2\)"),
        ([np.arange(300), np.arange(300)], "256 classes, got 300"),
        ([[], []], "empty"),
    ],
)
def test_what_cannot_be_merged(raters, words):
    with pytest.raises(InputError, match=words):
        consensus(raters)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"rule": "mean"}, "rule"),
        ({"names": ["a"]}, "names"),
        ({"names": "ab"}, "names"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_settings_that_do_not_fit(settings, name):
    with pytest.raises(ParameterError) as caught:
        consensus([[0, 1], [0, 1]], **settings)
    assert caught.value.name == name


def test_it_tells_how_far_it_is_and_can_be_stopped():
    told = []
    consensus(masks(), progress=lambda fraction, message="": told.append((fraction, message)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert {"counting votes", "writing"} <= {message for _, message in told}

    def cancel(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        consensus(masks(), progress=cancel)


# --- what comes out -----------------------------------------------------------------------
@pytest.fixture
def found():
    classes = (LabelClass(1, "a|b"), LabelClass(2, "=1+1"))
    first = Segmentation(np.array([[0, 1], [1, 1]], np.uint8), Space.regular(2), classes)
    return consensus([first, [[0, 1], [1, 0]], [[0, 1], [0, 1]]], names=["=x", "bob", "eve"])


def test_plain_data_is_json_without_nan(found):
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["rule"] == "staple"
    assert data["names"] == {"1": "a|b", "2": "=1+1"}
    assert len(data["performance"]) == 2 * 3 * 3
    assert data["agreement"]["dice"][1][2] == 0.5


def test_the_csv_holds_every_value_with_its_definition(found, tmp_path):
    found.to_csv(tmp_path / "raters.csv")
    with (tmp_path / "raters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 3 + 3 + 3 + 1
    assert all(row["definition"] for row in rows)
    assert all(row["reason"] for row in rows if not row["value"])
    assert not any(row["rater"].startswith("=") for row in rows)
    pairs = {(row["rater"], row["other"]): row["value"] for row in rows if row["metric"] == "dice"}
    assert float(pairs["bob", "eve"]) == 0.5
    with pytest.raises(FormatError):
        found.to_csv(tmp_path / "none" / "raters.csv")


def test_the_table_has_a_row_per_rater_and_class(found):
    lines = [line for line in found.to_markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 9 + 2 + 3
    assert "| bob | 1 a\\|b |" in found.to_markdown()
    assert "Fleiss" in found.to_markdown()


# --- real data ----------------------------------------------------------------------------
def test_tissues_by_three_raters(test_data):
    truth = read(test_data / "brain_mni152" / "tissue_2mm.nii.gz", kind="labels")
    raters = [replace(truth, labels=np.roll(truth.labels, i, i)) for i in range(3)]
    found = consensus(raters)
    assert found.has_converged
    assert (np.diag(found.agreement.dice) == 1).all()
    wrong = np.mean(found.segmentation.labels != truth.labels)
    assert wrong < min(np.mean(rater.labels != truth.labels) for rater in raters[1:])
    sensitivity = found.performance.sensitivity
    assert (sensitivity[0] > sensitivity[2]).all()
