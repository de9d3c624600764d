"""What a classifier of voxels sees: filters of every channel at physical scales, and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT, Progress
from ...typing import FloatArray, MaskArray, Spacing
from ..intensities import in_float32

# Standard deviations of the filters, in units of the finest voxel size.
SCALES = (0.7, 1.5, 3.0, 6.0)
# Window of the structure tensor, in units of its scale.
_WINDOW = 1.5
# Intensities beyond the 1st and the 99th percentile tell little: 0 and 1 in the robust
# scale, which ends at these values.
_LOWEST, _HIGHEST = np.float32(-0.2), np.float32(1.5)
_VALUES_SAMPLED = 1 << 16


class FeatureBank(NamedTuple):
    """Binned features of an image.

    Attributes
    ----------
    planes : (F, M, N[, P]) uint8 array
        32 for each channel, then, where asked for, one for each axis.
    edges : (C, 32, 255) float32 array
        Edges of the bins of each channel's features.
    """

    planes: NDArray[np.uint8]
    edges: FloatArray


def build_bank(
    channels: FloatArray,
    spacing: Spacing | None,
    *,
    position: bool = True,
    edges: FloatArray | None = None,
    progress: Progress = SILENT,
) -> FeatureBank:
    """Compute the features of all channels: one byte per feature and voxel.

    Per channel these are the intensity, its least, largest and middle value nearby, and at
    four scales the smoothed intensity, its gradient, its deviation, and curvatures and
    structure tensor within the plane. Scales are physical where `spacing` is known, so that
    thick slices do not run into one another.

    Parameters
    ----------
    channels : (C, M, N[, P]) float32 array
        From `robust_scale`: finite everywhere.
    spacing : tuple of float, optional
        Voxel size per axis.
    position : bool
        Let the place of a voxel be a feature too.
    edges : (C, 32, 255) float32 array, optional
        Edges of bins to use again, so that a forest learned from one image can judge
        another; from the image itself by default.
    progress : callable
        May raise `Cancelled`.

    Examples
    --------
    >>> import numpy as np
    >>> build_bank(np.zeros((1, 8, 9), dtype=np.float32), None).planes.shape
    (34, 8, 9)
    """
    from ...kernels.cpu.feature_bank import compute_features, feature_names, sampled_edges

    shape = channels.shape[1:]
    filters = _filters(len(shape), spacing)
    each = len(feature_names(filters))
    count = each * len(channels)
    planes = np.empty((count + len(shape) * position, *shape), dtype=np.uint8)
    if edges is None:
        # Filter by filter: all of their samples at once would outweigh a small image.
        edges = np.stack(
            [np.concatenate([sampled_edges(c, (f,)) for f in filters]) for c in channels]
        )
    for c, channel in enumerate(channels):

        def report(fraction: float, message: str = "", done: int = c) -> None:
            progress((done + fraction) / len(channels), message)

        room = planes[c * each : (c + 1) * each]
        compute_features(channel, filters, edges=edges[c], out=room, progress=report)
    if position:
        for axis, plane in enumerate(planes[count:]):
            plane[...] = _places(shape, axis)
    return FeatureBank(planes, edges)


def distinct_channels(planes: NDArray[Any]) -> tuple[int, ...]:
    """The channels that do not merely repeat an earlier one, as those of grey pictures do.

    Examples
    --------
    >>> import numpy as np
    >>> distinct_channels(np.array([[[1, 2]], [[1, 2]], [[3, 2]]]))
    (0, 2)
    """
    kept: list[int] = []
    for number, plane in enumerate(planes):
        nan = plane.dtype.kind == "f"
        if not any(np.array_equal(planes[other], plane, equal_nan=nan) for other in kept):
            kept.append(number)
    return tuple(kept)


def robust_scale(
    planes: Sequence[NDArray[Any]] | NDArray[Any], allowed: MaskArray | None, title: str
) -> FloatArray:
    """Scale channels so that their 1st and 99th percentiles become 0 and 1.

    Values are clipped at -0.2 and 1.5; NaN and infinite voxels become 0.5. The percentiles
    are those of a regular sample of the finite voxels that are allowed.

    Parameters
    ----------
    planes : (C, M, N[, P]) array
    allowed : (M, N[, P]) bool array, optional
    title : str
        Named by the error.

    Raises
    ------
    InputError
        If values are beyond the range of float32.

    Examples
    --------
    >>> import numpy as np
    >>> robust_scale(np.array([[[0, 50, 100, np.nan]]]), None, "Example").round(2)
    array([[[-0.01,  0.5 ,  1.01,  0.5 ]]], dtype=float32)
    """
    scaled = np.empty((len(planes), *planes[0].shape), dtype=np.float32)
    for source, channel in zip(planes, scaled, strict=True):
        channel[...] = in_float32(source, title)
        low, high = _percentiles(channel, allowed)
        channel -= low
        if high > low:
            channel /= high - low
        np.clip(channel, _LOWEST, _HIGHEST, out=channel)
        if source.dtype.kind == "f":
            channel[~np.isfinite(source)] = 0.5
    return scaled


def _percentiles(channel: FloatArray, allowed: MaskArray | None) -> tuple[float, float]:
    values = channel.ravel() if allowed is None else channel[allowed]
    values = values[:: max(1, values.size // _VALUES_SAMPLED)]
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, (1, 99))
    if high <= low:  # Nearly all voxels alike: let the few others differ.
        low, high = values.min(), values.max()
    return float(low), float(high)


def _filters(ndim: int, spacing: Spacing | None) -> Sequence[Any]:
    from ...kernels.cpu.filter_windows import Extremes, Median
    from ...kernels.cpu.filters import Intensity, Scale, Structure

    size = np.asarray(spacing if spacing is not None else (1.0,) * ndim)
    finest = size.min() / size
    filters: list[Any] = [Intensity()]
    for scale in SCALES:
        sigma = tuple((scale * finest).tolist())
        window = tuple((_WINDOW * scale * finest).tolist())
        filters += [Scale(sigma, planar=True), Structure(sigma, window, planar=True)]
    return (*filters, Extremes((0, 2, 2)[-ndim:]), Median())


def _places(shape: tuple[int, ...], axis: int) -> NDArray[np.uint8]:
    """Place along an axis in 256 steps, to be broadcast over the others."""
    length = shape[axis]
    steps = np.arange(length) * 255 // max(length - 1, 1)
    return steps.astype(np.uint8).reshape([-1 if a == axis else 1 for a in range(len(shape))])
