"""Put what matters in the picture before a background that is blurred, grey or gone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from ...errors import InputError, ParameterError
from ...label_values import unsigned_labels
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..intensities import in_float32
from ..postprocessing.classes import is_any
from ..voxels import channels_of

_TITLE = "Background effect"
# Shares of red, green and blue in what the eye takes for brightness, ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)


@method(
    title=_TITLE,
    family="effects",
    channels="any",
    output="image",
    bytes_per_voxel=40,
    bytes_per_channel=12,
    requires=("numba",),
    preview="slice",
    references=("10.1109/CVPR.1993.341081", "https://www.itu.int/rec/R-REC-BT.601"),
)
def background_effect(
    image: ImageArray,
    labels: LabelArray,
    *,
    effect: Literal["blur", "grey", "colour", "remove"] = "blur",
    classes: Annotated[tuple[int, ...], Ge(1)] = (),
    strength: Annotated[float, Ge(0), Unit("physical")] = 5.0,
    colour: Annotated[tuple[float, ...], Unit("intensity")] = (0.0,),
    soften: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> ImageArray:
    """Blur, grey, colour or remove all of an image but the labelled objects.

    Three channels are taken as red, green and blue, four as these and opacity, which only
    "remove" changes.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities or colours. NaN and infinite voxels stay, and are not blurred into others.
    labels : (M, N[, P]) unsigned integer array
        What is kept, see `classes`.
    effect : {"blur", "grey", "colour", "remove"}
        What happens to the background: it is blurred with nothing of the objects running
        into it; loses its colours, so that grey images stay as they are, and of other numbers
        of channels each becomes their mean; becomes `colour`; or becomes transparent.
    classes : tuple of int
        Labels to keep; empty for all but 0.
    strength : float
        Standard deviation of the blur, in the image's unit or in pixels.
    colour : tuple of float
        Intensity of the background for "colour": one for all channels, or one for each but
        opacity.
    soften : float
        Width of the zone around the border in which image and effect are mixed, in the
        image's unit or in pixels; 0 for a sharp border.
    spacing : tuple of float, optional
        Voxel size per axis, for `strength` and `soften`.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) or (M, N[, P], C) array
        Of the image's type; channels, where there are any, are always last. From "remove"
        4 channels, with a grey image in three of them: opacity reaches from 0 to the
        largest value of an integer type, to 1 of others.

    Raises
    ------
    ParameterError
        If `colour` does not fit the channels or the image's type.
    InputError
        If "remove" meets channels that are neither grey nor colours, the labels are none, or
        intensities are beyond the range of float32.

    References
    ----------
    .. [1] H. Knutsson, C.-F. Westin, "Normalized and differential convolution", CVPR 1993,
       10.1109/CVPR.1993.341081.
    .. [2] ITU-R Recommendation BT.601, for the brightness of colours.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 20, 30, 40]], dtype=np.uint8)
    >>> labels = np.array([[0, 1, 1, 0]], dtype=np.uint8)
    >>> nss.background_effect(image, labels, effect="colour", colour=(255,))
    array([[255,  20,  30, 255]], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    n_opaque = 1 if len(channels) == 4 else 0
    painted = channels[: len(channels) - n_opaque]
    steps = spacing or (1.0,) * channels[0].ndim
    if effect == "remove" and len(painted) not in (1, 3):
        raise InputError(
            f"{_TITLE}: expected 1, 3 or 4 channels to remove the background from, got "
            f"{len(channels)}; choose channels to show as colours first."
        )
    kept = is_any(unsigned_labels(labels), classes)
    share = _share(kept, soften, steps)
    if effect == "remove":
        return _removed(painted, channels[3] if n_opaque else None, share)
    fill = _fill(colour, len(painted), image.dtype) if effect == "colour" else ()
    grey = _grey(painted) if effect == "grey" and len(painted) > 1 else None
    result = np.empty((*kept.shape, len(channels)), dtype=image.dtype)
    for i, channel in enumerate(painted):
        progress(0.1 + 0.9 * i / len(painted), effect)
        background: ImageArray
        if effect == "grey":
            background = channel if grey is None else grey
        elif effect == "colour":
            background = np.full(kept.shape, fill[i], dtype=np.float32)
        else:
            background = _blurred(channel, ~kept, strength, steps)
        result[..., i] = _mixed(channel, background, share)
    if n_opaque:
        result[..., -1] = channels[-1]
    return result[..., 0] if channel_axis is None else result


def _share(kept: MaskArray, soften: float, steps: Spacing) -> FloatArray:
    """How much of the image stays in each voxel, 0 to 1."""
    from ...kernels.cpu.distance import squared_distance

    if soften == 0:
        return kept.astype(np.float32)
    # From voxel to voxel: the border itself lies half a voxel nearer.
    share = np.sqrt(squared_distance(kept, steps))
    share -= np.sqrt(squared_distance(~kept, steps))
    share -= np.where(kept, np.float32(0.5), np.float32(-0.5)) * np.float32(min(steps))
    share /= np.float32(soften)
    share += np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def _grey(painted: tuple[ImageArray, ...]) -> FloatArray:
    shares = _LUMA if len(painted) == 3 else (1 / len(painted),) * len(painted)
    grey = np.zeros(painted[0].shape, dtype=np.float32)
    for part, channel in zip(shares, painted, strict=True):
        grey += np.float32(part) * in_float32(channel, _TITLE)
    return grey


def _fill(colour: tuple[float, ...], n_painted: int, dtype: np.dtype[Any]) -> list[float]:
    if len(colour) not in (1, n_painted):
        raise ParameterError(
            f"{_TITLE}: 'colour' must be 1 or {n_painted} numbers for this image, got {colour}.",
            name="colour",
        )
    low, high = _limits(dtype)
    if not all(low <= value <= high for value in colour):
        raise ParameterError(
            f"{_TITLE}: 'colour' must be between {low:g} and {high:g} for {dtype}, got {colour}.",
            name="colour",
        )
    return list(colour) if len(colour) == n_painted else [colour[0]] * n_painted


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "b":
        return 0.0, 1.0
    info = np.finfo(np.float32) if dtype.kind == "f" else np.iinfo(dtype)
    return float(info.min), float(info.max)


def _blurred(
    channel: ImageArray, outside: MaskArray, strength: float, steps: Spacing
) -> FloatArray:
    """The background smoothed, by what counts of it; as it is where nothing counts."""
    from scipy import ndimage

    values = in_float32(channel, _TITLE)
    if strength == 0:
        return values
    sigma = [strength / step for step in steps]
    counts = outside & np.isfinite(values)
    weight = ndimage.gaussian_filter(counts.astype(np.float32), sigma, mode="nearest")
    blurred = np.where(counts, values, np.float32(0))
    ndimage.gaussian_filter(blurred, sigma, mode="nearest", output=blurred)
    # Far inside an object hardly anything counts, and what does is mere rounding.
    known = weight > 1e-6
    known &= np.isfinite(values)
    np.divide(blurred, weight, out=values, where=known)
    return values


def _mixed(channel: ImageArray, background: ImageArray, share: FloatArray) -> ImageArray:
    """Image and background by their shares, in the image's type; exact where one is all."""
    with np.errstate(invalid="ignore"):  # infinite values, which are put back below
        mixed = in_float32(channel, _TITLE) * share
        mixed += background * (1 - share)
        result = _in_type(mixed, channel.dtype)
    np.copyto(result, channel, where=(share == 1) | ~np.isfinite(channel))
    return result


def _in_type(values: FloatArray, dtype: np.dtype[Any]) -> ImageArray:
    if dtype.kind == "f":
        return values.astype(dtype)
    if dtype.kind == "b":
        return values >= 0.5
    # In float64, which holds the limits of 32-bit types; of wider ones it is what there is.
    rounded = np.rint(values, dtype=np.float64)
    low, high = _limits(dtype)
    return np.clip(rounded, low, np.nextafter(high, 0) if high > 2**53 else high).astype(dtype)


def _removed(
    painted: tuple[ImageArray, ...], opacity: ImageArray | None, share: FloatArray
) -> ImageArray:
    """Colours, and opacity by the share that is kept."""
    dtype = painted[0].dtype
    full = _limits(dtype)[1] if dtype.kind in "iu" else 1.0
    result = np.empty((*share.shape, 4), dtype=dtype)
    for i in range(3):
        result[..., i] = painted[i % len(painted)]
    before = np.float32(full) if opacity is None else opacity.astype(np.float32)
    result[..., 3] = _in_type(before * share, dtype)
    return result
