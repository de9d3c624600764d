"""Channels on one scale, so that settings mean the same for every type of image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...typing import FloatArray, ImageArray, MaskArray, Spacing
from ..histogram import histogram_of
from ..intensities import in_float32

# Of every thousand voxels, the darkest and the brightest do not count for the range.
_TAIL = 0.001


def scaled_channels(
    channels: Sequence[ImageArray], usable: MaskArray | None, title: str, top: float
) -> FloatArray:
    """Channels whose usual values lie between 0 and `top`, in float32.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
    usable : (M, N[, P]) bool array, optional
        Voxels that count; the others become 0.
    title : str
        The method's.
    top : float
        What the brightest voxels become, but for a thousandth of them.

    Returns
    -------
    (C, M, N[, P]) float32 array

    Raises
    ------
    InputError
        If values are beyond the range of float32.

    Examples
    --------
    >>> scaled_channels([np.array([[10, 20, 30]], dtype=np.uint8)], None, "Example", 100)
    array([[[  0.,  50., 100.]]], dtype=float32)
    """
    scaled = np.empty((len(channels), *channels[0].shape), np.float32)
    for channel, out in zip(channels, scaled, strict=True):
        out[...] = in_float32(channel, title)
        low, high = usual_range(channel, usable, title)
        out -= low
        out *= top / (high - low) if high > low else 0.0
        if usable is not None:
            out[~usable] = 0
    return scaled


def usual_range(image: ImageArray, usable: MaskArray | None, title: str) -> tuple[float, float]:
    """Values between which all voxels lie but a thousandth at either end.

    Where these two are equal, the lowest and the highest value.
    """
    histogram = histogram_of(image, usable, title)
    below = np.cumsum(histogram.counts)
    low, high = np.searchsorted(below, [_TAIL * below[-1], (1 - _TAIL) * below[-1]])
    if low == high:
        low, high = 0, -1
    return float(histogram.values[low]), float(histogram.values[high])


def smooth(
    scaled: FloatArray, usable: MaskArray | None, sigma: float, spacing: Spacing | None
) -> None:
    """Smooth each channel in place by a Gaussian; voxels that do not count have no weight.

    Parameters
    ----------
    scaled : (C, M, N[, P]) float32 array
        0 where a voxel does not count.
    usable : (M, N[, P]) bool array, optional
    sigma : float
        Standard deviation in physical units; 0 leaves everything as it is.
    spacing : tuple of float, optional
    """
    from scipy import ndimage

    if sigma == 0:
        return
    sigmas = [sigma / size for size in spacing or (1.0,) * (scaled.ndim - 1)]
    weight = None
    if usable is not None:
        weight = ndimage.gaussian_filter(usable.astype(np.float32), sigmas)
        weight[~usable] = math.inf
    for channel in scaled:
        ndimage.gaussian_filter(channel, sigmas, output=channel)
        if weight is not None:
            channel /= weight
