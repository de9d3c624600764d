"""Several images as the channels of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..image import Image
from ..space import Axis, Space

# Intensities beyond these percentiles are left to themselves when scales are compared.
_TAILS = (1.0, 99.0)
_SAMPLE = 1 << 18


def stack(image: Image, others: Sequence[Image]) -> Image:
    """An image with other images as further channels, on its grid and of its scale.

    The others are brought onto the grid in the world, linearly interpolated; outside
    them lies their darkest value. They are scaled so that the bulk of their intensities
    spans as much as that of the first channel: none outweighs the rest by its unit.

    Parameters
    ----------
    image : Image
    others : sequence of Image
        Each with one channel.

    Returns
    -------
    Image
        `image` itself where there are no others; else float32, channels first: 4 bytes
        per voxel and channel.
    """
    if not others:
        return image
    first = _planes(image)
    grid = image.space.without("channel")
    planes = np.empty((len(first) + len(others), *image.spatial_shape), np.float32)
    planes[: len(first)] = first
    low, high = _bulk(first[0])
    for plane, other in zip(planes[len(first) :], others, strict=True):
        resampled = on_grid(other, grid, image.spatial_shape)
        its_low, its_high = _bulk(resampled)
        scale = (high - low) / (its_high - its_low) if its_high > its_low else 1.0
        np.subtract(resampled, its_low, out=plane)
        plane *= scale
        plane += low
    space = replace(grid, axes=(Axis("c", "channel"), *grid.axes))
    return replace(image, data=planes, space=space)


def on_grid(image: Image, grid: Space, shape: Sequence[int]) -> NDArray[Any]:
    """Values of a one-channel image at the voxels of a grid, linearly interpolated.

    Raises
    ------
    InputError
        If the image has fewer or more axes than the grid.
    """
    if image.space.ndim != grid.ndim:
        raise InputError(
            f"expected images of {grid.ndim} axes to be guided by, got '{image.name}' of shape "
            f"{image.data.shape}; choose another one."
        )
    if image.data.shape == tuple(shape) and image.space.is_close(grid):
        return image.data
    from scipy import ndimage

    # Index on the grid → world → index in the image.
    matrix = np.linalg.inv(image.space.matrix) @ grid.matrix
    return np.asarray(
        ndimage.affine_transform(
            image.data.astype(np.float32),
            matrix,
            output_shape=tuple(shape),
            order=1,
            mode="constant",
            cval=float(np.nanmin(image.data)),
        )
    )


def first_channel(image: Image) -> NDArray[Any]:
    """View of the first channel, or of all there is."""
    channel: NDArray[Any] = _planes(image)[0]
    return channel


def _planes(image: Image) -> NDArray[Any]:
    axis = image.space.channel_axis
    return image.data[np.newaxis] if axis is None else np.moveaxis(image.data, axis, 0)


def _bulk(plane: NDArray[Any]) -> tuple[float, float]:
    """Percentiles between which most intensities lie, of an even sample."""
    sample = plane.ravel()[:: max(1, plane.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = np.percentile(sample, _TAILS)
    return float(low), float(high)
