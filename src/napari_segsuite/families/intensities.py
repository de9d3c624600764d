"""Intensities in the type that most kernels compute in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..typing import FloatArray, ImageArray, MaskArray


def in_float32(image: ImageArray, title: str) -> FloatArray:
    """A copy of an image as float32.

    Raises
    ------
    InputError
        If values are beyond the range of float32.
    """
    try:
        with np.errstate(over="raise"):
            return image.astype(np.float32)
    except FloatingPointError:
        largest = np.finfo(np.float32).max
        raise InputError(
            f"{title}: expected intensities between {-largest:.1e} and {largest:.1e}, got some "
            f"beyond; scale the image down, for instance by its largest value."
        ) from None


def lowest_and_highest(
    channels: Sequence[ImageArray], usable: MaskArray | None, title: str
) -> tuple[float, float]:
    """The lowest and the highest intensity of the voxels that count, over all channels.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
    usable : (M, N[, P]) bool array, optional
        Voxels that count, at least one; all by default.
    title : str
        The method's, for errors.

    Raises
    ------
    InputError
        If the two differ by more than a float64 holds.

    Examples
    --------
    >>> lowest_and_highest([np.array([[3, 9]]), np.array([[5, 70]])], None, "Example")
    (3.0, 70.0)
    """
    ends = [_ends(channel, usable) for channel in channels]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if not np.isfinite(high - low):
        raise InputError(
            f"{title}: expected intensities that span less than {np.finfo(np.float64).max:.0e}, "
            "got more; scale the image down, for instance by its largest value."
        )
    return low, high


def _ends(channel: ImageArray, usable: MaskArray | None) -> tuple[float, float]:
    values = channel.view(np.uint8) if channel.dtype == bool else channel
    where: Any = True if usable is None else usable
    limits: Any = np.finfo if values.dtype.kind == "f" else np.iinfo
    low = values.min(where=where, initial=limits(values.dtype).max)
    return float(low), float(values.max(where=where, initial=limits(values.dtype).min))
