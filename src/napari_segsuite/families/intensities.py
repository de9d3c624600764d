"""Intensities in the type that most kernels compute in."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..typing import FloatArray, ImageArray


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
