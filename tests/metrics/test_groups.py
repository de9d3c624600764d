"""All groups of metrics through `evaluate`: values, units, reasons, ignored voxels."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.image import Segmentation
from napari_segsuite.metrics import METRICS, evaluate
from napari_segsuite.metrics.catalogue import GROUPS
from napari_segsuite.metrics.error_labels import error_labels
from napari_segsuite.space import Space


def box(shape=(12, 30, 30), start=(3, 5, 5), size=(4, 20, 20)):
    labels = np.zeros(shape, np.uint8)
    labels[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))] = 1
    return labels


@pytest.fixture
def everything():
    return evaluate(box(start=(5, 5, 5)), box(), spacing=(3, 0.7, 0.7), metrics="all", tolerance=2)


def test_distances_are_in_millimetres(everything):
    assert everything.mean["hausdorff"] == pytest.approx(6)
    hausdorff = METRICS["hausdorff"]
    assert everything.unit_of(hausdorff) == everything.length_unit == "mm"
    assert everything.title_of(hausdorff) == "Hausdorff distance (mm)"
    assert everything.definition_of(METRICS["nsd"]).endswith("tolerance 2 mm")


def test_every_metric_has_a_value_or_a_reason(everything):
    assert list(everything.scores) == list(METRICS)
    for name, score in everything.scores.items():
        assert math.isnan(score.mean) == bool(score.mean_reason), name
        for label, value in score.per_class.items():
            assert math.isnan(value) == bool(score.reasons.get(label)), (name, label)


def test_a_report_of_everything_is_json(everything):
    document = json.loads(json.dumps(everything.to_dict(), allow_nan=False))
    assert set(document["metrics"]) == set(METRICS)
    assert document["length_unit"] == "mm"


@pytest.mark.parametrize("group", GROUPS)
def test_equal_labels_are_perfect_in_every_group(group):
    labels = box(size=(4, 20, 10))
    labels[3:7, 5:25, 16:24] = 2
    report = evaluate(labels, labels, metrics=group)
    for metric in report.metrics:
        best = {"higher": 1, "lower": 0, "zero": 0}.get(metric.better)
        if best is not None:
            assert report.mean[metric.name] == best, metric.name


def test_a_class_that_one_lacks_has_no_distance_and_says_why():
    report = evaluate(box() * 2, box(), metrics=("dice", "surface"))
    for name in ("hausdorff", "hd95", "assd", "masd"):
        assert math.isnan(report.mean[name])
        assert report.reasons[name][1] == "absent from the prediction"
        assert report.reasons[name][2] == "absent from the reference"
    assert report.per_class["nsd"][1] == report.per_class["nsd"][2] == 0
    assert report.per_class["boundary_iou"][1] == 0


def test_a_transposed_spacing_changes_the_distance():
    first, second = box(start=(5, 5, 5)), box()
    report = evaluate(first, second, metrics="hausdorff", spacing=(0.7, 0.7, 3))
    assert report.mean["hausdorff"] == pytest.approx(1.4)


def test_ignored_voxels_count_in_no_group():
    reference, prediction = box(), box()
    reference[:2] = 255
    prediction[:2] = 1
    report = evaluate(prediction, reference, metrics=("dice", "surface", "ap50", "voi"), ignore=255)
    assert report.mean["dice"] == 1
    assert report.mean["hausdorff"] == 0
    assert (report.mean["ap50"], report.mean["voi"]) == (1, 0)
    found = evaluate(prediction, reference, metrics="ap50", ignore=255, objects="components")
    assert found.mean["ap50"] == 1


def test_steps_of_no_stated_unit_count_all_the_same():
    space = Space.regular(3, (3, 0.7, 0.7))
    report = evaluate(Segmentation(box(start=(5, 5, 5)), space), box(), metrics="hausdorff")
    assert report.mean["hausdorff"] == pytest.approx(6)
    assert (report.length_unit, report.unit) == ("units", "units³")
    plain = evaluate(Segmentation(box(), Space.regular(3)), box(), metrics="hausdorff")
    assert plain.length_unit == "voxels"


def test_objects_may_be_labels_or_components():
    reference = np.zeros((8, 20), np.uint8)
    reference[2:6, 2:6] = reference[2:6, 12:16] = 1
    prediction = reference.copy()
    prediction[:, 12:] = 0
    labels = evaluate(prediction, reference, metrics="instances")
    components = evaluate(prediction, reference, metrics="instances", objects="components")
    assert (labels.instances.n_reference, components.instances.n_reference) == (1, 2)
    assert components.mean["instance_recall"] == 0.5
    assert "connected component" in components.definition_of(METRICS["ap50"])


def test_thousands_of_objects_need_no_confusion_matrix():
    labels = np.arange(1, 90_001, dtype=np.uint32).reshape(300, 300)
    report = evaluate(labels, labels, metrics=("instances", "partition"))
    assert report.mean["ap50"] == 1
    assert (report.confusion.size, report.classes) == (0, ())
    assert report.to_markdown().startswith("- AP")
    with pytest.raises(InputError, match="4096"):
        evaluate(labels, labels, metrics="dice")


def test_lazy_labels_are_read_for_overlap_and_refused_for_surfaces():
    dask = pytest.importorskip("dask.array")
    first, second = box(start=(5, 5, 5)), box()
    lazy = dask.from_array(first, chunks=5)
    assert evaluate(lazy, second).to_dict() == evaluate(first, second).to_dict()
    with pytest.raises(InputError, match="in memory for surface metrics"):
        evaluate(lazy, second, metrics="surface")


def test_a_prediction_on_another_grid_can_be_resampled():
    space = Space.regular(3, (3, 0.7, 0.7), "mm")
    fine = Segmentation(box().repeat(2, axis=0), space.resample((2, 1, 1)))
    report = evaluate(fine, Segmentation(box(), space), other_grid="nearest", metrics="hausdorff")
    assert (report.mean["hausdorff"], report.spacing) == (0, (3.0, 0.7, 0.7))


def test_two_dimensional_series_are_refused_for_surfaces_only():
    series = np.ones((2, 3, 4, 5), np.uint8)
    assert evaluate(series, series).mean["dice"] == 1
    with pytest.raises(InputError, match="one time point at a time"):
        evaluate(series, series, metrics="surface")


def test_progress_rises_and_can_stop_the_work():
    seen = []
    evaluate(
        box(), box(), metrics="all", progress=lambda fraction, message="": seen.append(fraction)
    )
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1

    def stop(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        evaluate(box(), box(), progress=stop)


def test_turned_grids_are_measured_on_that_of_the_reference():
    labels = box()
    flip = np.diag([3.0, -0.7, 0.7, 1])
    flip[1, 3] = 0.7 * (labels.shape[1] - 1)
    reference = Segmentation(labels, Space.from_matrix(flip, "mm"))
    prediction = Segmentation(labels[:, ::-1], Space.regular(3, (3, 0.7, 0.7), "mm"))
    report = evaluate(prediction, reference, metrics=("dice", "instances"))
    assert report.mean["dice"] == 1
    places = {row.centroid for row in report.objects}
    assert places == {tuple(np.argwhere(labels).mean(axis=0))}
    errors = error_labels(prediction, reference)
    assert errors.space == reference.space
    assert np.array_equal(errors.labels, labels)


def test_usual_lengths_are_named_where_none_is_given():
    report = evaluate(box(), box(), metrics=("nsd", "boundary_iou"), tolerance=np.float32(2))
    assert report.definition_of(METRICS["nsd"]).endswith("tolerance 2 voxels")
    assert "2 % of the image's diagonal" in report.definition_of(METRICS["boundary_iou"])
    report = evaluate(box(), box(), metrics="nsd")
    assert report.definition_of(METRICS["nsd"]).endswith("tolerance the largest step of the grid")


def test_volumes_in_four_dimensions_have_their_unit():
    series = np.ones((2, 2, 2, 2), np.uint8)
    report = evaluate(series, series, metrics="volume", spacing=(2, 1, 1, 1))
    assert (report.mean["volume"], report.unit) == (32, "mm⁴")


def test_a_unit_is_no_formula(tmp_path):
    labels = Segmentation(np.ones((2, 2), np.uint8), Space.regular(2, (1, 1), "=1+1"))
    report = evaluate(labels, labels, metrics=("volume", "instances"))
    report.to_csv(tmp_path / "classes.csv")
    report.objects_to_csv(tmp_path / "objects.csv")
    for name in ("classes.csv", "objects.csv"):
        assert ",=1+1" not in (tmp_path / name).read_text(encoding="utf-8")
