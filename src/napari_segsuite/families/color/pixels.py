"""The colours of an image, some pixels at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InputError
from ...typing import FloatArray, ImageArray, MaskArray
from ..intensities import lowest_and_highest
from ..voxels import channels_of, check_any_usable, usable_voxels

_AT_A_TIME = 1 << 15
_IN_WORDS = "3 channels (red, green, blue), 4 with opacity, or 1 for grey"


@dataclass(frozen=True, eq=False)
class Pixels:
    """The colours of an image as red, green and blue from 0 to 1.

    Attributes
    ----------
    channels : tuple of (M, N[, P]) array
        1 for grey, 3, or 4 of which the last, opacity, is not looked at.
    usable : (M, N[, P]) bool array or None
        Pixels that count; None for all.
    black, white : float
        Intensities that 0 and 1 stand for.
    """

    channels: tuple[ImageArray, ...]
    usable: MaskArray | None
    black: float
    white: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image without its channels."""
        return self.channels[0].shape

    def rows(self) -> Iterator[tuple[slice, FloatArray]]:
        """Rows or planes, some at a time, with their colours as (V, 3)."""
        shape = self.shape
        depth = max(1, _AT_A_TIME * shape[0] // max(int(np.prod(shape)), 1))
        for start in range(0, shape[0], depth):
            rows = slice(start, start + depth)
            parts = [channel[rows].reshape(-1) for channel in self.channels]
            rgb = self.scaled(np.stack(parts, axis=1))
            if self.usable is not None:
                rgb[~self.usable[rows].reshape(-1)] = 0
            yield rows, rgb

    def scaled(self, values: Any) -> FloatArray:
        """Colours of pixel values.

        Parameters
        ----------
        values : (V, C) array
            A value per channel of the image, in its intensities.

        Returns
        -------
        (V, 3) float32 array
        """
        rgb = np.asarray(values, np.float64)[:, :3]
        rgb = (rgb - self.black) / (self.white - self.black)
        colours: FloatArray = np.broadcast_to(rgb, (len(rgb), 3)).astype(np.float32)
        return colours


def pixels_of(
    image: ImageArray, channel_axis: int | None, mask: MaskArray | None, title: str
) -> Pixels:
    """Find the channels and the scale of an image.

    Of 8- and 16-bit unsigned images white is the highest number there is. Of other images
    it is 1 if all values are between 0 and 1, else the highest value, and black the lowest,
    or 0 if that is less.

    Raises
    ------
    InputError
        If there are neither 1, 3 nor 4 channels, no pixel counts, or the values span more
        than a float64 holds.

    Examples
    --------
    >>> pixels = pixels_of(np.array([[0, 51]], dtype=np.uint8), None, None, "Example")
    >>> [rgb.round(1).tolist() for _rows, rgb in pixels.rows()]
    [[[0.0, 0.0, 0.0], [0.2..., 0.2..., 0.2...]]]
    """
    channels = channels_of(image, channel_axis)
    if len(channels) not in (1, 3, 4):
        raise InputError(
            f"{title}: expected {_IN_WORDS}, got {len(channels)}; choose channels first."
        )
    colours = channels[:3]
    usable = usable_voxels(colours, mask)
    check_any_usable(usable, title)
    return Pixels(channels, usable, *_black_and_white(colours, usable, title))


def _black_and_white(
    channels: tuple[ImageArray, ...], usable: MaskArray | None, title: str
) -> tuple[float, float]:
    dtype = channels[0].dtype
    if dtype in (np.uint8, np.uint16):
        return 0.0, float(np.iinfo(dtype).max)
    lowest, highest = lowest_and_highest(channels, usable, title)
    if lowest >= 0 and highest <= 1:
        return 0.0, 1.0
    return min(lowest, 0.0), max(highest, lowest + 1, 0.0)
