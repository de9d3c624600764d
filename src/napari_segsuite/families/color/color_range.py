"""Pixels of certain colours."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge

from ...errors import ParameterError
from ...method import method
from ...params import PickedOn
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from ..threshold.criteria import brighter_side
from .pixels import Pixels, pixels_of
from .spaces import EXTENTS, ColourSpace, components, places

_TITLE = "Colour range"
# Bounds belong to the range, with what float32 loses on the way.
_ROUNDING = 1e-6


@method(
    title=_TITLE,
    family="color",
    channels="any",
    requires=("numba",),
    bytes_per_voxel=12,
    is_pixelwise=True,
    preview="slice",
    references=(
        "10.1145/800248.807361",
        "10.1002/j.1520-6378.1977.tb00104.x",
        "https://www.itu.int/rec/R-REC-BT.601",
    ),
)
def color_range(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    space: ColourSpace = "Lab",
    low: tuple[float, ...] = (),
    high: tuple[float, ...] = (),
    colours: Annotated[tuple[float, ...], PickedOn("image")] = (),
    tolerance: Annotated[float, Ge(0)] = 20.0,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Mark the pixels whose colour is in a range, or near to one of some picked colours.

    With neither a range nor colours, the pixels that are brighter than Otsu's threshold of
    their luminance are marked.

    Parameters
    ----------
    image : (M, N[, P]) array
        Red, green and blue along `channel_axis`, with or without opacity, which is not
        looked at; a single channel is grey. White is the highest number of 8- and 16-bit
        unsigned types, else 1 where all values are between 0 and 1, else the highest value.
        NaN and infinite pixels become background.
    mask : (M, N[, P]) bool array, optional
        Pixels that count; the others become background.
    space : {"RGB", "HSV", "Lab", "YCbCr"}
        Where the range lies and distances are measured. RGB: 0 to 255 each. HSV: hue in
        degrees 0 to 360, saturation and value 0 to 1; distances in a cone of height 100 and
        radius 100. Lab: L 0 to 100, a and b about -128 to 127; distances are ΔE*76. YCbCr:
        Y 16 to 235, Cb and Cr 16 to 240.
    low : tuple of float
        Lowest value of each of the three components, included; empty for no range.
    high : tuple of float
        Highest values, included. A hue below that in `low` makes the range pass through 0.
    colours : tuple of float
        Pixel values one after the other, each a number per channel in the intensities of
        the image.
    tolerance : float
        Largest distance to one of `colours`, in `space`.
    channel_axis : int, optional
        Axis of `image` that holds the channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        1 = of such a colour, 0 = not.

    Raises
    ------
    ParameterError
        If the range has not three components each, with the lower below the higher, or a
        picked colour is incomplete.
    InputError
        If there are neither 1, 3 nor 4 channels, or no pixel counts.

    References
    ----------
    .. [1] A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978,
       10.1145/800248.807361.
    .. [2] A. R. Robertson, "The CIE 1976 color-difference formulae", Color Research &
       Application 2(1), 1977, 10.1002/j.1520-6378.1977.tb00104.x.
    .. [3] ITU-R Recommendation BT.601, https://www.itu.int/rec/R-REC-BT.601.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[[250, 10, 10], [200, 60, 50], [10, 250, 10]]], dtype=np.uint8)
    >>> nss.color_range(image, space="HSV", low=(340, 0.3, 0.3), high=(20, 1, 1), channel_axis=-1)
    array([[1, 1, 0]], dtype=uint8)
    >>> nss.color_range(image, colours=(10, 250, 10), channel_axis=-1)
    array([[0, 0, 1]], dtype=uint8)
    """
    _check_range(space, low, high)
    pixels = pixels_of(image, channel_axis, mask, _TITLE)
    _check_colours(colours, len(pixels.channels))
    if not low and not colours:
        return _brighter_half(pixels, progress)
    picked = pixels.scaled(np.reshape(colours, (-1, len(pixels.channels))))
    targets = places(components(picked, space), space)
    labels = np.zeros(pixels.shape, np.uint8)
    for rows, rgb in pixels.rows():
        progress(rows.start / len(labels), "comparing colours")
        values = components(rgb, space)
        is_marked = np.zeros(len(rgb), dtype=bool)
        if low:
            is_marked |= _in_range(values, space, low, high)
        if colours:
            is_marked |= _nearest(places(values, space), targets) <= tolerance * (1 + _ROUNDING)
        labels[rows] = is_marked.reshape(labels[rows].shape)
    if pixels.usable is not None:
        labels *= pixels.usable
    return labels


def _check_range(space: ColourSpace, low: tuple[float, ...], high: tuple[float, ...]) -> None:
    if (len(low), len(high)) not in ((0, 0), (3, 3)):
        raise ParameterError(
            f"{_TITLE}: 'low' and 'high' must have three numbers each, or none, got "
            f"{low!r} and {high!r}.",
            name="high" if len(low) in (0, 3) else "low",
        )
    n_circular = 1 if space == "HSV" else 0
    if any(a > b for a, b in zip(low[n_circular:], high[n_circular:], strict=True)):
        raise ParameterError(
            f"{_TITLE}: 'low' must be at most 'high' in each component but a hue, got {low!r} "
            f"and {high!r}; swap them.",
            name="low",
        )


def _check_colours(colours: tuple[float, ...], n_channels: int) -> None:
    if len(colours) % n_channels:
        raise ParameterError(
            f"{_TITLE}: 'colours' must have {n_channels} numbers for each colour, one per channel "
            f"of the image, got {len(colours)}.",
            name="colours",
        )


def _in_range(
    values: FloatArray, space: ColourSpace, low: tuple[float, ...], high: tuple[float, ...]
) -> MaskArray:
    rounding = np.array(EXTENTS[space]) * _ROUNDING
    above = values >= np.asarray(low) - rounding
    below = values <= np.asarray(high) + rounding
    within = above & below
    if space == "HSV" and low[0] > high[0]:
        within[:, 0] = above[:, 0] | below[:, 0]
    return np.asarray(within.all(axis=1))


def _nearest(values: FloatArray, targets: FloatArray) -> FloatArray:
    """Distance of each of (V, 3) places to the nearest target."""
    nearest = np.full(len(values), np.inf, np.float32)
    for target in targets:
        np.minimum(nearest, np.linalg.norm(values - target, axis=1), out=nearest)
    return nearest


def _brighter_half(pixels: Pixels, progress: Progress) -> LabelArray:
    from skimage.color import rgb2gray

    luminance = np.empty(pixels.shape, np.float32)
    for rows, rgb in pixels.rows():
        progress(rows.start / len(luminance), "luminance")
        luminance[rows] = rgb2gray(rgb).reshape(luminance[rows].shape)
    return brighter_side(luminance, pixels.usable, _TITLE).view(np.uint8)
