"""GrowCut on the CPU: cases whose strengths and labels can be written down by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.growcut import grow
from napari_segsuite.kernels.growcut_cost import G_MAX, STRENGTH_FLOOR, build_steps
from napari_segsuite.progress import Cancelled


def grow_row(values, seeds, contrast, **options):
    """Grow along a single row of an otherwise empty 2D image."""
    features = np.asarray(values)[None, None, :]
    steps = build_steps(2, 1, contrast, **options.pop("cost", {}))
    labels, strength = grow(features, np.asarray([seeds], dtype=np.uint8), steps, **options)
    return labels[0].tolist(), strength[0]


def test_strength_is_the_product_of_forces_along_the_row():
    labels, strength = grow_row(np.uint8([0, 1, 3, 4]), [7, 0, 0, 0], contrast=4)
    assert labels == [7, 7, 7, 7]
    np.testing.assert_array_equal(strength, np.float32([1, 0.75, 0.375, 0.28125]))


def test_a_step_between_two_flat_regions_is_where_the_labels_meet():
    labels, _ = grow_row(np.uint8([5, 5, 5, 9, 9, 9]), [1, 0, 0, 0, 0, 2], contrast=8)
    assert labels == [1, 1, 1, 2, 2, 2]


def test_on_a_plateau_fewer_hops_win():
    labels, strength = grow_row(np.zeros(7, np.uint8), [1, 0, 0, 0, 0, 0, 2], contrast=0)
    assert labels[:3] == [1, 1, 1]
    assert labels[4:] == [2, 2, 2]
    assert strength[2] == G_MAX * G_MAX


def test_the_last_neighbour_in_offset_order_breaks_a_tie():
    labels, _ = grow_row(np.zeros(5, np.uint8), [1, 0, 0, 0, 2], contrast=1)
    assert labels[2] == 2


def test_a_wall_of_full_contrast_is_never_crossed():
    values = np.uint8([[0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 9, 0]])
    seeds = np.zeros((3, 4), dtype=np.uint8)
    seeds[1, 0] = 3
    labels, strength = grow(values[None], seeds, build_steps(2, 2, 9))
    assert (labels[:, :2] == 3).all()
    assert (labels[:, 2:] == 0).all()
    assert (strength[:, 2:] == 0).all()


def test_a_wall_with_a_gap_is_passed_through_the_gap():
    values = np.uint8([[0, 9, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0]])
    seeds = np.zeros((3, 4), dtype=np.uint8)
    seeds[0, 0] = 1
    _, strength = grow(values[None], seeds, build_steps(2, 1, 9))
    assert strength[0, 2] == pytest.approx(float(G_MAX) ** 6, abs=1e-7)
    _, diagonal = grow(values[None], seeds, build_steps(2, 2, 9))
    assert diagonal[0, 2] == pytest.approx(float(G_MAX) ** 4, abs=1e-7)


def test_masked_voxels_are_not_entered_and_their_seeds_ignored():
    mask = np.array([[True, True, False, True, True]])
    labels, strength = grow_row(np.zeros(5, np.uint8), [1, 0, 2, 0, 0], contrast=1, mask=mask)
    assert labels == [1, 1, 0, 0, 0]
    assert strength[2] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 1])
def test_features_that_are_not_finite_are_outside_the_mask(bad, channel):
    features = np.zeros((2, 1, 5), dtype=np.float32)
    features[channel, 0, 2] = bad
    seeds = np.array([[1, 0, 3, 0, 2]], dtype=np.uint8)
    labels, strength = grow(features, seeds, build_steps(2, 1, 1))
    assert labels.tolist() == [[1, 1, 0, 2, 2]]
    assert strength[0, 2] == 0


def test_channels_differ_by_their_euclidean_distance():
    features = np.zeros((2, 1, 2), dtype=np.int16)
    features[:, 0, 1] = -3, 4
    _, strength = grow(features, np.array([[1, 0]], np.uint8), build_steps(2, 1, 10))
    assert strength[0, 1] == np.float32(0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_labels_keep_dtype_and_value(dtype):
    top = np.iinfo(dtype).max
    seeds = np.zeros((4, 20, 20), dtype=dtype)
    seeds[0, 0, 0], seeds[3, 19, 19] = top, top - 1
    labels, _ = grow(np.zeros((1, 4, 20, 20), np.uint16), seeds, build_steps(3, 1, 1))
    assert labels.dtype == dtype
    assert set(np.unique(labels)) == {top, top - 1}


def test_strengths_below_the_floor_count_as_not_reached():
    values = np.zeros(40, dtype=np.float32)
    values[1::2] = 1
    steps = {"cost": {"cost": "slicer"}}
    labels, strength = grow_row(values, [1] + [0] * 39, contrast=0.5, **steps)
    labels_far, strength_far = grow_row(
        np.arange(200, dtype=np.float32), [1] + [0] * 199, contrast=2, **steps
    )
    assert min(strength) > STRENGTH_FLOOR
    assert labels == [1] * 40
    reached = strength_far > 0
    assert reached.sum() == 139  # exp(-138 / 2) > 2**-100 > exp(-139 / 2)
    assert strength_far[reached].min() >= STRENGTH_FLOOR
    assert labels_far == reached.astype(int).tolist()


def test_locality_costs_length():
    strength = grow_row(np.zeros(5, np.uint8), [1, 0, 0, 0, 0], contrast=1, cost={"locality": 0.5})[
        1
    ]
    np.testing.assert_allclose(strength, np.exp(-0.5 * np.arange(5)), rtol=1e-6)


def test_spacing_penalises_long_steps():
    values = np.uint8([[[0, 1]], [[1, 9]]])
    seeds = np.array([[[1, 0]], [[0, 0]]], dtype=np.uint8)
    _, strength = grow(values[None], seeds, build_steps(3, 1, 2, spacing=(3.0, 1.0, 1.0)))
    assert strength[0, 0, 1] == np.float32(0.5)
    assert strength[1, 0, 0] == np.float32(0.125)


def test_inputs_need_not_be_contiguous_and_stay_untouched():
    rng = np.random.default_rng(0)
    features = rng.integers(0, 9, (1, 12, 30, 14)).astype(np.uint8)
    seeds = (rng.random((12, 30, 14)) < 0.02).astype(np.uint8)
    steps = build_steps(3, 3, 9)
    expected = grow(features, seeds, steps)
    turned = np.asfortranarray(features), np.asfortranarray(seeds)
    for array in turned:
        array.setflags(write=False)
    for got, want in zip(grow(*turned, steps), expected, strict=True):
        np.testing.assert_array_equal(got, want)
        assert got.flags.c_contiguous


@pytest.mark.parametrize("connectivity", [1, 2, 3])
def test_a_volume_of_one_plane_equals_the_image(connectivity):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 5, (1, 33, 47)).astype(np.uint8)
    seeds = (rng.random((33, 47)) < 0.05).astype(np.uint8) * rng.integers(1, 4, (33, 47), np.uint8)
    flat = grow(image, seeds, build_steps(2, min(connectivity, 2), 5))
    deep = grow(image[:, None], seeds[None], build_steps(3, connectivity, 5))
    np.testing.assert_array_equal(deep[0][0], flat[0])
    np.testing.assert_array_equal(deep[1][0], flat[1])


@pytest.mark.parametrize("shape", [(40, 50, 60), (70, 1300), (3, 3, 2100)])
def test_neither_threads_nor_their_schedule_change_anything(shape):
    rng = np.random.default_rng(2)
    image = rng.integers(0, 30, (1, *shape)).astype(np.uint8)
    seeds = rng.integers(1, 4, shape).astype(np.uint8) * (rng.random(shape) < 0.002)
    steps = build_steps(len(shape), len(shape), 60)
    labels, strength = grow(image, seeds, steps, threads=1)
    for threads in (2, 3, 8):
        again = grow(image, seeds, steps, threads=threads)
        np.testing.assert_array_equal(again[0], labels)
        np.testing.assert_array_equal(again[1], strength)


def test_two_jobs_may_run_at_once():
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(3)
    image = rng.integers(0, 30, (1, 40, 40, 40)).astype(np.uint8)
    seeds = (rng.random((40, 40, 40)) < 0.01).astype(np.uint8)
    steps = build_steps(3, 3, 30)
    expected = grow(image, seeds, steps)[1]
    with ThreadPoolExecutor(4) as pool:
        for _, strength in pool.map(lambda _: grow(image, seeds, steps, threads=2), range(8)):
            np.testing.assert_array_equal(strength, expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1), (1, 17), (17, 1), (2, 1, 16)])
def test_small_shapes(shape):
    seeds = np.zeros(shape, dtype=np.uint8)
    seeds[(0,) * len(shape)] = 1
    labels, _ = grow(np.zeros((1, *shape), np.uint8), seeds, build_steps(len(shape), 1, 1))
    assert (labels == 1).all()


def test_without_seeds_nothing_is_reached():
    seeds = np.zeros((5, 6), dtype=np.uint8)
    labels, strength = grow(np.zeros((1, 5, 6), np.uint8), seeds, build_steps(2, 2, 1))
    assert not labels.any()
    assert not strength.any()


def test_progress_rises_to_one():
    seen = []
    seeds = np.zeros((60, 60, 60), dtype=np.uint8)
    seeds[0, 0, 0] = 1
    image = np.random.default_rng(4).integers(0, 9, (1, 60, 60, 60)).astype(np.uint8)
    grow(image, seeds, build_steps(3, 1, 9), progress=lambda f, message="": seen.append(f))
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[0] >= 0
    assert seen[-1] == 1


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("call", [0, 2])
def test_cancelling_stops_the_job(threads, call):
    calls = []

    def progress(fraction, message=""):
        if len(calls) == call:
            raise Cancelled
        calls.append(fraction)

    seeds = np.zeros((60, 60, 60), dtype=np.uint8)
    seeds[0, 0, 0] = 1
    with pytest.raises(Cancelled):
        grow(
            np.zeros((1, 60, 60, 60), np.uint8), seeds, build_steps(3, 1, 9),
            threads=threads, progress=progress,
        )  # fmt: skip
    assert len(calls) == call
