"""Labels on another grid: by hand, against scipy, and by what every grid must satisfy."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError, SpaceMismatchError
from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.metrics.resampling import nearest_on
from napari_segsuite.space import Axis, Space


def labels_of(shape, n=250, seed=0):
    return np.random.default_rng(seed).integers(1, n, shape).astype(np.uint8)


def placed(shape, spacing=None, unit="mm", seed=0):
    return Segmentation(labels_of(shape, seed=seed), Space.regular(len(shape), spacing, unit))


def rotation(*angles):
    """Homogeneous rotation of three axes, one angle per plane."""
    matrix = np.eye(4)
    for (i, j), angle in zip(((0, 1), (0, 2), (1, 2)), angles, strict=True):
        turn = np.eye(4)
        cos, sin = np.cos(angle), np.sin(angle)
        turn[[i, i, j, j], [i, j, i, j]] = cos, -sin, sin, cos
        matrix = matrix @ turn
    return matrix


def voxel_by_voxel(segmentation, shape, space):
    """The definition: each voxel's place in the world, and the voxel of the source there."""
    back = np.linalg.inv(segmentation.space.matrix) @ space.matrix
    out = np.zeros(shape, segmentation.labels.dtype)
    for index in product(*map(range, shape)):
        source = np.floor((back @ (*index, 1))[:-1] + 0.5 + 1e-6).astype(int)
        if all(0 <= i < n for i, n in zip(source, segmentation.labels.shape, strict=True)):
            out[index] = segmentation.labels[tuple(source)]
    return out


# --- by hand ------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(7,), (5, 6), (3, 4, 5)])
def test_the_same_grid_changes_nothing(shape):
    segmentation = replace(placed(shape, (3.0, 0.7, 0.4)[: len(shape)]), name="brain",
                           classes=(LabelClass(3, "cortex"),))  # fmt: skip
    found = nearest_on(segmentation, shape, segmentation.space)
    assert np.array_equal(found.labels, segmentation.labels)
    assert found.labels.dtype == np.uint8
    assert (found.name, found.classes) == (segmentation.name, segmentation.classes)
    assert found.space == segmentation.space


def test_finer_grids_repeat_and_coarser_ones_pick():
    segmentation = placed((4, 6), (2.0, 2.0))
    fine = nearest_on(segmentation, (8, 18), segmentation.space.resample((2, 3)))
    assert np.array_equal(fine.labels, segmentation.labels.repeat(2, 0).repeat(3, 1))
    third = nearest_on(segmentation, (4, 2), segmentation.space.resample((1, 1 / 3)))
    assert np.array_equal(third.labels, segmentation.labels[:, 1::3])


def test_half_way_takes_the_higher_index():
    segmentation = placed((6,))
    half = nearest_on(segmentation, (3,), segmentation.space.resample((0.5,)))
    assert np.array_equal(half.labels, segmentation.labels[1::2])
    ends = Space((Axis("x", "space", 6.0, -0.5, "mm"),))  # from -0.5 to 5.5
    assert nearest_on(segmentation, (2,), ends).labels.tolist() == [segmentation.labels[0], 0]


def test_rounding_errors_do_not_decide_half_way():
    segmentation = placed((300,), (0.1,))
    half = nearest_on(segmentation, (150,), segmentation.space.resample((0.5,)))
    assert np.array_equal(half.labels, segmentation.labels[1::2])


def test_other_extents_are_background():
    segmentation = placed((4, 5), (2.0, 1.0))
    moved = segmentation.space.crop((slice(2, 4), slice(3, 5)))
    found = nearest_on(segmentation, (5, 3), moved).labels
    expected = np.zeros((5, 3), np.uint8)
    expected[:2, :2] = segmentation.labels[2:, 3:]
    assert np.array_equal(found, expected)
    before = Space((Axis("y", "space", 2.0, -4.0, "mm"), Axis("x", "space", 1.0, -1.0, "mm")))
    found = nearest_on(segmentation, (3, 4), before).labels
    assert np.array_equal(found[2, 1:], segmentation.labels[0, :3])
    assert not found[:2].any()
    assert not found[:, 0].any()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("flip", [(1, 1, 1), (-1, 1, -1)])
def test_permuted_and_flipped_axes_give_back_the_voxels(order, flip):
    segmentation = placed((3, 4, 5), (3.0, 0.7, 0.4))
    turned = segmentation.labels.transpose(order)[tuple(slice(None, None, step) for step in flip)]
    change = np.zeros((4, 4))
    change[3, 3] = 1
    for new, (old, step) in enumerate(zip(order, flip, strict=True)):
        change[old, new] = step
        change[old, 3] = turned.shape[new] - 1 if step < 0 else 0
    space = Space.from_matrix(segmentation.space.matrix @ change, "mm")
    assert np.array_equal(nearest_on(segmentation, turned.shape, space).labels, turned)
    back = nearest_on(Segmentation(turned, space), (3, 4, 5), segmentation.space)
    assert np.array_equal(back.labels, segmentation.labels)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_single_slices(axis):
    segmentation = placed((4, 5, 6), (3.0, 1.0, 2.0))
    box = [slice(0, n) for n in (4, 5, 6)]
    box[axis] = slice(2, 3)
    space = segmentation.space.crop(box)
    expected = segmentation.labels[tuple(box)]
    assert np.array_equal(nearest_on(segmentation, expected.shape, space).labels, expected)
    whole = nearest_on(Segmentation(expected, space), (4, 5, 6), segmentation.space).labels
    assert np.array_equal(whole[tuple(box)], expected)
    assert np.count_nonzero(whole) == expected.size


def test_a_diagonal_cut():
    segmentation = placed((5, 5))
    along = Space(segmentation.space.axes, affine=((1, -1, 0), (1, 1, 0), (0, 0, 1)))
    found = nearest_on(segmentation, (5, 1), along)
    assert np.array_equal(found.labels[:, 0], segmentation.labels.diagonal())


# --- oblique ------------------------------------------------------------------------------
@pytest.mark.parametrize("angles", [(0.3, 0, 0), (0.2, -0.4, 0.7)])
def test_oblique_grids_as_scipy_has_them(angles):
    ndimage = pytest.importorskip("scipy.ndimage")
    segmentation = placed((14, 20, 22), (3.0, 0.71, 0.53))
    target = rotation(*angles) @ np.diag([1.3, 0.9, 1.1, 1.0])
    target[:3, 3] = 2.17, -1.9, 3.3
    space = Space.from_matrix(target, "mm")
    back = np.linalg.inv(segmentation.space.matrix) @ space.matrix
    expected = ndimage.affine_transform(
        segmentation.labels, back[:3, :3], back[:3, 3], (20, 18, 16), order=0, mode="grid-constant"
    )
    found = nearest_on(segmentation, (20, 18, 16), space).labels
    assert 0.1 < (found > 0).mean() < 0.9
    assert np.array_equal(found, expected)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    target=st.tuples(*[st.integers(1, 5)] * 3),
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    shear=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 3)] * 3),
)
def test_any_geometry_against_the_definition(shape, target, angles, shear, spacing):
    source = Space.regular(3, spacing, "mm")
    space = replace(source, rotate=tuple(map(tuple, rotation(*angles)[:3, :3])), shear=shear)
    segmentation = Segmentation(labels_of(shape), source)
    assert np.array_equal(
        nearest_on(segmentation, target, space).labels, voxel_by_voxel(segmentation, target, space)
    )


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    factors=st.tuples(*[st.integers(1, 4)] * 3),
    flips=st.tuples(*[st.sampled_from([1, -1])] * 3),
)
def test_a_finer_grid_and_back_is_the_same(shape, factors, flips):
    ndim = len(shape)
    axes = [Axis(f"d{i}", "space", 1.5 * flip, 7.0 * i, "um") for i, flip in enumerate(flips)]
    segmentation = Segmentation(labels_of(shape), Space(tuple(axes[:ndim])))
    fine_shape = tuple(n * factor for n, factor in zip(shape, factors, strict=False))
    fine = nearest_on(segmentation, fine_shape, segmentation.space.resample(factors[:ndim]))
    expected = segmentation.labels
    for axis, factor in enumerate(factors[:ndim]):
        expected = expected.repeat(factor, axis)
    assert np.array_equal(fine.labels, expected)
    back = nearest_on(fine, tuple(shape), segmentation.space)
    assert np.array_equal(back.labels, segmentation.labels)


def test_layout_and_type_of_the_labels_do_not_matter():
    segmentation = placed((6, 7, 8))
    space = Space.from_matrix(rotation(0.1, 0.2, 0.3), "mm")
    expected = nearest_on(segmentation, (6, 7, 8), space).labels
    other = replace(segmentation, labels=np.asfortranarray(segmentation.labels.astype(np.uint32)))
    found = nearest_on(other, (6, 7, 8), space).labels
    assert found.dtype == np.uint32
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("angle", [0.0, 0.1])
def test_memory_is_that_of_a_few_planes(angle):
    segmentation = placed((40, 128, 128))
    space = Space.from_matrix(rotation(angle, 0, 0), "mm")
    tracemalloc.start()
    try:
        nearest_on(segmentation, (40, 128, 128), space)
        assert tracemalloc.get_traced_memory()[1] < 40 * 128**2 + 8 * 8 * 128**2
    finally:
        tracemalloc.stop()


# --- units and time -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("unit", "step"), [("um", 2000.0), ("µm", 2000.0), ("cm", 0.2), ("m", 2e-3), ("nm", 2e6),
                       (None, 2.0), ("millimeter", 2.0), ("pixel", 2.0)],
)  # fmt: skip
def test_units_of_length_are_converted(unit, step):
    segmentation = placed((4, 6), (2.0, 2.0))
    other = Space.regular(2, (step, step / 2), unit)
    found = nearest_on(segmentation, (4, 11), other).labels
    expected = segmentation.labels[:, (np.arange(11) + 1) // 2]  # half-way goes up
    assert np.array_equal(found, expected)


def test_units_that_cannot_be_converted():
    with pytest.raises(SpaceMismatchError, match="'mm' and 'parsec'"):
        nearest_on(placed((4, 6)), (4, 6), Space.regular(2, unit="parsec"))


def test_time_points_one_by_one():
    still = Space.regular(2, (2.0, 2.0), "mm")
    moving = still.with_leading(Axis("t", "time", 5.0, 0.0, "s"))
    segmentation = Segmentation(labels_of((3, 4, 6)), moving)
    fine = still.resample((2, 2)).with_leading(Axis("t", "time", 1.0))
    found = nearest_on(segmentation, (3, 8, 12), fine)
    assert np.array_equal(found.labels, segmentation.labels.repeat(2, 1).repeat(2, 2))
    last = Space((*still.axes, Axis("t", "time")))
    found = nearest_on(segmentation, (4, 6, 3), last)
    assert np.array_equal(found.labels, np.moveaxis(segmentation.labels, 0, -1))
    with pytest.raises(SpaceMismatchError, match="3 time points, got 2"):
        nearest_on(segmentation, (2, 8, 12), fine)


# --- what cannot be done ------------------------------------------------------------------
@pytest.mark.parametrize("far", [100.0, -100.0])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_grids_apart(far, angle):
    matrix = rotation(angle, 0, 0)
    matrix[2, 3] = far
    with pytest.raises(SpaceMismatchError, match="overlap"):
        nearest_on(placed((4, 5, 6)), (4, 5, 6), Space.from_matrix(matrix, "mm"))


def test_axes_that_do_not_match():
    segmentation = placed((4, 6))
    with pytest.raises(SpaceMismatchError, match="kinds of axes"):
        nearest_on(segmentation, (4, 6, 2), Space.regular(3))
    with pytest.raises(InputError, match=r"2 positive lengths.*\(4,\)"):
        nearest_on(segmentation, (4,), Space.regular(2))
    with pytest.raises(InputError, match="positive lengths"):
        nearest_on(segmentation, (4, 0), Space.regular(2))
    with pytest.raises(InputError, match="channel"):
        nearest_on(segmentation, (4, 6, 3), Space.regular(3, channel_axis=2))


def test_a_flat_geometry():
    flat = Segmentation(labels_of((4, 6)), Space((Axis("y", scale=0.0), Axis("x"))))
    with pytest.raises(InputError, match="span space"):
        nearest_on(flat, (4, 6), Space.regular(2))


def test_inputs_stay_as_they_are():
    segmentation = placed((4, 5, 6))
    before = segmentation.labels.copy()
    found = nearest_on(segmentation, (4, 5, 6), segmentation.space)
    found.labels[:] = 0
    assert np.array_equal(segmentation.labels, before)
