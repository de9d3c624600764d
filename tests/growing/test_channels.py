"""Other images as channels of the first, on its grid and of its scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_segsuite.errors import InputError
from napari_segsuite.growing.channels import first_channel, on_grid, stack
from napari_segsuite.image import Image
from napari_segsuite.space import Axis, Space

SHAPE = (6, 10, 12)
GRID = Space.regular(3, (2.0, 1.0, 1.0), "mm")
OBLIQUE = np.array([[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]])


def world(space: Space, shape: tuple[int, ...]) -> np.ndarray:
    """World coordinates of all voxels, (ndim, …)."""
    indices = np.indices(shape).reshape(len(shape), -1)
    matrix = space.matrix
    places = matrix[:-1, :-1] @ indices + matrix[:-1, -1:]
    return places.reshape(len(shape), *shape)


def ramp(space: Space, shape: tuple[int, ...]) -> np.ndarray:
    """Intensities that are linear in the world: interpolating them is exact."""
    z, y, x = world(space, shape)
    return (3 * z - 2 * y + 5 * x).astype(np.float32)


def noise(seed: int, dtype: Any = np.uint8, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, shape).astype(dtype)


def test_nothing_beside_it_leaves_an_image_as_it_is() -> None:
    image = Image(noise(0), GRID)
    assert stack(image, []) is image
    assert first_channel(image).base is image.data


@pytest.mark.parametrize(
    "other",
    [
        GRID,
        Space.regular(3, (1.0, 0.5, 0.5), "mm"),
        Space.from_layer_kwargs(
            {"scale": (1.5, 0.7, 0.7), "rotate": OBLIQUE, "translate": (-6, -12, -9)}
        ),
    ],
    ids=["same grid", "finer", "oblique"],
)
def test_images_are_brought_together_in_the_world(other: Space) -> None:
    shape = (24, 40, 44)
    image = Image(ramp(other, shape), other)
    inverse = np.linalg.inv(other.matrix)
    places = world(GRID, SHAPE).reshape(3, -1)
    index = (inverse[:-1, :-1] @ places + inverse[:-1, -1:]).reshape(3, *SHAPE)
    ends = np.array(shape).reshape(3, 1, 1, 1) - 1
    inside = ((index >= 0) & (index <= ends)).all(axis=0)
    assert inside.mean() > 0.3
    found = on_grid(image, GRID, SHAPE)
    np.testing.assert_allclose(found[inside], ramp(GRID, SHAPE)[inside], atol=1e-3)
    if not inside.all():
        beyond = ((index < -1) | (index > ends + 1)).any(axis=0)
        np.testing.assert_allclose(found[beyond], image.data.min())


def test_channels_are_of_one_scale_whatever_their_units() -> None:
    first = Image(noise(0), GRID, "first")
    further = [Image(noise(1, np.float64) * 1e-6 + 7, GRID), Image(noise(2, np.int16) * 9, GRID)]
    stacked = stack(first, further)
    assert stacked.data.dtype == np.float32
    assert stacked.name == "first"
    assert stacked.space.channel_axis == 0
    assert stacked.space.without("channel").is_close(GRID)
    np.testing.assert_array_equal(stacked.data[0], first.data)
    low, high = np.percentile(first.data, (1, 99))
    for channel, other in zip(stacked.data[1:], further, strict=True):
        np.testing.assert_allclose(np.percentile(channel, (1, 99)), (low, high), rtol=1e-3)
        correlation = np.corrcoef(channel.ravel(), other.data.ravel().astype(float))[0, 1]
        assert correlation == pytest.approx(1, abs=1e-4)


def test_channels_of_the_first_image_come_first() -> None:
    planes = np.stack([noise(0), noise(1)], axis=-1)
    space = Space((*GRID.axes, Axis("c", "channel")))
    image = Image(planes, space)
    np.testing.assert_array_equal(first_channel(image), planes[..., 0])
    stacked = stack(image, [Image(noise(2), GRID)])
    assert stacked.data.shape == (3, *SHAPE)
    np.testing.assert_array_equal(stacked.data[:2], np.moveaxis(planes, -1, 0))


@pytest.mark.parametrize("value", [5.0, np.nan])
def test_images_of_one_value_do_no_harm(value: float) -> None:
    first = Image(noise(0), GRID)
    flat = Image(np.full(SHAPE, value, np.float32), GRID)
    stacked = stack(first, [flat])
    np.testing.assert_array_equal(stacked.data[0], first.data)
    assert np.isfinite(stacked.data[1]).all() == np.isfinite(value)


def test_images_of_other_axes_are_refused() -> None:
    flat = Image(noise(0)[0], Space.regular(2), "slice")
    with pytest.raises(InputError, match=r"3 axes.*'slice'"):
        stack(Image(noise(0), GRID), [flat])
