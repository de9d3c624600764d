"""Watershed from painted seeds on the gradient of the image."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..intensities import in_float32
from ..voxels import channels_of, usable_voxels
from .seeds import check_seeds


@method(
    title="Watershed",
    family="seeded",
    channels="any",
    bytes_per_voxel=40,
    references=("10.1109/34.87344", "10.1109/ICPR.2014.181"),
)
def watershed(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    scale: Annotated[float, Ge(0), Le(100), Unit("physical")] = 0.0,
    compactness: Annotated[float, Ge(0), Le(1e6)] = 0.0,
    connectivity: Annotated[int, Ge(1), Le(3)] = 1,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Flood the gradient magnitude from the seeds until the classes meet at its ridges.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` the gradients of the channels are combined by the
        root of their summed squares. NaN and infinite voxels stay unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; at least two classes.
    mask : (M, N[, P]) bool array, optional
        Where the flood may go; voxels outside stay 0.
    scale : float
        Standard deviation of the Gaussian that smooths the image before its gradient is
        taken, in the image's unit or in pixels.
    compactness : float
        Higher values give rounder regions that follow the image less; 0 is the classical
        watershed.
    connectivity : int
        Neighbours differ in at most this many axes; 3 counts as 2 in a 2D image.
    spacing : tuple of float, optional
        Voxel size per axis, for `scale` and the gradient.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Class of every voxel, 0 where no seed reaches. On plateaus the seed that was there
        first in scan order wins.

    Raises
    ------
    InputError
        If seeds and image do not match, or fewer than two classes are painted.

    References
    ----------
    .. [1] L. Vincent, P. Soille, "Watersheds in digital spaces: an efficient algorithm
       based on immersion simulations", IEEE TPAMI 13(6), 1991, 10.1109/34.87344.
    .. [2] P. Neubert, P. Protzel, "Compact watershed and preemptive SLIC", ICPR 2014,
       10.1109/ICPR.2014.181.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 10, 80, 80, 80]], dtype=np.uint8).repeat(3, axis=0)
    >>> seeds = np.zeros((3, 6), dtype=np.uint8)
    >>> seeds[:, 0], seeds[:, 5] = 1, 2
    >>> nss.watershed(image, seeds)[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    allowed = usable_voxels(channels, mask)
    check_seeds(seeds, allowed, "Watershed")
    progress(0.05, "gradient")
    gradient = gradient_magnitude(channels, scale, spacing, allowed)
    progress(0.4, "flooding")
    # Compiled code runs on from here and cannot be stopped half-way.
    from skimage.segmentation import watershed as flood

    labels = flood(
        gradient,
        markers=seeds.astype(np.int32),
        connectivity=min(connectivity, seeds.ndim),
        mask=allowed,
        compactness=compactness,
    )
    result: LabelArray = labels.astype(smallest_label_dtype(int(seeds.max())))
    return result


def gradient_magnitude(
    channels: tuple[ImageArray, ...],
    scale: float,
    spacing: Spacing | None,
    allowed: MaskArray | None,
) -> FloatArray:
    """Gradient magnitude after Gaussian smoothing, per physical unit, over all channels."""
    from scipy import ndimage

    step = spacing or (1.0,) * channels[0].ndim
    total = np.zeros(channels[0].shape, dtype=np.float32)
    for channel in channels:
        smooth = in_float32(channel, "Watershed")
        if allowed is not None and channel.dtype.kind == "f":
            # A finite stand-in for NaN; those voxels are outside the mask in any case.
            finite = np.isfinite(smooth)
            smooth[~finite] = smooth[finite].mean()
        if scale > 0:
            smooth = ndimage.gaussian_filter(smooth, [scale / size for size in step])
        for axis, size in enumerate(step):
            if smooth.shape[axis] > 1:
                total += np.square(np.gradient(smooth, size, axis=axis))
    return np.sqrt(total, out=total)
