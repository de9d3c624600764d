"""Which voxels of an image a method can use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..typing import ImageArray, MaskArray


def channels_of(image: ImageArray, channel_axis: int | None) -> tuple[ImageArray, ...]:
    """Views of the channels of an image.

    Examples
    --------
    >>> [channel.shape for channel in channels_of(np.zeros((4, 5, 3)), -1)]
    [(4, 5), (4, 5), (4, 5)]
    """
    return (image,) if channel_axis is None else tuple(np.moveaxis(image, channel_axis, 0))


def usable_voxels(channels: Sequence[ImageArray], mask: MaskArray | None) -> MaskArray | None:
    """Voxels inside the mask that are finite in all channels; None where all voxels are.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
    mask : (M, N[, P]) bool array, optional
    """
    usable = mask
    for channel in channels:
        if channel.dtype.kind != "f":
            continue
        finite = np.isfinite(channel)
        if not finite.all():
            usable = finite if usable is None else usable & finite
    return None if usable is None or usable.all() else usable


def check_any_usable(usable: MaskArray | None, title: str) -> None:
    """Refuse an image of which no voxel can be used.

    Raises
    ------
    InputError
    """
    if usable is not None and not usable.any():
        raise InputError(
            f"{title}: expected at least one finite voxel inside the mask, got none; "
            "widen the mask."
        )
