"""Intensities on the scale of the image they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...typing import FloatArray, ImageArray, MaskArray
from ..intensities import lowest_and_highest


class Scale(NamedTuple):
    """The scale of an image, over all channels.

    Attributes
    ----------
    low : float
        The least intensity.
    range : float
        The largest minus the least.
    deviation : float
        Standard deviation as a share of the range; 0 for a constant image.
    """

    low: float
    range: float
    deviation: float


def measure(channels: Sequence[ImageArray], usable: MaskArray | None, title: str) -> Scale:
    """Measure the scale of the usable voxels.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
    usable : (M, N[, P]) bool array or None
    title : str
        The method's, for errors.

    Raises
    ------
    InputError
        If the range is beyond what a float64 holds.

    Examples
    --------
    >>> measure([np.array([[10, 30], [10, 30]])], None, "Method")
    Scale(low=10.0, range=20.0, deviation=0.5)
    """
    low, high = lowest_and_highest(channels, usable, title)
    if high == low:
        return Scale(low, 0.0, 0.0)
    sums = np.zeros(3)
    for piece in _usable_pieces(channels, usable):
        share = (piece - low) / (high - low)
        sums += share.size, share.sum(), np.square(share).sum()
    mean = sums[1] / sums[0]
    return Scale(low, high - low, float(np.sqrt(max(0.0, sums[2] / sums[0] - mean * mean))))


def scaled(channel: ImageArray, usable: MaskArray | None, scale: Scale) -> FloatArray:
    """Bring intensities to [0, 1]; 0 where they cannot be used.

    Examples
    --------
    >>> scaled(np.array([[10, 15, 30]]), None, Scale(10.0, 20.0, 0.4))
    array([[0.  , 0.25, 1.  ]], dtype=float32)
    """
    result = np.zeros(channel.shape, dtype=np.float32)
    for z, plane in enumerate(channel):
        where = np.ones(plane.shape, np.bool_) if usable is None else usable[z]
        values = plane[where].astype(np.float64) - scale.low
        result[z][where] = values / scale.range if scale.range else 0.0
    return result


def _usable_pieces(
    channels: Sequence[ImageArray], usable: MaskArray | None
) -> Iterator[NDArray[np.float64]]:
    """The intensities plane by plane, so that no temporary is as large as the volume."""
    for channel in channels:
        for z, plane in enumerate(channel):
            values = plane.astype(np.float64)
            values = values if usable is None else values[usable[z]]
            if values.size:
                yield values
