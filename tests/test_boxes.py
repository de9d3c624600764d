"""Boxes against what their definitions say, voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.boxes import (
    bounding_box,
    contains,
    grown,
    in_voxels,
    inside,
    intersection,
    outside,
    slabs,
    union,
    whole,
)

SHAPE = (5, 6, 7)


@st.composite
def boxes(draw):
    starts = [draw(st.integers(0, n - 1)) for n in SHAPE]
    return tuple(
        slice(start, draw(st.integers(start + 1, n)))
        for start, n in zip(starts, SHAPE, strict=True)
    )


def mask_of(box) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    if box is not None:
        mask[box] = True
    return mask


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4), elements=st.integers(0, 1)))
def test_bounding_box_holds_all_and_touches_on_every_side(array):
    box = bounding_box(array)
    if box is None:
        assert not array.any()
        return
    assert array[box].sum() == array.sum()
    for axis in range(array.ndim):
        part = np.moveaxis(array[box], axis, 0)
        assert part[0].any()
        assert part[-1].any()


@given(boxes(), boxes())
def test_union_intersection_and_contains_are_those_of_sets(one, other):
    assert union(one, other) == bounding_box(mask_of(one) | mask_of(other))
    np.testing.assert_array_equal(mask_of(intersection(one, other)), mask_of(one) & mask_of(other))
    assert contains(one, other) == bool((mask_of(one) >= mask_of(other)).all())


def test_none_is_the_empty_box():
    box = (slice(1, 2),)
    assert union(None, box) == union(box, None) == box
    assert union(None, None) is None


@given(boxes(), boxes())
def test_counting_from_a_frame_names_the_same_voxels(box, frame):
    numbers = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    part = intersection(box, frame)
    if part is not None:
        np.testing.assert_array_equal(numbers[frame][inside(part, frame)], numbers[part])
        assert outside(inside(part, frame), frame) == part


@given(boxes(), st.tuples(*[st.integers(0, 9)] * 3))
def test_a_wider_box_reaches_every_voxel_that_near(box, widths):
    near = np.ones(SHAPE, bool)
    for index, part, width in zip(np.indices(SHAPE), box, widths, strict=True):
        near &= (index >= part.start - width) & (index < part.stop + width)
    assert mask_of(grown(box, widths, SHAPE)).tolist() == near.tolist()


@given(st.floats(0, 100), st.floats(0.01, 10))
def test_lengths_in_voxels_are_the_fewest_that_reach(length, size):
    (width,) = in_voxels(length, (size,))
    assert width * size >= length - 1e-5 * size
    assert (width - 1) * size < length


def test_lengths_in_voxels_are_not_fooled_by_rounding():
    assert in_voxels(0.3, (0.1, 0.3, 3.0)) == (3, 1, 1)


@given(boxes(), st.integers(1, 300))
def test_slabs_cover_a_box_once(box, voxels):
    count = np.zeros(SHAPE, int)
    for slab in slabs(box, voxels):
        count[slab] += 1
        assert count[slab].size <= voxels or slab[0].stop - slab[0].start == 1
    np.testing.assert_array_equal(count, mask_of(box))


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
def test_nothing_in_an_empty_array(shape):
    assert bounding_box(np.zeros(shape)) is None
    assert not [slab for slab in slabs(whole(shape)) if np.zeros(shape)[slab].size]
