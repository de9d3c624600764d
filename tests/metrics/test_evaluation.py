"""Overlap metrics: values known by hand, invariances, and a naive reference per class."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import FormatError, InputError, ParameterError, SpaceMismatchError
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.io import write
from napari_segsuite.metrics import METRICS, confusion_matrix, evaluate
from napari_segsuite.space import Space


def pair(tp, fp, fn, tn):
    reference = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]).astype(np.uint8)
    prediction = np.repeat([1, 1, 0, 0], [tp, fp, fn, tn]).astype(np.uint8)
    return prediction, reference


# --- known values -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("precision", 0.75), ("recall", 0.6), ("specificity", 0.8), ("f1", 2 / 3),
        ("dice", 2 / 3), ("iou", 0.5), ("accuracy", 0.7), ("mean_accuracy", 0.7),
        ("mean_iou", (1 / 2 + 4 / 7) / 2), ("frequency_weighted_iou", 0.25 + 2 / 7),
        ("kappa", 0.4), ("volume", 40), ("volume_reference", 50), ("volume_difference", -10),
        ("f_beta", 150 / (150 + 80 + 10)), ("balanced_accuracy", 0.7), ("mcc", 1 / math.sqrt(6)),
        ("multiclass_mcc", 1 / math.sqrt(6)), ("generalised_dice", 140 / 200),
        ("relative_volume_difference", -0.2), ("volume_similarity", 1 - 10 / 90),
    ],
)  # fmt: skip
def test_values_by_hand(name, value):
    report = evaluate(*pair(30, 10, 20, 40), metrics=("overlap", "volume"))
    assert report.mean[name] == pytest.approx(value, abs=1e-14)
    if METRICS[name].per_class:
        assert report.per_class[name][1] == pytest.approx(value, abs=1e-14)
    else:
        assert report.overall[name] == report.mean[name]


def test_equal_masks_are_perfect():
    labels = np.arange(24).reshape(2, 3, 4) % 3
    report = evaluate(labels, labels)
    for name in report.mean:
        assert report.mean[name] == 1, name


def test_disjoint_masks_share_nothing():
    report = evaluate([1, 1, 0, 0], [0, 0, 1, 1])
    assert [report.mean[name] for name in ("dice", "iou", "precision", "recall")] == [0, 0, 0, 0]
    assert report.mean["kappa"] == -1


def test_a_class_absent_from_one_or_both():
    reference = np.array([0, 1, 1, 2, 2, 0])
    prediction = np.array([0, 1, 1, 2, 0, 3])
    report = evaluate(prediction, reference, classes=(1, 2, 3, 4))
    dice, recall = report.per_class["dice"], report.per_class["recall"]
    assert (dice[1], dice[2], dice[3]) == (1, pytest.approx(2 / 3), 0)
    for name in METRICS:
        if METRICS[name].per_class and METRICS[name].group == "overlap":
            assert math.isnan(report.per_class[name][4]), name
            assert "both" in report.reasons[name][4]
    assert math.isnan(recall[3])
    assert "absent from the reference" in report.reasons["recall"][3]
    assert report.mean["dice"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert (report.n_used["dice"], report.n_nan["dice"]) == (3, 1)
    assert (report.n_used["recall"], report.n_nan["recall"]) == (2, 2)


def test_precision_of_what_is_never_predicted_has_no_value():
    report = evaluate([0, 0, 0], [0, 1, 1])
    assert math.isnan(report.mean["precision"])
    assert report.reasons["precision"] == {1: "absent from the prediction"}
    assert (report.mean["dice"], report.mean["recall"]) == (0, 0)


def test_nothing_but_background():
    report = evaluate(np.zeros((3, 3)), np.zeros((3, 3)))
    assert math.isnan(report.mean["dice"])
    assert report.mean["accuracy"] == 1
    assert math.isnan(report.mean["kappa"])
    assert report.per_class["dice"] == {0: 1}
    assert "no other class" in report.reasons["specificity"][0]


def test_background_is_reported_but_not_in_the_mean():
    report = evaluate(*pair(30, 10, 20, 40))
    assert report.per_class["iou"] == {0: 40 / 70, 1: 0.5}
    assert report.mean["iou"] == 0.5
    assert report.confusion.tolist() == [[40, 10], [20, 30]]  # rows by reference
    assert report.labels == (0, 1)


def test_ignored_voxels_are_left_out_but_predicting_them_is_wrong():
    reference = np.array([1, 1, 1, 255, 0])
    prediction = np.array([1, 1, 255, 1, 0])
    report = evaluate(prediction, reference, ignore=(255,))
    assert report.classes == (0, 1)
    assert report.per_class["recall"][1] == pytest.approx(2 / 3)
    assert report.per_class["precision"][1] == 1
    assert report.mean["accuracy"] == 0.75


def test_whole_image_metrics_cover_all_classes_whatever_is_reported():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 500))
    every, some = evaluate(a, b), evaluate(a, b, classes=iter([2]))
    assert some.classes == (2,)
    assert some.overall == every.overall
    assert some.mean["dice"] == every.per_class["dice"][2]


def test_everything_ignored():
    report = evaluate([1, 1], [255, 255], ignore=(255,))
    assert report.confusion.size == 0
    assert all(math.isnan(report.mean[name]) for name in report.mean)


# --- invariances --------------------------------------------------------------------------
def test_swapping_the_two_swaps_precision_and_recall():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 20, 30))
    one, other = evaluate(a, b), evaluate(b, a)
    assert one.per_class["precision"] == other.per_class["recall"]
    for name in ("dice", "iou", "mean_iou", "accuracy", "kappa"):
        assert one.mean[name] == pytest.approx(other.mean[name], abs=1e-15)


LAYOUTS = [
    np.asfortranarray,
    lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    lambda a: a[::-1][::-1],
    lambda a: np.ascontiguousarray(a.T).T,
]


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int16", ">i4", "int64", "uint64", "f4"]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_types_and_memory_order_do_not_matter(dtype, layout):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, 3, 50, 41))
    expected = confusion_matrix(a.astype(np.uint8), b.astype(np.uint8)).counts
    for first, second in ((layout(a.astype(dtype)), b), (a, layout(b.astype(dtype)))):
        assert np.array_equal(confusion_matrix(first, second).counts, expected)


@pytest.mark.parametrize("offset", [0, 300, 2**20, 2**40, 2**63])
@pytest.mark.parametrize("n", [3, 300])
def test_any_ids_and_many_of_them(offset, n):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, n, (2, 3000)).astype(np.uint64) + np.uint64(offset)
    a[:n] = np.arange(n, dtype=np.uint64) + np.uint64(offset)
    found = confusion_matrix(a, b)
    assert found.labels == tuple(range(offset, offset + n))
    a, b = ((ids - np.uint64(offset)).astype(int) for ids in (a, b))
    table = np.bincount(b * n + a, minlength=n * n)
    assert np.array_equal(found.counts.ravel(), table)


def test_arrays_larger_than_a_chunk():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 3, 1300, 900)).astype(np.int32)
    table = np.bincount((b * 5 + a).ravel(), minlength=25).reshape(5, 5)
    assert np.array_equal(confusion_matrix(a, b).counts, table)
    assert np.array_equal(confusion_matrix(a.swapaxes(0, 2), b.swapaxes(0, 2)).counts, table)


labels_of = hnp.arrays(np.uint8, st.just((4, 5)), elements=st.integers(0, 4))


@settings(max_examples=150, deadline=None)
@given(labels_of, labels_of, st.sets(st.integers(0, 4), max_size=2))
def test_against_one_class_at_a_time(prediction, reference, ignore):
    report = evaluate(prediction, reference, ignore=ignore)
    counted = ~np.isin(reference, list(ignore))
    p, r = prediction[counted], reference[counted]
    present = sorted((set(p.tolist()) | set(r.tolist())) - ignore)
    assert report.classes == tuple(present)
    ious, recalls = [], []
    for label in present:
        tp = int(((p == label) & (r == label)).sum())
        fp = int(((p == label) & (r != label)).sum())
        fn = int(((p != label) & (r == label)).sum())
        tn = int(((p != label) & (r != label)).sum())
        expected = {
            "dice": (2 * tp, 2 * tp + fp + fn), "iou": (tp, tp + fp + fn),
            "precision": (tp, tp + fp), "recall": (tp, tp + fn), "specificity": (tn, tn + fp),
        }  # fmt: skip
        for name, (top, bottom) in expected.items():
            got = report.per_class[name][label]
            assert math.isnan(got) if bottom == 0 else got == top / bottom, (name, label)
        ious.append(tp / (tp + fp + fn))
        recalls += [tp / (tp + fn)] if tp + fn else []
    if present:
        assert report.mean["mean_iou"] == pytest.approx(np.mean(ious))
        assert report.mean["accuracy"] == pytest.approx((p == r).mean())
    if recalls:
        assert report.mean["mean_accuracy"] == pytest.approx(np.mean(recalls))


def test_against_scikit_image():
    peer = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, (2, 20, 30))
    table = peer.contingency_table(b, a, normalize=False).toarray()
    assert np.array_equal(confusion_matrix(a, b).counts, table)


def test_against_scikit_learn():
    peer = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (2, 4000))
    report = evaluate(a, b)
    assert np.array_equal(report.confusion, peer.confusion_matrix(b, a))
    assert report.mean["kappa"] == pytest.approx(peer.cohen_kappa_score(b, a), abs=1e-12)
    assert list(report.per_class["iou"].values()) == pytest.approx(
        peer.jaccard_score(b, a, average=None)
    )


# --- what goes in -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("prediction", "reference", "words"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), r"one shape.*\(2, 3\).*\(3, 2\)"),
        ([0.5, 1], [0, 1], "prediction: .*0.5"),
        ([0, 1], [0, -1], "reference: .*-1"),
        ([0, np.nan], [0, 1], "prediction: .*nan"),
        ([], [], "empty"),
        (["a"], ["b"], "integers"),
        (np.arange(5000), np.arange(5000), "4096"),
    ],
)
def test_what_cannot_be_compared(prediction, reference, words):
    with pytest.raises(InputError, match=words):
        evaluate(prediction, reference)


@pytest.mark.parametrize("metrics", ["dyce", ["dice", "surfaces"], []])
def test_unknown_metrics(metrics):
    with pytest.raises(ParameterError) as caught:
        evaluate([0, 1], [0, 1], metrics=metrics)
    assert metrics == [] or "mean_iou" in str(caught.value)


def test_chosen_metrics_come_in_the_order_asked():
    report = evaluate([0, 1], [0, 1], metrics=["iou", "accuracy", "dice", "iou"])
    assert [metric.name for metric in report.metrics] == ["iou", "accuracy", "dice"]
    assert evaluate([0, 1], [0, 1], metrics="iou").per_class.keys() == {"iou"}
    assert set(evaluate([0, 1], [0, 1]).per_class) == {"dice", "iou", "precision", "recall",
                                                      "specificity", "f1", "f_beta",
                                                      "balanced_accuracy", "mcc"}  # fmt: skip


def test_volumes_are_in_the_unit_of_the_spacing():
    labels = np.ones((2, 3, 4), np.uint8)
    report = evaluate(labels, labels, spacing=(3, 0.5, 2), metrics="volume")
    assert (report.mean["volume"], report.unit) == (72, "mm³")
    space = Space.regular(3, (2, 2, 2), "um")
    report = evaluate(labels, Segmentation(labels, space), metrics=["volume"])
    assert (report.mean["volume"], report.unit) == (192, "um³")


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 0), (1, 1, -1), (1, 1, np.nan)])
def test_spacings_that_do_not_fit(spacing):
    labels = np.ones((2, 3, 4), np.uint8)
    with pytest.raises(ParameterError, match="3 positive spacings"):
        evaluate(labels, labels, spacing=spacing)


def test_other_grids_are_refused_and_other_orientations_matched():
    labels = (np.arange(24).reshape(2, 3, 4) % 5).astype(np.uint8)
    space = Space.regular(3, (3, 1, 1), "mm")
    here = Segmentation(labels, space)
    moved = Segmentation(labels, space.crop((slice(1, 3), slice(0, 3), slice(0, 4))))
    with pytest.raises(SpaceMismatchError, match="resample"):
        evaluate(here, moved)
    flip = np.diag([3.0, -1, 1, 1])
    flip[1, 3] = 2
    turned = Segmentation(labels[:, ::-1], Space.from_matrix(flip, "mm"))
    assert evaluate(turned, here).mean["dice"] == 1


def test_files_images_and_class_names(tmp_path):
    labels = (np.arange(24).reshape(2, 3, 4) % 3).astype(np.uint8)
    space = Space.regular(3, (3, 1, 1), "mm")
    names = (LabelClass(1, "grey"), LabelClass(2, "white"))
    write(tmp_path / "a.nii.gz", Segmentation(labels, space, names))
    write(tmp_path / "b.nii", Image(labels.astype(np.float32), space))
    report = evaluate(str(tmp_path / "b.nii"), tmp_path / "a.nii.gz")
    assert report.mean["dice"] == 1
    assert report.names == {1: "grey", 2: "white"}
    assert evaluate(Image(labels, space), labels).mean["dice"] == 1
    with pytest.raises(FormatError):
        evaluate(tmp_path / "none.nii", labels)


def test_inputs_stay_as_they_were():
    a, b = (np.arange(24).reshape(2, 3, 4) % n for n in (3, 4))
    a.flags.writeable = b.flags.writeable = False
    before = a.copy(), b.copy()
    evaluate(a, b)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


# --- what comes out -----------------------------------------------------------------------
@pytest.fixture
def report():
    classes = (1, LabelClass(2, "=1+1"), LabelClass(3, "a|b"))
    metrics = ("overlap", "volume")
    return evaluate([0, 1, 2, 0], [0, 1, 2, 2], spacing=(2,), metrics=metrics, classes=classes)


def test_plain_data_is_json_without_nan(report):
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["per_class"]["dice"]["3"] is None
    assert "both" in data["reasons"]["dice"]["3"]
    assert data["mean"]["dice"] == pytest.approx((1 + 2 / 3) / 2)
    assert data["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def test_the_csv_holds_every_value_with_its_definition(report, tmp_path):
    path = tmp_path / "r.csv"
    report.to_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = {(row["metric"], row["class"]): row for row in csv.DictReader(file)}
    assert float(rows["dice", "2"]["value"]) == report.per_class["dice"][2]
    assert rows["dice", "2"]["name"] == "'=1+1"
    assert rows["dice", "2"]["n"] == "2"
    assert rows["dice", "3"]["value"] == ""
    assert "both" in rows["dice", "3"]["reason"]
    assert rows["dice", "mean"]["n"] == "2"
    assert rows["accuracy", "all"]["value"] == "0.75"
    assert rows["volume", "1"]["unit"] == "mm"
    assert all(row["definition"] for row in rows.values())
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv"]
    with pytest.raises(FormatError):
        report.to_csv(tmp_path / "none" / "r.csv")


def test_the_table_has_a_row_per_class(report):
    lines = report.to_markdown().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 3 + 3
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "a\\|b" in lines[4]
    assert any("Accuracy: 0.75" in line for line in lines)


def test_one_value_stands_for_a_list_of_one():
    labels = np.array([0, 1, 2, 2])
    report = evaluate(labels, labels, ignore=2, classes=1, metrics="dice")
    assert report.classes == (1,)
    assert report.confusion.tolist() == [[1, 0], [0, 1]]
    assert evaluate(labels, labels, ignore=(2.0,)).labels == (0, 1)


@pytest.mark.parametrize("argument", ["ignore", "classes"])
@pytest.mark.parametrize("value", ["12", (1.5,), [None], np.nan])
def test_what_is_no_label_number_is_refused(argument, value):
    with pytest.raises(ParameterError, match=f"label numbers for '{argument}'"):
        evaluate([0, 1], [0, 1], **{argument: value})


def test_the_spacing_of_a_time_series_is_that_of_its_space():
    series = Segmentation(np.ones((2, 3, 4, 5), np.uint8), Space.regular(4))
    report = evaluate(series, series, metrics="volume", spacing=(3, 0.5, 0.5))
    assert report.unit == "mm³"
    assert report.mean["volume"] == pytest.approx(120 * 0.75)


def test_one_number_in_two_units_is_not_one_grid():
    labels = np.ones((2, 3), np.uint8)
    first, second = (Segmentation(labels, Space.regular(2, (1, 1), unit)) for unit in ("mm", "um"))
    with pytest.raises(SpaceMismatchError, match=r"\(1, 1\) mm .* \(1, 1\) um"):
        evaluate(first, second)


def test_large_volumes_are_written_out():
    labels = np.array([[1]])
    table = evaluate(labels, labels, metrics="volume", spacing=(1000, 1234)).to_markdown()
    assert "| 1234000 | 1234000 | 0 |" in table
