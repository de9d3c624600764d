"""Bringing an image and its seeds into the form the GrowCut kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...label_values import smallest_label_dtype
from ...typing import ImageArray, LabelArray, MaskArray
from ..intensities import in_float32
from .seeds import check_seeds

_KERNEL_DTYPES = ("uint8", "uint16", "int16", "float32")


class GrowcutInputs(NamedTuple):
    """What a kernel is given.

    Attributes
    ----------
    features : (C, M, N[, P]) array of uint8, uint16, int16 or float32
    seeds : (M, N[, P]) array of uint8, uint16 or uint32
    contrast : float
        The largest feature difference the image can hold: over the usable voxels, the
        Euclidean norm of the channels' ranges.
    mask : (M, N[, P]) bool array or None
    """

    features: NDArray[Any]
    seeds: LabelArray
    contrast: float
    mask: MaskArray | None


def prepare(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    channel_axis: int | None = None,
) -> GrowcutInputs:
    """Check and convert; nothing is copied that is in a usable type already.

    Raises
    ------
    InputError
        If the seeds cannot be grown from; see `check_seeds`.
    """
    planes = channels_first(image, channel_axis)
    check_seeds(seeds, mask, "GrowCut")
    return GrowcutInputs(
        features=in_kernel_dtype(planes),
        seeds=seeds.astype(smallest_label_dtype(int(seeds.max())), copy=False),
        contrast=largest_difference(planes, mask),
        mask=mask,
    )


def channels_first(image: ImageArray, channel_axis: int | None) -> NDArray[Any]:
    """View of an image as (C, M, N[, P])."""
    return image[np.newaxis] if channel_axis is None else np.moveaxis(image, channel_axis, 0)


def largest_difference(planes: NDArray[Any], mask: MaskArray | None) -> float:
    """Euclidean norm over channels of (max - min) over finite voxels inside the mask."""
    ranges = [_range(channel, mask) for channel in planes]
    return float(np.linalg.norm(ranges))


def _range(channel: NDArray[Any], mask: MaskArray | None) -> float:
    """Plane by plane, so that no temporary is as large as the volume."""
    low, high = np.inf, -np.inf
    for index, plane in enumerate(channel):
        usable = np.isfinite(plane) if plane.dtype.kind == "f" else None
        if mask is not None:
            usable = mask[index] if usable is None else usable & mask[index]
        values = plane if usable is None or usable.all() else plane[usable]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return max(high - low, 0.0)


def in_kernel_dtype(planes: NDArray[Any]) -> NDArray[Any]:
    """The planes in a type the kernels take, without a copy where they are in one."""
    if planes.dtype.name in _KERNEL_DTYPES:
        return planes
    if planes.dtype == bool:
        return planes.view(np.uint8)
    return planes.astype(np.int16) if planes.dtype == np.int8 else in_float32(planes, "GrowCut")


def check_growth_settings(
    title: str,
    ndim: int,
    connectivity: int,
    cost: str,
    spacing: Sequence[float] | None,
    locality: float,
) -> None:
    """Check what decides how seeds grow on a grid of `ndim` axes.

    Raises
    ------
    ParameterError
        If a setting is out of range.
    """
    if connectivity not in (1, 2, 3):
        raise ParameterError(
            f"{title}: expected a connectivity of 1, 2 or 3, got {connectivity!r}; "
            f"1 means faces, 2 edges too, 3 corners too.",
            name="connectivity",
        )
    if cost not in ("growcut", "slicer"):
        raise ParameterError(
            f'{title}: expected the cost "growcut" or "slicer", got {cost!r}; pick one of them.',
            name="cost",
        )
    if not (np.isfinite(locality) and locality >= 0):
        raise ParameterError(
            f"{title}: expected a locality >= 0, got {locality!r}; 0 switches it off.",
            name="locality",
        )
    if spacing is not None and (
        len(spacing) != ndim or not all(np.isfinite(s) and s > 0 for s in spacing)
    ):
        raise ParameterError(
            f"{title}: expected {ndim} positive voxel sizes as spacing, got {tuple(spacing)}; "
            f"give one per spatial axis.",
            name="spacing",
        )
