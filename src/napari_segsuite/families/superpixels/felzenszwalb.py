"""Regions by graph-based segmentation after Felzenszwalb and Huttenlocher."""

from __future__ import annotations

import itertools
import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...errors import InputError
from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import ImageArray, LabelArray, MaskArray, Spacing
from ..voxels import channels_of, check_any_usable, usable_voxels
from .scaled_channels import scaled_channels, smooth

_TITLE = "Felzenszwalb regions"
# Intensities of 8 bits, for which the values of `scale` in the literature are meant.
_TOP = 255.0
# In voxels, which serve images of any resolution.
_SMOOTHING = 0.8
_SMALLEST = 20.0


@method(
    title=_TITLE,
    family="superpixels",
    channels="any",
    requires=("numba",),
    # In 3D there are 3, 9 or 13 edges per voxel, at 8 bytes.
    bytes_per_voxel=19 + 3 * 8,
    bytes_per_channel=4,
    bytes_by_setting={"connectivity": {2: (6 * 8, 0), 3: (10 * 8, 0)}},
    references=("10.1023/B:VISI.0000022288.19776.77",),
)
def felzenszwalb(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    scale: Annotated[float, Ge(0), Le(1e9)] = 100.0,
    smoothing: Annotated[float | None, Ge(0), Le(100), Unit("physical")] = None,
    min_volume: Annotated[float | None, Ge(0), Unit("physical³")] = None,
    connectivity: Annotated[int, Ge(1), Le(3)] = 2,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Join voxels into regions of any size between which the image differs more than within.

    Neighbouring voxels are joined in the order of their difference, as long as it is not
    larger than the differences within the regions on both sides, with an allowance for
    small regions. Large flat parts become large regions, detail stays small.

    Intensities are scaled so that but for a thousandth at either end they span 0 to 255 in
    each channel, and of several channels the root of the mean square of differences counts.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities, or several channels with `channel_axis`. NaN and infinite voxels stay 0.
    mask : (M, N[, P]) bool array, optional
        Where regions may lie; voxels outside stay 0.
    scale : float
        Observation level: the allowance for a single voxel, in intensities of 0 to 255; a
        region of n voxels has an n-th of it. Higher values give larger regions.
    smoothing : float, optional
        Standard deviation of the Gaussian that smooths the image first, in the image's unit
        or in pixels. Where none is given it is 0.8 of a voxel's shortest side.
    min_volume : float, optional
        Smaller regions are joined with the neighbour they differ least from: a volume in 3D,
        such as mm³, an area in 2D, in the image's unit or in voxels. Where none is given it is
        that of 20 voxels.
    connectivity : int
        Neighbours differ in at most this many axes; 3 counts as 2 in a 2D image. In 3D it is
        3, 9 or 13 neighbours per voxel that are compared, which time and memory follow.
    spacing : tuple of float, optional
        Voxel size per axis, for `smoothing` and `min_volume`.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Regions 1 … K in scan order, 0 outside of the mask.

    Raises
    ------
    InputError
        If no voxel is finite and inside the mask, or the image has too many voxels.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, "Efficient graph-based image
       segmentation", IJCV 59(2), 2004, 10.1023/B:VISI.0000022288.19776.77.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 10, 80, 80, 80]], dtype=np.uint8).repeat(5, axis=0)
    >>> nss.felzenszwalb(image, smoothing=0, min_volume=2)[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    from ...kernels.cpu.felzenszwalb import graph_regions

    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    shape = channels[0].shape
    offsets = neighbour_offsets(len(shape), connectivity)
    _check_edges(math.prod(shape), len(offsets))
    progress(0.0, "scaling intensities")
    features = scaled_channels(channels, usable, _TITLE, _TOP)
    features *= len(channels) ** -0.5
    size = spacing or (1.0,) * len(shape)
    sigma = _SMOOTHING * min(size) if smoothing is None else smoothing
    smooth(features, usable, sigma, size, part_of(progress, 0.03, 0.1))
    smallest = _SMALLEST if min_volume is None else min_volume / math.prod(size)
    volume = (1,) * (3 - len(shape)) + shape
    regions, count = graph_regions(
        features.reshape(len(features), *volume),
        np.ones(volume, bool) if usable is None else np.ascontiguousarray(usable).reshape(volume),
        offsets,
        scale,
        # Rounding must not make a region of exactly this volume too small.
        smallest * (1 - 1e-9),
        lambda fraction: progress(0.1 + 0.9 * fraction, "joining"),
    )
    return regions.reshape(shape).astype(smallest_label_dtype(count))


def neighbour_offsets(ndim: int, connectivity: int) -> NDArray[np.int64]:
    """Steps (K, 3) to the neighbours later in scan order, along the last `ndim` axes.

    Examples
    --------
    >>> neighbour_offsets(2, 2).tolist()
    [[0, 0, 1], [0, 1, -1], [0, 1, 0], [0, 1, 1]]
    """
    steps = itertools.product((-1, 0, 1), repeat=ndim)
    half = [s for s in steps if s > (0,) * ndim and np.abs(s).sum() <= connectivity]
    return np.array([(0,) * (3 - ndim) + step for step in half])


def _check_edges(n_voxels: int, n_offsets: int) -> None:
    from ...kernels.cpu.felzenszwalb import MOST_EDGES

    most = min(MOST_EDGES // n_offsets, np.iinfo(np.int32).max)
    if n_voxels > most:
        raise InputError(
            f"{_TITLE}: expected at most {most} voxels at this connectivity, got {n_voxels}; "
            "crop or downsample the image."
        )
