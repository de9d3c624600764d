"""Where growth may go: worked examples and definitions, voxel by voxel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite import boxes
from napari_segsuite.boxes import contains
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.growing import limits
from napari_segsuite.growing.limits import (
    Limits,
    allowed,
    box_from_points,
    corners,
    region,
    suggest_range,
)
from napari_segsuite.space import Space

IMAGE = np.array([[0.0, 5.0, 10.0], [np.nan, 7.0, np.inf]])
RESULT = np.array([[1, 1, 2], [2, 0, 3]])
MASK = np.array([[True, True, False], [True, True, True]])


@pytest.mark.parametrize(
    ("bounds", "options", "expected"),
    [
        (Limits((5, 10)), {}, [[0, 1, 1], [0, 1, 0]]),
        (Limits((5, math.inf)), {}, [[0, 1, 1], [0, 1, 1]]),
        (Limits(locked=(2, 3)), {"result": RESULT}, [[1, 1, 0], [0, 1, 0]]),
        (Limits((5, 10)), {"mask": MASK}, [[0, 1, 0], [0, 1, 0]]),
        (Limits((0, 10), locked=(1,)), {"mask": MASK, "result": RESULT}, [[0, 0, 0], [0, 1, 0]]),
    ],
)
def test_limits_hold_together(bounds, options, expected):
    np.testing.assert_array_equal(allowed(IMAGE, bounds, **options), np.array(expected, bool))


def test_no_array_where_nothing_bounds():
    assert allowed(IMAGE, Limits(), result=RESULT) is None
    assert allowed(IMAGE, Limits(locked=(1,))) is None
    assert allowed(IMAGE, Limits(), mask=MASK, result=RESULT) is MASK
    assert MASK.sum() == 5


def test_slabs_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    image, result = rng.integers(0, 99, (6, 5, 4)), rng.integers(0, 4, (6, 5, 4))
    bounds, options = Limits((20, 80), locked=(2,)), {"mask": image % 2 == 0, "result": result}
    expected = (image >= 20) & (image <= 80) & (image % 2 == 0) & (result != 2)
    monkeypatch.setattr(limits, "slabs", lambda box: boxes.slabs(box, voxels=10))
    np.testing.assert_array_equal(allowed(image, bounds, **options), expected)


def test_wrong_limits_are_refused():
    with pytest.raises(ParameterError, match="exchange"):
        Limits((3, 2))
    with pytest.raises(ParameterError, match="exchange"):
        Limits((math.nan, 2))
    with pytest.raises(ParameterError, match="margin of 0 or more"):
        Limits(margin=-1)
    with pytest.raises(InputError, match=r"mask of the image's shape \(2, 3\)"):
        allowed(IMAGE, Limits(), mask=MASK.T)
    with pytest.raises(InputError, match=r"result of the image's shape \(2, 3\)"):
        allowed(IMAGE, Limits(), result=RESULT.T)


# --- regions --------------------------------------------------------------------------
def test_nothing_painted_leaves_the_region_as_it_is():
    seeds, keep = np.zeros((9, 9), np.uint8), (slice(1, 3), slice(2, 4))
    assert region(seeds, (1, 1), 3) is None
    assert region(seeds, (1, 1), 3, keep=keep) is keep


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 99), st.integers(0, 99)), min_size=1),
    st.floats(0, 30),
)
def test_region_always_reaches_far_enough_and_never_shrinks(points, margin):
    spacing = (3.0, 1.0, 0.5)
    seeds = np.zeros((40, 100, 100), np.uint8)
    keep = None
    for point in points:
        seeds[point] = 1
        former, keep = keep, region(seeds, spacing, margin, keep)
        assert former is None or contains(keep, former)
    outside = np.ones(seeds.shape, bool)
    outside[keep] = False
    for point in points:
        for axis, size in enumerate(spacing):
            for step in (-1, 1):
                reach = math.floor(margin / size + 1e-6)
                end = list(point)
                end[axis] = min(max(end[axis] + step * reach, 0), seeds.shape[axis] - 1)
                assert not outside[tuple(end)]


def test_a_long_stroke_changes_the_region_a_few_times_only():
    seeds = np.zeros((400, 300), np.uint8)
    keep, changes = None, 0
    for place in range(50, 350):
        seeds[place, 100] = 1
        former, keep = keep, region(seeds, (1, 1), 20, keep)
        changes += keep is not former
    assert 1 < changes <= 9
    assert keep != boxes.whole(seeds.shape)


def test_region_is_small_around_a_small_stroke():
    seeds = np.zeros((256, 256, 256), np.uint8)
    seeds[100:110, 120, 130] = 1
    box = region(seeds, (1, 1, 1), 10)
    assert math.prod(boxes.shape_of(box)) < 0.04 * seeds.size


def test_region_stays_within_a_box_and_looks_only_there():
    seeds = np.zeros((100, 100), np.uint8)
    seeds[50, 50] = seeds[5, 5] = 1
    within = (slice(40, 55), slice(30, 100))
    box = region(seeds, (1, 1), 10, within=within)
    assert contains(within, box)
    assert box[0] == slice(40, 55)
    assert contains(box, (slice(40, 55), slice(40, 61)))
    assert region(seeds, (1, 1), 10, within=(slice(80, 90), slice(0, 9))) is None


# --- boxes in the world ---------------------------------------------------------------
def oblique_space() -> Space:
    turn = np.radians(30)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    matrix[:3, :3] = matrix[:3, :3] @ np.diag([2.0, 0.5, 0.7])
    matrix[:3, 3] = [10, -20, 5]
    return Space.from_matrix(matrix, "mm")


@settings(deadline=None)
@given(st.data())
def test_corners_of_voxels_come_back_as_their_box(data):
    shape, space = (12, 20, 18), oblique_space()
    first = [data.draw(st.integers(0, n - 2)) for n in shape]
    last = [data.draw(st.integers(a + 1, n - 1)) for a, n in zip(first, shape, strict=True)]
    nudge = data.draw(st.floats(-0.45, 0.45))
    index = corners(first, last) + nudge
    world = index @ space.matrix[:3, :3].T + space.matrix[:3, 3]
    expected = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
    assert box_from_points(world, space, shape) == expected


def test_world_box_in_an_oblique_image_encloses_every_voxel_within():
    shape, space = (12, 60, 60), oblique_space()
    low, high = np.array([12, -15, 8]), np.array([20, -3, 17])
    box = box_from_points(corners(low, high), space, shape)
    centres = np.indices(shape).reshape(3, -1).T
    world = centres @ space.matrix[:3, :3].T + space.matrix[:3, 3]
    within = ((world >= low) & (world <= high)).all(axis=1).reshape(shape)
    found = np.zeros(shape, bool)
    found[box] = True
    assert within.any()
    assert not (within & ~found).any()


def test_a_shape_on_one_slice_takes_all_slices():
    space = Space.regular(3, (3.0, 1.0, 1.0))
    square = [(12.0, 2, 3), (12.0, 2, 8), (12.0, 6, 8), (12.0, 6, 3)]
    assert box_from_points(square, space, (9, 10, 10)) == (slice(0, 9), slice(2, 7), slice(3, 9))
    two_slices = [*square, (18.0, 4, 4)]
    assert box_from_points(two_slices, space, (9, 10, 10))[0] == slice(4, 7)


def test_flat_points_bound_the_last_axes():
    space = Space.regular(3, (3.0, 2.0, 1.0))
    assert box_from_points([(2, 3), (8, 5)], space, (9, 10, 10)) == (
        slice(0, 9), slice(1, 5), slice(3, 6)
    )  # fmt: skip


def test_boxes_are_clipped_and_those_outside_refused():
    space = Space.regular(2)
    assert box_from_points([(-5, 3), (4, 99)], space, (9, 9)) == (slice(0, 5), slice(3, 9))
    with pytest.raises(InputError, match="overlaps the image"):
        box_from_points([(20, 3), (25, 5)], space, (9, 9))
    with pytest.raises(InputError, match="overlaps the image"):
        box_from_points([(20, 3), (20, 5)], space, (9, 9))
    for nothing in ([], [(1, 2, 3)], [1, 2]):
        with pytest.raises(InputError, match="draw a shape"):
            box_from_points(nothing, space, (9, 9))


# --- intensities ----------------------------------------------------------------------
def test_suggested_range_holds_the_class_and_not_its_outliers():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 5, (30, 30, 30)).astype(np.float32)
    seeds = (rng.random(image.shape) < 0.2).astype(np.uint8)
    image[seeds == 0] = 500
    image[0, 0, :10], seeds[0, 0, :10] = 900, 1  # slips of the brush
    low, high = suggest_range(image, seeds, [1])
    assert 75 < low < 90
    assert 110 < high < 125


def test_suggested_range_is_that_of_the_classes_asked_for():
    image = np.array([10, 20, 100, np.nan], np.float32)
    seeds = np.array([1, 1, 2, 2])
    assert suggest_range(image, seeds, [2]) == (100, 100)
    low, high = suggest_range(image, seeds, [1, 2])
    assert low < 10
    assert high > 100


def test_suggested_range_of_integers_is_whole():
    image = np.arange(100, dtype=np.uint8)
    low, high = suggest_range(image, np.ones(100, np.uint8), [1])
    assert (low, high) == (-10, 109)


def test_no_range_without_seeds():
    with pytest.raises(InputError, match=r"classes \[2\]"):
        suggest_range(np.zeros(3), np.array([0, 1, 1]), [2])
    with pytest.raises(InputError, match="paint some"):
        suggest_range(np.full(3, np.nan), np.array([2, 2, 2]), [2])
