"""Geometry: what `Space` keeps, composes and derives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_segsuite.space import Axis, Space

finite = st.floats(-50, 50, allow_nan=False).map(lambda v: round(v, 3))
positive = st.floats(0.1, 9).map(lambda v: round(v, 3))


def rotation(degrees: float) -> tuple[tuple[float, ...], ...]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return ((1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c))


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    axes = tuple(
        Axis(name, "space", draw(positive), draw(finite), draw(st.sampled_from(["mm", None])))
        for name in "zyx"
    )
    rotate = rotation(draw(st.floats(1, 90))) if draw(st.booleans()) else None
    shear = (0.1, 0.2, -0.3) if draw(st.booleans()) else None
    affine = None
    if draw(st.booleans()):
        matrix = np.eye(4)
        matrix[:3] += draw(arrays(float, (3, 4), elements=st.floats(-0.2, 0.2)))
        if not np.array_equal(matrix, np.eye(4)):
            affine = tuple(tuple(float(v) for v in row) for row in matrix)
    return Space(axes, rotate, shear, affine)


@given(spaces())
def test_layer_round_trip_keeps_everything(space: Space) -> None:
    again = Space.from_layer_kwargs(space.to_layer_kwargs())
    np.testing.assert_allclose(again.matrix, space.matrix)
    assert [(a.name, a.unit) for a in again.axes] == [(a.name, a.unit) for a in space.axes]
    assert (again.rotate is None, again.shear) == (space.rotate is None, space.shear)


@given(spaces(), st.tuples(*[st.integers(0, 5)] * 3))
def test_crop_keeps_every_voxel_where_it_was(space: Space, start: tuple[int, ...]) -> None:
    cropped = space.crop([slice(s, s + 4) for s in start])
    inside = np.array([1.0, 2.0, 3.0, 1.0])
    outside = inside + np.array([*start, 0.0])
    np.testing.assert_allclose(cropped.matrix @ inside, space.matrix @ outside, atol=1e-9)


@given(spaces())
def test_resample_keeps_the_outer_faces(space: Space) -> None:
    finer = space.resample((2, 1, 4))
    shape, new_shape = np.array([3, 5, 4]), np.array([6, 5, 16])
    for corner in (np.full(3, -0.5), None):
        old = shape - 0.5 if corner is None else corner
        new = new_shape - 0.5 if corner is None else corner
        np.testing.assert_allclose(
            finer.matrix @ np.append(new, 1), space.matrix @ np.append(old, 1), atol=1e-9
        )


def test_matrix_composes_as_napari_does() -> None:
    napari_transforms = pytest.importorskip("napari.utils.transforms")
    scale, translate, shear = (3.0, 0.7, 0.5), (10.0, -4.0, 2.0), (0.1, 0.2, -0.3)
    rotate = rotation(30)
    outer = np.eye(4)
    outer[:3, :3] = np.asarray(rotation(12))
    outer[:3, 3] = (1, 2, 3)
    inner = napari_transforms.Affine(scale=scale, translate=translate, rotate=rotate, shear=shear)
    axes = tuple(Axis(n, "space", s, t) for n, s, t in zip("zyx", scale, translate, strict=True))
    space = Space(axes, rotate, shear, tuple(map(tuple, outer)))
    np.testing.assert_allclose(space.matrix, outer @ inner.affine_matrix, atol=1e-12)


def test_from_matrix_is_straight_without_rotation() -> None:
    matrix = np.diag([3.0, 0.7, 0.5, 1.0])
    matrix[:3, 3] = (-90, -126, -72)
    space = Space.from_matrix(matrix, "mm")
    assert space.affine is None
    assert space.spacing == (3.0, 0.7, 0.5)
    np.testing.assert_array_equal(space.matrix, matrix)


def test_from_matrix_keeps_an_oblique_or_flipped_grid_exactly() -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(rotation(20)) @ np.diag([-2.0, 1.0, 0.5])
    matrix[:3, 3] = (5, 6, 7)
    space = Space.from_matrix(matrix)
    np.testing.assert_allclose(space.matrix, matrix, atol=1e-12)
    assert space.spacing == pytest.approx((2.0, 1.0, 0.5))


@pytest.mark.parametrize("broken", [np.zeros((4, 4)), np.full((4, 4), np.nan)])
def test_from_matrix_refuses_what_is_no_grid(broken: np.ndarray) -> None:
    with pytest.raises(ValueError, match="finite index-to-world matrix"):
        Space.from_matrix(broken)


def test_channels_have_no_place_in_the_world() -> None:
    space = Space.regular(4, spacing=(3, 1, 1), unit="mm", channel_axis=-1)
    assert space.channel_axis == 3
    assert space.matrix.shape == (4, 4)
    assert space.without("channel") == Space.regular(3, spacing=(3, 1, 1), unit="mm")
    assert "c" not in space.to_layer_kwargs()["axis_labels"]


def test_time_comes_and_goes_without_a_trace() -> None:
    space = Space.from_matrix(np.array([[0, 2, 5], [1, 0, 6], [0, 0, 1.0]]), "um")
    stack = space.with_leading(Axis("t", "time", 0.5, 0.0, "s"))
    assert stack.without("time") == space
    np.testing.assert_allclose(stack.matrix @ [3, 1, 1, 1], [1.5, 7, 7, 1])


def test_an_axis_can_be_said_to_hold_channels() -> None:
    space = Space.from_matrix(np.array([[0, 2, 5], [1, 0, 6], [0, 0, 1.0]]), "um")
    stack = space.with_leading(Axis("t", "time"))
    channels = stack.with_channel_axis(0)
    assert channels.channel_axis == 0
    assert channels.without("channel") == space
    np.testing.assert_array_equal(channels.matrix, space.matrix)


def test_only_a_stated_spacing_is_physical() -> None:
    assert not Space.regular(3).is_physical
    assert Space.regular(3, unit="um").is_physical
    assert Space.regular(2, spacing=(2, 1)).is_physical
    assert Space.regular(2, spacing=(2, 2)).is_physical
    assert Space.regular(2, unit="pixel").unit is None


def test_is_close_is_measured_in_voxels() -> None:
    space = Space.regular(3, spacing=(3, 0.7, 0.7), unit="mm")
    near = space.crop((slice(0, None),) * 3)
    assert space.is_close(near)
    assert not space.is_close(space.crop((slice(1, None), slice(0, None), slice(0, None))))
    assert not space.is_close(Space.regular(2))


def test_units_that_both_state_must_agree() -> None:
    def spaced(unit: str | None) -> Space:
        return Space.regular(3, spacing=(3, 0.7, 0.7), unit=unit)

    assert not spaced("mm").is_close(spaced("um"))
    assert spaced("mm").is_close(spaced("millimeter"))
    assert spaced("mm").is_close(spaced(None))


def test_a_unit_of_length_is_not_one_of_time() -> None:
    space = Space.regular(4, unit="mm")
    assert [axis.unit for axis in space.axes] == [None, "mm", "mm", "mm"]


def test_geometry_in_words() -> None:
    space = Space.regular(2, spacing=(3, 0.7), unit="mm").crop((slice(1, 2), slice(0, 5)))
    assert str(space) == "spacing (3, 0.7) mm from (3, 0)"


def test_placeholder_axis_labels_become_names() -> None:
    space = Space.from_layer_kwargs({"scale": (1, 1, 1), "axis_labels": ("-3", "-2", "-1")})
    assert [axis.name for axis in space.axes] == ["z", "y", "x"]
