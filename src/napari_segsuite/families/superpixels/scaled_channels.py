"""Channels on one scale, so that settings mean the same for every type of image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...boxes import slabs, whole
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, MaskArray, Spacing
from ..histogram import histogram_of

# Outliers are held within so many times the usual range: their squares are finite.
_FARTHEST = 1e6


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
        If the values span more than float64 holds.

    Examples
    --------
    >>> scaled_channels([np.array([[10, 20, 30]], dtype=np.uint8)], None, "Example", 100)
    array([[[  0.,  50., 100.]]], dtype=float32)
    """
    scaled = np.empty((len(channels), *channels[0].shape), np.float32)
    for channel, out in zip(channels, scaled, strict=True):
        low, high = usual_range(channel, usable, title)
        for box in slabs(whole(out.shape)):
            out[box] = _scaled(channel[box], low, high, top)
        if usable is not None:
            out[~usable] = 0
    return scaled


def _scaled(values: ImageArray, low: float, high: float, top: float) -> NDArray[np.float64]:
    """Values, of a slab, as shares of a range; float32 would round them on a high offset."""
    # Not finite where a voxel does not count, and for outliers the limit holds.
    with np.errstate(over="ignore", invalid="ignore"):
        shares = np.subtract(values, low, dtype=np.float64)
        shares /= high - low if high > low else math.inf
    shares *= top
    return np.clip(shares, -_FARTHEST * top, _FARTHEST * top, out=shares)


def usual_range(image: ImageArray, usable: MaskArray | None, title: str) -> tuple[float, float]:
    """Values between which all voxels lie but a thousandth at either end."""
    return histogram_of(image, usable, title).usual_range()


def smooth(
    scaled: FloatArray,
    usable: MaskArray | None,
    sigma: float,
    spacing: Spacing | None,
    progress: Progress = SILENT,
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
    progress : callable
        Called before each axis of each channel.
    """
    if sigma == 0:
        return
    sigmas = [sigma / size for size in spacing or (1.0,) * (scaled.ndim - 1)]
    arrays = [*scaled]
    if usable is not None:
        arrays.append(usable.astype(np.float32))
    for i, array in enumerate(arrays):
        _smooth_axes(array, sigmas, part_of(progress, i / len(arrays), (i + 1) / len(arrays)))
    if usable is not None:
        weight = arrays.pop()
        weight[~usable] = math.inf
        scaled /= weight


def _smooth_axes(array: FloatArray, sigmas: Sequence[float], progress: Progress) -> None:
    from scipy import ndimage

    for axis, sigma in enumerate(sigmas):
        progress(axis / len(sigmas), "smoothing")
        ndimage.gaussian_filter1d(array, sigma, axis, output=array)
