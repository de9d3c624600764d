"""What every method may rely on in the arrays it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import InputError
from .typing import ImageArray, MaskArray


def check_image(
    title: str, image: Any, ndim: Sequence[int], channel_axis: int | None
) -> ImageArray:
    """Return `image` as an array of real numbers in native byte order.

    Raises
    ------
    InputError
        If it is empty, complex, not numeric, all NaN or of the wrong dimension.
    """
    array = np.asarray(image)
    if array.dtype.kind not in "buif":
        raise InputError(
            f"{title}: expected an image of real numbers, got {array.dtype}; convert it first, "
            f"for instance to its magnitude."
        )
    if array.size == 0:
        raise InputError(
            f"{title}: expected an image with pixels, got the empty shape {array.shape}."
        )
    if channel_axis is not None and not -array.ndim <= channel_axis < array.ndim:
        raise InputError(
            f"{title}: expected a channel axis between {-array.ndim} and {array.ndim - 1}, "
            f"got {channel_axis} for an image of shape {array.shape}."
        )
    if array.ndim - (channel_axis is not None) not in ndim:
        raise InputError(
            f"{title}: expected a {' or '.join(f'{n}D' for n in ndim)} image, got shape "
            f"{array.shape}{'' if channel_axis is None else ' with a channel axis'}; "
            f"pick a single time point, or say which axis holds channels."
        )
    if array.dtype.kind == "f" and not _any_finite(array):
        raise InputError(
            f"{title}: expected some finite intensities, got only NaN or infinite values; "
            f"check how the image was made or read."
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_on_grid(
    title: str, name: str, labels: Any, image: ImageArray, channel_axis: int | None
) -> ImageArray:
    """Return `labels` (seeds, mask, …) as an array on the grid of `image`.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    array = np.asarray(labels)
    shape = list(image.shape)
    if channel_axis is not None:
        del shape[channel_axis]
    if array.shape == tuple(shape):
        return _as_mask(array) if name == "mask" else array
    advice = f"put the {name} on the grid of the image"
    for axis in (-1, 0):
        rest = list(image.shape)
        del rest[axis]
        if channel_axis is None and tuple(rest) == array.shape:
            advice = f"say channel_axis={axis} if that axis of the image holds channels"
    raise InputError(
        f"{title}: expected {name} of the image's shape {tuple(shape)}, got shape {array.shape}; "
        f"{advice}."
    )


def _as_mask(array: ImageArray) -> MaskArray:
    return array if array.dtype == bool else array != 0


def _any_finite(array: ImageArray) -> bool:
    """Whether any value is finite, found plane by plane so that it mostly stops at once."""
    return any(np.isfinite(plane).any() for plane in array)
