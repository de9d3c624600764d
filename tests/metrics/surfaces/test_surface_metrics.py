"""Surface metrics of all classes of a volume, and what is refused."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics.surfaces.surface_metrics import (
    SURFACE,
    assd,
    boundary_iou,
    hausdorff,
    hd95,
    masd,
    measure_surfaces,
    nsd,
    surface_distances,
)
from napari_segsuite.progress import Cancelled
from surface_shapes import (
    AROUND,
    CUBE,
    ISOTROPIC,
    NAMES,
    THICK,
    all_values,
    ball,
    blobs,
    values,
)


# --- several classes ----------------------------------------------------------------------
def test_every_class_has_the_values_of_its_mask():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 5, (2, 3, 4, 4)).repeat(4, 1).repeat(4, 2).repeat(4, 3)
    prediction, reference = coarse.astype(np.uint16) * 100
    classes = (400, 100, 200, 300)
    for surface, pooling in product(["marching", "voxel"], ["max", "pooled"]):
        found = measure_surfaces(prediction, reference, classes, THICK, surface=surface,
                                 pooling=pooling, tolerance=1.5, boundary_width=3)  # fmt: skip
        assert found.reasons == ("",) * 4
        for i, label in enumerate(classes):
            masks = prediction == label, reference == label
            d = surface_distances(*masks, THICK, surface=surface)
            assert found.hd95[i] == hd95(d, pooling)
            assert (found.hausdorff[i], found.assd[i]) == (hausdorff(d), assd(d))
            assert (found.masd[i], found.nsd[i]) == (masd(d), nsd(d, 1.5))
            assert found.boundary_iou[i] == boundary_iou(*masks, THICK, boundary_width=3)


def test_classes_that_lack_a_surface_say_why():
    prediction, reference = np.zeros((2, 4, 5, 6), np.uint8)
    prediction[1:3, 1:3, 1:3] = 1
    reference[1:3, 1:3, 1:3] = 2
    found = measure_surfaces(prediction, reference, (0, 1, 2, 3, 999), ISOTROPIC, tolerance=1)
    assert found.reasons == (
        "background has no surface of interest",
        "absent from the reference",
        "absent from the prediction",
        *["absent from both prediction and reference"] * 2,
    )
    for name in NAMES[:4]:
        assert np.isnan(getattr(found, name)).all()
    for name in NAMES[4:]:
        np.testing.assert_array_equal(getattr(found, name), [np.nan, 0, 0, np.nan, np.nan])


def test_empty_masks_have_no_elements_and_distances_to_them_no_value():
    nothing = np.zeros_like(CUBE)
    found = surface_distances(nothing, CUBE)
    assert found.to_reference.size == found.areas_prediction.size == 0
    assert np.isnan(found.to_prediction).all()
    assert found.areas_reference.size == found.to_prediction.size > 0
    assert np.isnan(values(found)[:4]).all()
    assert (nsd(found, 1), boundary_iou(nothing, CUBE)) == (0, 0)
    found = surface_distances(nothing, nothing)
    assert np.isnan(values(found)).all()
    assert math.isnan(boundary_iou(nothing, nothing))


def test_ignored_voxels_are_background_in_both():
    rng = np.random.default_rng(0)
    prediction, reference = rng.integers(0, 3, (2, 6, 7, 8)).astype(np.uint8)
    reference[2:4, :, 3:] = 255
    reference[0] = 254
    found = measure_surfaces(prediction, reference, (1, 2, 254), THICK, tolerance=1,
                             ignore=(254, 255))  # fmt: skip
    counted = reference < 254
    expected = measure_surfaces(prediction * counted, reference * counted, (1, 2), THICK,
                                tolerance=1)  # fmt: skip
    for name in NAMES:
        values_ = getattr(found, name)
        np.testing.assert_array_equal(values_[:2], getattr(expected, name))
        assert np.isnan(values_[2])
    assert found.reasons[2] == "absent from both prediction and reference"


LAYOUTS = [
    np.asfortranarray,
    lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    lambda a: np.ascontiguousarray(a[::-1, :, ::-1])[::-1, :, ::-1],
    lambda a: np.ascontiguousarray(a.transpose(1, 2, 0)).transpose(2, 0, 1),
]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", ">u4", "uint64"])
def test_types_and_memory_order_do_not_matter(dtype):
    prediction, reference = (blobs((9, 10, 11), seed) for seed in (1, 2))
    expected = pytest.approx(all_values(prediction, reference, THICK, "marching"))
    for layout in LAYOUTS:
        typed = layout(prediction.astype(dtype))
        typed.flags.writeable = False
        assert all_values(typed, reference, THICK, "marching") == expected
        assert all_values(typed, layout(reference), THICK, "marching") == expected


def test_labels_beyond_32_bits():
    labels = np.zeros((3, 4, 5), np.uint64)
    labels[1:, 1:3, 1:3] = 2**63 + 1
    labels[0] = 2**63
    found = measure_surfaces(labels, labels, (2**63, 2**63 + 1), ISOTROPIC, tolerance=1)
    assert found.nsd.tolist() == [1, 1]


def test_no_classes():
    found = measure_surfaces(CUBE, CUBE, (), ISOTROPIC, tolerance=1)
    assert (found.nsd.shape, found.reasons) == ((0,), ())


def test_the_band_is_two_per_cent_of_the_diagonal_and_a_voxel_at_least():
    first, second = blobs((40, 50), 1), blobs((40, 50), 2)
    assert boundary_iou(first, second, (3, 0.5)) == boundary_iou(
        first, second, (3, 0.5), boundary_width=3
    )
    padded = [np.pad(mask, 200) for mask in (first, second)]
    diagonal = math.hypot(440 * 3, 450 * 0.5)
    assert boundary_iou(*padded, (3, 0.5)) == boundary_iou(
        *padded, (3, 0.5), boundary_width=0.02 * diagonal
    )


def test_progress_rises_and_may_stop_the_work():
    labels = (np.arange(6 * 7 * 8).reshape(6, 7, 8) // 60).astype(np.uint8)
    seen = []

    def note(fraction, message=""):
        seen.append(fraction)

    measure_surfaces(labels, labels, (1, 2, 3), ISOTROPIC, tolerance=1, progress=note)
    assert len(seen) >= 6
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1
    for stop_at in range(len(seen)):
        calls = iter(range(len(seen)))

        def stop(fraction, message="", calls=calls, stop_at=stop_at):
            if next(calls) == stop_at:
                raise Cancelled

        with pytest.raises(Cancelled):
            measure_surfaces(labels, labels, (1, 2, 3), ISOTROPIC, tolerance=1, progress=stop)


def test_metrics_name_the_values_measured():
    found = measure_surfaces(CUBE, AROUND, (1,), ISOTROPIC, tolerance=1)
    assert tuple(metric.name for metric in SURFACE) == NAMES
    for metric in SURFACE:
        assert metric.function(found) is getattr(found, metric.name)
        assert metric.group == "surface"
        assert len(metric.formula) <= 90
        lengths = metric.name in NAMES[:4]
        assert metric.unit == ("length" if lengths else "")
        assert metric.better == ("lower" if lengths else "higher")
        assert (metric.limits is None) == lengths


# --- what goes in -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("prediction", "reference", "words"),
    [
        (np.zeros((2, 3), "u1"), np.zeros((3, 2), "u1"), r"one shape.*\(2, 3\).*\(3, 2\)"),
        (np.zeros(5, "u1"), np.zeros(5, "u1"), "2D or 3D"),
        (np.zeros((0, 5), "u1"), np.zeros((0, 5), "u1"), r"2D or 3D.*\(0, 5\)"),
        (np.zeros((2, 2, 2, 2), "u1"), np.zeros((2, 2, 2, 2), "u1"), "2D or 3D"),
        (np.zeros((2, 2)), np.zeros((2, 2), "u1"), "unsigned integers, got float64"),
        (np.zeros((2, 2), "u1"), np.zeros((2, 2), "i4"), "unsigned integers, got int32"),
    ],
)
def test_what_cannot_be_compared(prediction, reference, words):
    with pytest.raises(InputError, match=words):
        measure_surfaces(prediction, reference, (1,), (1, 1), tolerance=1)


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 0), (1, 1, -1), (1, 1, np.nan), 3, "abc"])
def test_spacings_that_do_not_fit(spacing):
    with pytest.raises(InputError, match="3 positive spacings"):
        surface_distances(CUBE, CUBE, spacing)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("surface", "mesh"), ("tolerance", -1), ("tolerance", np.nan), ("tolerance", np.inf),
        ("boundary_width", 0.5), ("boundary_width", np.nan),
    ],
)  # fmt: skip
def test_settings_outside_their_range(name, value):
    settings_ = {"tolerance": 1.0, name: value}
    with pytest.raises(ParameterError, match=name) as caught:
        measure_surfaces(CUBE, CUBE, (1,), ISOTROPIC, **settings_)
    assert caught.value.name == name


def test_masks_may_hold_any_numbers():
    mask = np.array([[0, 0.5, -1, 0]])
    found = surface_distances(mask, [[0, 1, 1, 0]], surface="voxel")
    assert values(found, 0.0) == (0, 0, 0, 0, 1)


@pytest.mark.parametrize("tolerance", [math.nan, math.inf, -1])
def test_a_tolerance_that_is_none_gives_no_number(tolerance):
    mask = np.ones((3, 4), bool)
    with pytest.raises(ParameterError, match="tolerance"):
        nsd(surface_distances(mask, mask), tolerance)


def test_poolings_that_there_are_not():
    mask = np.ones((3, 4), bool)
    with pytest.raises(ParameterError, match="pooling"):
        hd95(surface_distances(mask, mask), "mean")


def test_a_small_ball_within_a_large_one_takes_no_search_through_the_volume():
    found = surface_distances(*(ball((81,) * 3, radius, ISOTROPIC) for radius in (4, 38)))
    assert hausdorff(found) == pytest.approx(34, abs=1)
    assert found.to_reference.min() == pytest.approx(34, abs=2)
