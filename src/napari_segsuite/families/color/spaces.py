"""Colour spaces: components in their usual ranges, and places between which to measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from ...typing import FloatArray

ColourSpace: TypeAlias = Literal["RGB", "HSV", "Lab", "YCbCr"]

# What each component spans; the first of HSV is an angle.
EXTENTS: Mapping[ColourSpace, tuple[float, float, float]] = {
    "RGB": (255, 255, 255),
    "HSV": (360, 1, 1),
    "Lab": (100, 256, 256),
    "YCbCr": (255, 255, 255),
}


def components(rgb: FloatArray, space: ColourSpace) -> FloatArray:
    """Components of colours in a space.

    Parameters
    ----------
    rgb : (V, 3) float32 array
        Red, green and blue (sRGB), 0 to 1.
    space : {"RGB", "HSV", "Lab", "YCbCr"}

    Returns
    -------
    (V, 3) float32 array
        RGB 0 to 255; hue in degrees 0 to 360, saturation and value 0 to 1; CIELAB under
        D65, L 0 to 100, a and b about -128 to 127; Y 16 to 235, Cb and Cr 16 to 240
        (ITU-R BT.601).

    Examples
    --------
    >>> components(np.array([[0, 1, 0]], dtype=np.float32), "HSV").tolist()
    [[120.0, 1.0, 1.0]]
    """
    from skimage import color

    if space == "RGB":
        return rgb * np.float32(255)
    if space == "HSV":
        result: FloatArray = color.rgb2hsv(rgb)
        result[:, 0] *= 360
        return result
    if space == "Lab":
        result = color.rgb2lab(rgb)
    else:
        result = color.rgb2ycbcr(rgb)
    return result


def places(values: FloatArray, space: ColourSpace) -> FloatArray:
    """Where colours lie, such that straight distances between them mean something.

    Parameters
    ----------
    values : (V, 3) float32 array
        From `components`.
    space : {"RGB", "HSV", "Lab", "YCbCr"}

    Returns
    -------
    (V, 3) float32 array
        Of HSV places in a cone with its tip at black, 100 high and 200 wide; else `values`.

    Examples
    --------
    >>> places(np.array([[0, 1, 1], [60, 0.5, 1]], dtype=np.float32), "HSV").round().tolist()
    [[100.0, 0.0, 100.0], [25.0, 43.0, 100.0]]
    """
    if space != "HSV":
        return values
    angle, out, up = np.radians(values[:, 0]), values[:, 1] * values[:, 2], values[:, 2]
    cone: FloatArray = np.stack([out * np.cos(angle), out * np.sin(angle), up], axis=1)
    cone *= 100
    return cone
