"""What every method may rely on in the arrays it is given."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .errors import InputError
from .typing import ImageArray, MaskArray, Spacing


def check_image(
    title: str, image: Any, ndim: Sequence[int], channel_axis: int | None
) -> ImageArray:
    """Return `image` as an array of real numbers in native byte order.

    Raises
    ------
    InputError
        If it is empty, complex, not numeric, all NaN or of the wrong dimension.
    """
    array = as_array(image, f"{title}: ")
    if array.dtype.kind not in "buif":
        raise InputError(
            f"{title}: expected an image of real numbers, got {array.dtype}; convert it first, "
            f"for instance to its magnitude."
        )
    check_image_shape(title, array.shape, ndim, channel_axis)
    if array.dtype.kind == "f" and not _any_finite(array):
        raise InputError(
            f"{title}: expected some finite intensities, got only NaN or infinite values; "
            f"check how the image was made or read."
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_image_shape(
    title: str, shape: tuple[int, ...], ndim: Sequence[int], channel_axis: int | None
) -> None:
    """Refuse an image that is empty or has the wrong number of axes.

    Raises
    ------
    InputError
    """
    if 0 in shape:
        raise InputError(f"{title}: expected an image with pixels, got the empty shape {shape}.")
    if channel_axis is not None:
        check_channel_axis(channel_axis, shape)
    if len(shape) - (channel_axis is not None) not in ndim:
        raise InputError(
            f"{title}: expected a {' or '.join(f'{n}D' for n in ndim)} image, got shape "
            f"{shape}{'' if channel_axis is None else ' with a channel axis'}; "
            f"pick a single time point, or say which axis holds channels."
        )


def as_array(values: Any, place: str = "") -> ImageArray:
    """Return `values` as an array.

    Raises
    ------
    InputError
        If they are no array, such as a path, None or rows of unequal length.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{place}expected an array, got lists of unequal length; make all rows equally long."
        ) from error
    if array.dtype.kind in "OUS":
        raise InputError(
            f"{place}expected an array of numbers, got {type(values).__name__} of type "
            f"{array.dtype}; read a file first, for instance with napari_segsuite.read(path).data."
        )
    return array


def check_channel_axis(axis: int, shape: Sequence[int]) -> None:
    """Refuse an axis that an array of this shape does not have.

    Raises
    ------
    InputError
    """
    n = len(shape)
    try:
        known = -n <= operator.index(axis) < n
    except TypeError:
        known = False
    if not known:
        raise InputError(
            f"expected a channel axis between {-n} and {n - 1}, got {axis!r}; "
            f"the image has the shape {tuple(shape)}."
        )


def check_spacing(spacing: Any, n_spatial: int) -> Spacing:
    """Return voxel sizes as a tuple: one positive, finite number per spatial axis.

    Raises
    ------
    InputError
    """
    try:
        sizes = tuple(float(size) for size in spacing)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) != n_spatial or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise InputError(
            f"expected {n_spatial} positive spacings, one per spatial axis, got {spacing!r}; "
            f"give them in the order of the axes, for instance {(3.0, 0.7, 0.7)[-n_spatial:]}."
        )
    return sizes


def check_on_grid(
    title: str, name: str, labels: Any, image: ImageArray, channel_axis: int | None
) -> ImageArray:
    """Return `labels` (seeds, mask, …) as an array on the grid of `image`.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    array = as_array(labels, f"{title}: {name}: ")
    check_same_shape(title, name, array.shape, image.shape, channel_axis)
    return _as_mask(array) if name == "mask" else array


def check_same_shape(
    title: str,
    name: str,
    shape: tuple[int, ...],
    image_shape: tuple[int, ...],
    channel_axis: int | None,
) -> None:
    """Refuse `shape` unless it is that of the image without its channels.

    Raises
    ------
    InputError
    """
    expected = _without_axis(image_shape, channel_axis)
    if shape == expected:
        return
    advice = f"put the {name} on the grid of the image"
    for axis in (-1, 0):
        if channel_axis is None and _without_axis(image_shape, axis) == shape:
            advice = f"say channel_axis={axis} if that axis of the image holds channels"
    raise InputError(
        f"{title}: expected {name} of the image's shape {expected}, got shape {shape}; {advice}."
    )


def _without_axis(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    if axis is None:
        return shape
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]


def _as_mask(array: ImageArray) -> MaskArray:
    return array if array.dtype == bool else array != 0


def _any_finite(array: ImageArray) -> bool:
    """Whether any value is finite, found plane by plane so that it mostly stops at once."""
    return any(np.isfinite(plane).any() for plane in array)
