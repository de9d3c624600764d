"""Probability maps: values by hand, naive definitions, scikit-learn, what goes in and out."""

from __future__ import annotations

import csv
import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from napari_segsuite.errors import FormatError, InputError, ParameterError, SpaceMismatchError
from napari_segsuite.image import Image, Segmentation
from napari_segsuite.io import read, write
from napari_segsuite.metrics.probability.curves import evaluate_probabilities
from napari_segsuite.progress import Cancelled
from napari_segsuite.space import Space

EVERY = ("average_precision", "auc", "best_dice", "best_threshold", "ece", "brier")


def maps(shape=(12, 20, 30), n_values=None, dtype=np.float64):
    """Probabilities that say something of the reference, with or without many ties."""
    rng = np.random.default_rng(0)
    reference = rng.random(shape) < 0.3
    values = np.clip(rng.normal(0.3 + 0.3 * reference, 0.2), 0, 1)
    if n_values is not None:
        values = np.round(values * n_values) / n_values
    return values.astype(dtype), reference.astype(np.uint8)


# --- known values -------------------------------------------------------------------------
def test_values_by_hand():
    report = evaluate_probabilities([0.9, 0.8, 0.7, 0.6, 0.1], [1, 0, 1, 1, 0], n_bins=2)
    assert report.average_precision == pytest.approx((1 + 2 / 3 + 3 / 4) / 3, abs=1e-15)
    assert report.auc == pytest.approx(4 / 6, abs=1e-15)
    assert (report.best_dice, report.best_threshold) == (pytest.approx(6 / 7), 0.6)
    assert report.thresholds.tolist() == [0.9, 0.8, 0.7, 0.6, 0.1]
    assert report.precision.tolist() == [1, 1 / 2, 2 / 3, 3 / 4, 3 / 5]
    assert report.recall.tolist() == [1 / 3, 1 / 3, 2 / 3, 1, 1]
    assert report.false_positive_rate.tolist() == [0, 0.5, 0.5, 0.5, 1]
    assert report.true_positive_rate.tolist() == report.recall.tolist()
    assert report.bins.count.tolist() == [1, 4]
    assert report.bins.confidence.tolist() == pytest.approx([0.1, 0.75])
    assert report.bins.frequency.tolist() == [0, 0.75]
    assert report.ece == pytest.approx(0.1 / 5)
    assert report.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.16 + 0.01) / 5)


def test_the_reference_itself_is_perfect():
    _, reference = maps()
    report = evaluate_probabilities(reference.astype(float), reference)
    assert (report.average_precision, report.auc, report.best_dice) == (1, 1, 1)
    assert (report.ece, report.brier, report.best_threshold) == (0, 0, 1)
    assert evaluate_probabilities(1 - reference.astype(float), reference).auc == 0


def test_one_value_everywhere_knows_nothing():
    _, reference = maps()
    report = evaluate_probabilities(np.full(reference.shape, 0.3), reference)
    share = reference.mean()
    assert report.auc == 0.5
    assert report.average_precision == pytest.approx(share, abs=1e-15)
    assert report.ece == pytest.approx(abs(0.3 - share), abs=1e-12)
    assert len(report.thresholds) == 1


def test_ties_are_one_step_and_not_a_diagonal():
    report = evaluate_probabilities([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0])
    assert report.average_precision == 0.25
    assert report.auc == 0.5


def test_a_value_on_an_edge_belongs_to_the_bin_below():
    values = np.arange(16) / 15
    bins = evaluate_probabilities(values, np.ones(16, int)).bins
    assert bins.count.tolist() == [2, *[1] * 14]


# --- naive definitions --------------------------------------------------------------------
def naive(p, y, n_bins):
    thresholds = np.unique(p)[::-1]
    tp = np.array([(y & (p >= t)).sum() for t in thresholds])
    fp = np.array([(~y & (p >= t)).sum() for t in thresholds])
    pairs = np.sign(p[y][:, None] - p[~y][None]) / 2 + 0.5
    edges, ece = np.linspace(0, 1, n_bins + 1), 0.0
    for i, (low, high) in enumerate(pairwise(edges)):
        inside = ((p > low) | (i == 0)) & (p <= high)
        if inside.any():
            ece += abs(p[inside].mean() - y[inside].mean()) * inside.mean()
    dice = 2 * tp / (tp + fp + y.sum()) if y.any() else np.array([math.nan])
    return {
        "average_precision": np.sum(np.diff(tp, prepend=0) * tp / (tp + fp)) / max(y.sum(), 1),
        "auc": pairs.mean() if pairs.size else math.nan,
        "best_dice": dice.max(),
        "best_threshold": thresholds[dice.argmax()],
        "ece": ece,
        "brier": ((p - y) ** 2).mean(),
    }


voxels = st.lists(st.tuples(st.sampled_from([0, 0.1, 0.25, 0.5, 0.7, 1.0]), st.booleans()),
                  min_size=1, max_size=40)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(voxels, st.integers(1, 12))
def test_against_the_definitions(voxels, n_bins):
    p, y = np.array([v for v, _ in voxels], float), np.array([flag for _, flag in voxels])
    report = evaluate_probabilities(p, y, n_bins=n_bins)
    for name, expected in naive(p, y, n_bins).items():
        value = getattr(report, name)
        if name in report.reasons:
            assert math.isnan(value)
        else:
            assert value == pytest.approx(expected, abs=1e-12), name


def test_any_monotone_change_keeps_the_ranking():
    values, reference = maps()
    one, other = (evaluate_probabilities(p, reference) for p in (values, values**3))
    assert (one.auc, one.best_dice) == (other.auc, other.best_dice)
    assert one.average_precision == pytest.approx(other.average_precision, abs=1e-14)


def test_the_opposite_class_mirrors_the_area():
    values, reference = maps(n_values=100)
    one = evaluate_probabilities(values, reference, label=1)
    other = evaluate_probabilities(1 - values, reference, label=0)
    assert one.auc == pytest.approx(other.auc, abs=1e-15)
    assert one.brier == pytest.approx(other.brier, abs=1e-15)


# --- scikit-learn -------------------------------------------------------------------------
@pytest.mark.parametrize("n_values", [None, 20])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_scikit_learn(n_values, dtype):
    peer = pytest.importorskip("sklearn.metrics")
    values, reference = maps((60, 50, 40), n_values, dtype)
    report = evaluate_probabilities(values, reference)
    y, p = reference.ravel(), values.ravel().astype(np.float64)
    assert report.average_precision == pytest.approx(peer.average_precision_score(y, p), abs=1e-12)
    assert report.auc == pytest.approx(peer.roc_auc_score(y, p), abs=1e-12)
    assert report.brier == pytest.approx(peer.brier_score_loss(y, p), abs=1e-12)


@pytest.mark.parametrize("n_values", [None, 20])
def test_curves_against_scikit_learn(n_values):
    peer = pytest.importorskip("sklearn.metrics")
    values, reference = maps((1, 30, 40), n_values)
    report = evaluate_probabilities(values, reference)
    y, p = reference.ravel(), values.ravel()
    precision, recall, thresholds = peer.precision_recall_curve(y, p)
    assert np.array_equal(report.thresholds, thresholds[::-1])
    assert np.allclose(report.precision, precision[-2::-1], rtol=0, atol=1e-15)
    assert np.allclose(report.recall, recall[-2::-1], rtol=0, atol=1e-15)
    wrong, right, _ = peer.roc_curve(y, p, drop_intermediate=False)
    assert np.allclose(report.false_positive_rate, wrong[1:], rtol=0, atol=1e-15)
    assert np.allclose(report.true_positive_rate, right[1:], rtol=0, atol=1e-15)


def test_reliability_against_scikit_learn():
    peer = pytest.importorskip("sklearn.calibration")
    values, reference = maps(n_values=30)
    bins = evaluate_probabilities(values, reference, n_bins=10).bins
    frequency, confidence = peer.calibration_curve(reference.ravel(), values.ravel(), n_bins=10)
    filled = bins.count > 0
    assert np.allclose(bins.frequency[filled], frequency, rtol=0, atol=1e-12)
    assert np.allclose(bins.confidence[filled], confidence, rtol=0, atol=1e-12)


# --- curves kept --------------------------------------------------------------------------
def test_long_curves_are_thinned_and_values_are_not():
    values, reference = maps((60, 50, 40))
    report = evaluate_probabilities(values, reference)
    assert 1000 < len(report.thresholds) <= 2000
    assert report.thresholds[0] == values.max()
    assert (report.recall[-1], report.false_positive_rate[-1]) == (1, 1)
    assert np.diff(report.recall)[:-1].max() < 0.0012
    assert np.diff(report.false_positive_rate)[:-1].max() < 0.0012
    for i in (0, 700, -2):
        predicted = values >= report.thresholds[i]
        assert report.recall[i] == (predicted & (reference == 1)).sum() / reference.sum()
        assert report.precision[i] == (predicted & (reference == 1)).sum() / predicted.sum()


@pytest.mark.parametrize("share", [0.0005, 0.9995])
def test_curves_of_rare_and_frequent_classes_fit(share):
    rng = np.random.default_rng(0)
    report = evaluate_probabilities(rng.random(100_000), rng.random(100_000) < share)
    assert len(report.thresholds) <= 2000
    assert report.recall[-1] == 1


# --- what goes in -------------------------------------------------------------------------
@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_stored_integers_are_divided_by_the_largest(dtype, largest):
    values, reference = maps()
    stored = np.round(values * largest).astype(dtype)
    report = evaluate_probabilities(stored, reference, ignore=7)
    expected = evaluate_probabilities(stored / largest, reference)
    assert report.scale == largest
    for name in EVERY:
        assert getattr(report, name) == pytest.approx(getattr(expected, name), abs=1e-13), name
    assert np.array_equal(report.precision, expected.precision)
    assert f"divided by {largest}" in report.to_markdown()


@pytest.mark.parametrize("dtype", ["bool", "f2", ">f4", "i4"])
def test_other_types(dtype):
    values, reference = maps(n_values=1)
    expected = evaluate_probabilities(values, reference)
    report = evaluate_probabilities(values.astype(dtype), reference)
    assert report.scale == 1
    assert report.values == expected.values


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda a: a[::-1].copy()[::-1]])
def test_memory_order_does_not_matter(turn):
    values, reference = maps()
    expected = evaluate_probabilities(values, reference)
    assert evaluate_probabilities(turn(values), reference).values == expected.values
    assert evaluate_probabilities(values, turn(reference)).values == expected.values


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_nan_and_ignored_labels_are_left_out(dtype):
    values, reference = maps(n_values=51)
    values = np.round(values * 255).astype(dtype) if dtype == np.uint8 else values.astype(dtype)
    reference[0], kept = 255, np.s_[1:]
    n_nan = 0
    if dtype == np.float32:
        values[1], kept, n_nan = np.nan, np.s_[2:], 600
    report = evaluate_probabilities(values, reference, ignore=(255,))
    assert report.values == evaluate_probabilities(values[kept], reference[kept]).values
    assert (report.n_left_out, report.n_ignored) == (n_nan, 600)
    assert report.n == reference[kept].size
    assert "ignored label: 600" in report.to_markdown()


def test_without_a_positive_or_a_negative():
    none = evaluate_probabilities([0.2, 0.4], [0, 0])
    assert set(none.reasons) == {"average_precision", "auc", "best_dice", "best_threshold"}
    assert none.brier == pytest.approx(0.1)
    assert np.isnan(none.recall).all()
    assert none.precision.tolist() == [0, 0]
    every = evaluate_probabilities([0.2, 0.4], [1, 1])
    assert set(every.reasons) == {"auc"}
    assert (every.average_precision, every.best_dice, every.best_threshold) == (1, 1, 0.2)
    for report in (none, every):
        for name in EVERY:
            assert math.isnan(getattr(report, name)) == (name in report.reasons), name


def test_without_any_voxel():
    report = evaluate_probabilities([np.nan, 0.5], [1, 3], ignore=3)
    assert set(report.reasons) == set(EVERY)
    assert all(math.isnan(getattr(report, name)) for name in EVERY)
    assert (report.n, report.n_left_out, report.n_ignored) == (0, 1, 1)
    assert np.isnan(report.bins.confidence).all()


@pytest.mark.parametrize(
    ("probability", "reference", "words"),
    [
        ([0.5, 1.5], [0, 1], "from 0 to 1, got 1.5.*softmax"),
        ([0.5, -0.5], [0, 1], "from 0 to 1, got -0.5"),
        ([0.5, np.inf], [0, 1], "from 0 to 1, got inf"),
        (np.zeros((3, 4, 5)), np.zeros((4, 5)), r"one class.*probability\[k\]"),
        (np.zeros((4, 5, 3)), np.zeros((4, 5)), r"one class.*probability\[\.\.\., k\]"),
        (np.zeros((4, 5)), np.zeros((5, 4)), "one shape"),
        ([0.5, 1], [0, 0.5], "reference: .*0.5"),
        (["a", "b"], [0, 1], "probability: .*numbers"),
        ([0.5, 1j], [0, 1], "complex"),
        ([], [], "empty"),
        (Segmentation(np.zeros((2, 2), np.uint8), Space.regular(2)), np.zeros((2, 2)), "evaluate"),
    ],
)
def test_what_cannot_be_measured(probability, reference, words):
    with pytest.raises(InputError, match=words):
        evaluate_probabilities(probability, reference)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_bins": 0},
        {"n_bins": 1.5},
        {"label": "a"},
        {"label": 0.5},
        {"label": -1},
        {"ignore": "12"},
        {"ignore": [1.5]},
    ],
)
def test_settings_that_do_not_fit(settings):
    with pytest.raises(ParameterError) as caught:
        evaluate_probabilities([0.0, 1.0], [0, 1], **settings)
    assert caught.value.name in settings


def test_what_single_precision_adds_to_1_is_no_mistake():
    report = evaluate_probabilities(np.float32([0, 0.5, 1 + 2**-23]), [0, 0, 1])
    assert (report.auc, report.bins.count.sum()) == (1, 3)
    with pytest.raises(InputError, match=r"got 1\.00001;"):
        evaluate_probabilities([0, 1.00001], [0, 1])


def test_a_single_voxel_is_a_map_too():
    report = evaluate_probabilities(0.25, 1)
    assert (report.n, report.best_dice, report.brier) == (1, 1, 0.75**2)


def test_stored_integers_of_another_byte_order_are_divided_too():
    stored = np.array([0, 13107, 65535], ">u2")
    assert evaluate_probabilities(stored, [0, 1, 1]).thresholds.tolist() == [1, 0.2, 0]


def test_minus_zero_is_the_threshold_zero():
    report = evaluate_probabilities([-0.0, 0.0], [1, 0])
    assert len(report.thresholds) == 1
    assert math.copysign(1, report.best_threshold) == 1


def test_labels_beyond_32_bits_beside_small_ignored_ones():
    large = 2**63 + 1
    reference = np.array([large, large + 1, 5], np.uint64)
    report = evaluate_probabilities([0.9, 0.1, 0.5], reference, label=large, ignore=(-1, large + 1))
    assert (report.n, report.n_ignored, report.auc) == (2, 1, 1)


def test_places_in_the_world(tmp_path):
    values, reference = maps(dtype=np.float32)
    space = Space.regular(3, (3.0, 0.7, 0.5), "mm")
    expected = evaluate_probabilities(values, reference)
    write(tmp_path / "p.nii.gz", Image(values, space))
    write(tmp_path / "r.nii.gz", Segmentation(reference, space))
    found = evaluate_probabilities(tmp_path / "p.nii.gz", str(tmp_path / "r.nii.gz"))
    assert found.values == expected.values
    flip = np.diag([3.0, -0.7, 0.5, 1])
    flip[1, 3] = 0.7 * (values.shape[1] - 1)
    turned = Image(values[:, ::-1], Space.from_matrix(flip, "mm"))
    assert evaluate_probabilities(turned, Segmentation(reference, space)).values == expected.values
    moved = Segmentation(reference[1:], space.crop((slice(1, 12), slice(0, 20), slice(0, 30))))
    with pytest.raises(SpaceMismatchError, match="resample"):
        evaluate_probabilities(Image(values, space), moved)


def test_inputs_stay_as_they_were_and_it_can_be_stopped():
    values, reference = maps()
    before = values.copy(), reference.copy()
    values.flags.writeable = reference.flags.writeable = False
    evaluate_probabilities(values, reference)
    assert np.array_equal(values, before[0])
    assert np.array_equal(reference, before[1])

    def cancel(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        evaluate_probabilities(values, reference, progress=cancel)


def test_a_grey_matter_map(test_data):
    folder = test_data / "brain_mni152"
    stored = read(folder / "gm_prob255_1mm.nii.gz", kind="image").data[60:120]
    tissue = read(folder / "tissue_1mm.nii.gz", kind="labels").labels[60:120]
    label = max((1, 2, 3), key=lambda k: stored[tissue == k].mean())
    report = evaluate_probabilities(stored / np.float32(255), tissue, label=label)
    assert report.auc > 0.95
    assert report.best_dice > 0.8
    assert report.n == tissue.size


# --- what comes out -----------------------------------------------------------------------
def test_plain_data_is_json_without_nan():
    data = json.loads(json.dumps(evaluate_probabilities([0.5], [0]).to_dict(), allow_nan=False))
    assert data["auc"] is None
    assert "no voxel" in data["reasons"]["auc"]
    assert data["curve"]["recall"] == [None]
    assert data["bins"]["count"][7] == 1
    assert data["definitions"].keys() == set(EVERY)


def test_the_csv_holds_every_value_with_its_definition(tmp_path):
    path = tmp_path / "p.csv"
    report = evaluate_probabilities([0.2, 0.4], [1, 1])
    report.to_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert rows.keys() == set(EVERY)
    assert float(rows["brier"]["value"]) == report.brier
    assert rows["auc"]["value"] == ""
    assert rows["auc"]["reason"]
    assert all(row["definition"] for row in rows.values())
    with pytest.raises(FormatError):
        report.to_csv(tmp_path / "none" / "p.csv")


def test_the_table_says_why_there_is_no_value():
    table = evaluate_probabilities([0.5], [0]).to_markdown()
    assert "| Area under ROC | – | no voxel of the reference is of the class |" in table


def test_curves_are_drawn_into_axes_and_files(tmp_path):
    report = evaluate_probabilities(*maps(n_values=20))
    axes = Figure().subplots(1, 3)
    report.plot(axes)
    recall, precision = axes[0].lines[0].get_data()
    assert np.array_equal(recall, report.recall)
    assert np.array_equal(precision, report.precision)
    assert axes[1].lines[0].get_xydata()[0].tolist() == [0, 0]
    assert np.array_equal(axes[2].lines[0].get_ydata(), report.bins.frequency, equal_nan=True)
    for name in ("curves.png", "curves.svg"):
        report.plot(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
    evaluate_probabilities([0.5], [0]).plot(tmp_path / "empty.png")
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(FormatError):
        report.plot(tmp_path / "none" / "curves.png")


def test_pictures_of_other_formats_are_refused_before_they_are_drawn(tmp_path):
    report = evaluate_probabilities([0.1, 0.9], [0, 1])
    with pytest.raises(FormatError, match=r"\.png, \.svg, \.pdf"):
        report.plot(tmp_path / "curves.xyz")
    assert not list(tmp_path.iterdir())
