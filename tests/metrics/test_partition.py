"""Partition metrics: values by hand, invariances, peers, and sums over pairs of voxels."""

from __future__ import annotations

import itertools
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.metrics.contingency import contingency_table
from napari_segsuite.metrics.partition import PARTITION, measure_partition, sum_of_squares

SCORES = {metric.name: metric.function for metric in PARTITION}


def scores(prediction, reference, **options):
    partition = measure_partition(contingency_table(prediction, reference, **options))
    return {name: function(partition) for name, function in SCORES.items()}


def reason(name, prediction, reference, **options):
    return measure_partition(contingency_table(prediction, reference, **options)).why(name)


# One of two regions cut in halves.
REFERENCE, PREDICTION = [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("voi", 0.5), ("voi_split", 0.5), ("voi_merge", 0), ("adapted_rand_error", 0.2),
        ("adapted_rand_precision", 1), ("adapted_rand_recall", 2 / 3),
        ("rand_index", 1 - 4 / 28), ("adjusted_rand_index", 2 * (8 * 16) / (12 * 20 + 8 * 16)),
        ("v_rand", 2 * 24 / (24 + 32)), ("v_info", 1 - 0.5 / (1 + 1.5)),
    ],
)  # fmt: skip
def test_values_by_hand(name, value):
    assert scores(PREDICTION, REFERENCE)[name] == pytest.approx(value, abs=1e-15)


def test_every_row_says_what_it_is():
    assert len(SCORES) == len(PARTITION) == 10
    for metric in PARTITION:
        assert (metric.group, metric.per_class) == ("partition", False)
        assert "background" in metric.formula or "not 0" in metric.formula


def test_equal_partitions_are_perfect_exactly():
    labels = np.random.default_rng(0).integers(0, 300, (30, 40, 50))
    renamed = np.random.default_rng(1).permutation(300)[labels]
    for prediction in (labels, renamed):
        for name, value in scores(prediction, labels).items():
            perfect = 0 if name.startswith("voi") or name.endswith("error") else 1
            assert value == perfect, name


def test_swapping_the_two_swaps_split_and_merge():
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 6, (2, 400))
    one, other = scores(a, b), scores(b, a)
    assert one["voi_split"] == pytest.approx(other["voi_merge"])
    assert one["adapted_rand_precision"] == pytest.approx(other["adapted_rand_recall"])
    for name in ("voi", "adapted_rand_error", "rand_index", "adjusted_rand_index", "v_info"):
        assert one[name] == pytest.approx(other[name])


def test_background_of_the_reference_counts_only_where_said():
    reference = np.r_[REFERENCE, np.zeros(6, int)]
    quiet, noisy = np.r_[PREDICTION, np.zeros(6, int)], np.r_[PREDICTION, 4, 5, 6, 7, 8, 9]
    one, other = scores(quiet, reference), scores(noisy, reference)
    for name in SCORES:
        if name.startswith(("adapted", "v_")):
            assert one[name] == other[name] == scores(PREDICTION, REFERENCE)[name], name
        elif name != "voi_merge":
            assert one[name] != other[name], name


@pytest.mark.parametrize(
    ("prediction", "reference", "undefined", "why"),
    [
        ([1, 2], [0, 0], {"adapted_rand_error", "v_rand", "v_info"}, "has no foreground"),
        ([1, 2, 3], [1, 2, 3], {"adapted_rand_error"}, "no two voxels .*, in either"),
        ([1, 2, 2], [1, 2, 3], {"adapted_rand_recall"}, "no two voxels .* in the reference"),
        ([1, 2, 3], [1, 1, 2], {"adapted_rand_precision"}, "no two voxels .* in the prediction"),
        ([1, 1, 1], [2, 2, 2], {"v_info"}, "one region in both"),
        ([4], [4], {"rand_index", "adjusted_rand_index"}, "a single voxel is compared"),
        ([4], [0], {"rand_index", "adjusted_rand_index"}, "a single voxel is compared"),
        ([4, 1], [4, 0], {"v_info"}, "one region in both"),
    ],
)
def test_without_pairs_or_information(prediction, reference, undefined, why):
    values = scores(prediction, reference)
    assert undefined <= {name for name, value in values.items() if math.isnan(value)}
    for name in undefined:
        assert re.search(why, reason(name, prediction, reference)), name


def test_everything_ignored():
    values = scores([1, 2], [9, 9], ignore=(9,))
    assert all(math.isnan(value) for value in values.values())
    for name in SCORES:
        assert reason(name, [1, 2], [9, 9], ignore=(9,)) == "no voxel is compared"


def test_squares_are_exact():
    counts = np.array([2**41 - 1, 2**20 + 7, 1, 2**40])
    assert sum_of_squares(counts) == sum(int(n) ** 2 for n in counts)
    assert sum_of_squares(np.array([], np.int64)) == 0


# --- naive reference ----------------------------------------------------------------------
labels_of = hnp.arrays(np.uint8, 12, elements=st.integers(0, 3))


@settings(max_examples=100, deadline=None)
@given(labels_of, labels_of)
def test_pairs_of_voxels_one_by_one(prediction, reference):
    values = scores(prediction, reference)

    def together(voxels):
        pairs = list(itertools.combinations(voxels, 2))
        p, r = ([a[i] == a[j] for i, j in pairs] for a in (prediction, reference))
        return np.array(p, bool), np.array(r, bool)

    p, r = together(range(12))
    assert values["rand_index"] == pytest.approx((p == r).mean())
    p, r = together(np.flatnonzero(reference))
    if p.any():
        assert values["adapted_rand_precision"] == pytest.approx((p & r).sum() / p.sum())
    if r.any():
        assert values["adapted_rand_recall"] == pytest.approx((p & r).sum() / r.sum())
    if p.any() or r.any():
        error = 1 - 2 * (p & r).sum() / (p.sum() + r.sum())
        assert values["adapted_rand_error"] == pytest.approx(error)


@settings(max_examples=100, deadline=None)
@given(labels_of, labels_of)
def test_information_from_probabilities(prediction, reference):
    def entropy(*arrays):
        _, n = np.unique(np.stack(arrays), axis=1, return_counts=True)
        return -np.sum(n / n.sum() * np.log2(n / n.sum()))

    values = scores(prediction, reference)
    joint = entropy(prediction, reference)
    assert values["voi_split"] == pytest.approx(joint - entropy(reference), abs=1e-12)
    assert values["voi_merge"] == pytest.approx(joint - entropy(prediction), abs=1e-12)
    inside = reference > 0
    p, r = prediction[inside], reference[inside]
    if inside.any() and entropy(p) + entropy(r) > 0:
        shared = entropy(p) + entropy(r) - entropy(p, r)
        assert values["v_info"] == pytest.approx(2 * shared / (entropy(p) + entropy(r)), abs=1e-12)


# --- peers --------------------------------------------------------------------------------
def volumes():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 40, (6, 12, 12)).repeat(3, 1).repeat(3, 2)
    return np.roll(reference, (1, 1), (1, 2)) * rng.integers(1, 3, reference.shape), reference


def test_against_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    prediction, reference = volumes()
    values = scores(prediction, reference)
    split, merge = metrics.variation_of_information(reference, prediction)
    assert (values["voi_split"], values["voi_merge"]) == pytest.approx((split, merge))
    error, precision, recall = metrics.adapted_rand_error(reference, prediction)
    assert values["adapted_rand_error"] == pytest.approx(error)
    # Its precision divides by the pairs of the true image, its recall by those of the test
    # image: the other way round than its documentation and the usual meaning have it.
    assert values["adapted_rand_precision"] == pytest.approx(recall)
    assert values["adapted_rand_recall"] == pytest.approx(precision)
    assert recall != pytest.approx(precision)


def test_against_scikit_learn():
    cluster = pytest.importorskip("sklearn.metrics")
    prediction, reference = volumes()
    values = scores(prediction, reference)
    flat = reference.ravel(), prediction.ravel()
    assert values["rand_index"] == pytest.approx(cluster.rand_score(*flat))
    assert values["adjusted_rand_index"] == pytest.approx(cluster.adjusted_rand_score(*flat))
    inside = reference > 0
    shared = cluster.normalized_mutual_info_score(reference[inside], prediction[inside])
    assert values["v_info"] == pytest.approx(shared)


@pytest.mark.parametrize("name", ["sem_02", "sem_12"])
def test_real_sections_against_scikit_image(test_data, name):
    metrics = pytest.importorskip("skimage.metrics")
    from skimage import io
    from skimage.measure import label

    with warnings.catch_warnings(action="ignore"):
        classes = io.imread(test_data / "em_axon_myelin" / "val" / "labels" / f"{name}.png")
    reference = label(classes == classes.max())
    prediction = label(np.roll(classes, 3, axis=0) == classes.max())
    values = scores(prediction, reference)
    found = metrics.variation_of_information(reference, prediction)
    assert (values["voi_split"], values["voi_merge"]) == pytest.approx(tuple(found))
    error = metrics.adapted_rand_error(reference, prediction)[0]
    assert values["adapted_rand_error"] == pytest.approx(error)


def test_shared_information_is_never_below_0():
    rows, columns = np.indices((6, 7))
    values = [
        scores((columns % n).ravel(), (1 + rows % m).ravel())["v_info"]
        for n in range(1, 8)
        for m in range(2, 7)
    ]
    assert min(values) >= 0
