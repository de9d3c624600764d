"""Cases whose answers are known exactly, through the functions that users call."""

from __future__ import annotations

import math

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics import METRICS

DISTANCES = ("hausdorff", "hd95", "assd", "masd")


def box(shape, start, size):
    mask = np.zeros(shape, np.uint8)
    mask[tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))] = 1
    return mask


def scores(prediction, reference, spacing=(1, 1, 1), **settings):
    report = nss.evaluate(prediction, reference, spacing=spacing, metrics="surface", **settings)
    return {name: report.per_class[name][1] for name in report.per_class}


def test_a_table_of_four_counts():
    reference = np.repeat([1, 0, 1, 0], [30, 10, 20, 40])
    prediction = np.repeat([1, 1, 0, 0], [30, 10, 20, 40])
    report = nss.evaluate(prediction, reference)
    expected = {
        "precision": 0.75, "recall": 0.6, "specificity": 0.8, "f1": 2 / 3, "iou": 0.5,
        "balanced_accuracy": 0.7, "mcc": 1 / math.sqrt(6),
    }  # fmt: skip
    for name, value in expected.items():
        assert report.per_class[name][1] == pytest.approx(value, abs=1e-12), name
    whole = {"accuracy": 0.7, "kappa": 0.4, "frequency_weighted_iou": 0.25 + 2 / 7}
    for name, value in whole.items():
        assert report.mean[name] == pytest.approx(value, abs=1e-12), name


def test_identical_masks():
    mask = box((12, 14, 16), (2, 3, 4), (5, 6, 7))
    report = nss.evaluate(mask, mask, spacing=(3, 0.7, 0.7), metrics="all")
    for name in ("dice", "iou", "nsd", "boundary_iou"):
        assert report.per_class[name][1] == 1
    assert [report.mean[name] for name in DISTANCES] == [0, 0, 0, 0]
    assert report.mean["kappa"] == 1
    assert (report.mean["voi_split"], report.mean["voi_merge"]) == (0, 0)
    assert report.mean["adapted_rand_error"] == 0


@pytest.mark.parametrize("surface", ["marching", "voxel"])
def test_disjoint_masks(surface):
    first, second = (box((6, 6, 40), (2, 2, start), (2, 2, 2)) for start in (2, 30))
    found = scores(first, second, (1, 1, 0.5), surface=surface, tolerance=1)
    assert nss.evaluate(first, second).per_class["dice"][1] == 0
    assert found["hausdorff"] == pytest.approx(14)
    assert found["nsd"] == 0


def test_classes_absent_from_one_or_both():
    reference = np.repeat([0, 1, 2], [10, 4, 4])
    prediction = np.repeat([0, 1, 1, 1, 2, 0], [8, 2, 2, 2, 2, 2])
    report = nss.evaluate(prediction, reference, classes=(1, 2, 3, 4))
    assert report.mean["dice"] == pytest.approx((2 * 4 / 10 + 2 * 2 / 6) / 2)
    assert (report.scores["dice"].n_used, report.scores["dice"].n_empty) == (2, 2)


def test_a_box_moved_along_x():
    first, second = (box((24, 24, 30), (2, 2, start), (20, 20, 20)) for start in (3, 7))
    marching = scores(first, second, tolerance=2)
    voxel = scores(first, second, tolerance=2, surface="voxel")
    assert marching["hausdorff"] == voxel["hausdorff"] == 4
    # The continuous surface has an ASSD of 1.36889 and an NSD of 0.66.
    assert marching["assd"] == pytest.approx(1.3652, abs=1e-4)
    assert voxel["assd"] == pytest.approx(1.3727, abs=1e-4)
    assert marching["nsd"] == pytest.approx(0.6911, abs=1e-4)
    assert voxel["nsd"] == pytest.approx(0.6900, abs=1e-4)


def test_a_box_moved_by_two_thick_slices():
    first, second = (box((26, 24, 24), (start, 2, 2), (20, 20, 20)) for start in (2, 4))
    marching = scores(first, second, (3, 0.7, 0.7))
    assert marching["hausdorff"] == pytest.approx(6)
    # The continuous surface has 0.70362: what counts border voxels alike is off by 125 %.
    assert marching["assd"] == pytest.approx(0.6855, abs=1e-4)
    voxel = scores(first, second, (3, 0.7, 0.7), surface="voxel")
    assert voxel["assd"] == pytest.approx(1.5797, abs=1e-4)
    assert scores(first, second, (0.7, 0.7, 3))["hausdorff"] == pytest.approx(1.4)


def test_a_box_within_a_box():
    small, large = box((30,) * 3, (5,) * 3, (20,) * 3), box((30,) * 3, (2,) * 3, (26,) * 3)
    marching, voxel = scores(small, large), scores(small, large, surface="voxel")
    for found in (marching, voxel):
        assert found["hausdorff"] == pytest.approx(3 * math.sqrt(3), rel=1e-6)
        assert found["hd95"] == pytest.approx(math.sqrt(18), rel=1e-6)
    assert (marching["assd"], marching["masd"]) == pytest.approx((3.1167, 3.0926), abs=1e-4)
    assert (voxel["assd"], voxel["masd"]) == pytest.approx((3.1398, 3.1103), abs=1e-4)
    pooled = scores(small, large, surface="voxel", hd_pooling="pooled")
    assert pooled["hd95"] == pytest.approx(4.1291, abs=1e-4)
    assert scores(small, large, tolerance=3)["nsd"] == pytest.approx(0.7906, abs=1e-4)


def test_two_single_voxels():
    first, second = box((9, 9, 9), (2, 2, 4), (1, 1, 1)), box((9, 9, 9), (4, 5, 4), (1, 1, 1))
    found = scores(first, second, (3, 0.7, 0.5), surface="voxel")
    for name in DISTANCES:
        assert found[name] == pytest.approx(math.sqrt(36 + 4.41), rel=1e-6)


def test_one_stray_voxel():
    reference = box((70,) * 3, (10,) * 3, (20,) * 3)
    prediction = reference.copy()
    prediction[60, 60, 60] = 1
    found = scores(prediction, reference)
    assert found["hausdorff"] == pytest.approx(31 * math.sqrt(3), rel=1e-6)
    assert found["hd95"] == 0


@pytest.mark.parametrize("surface", ["marching", "voxel"])
def test_masks_at_the_border_and_flat_ones(surface):
    first, second = box((6, 8, 9), (0, 0, 0), (4, 5, 6)), box((6, 8, 9), (1, 0, 2), (5, 8, 7))
    padded = [np.pad(mask, 2) for mask in (first, second)]
    spacing = (3, 0.7, 0.5)
    assert scores(first, second, spacing, surface=surface, boundary_width=4) == pytest.approx(
        scores(*padded, spacing, surface=surface, boundary_width=4)
    )
    flat = scores(first[:1], second[1:2], spacing, surface=surface)
    assert flat["hausdorff"] == pytest.approx(2.5 if surface == "marching" else 2.1, abs=1)
    plane = scores(first[0], second[1], spacing[1:], surface=surface)
    assert plane["hausdorff"] == pytest.approx(flat["hausdorff"])


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, float("nan"), 1), (1, 1, -1), (1, 1)])
def test_spacings_that_are_none_are_refused(spacing):
    mask = box((4, 4, 4), (1, 1, 1), (2, 2, 2))
    with pytest.raises(ParameterError, match="positive spacings"):
        scores(mask, mask, spacing)


def test_symmetries():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 2, (2, 4, 5, 6)).astype(np.uint8)
    first, second = (mask.repeat(2, 0).repeat(2, 1).repeat(2, 2) for mask in coarse)
    spacing = (3, 0.7, 0.5)
    base = scores(first, second, spacing, tolerance=1, boundary_width=2)
    same = [
        scores(second, first, spacing, tolerance=1, boundary_width=2),
        scores(first[::-1, :, ::-1], second[::-1, :, ::-1], spacing, tolerance=1, boundary_width=2),
        scores(first.transpose(2, 0, 1), second.transpose(2, 0, 1), (0.5, 3, 0.7),
               tolerance=1, boundary_width=2),
    ]  # fmt: skip
    for found in same:
        assert found == pytest.approx(base, rel=1e-6)
    larger = scores(first, second, (6, 1.4, 1), tolerance=2, boundary_width=4)
    for name in DISTANCES:
        assert larger[name] == pytest.approx(2 * base[name], rel=1e-6)
    assert (larger["nsd"], larger["boundary_iou"]) == (base["nsd"], base["boundary_iou"])
    one, other = nss.evaluate(first, second), nss.evaluate(second, first)
    assert one.per_class["precision"] == other.per_class["recall"]


def test_a_partition_by_hand():
    reference, prediction = [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2, 3, 3, 3, 3]
    report = nss.evaluate(prediction, reference, metrics="partition")
    assert (report.mean["voi_split"], report.mean["voi_merge"]) == (0.5, 0)
    assert report.mean["adapted_rand_error"] == pytest.approx(0.2)
    pair = report.mean["adapted_rand_precision"], report.mean["adapted_rand_recall"]
    assert pair == pytest.approx((1, 2 / 3))  # all pairs joined are right, a third is not joined


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_objects_exactly_at_a_threshold(dtype):
    reference, prediction = np.zeros((2, 2, 40), dtype)
    reference[0, :16], prediction[0, 3:20] = 1, 7  # 13 of 20
    reference[1, :4], prediction[1, :5] = 2, 9  # 4 of 5
    found = nss.evaluate(prediction, reference, metrics="instances").instances
    tp = dict(zip((round(100 * t) for t in found.thresholds), found.tp.tolist(), strict=True))
    assert (tp[65], tp[70], tp[80], tp[85]) == (2, 1, 1, 0)


def test_one_merger_and_one_split():
    reference, prediction = np.zeros((2, 3, 12), np.uint8)
    reference[0, :4], reference[0, 4:8], prediction[0, :8] = 1, 2, 1
    reference[2, :8], prediction[2, :4], prediction[2, 4:8] = 3, 2, 3
    report = nss.evaluate(prediction, reference, metrics="instances")
    assert (report.mean["n_merged"], report.mean["n_split"]) == (1, 1)
    assert report.instances.tp_above[0] == 0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.uint64])
def test_types_and_layouts_of_labels(dtype):
    first, second = box((8, 9, 10), (1, 2, 3), (5, 5, 5)), box((8, 9, 10), (2, 2, 2), (5, 5, 5))
    settings = {"metrics": "all", "spacing": (2, 1, 1)}
    expected = nss.evaluate(first, second, **settings)
    strided = np.repeat(first.astype(dtype), 2, axis=1)[:, ::2]
    fortran = np.asfortranarray(second.astype(dtype))
    found = nss.evaluate(strided, fortran, **settings)
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    # Distances are added up in the order in which memory has them.
    assert found.mean == pytest.approx(expected.mean, rel=1e-14, nan_ok=True)


def test_labels_beyond_32_bits_and_below_zero():
    far = box((4, 6, 6), (1, 1, 1), (2, 3, 3)).astype(np.uint64) * np.uint64(2**40)
    report = nss.evaluate(far, far, metrics="all")
    assert report.classes == (0, 2**40)
    assert report.mean["dice"] == report.mean["ap50"] == report.mean["nsd"] == 1
    for group in ("overlap", "surface", "instances", "partition", "warping"):
        with pytest.raises(InputError, match=r"prediction: .*from 0 up, got -1"):
            nss.evaluate(far.astype(np.int64) * 0 - 1, far, metrics=group)


def test_three_raters_alike_and_one_who_says_the_opposite():
    mask = box((6, 8, 8), (1, 1, 1), (3, 4, 5))
    same = nss.consensus([mask, mask, mask])
    np.testing.assert_array_equal(same.segmentation.labels, mask)
    assert np.allclose(same.performance.sensitivity, 1)
    assert np.allclose(same.performance.specificity, 1)
    odd = nss.consensus([mask, mask, 1 - mask])
    np.testing.assert_array_equal(odd.segmentation.labels, mask)
    assert np.allclose(odd.performance.sensitivity[2], 0, atol=1e-6)


def test_every_metric_that_a_user_may_ask_for_exists():
    names = {
        "dice", "iou", "precision", "recall", "specificity", "f1", "accuracy", "mean_accuracy",
        "hausdorff", "hd95", "assd", "masd", "nsd", "volume_difference", "ap50", "pq",
    }  # fmt: skip
    assert names <= set(METRICS)
