"""Region growing: each class takes the connected voxels whose values are like its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...errors import InputError, ParameterError
from ...label_values import smallest_label_dtype
from ...method import method
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from ..voxels import channels_of, check_any_usable, usable_voxels
from .intensity_scale import measure, scaled
from .seeds import painted_classes

_TITLE = "Region growing"


@method(
    title=_TITLE,
    family="seeded",
    channels="any",
    bytes_per_voxel=30,
    bytes_per_channel=4,
    references=("10.1109/34.295913", "https://itk.org/ItkSoftwareGuide.pdf"),
)
def region_growing(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    algorithm: Literal["tolerance", "confidence"] = "confidence",
    tolerance: Annotated[float | None, Gt(0)] = None,
    multiplier: Annotated[float, Gt(0), Le(100)] = 2.5,
    iterations: Annotated[int, Ge(0), Le(100)] = 5,
    connectivity: Annotated[int, Ge(1), Le(3)] = 1,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Let each class grow over the connected voxels that are like it.

    The misfit of a voxel to a class is its distance from the mean of the class, in units of
    what is tolerated; of several channels, the root mean square. A class grows from its seeds
    over neighbours with a misfit of at most 1. Where classes overlap, a voxel goes to the
    one it fits better. One class alone may be painted.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels stay
        unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; at least one class. Seeds keep their class.
    mask : (M, N[, P]) bool array, optional
        Where regions may grow; voxels outside stay 0.
    algorithm : {"tolerance", "confidence"}
        "tolerance" allows `tolerance` around the mean of the seeds. "confidence" allows
        `multiplier` standard deviations around the mean of the region, which begins with the
        seeds and their neighbours, and is grown anew from the seeds with each iteration's
        mean and deviation, as ConfidenceConnected does in ITK.
    tolerance : float, optional
        Largest difference from the mean, in units of intensity; for "tolerance" only, which
        needs it.
    multiplier : float
        Largest difference from the mean in standard deviations; for "confidence" only.
    iterations : int
        How often the region is grown anew; for "confidence" only.
    connectivity : int
        Neighbours differ in at most this many axes; 3 counts as 2 in a 2D image.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Class of every voxel, 0 where none grew. Of classes that fit equally the lowest wins.

    Raises
    ------
    InputError
        If seeds and image do not match, or nothing is painted.
    ParameterError
        If "tolerance" is chosen without a tolerance.

    References
    ----------
    .. [1] R. Adams, L. Bischof, "Seeded region growing", IEEE TPAMI 16(6), 1994,
       10.1109/34.295913.
    .. [2] H. Johnson, M. McCormick, L. Ibanez, "The ITK Software Guide", region growing.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 12, 11, 80, 10, 12]], dtype=np.uint8)
    >>> seeds = np.array([[1, 0, 0, 0, 0, 0]], dtype=np.uint8)
    >>> nss.region_growing(image, seeds, algorithm="tolerance", tolerance=5)
    array([[1, 1, 1, 0, 0, 0]], dtype=uint8)
    """
    if algorithm == "tolerance" and tolerance is None:
        raise ParameterError(
            f'{_TITLE}: expected a tolerance for the algorithm "tolerance", got none; give the '
            "largest difference from the mean of the seeds.",
            name="tolerance",
        )
    channels = channels_of(image, channel_axis)
    allowed = usable_voxels(channels, mask)
    check_any_usable(allowed, _TITLE)
    classes = _checked_classes(seeds, allowed)
    scale = measure(channels, allowed, _TITLE)
    progress(0.0, "intensities")
    planes = tuple(scaled(channel, allowed, scale) for channel in channels)
    field = _Field(planes, seeds, allowed, min(connectivity, seeds.ndim))
    least = np.full(seeds.shape, np.inf, dtype=np.float32)
    labels = np.zeros(seeds.shape, smallest_label_dtype(classes[-1]))
    for k, value in enumerate(classes):
        report = part_of(progress, k / len(classes), (k + 1) / len(classes))
        if algorithm == "tolerance":
            share = (tolerance or 0.0) / scale.range if scale.range else 1.0
            likeness = _likeness(field, seeds == value, 1.0)._replace(reach=share)
            region, misfit = _grown(field, value, likeness)
            report(1.0, "growing")
        else:
            region, misfit = _confident(field, value, multiplier, iterations, report)
        takes = region & (misfit < least)
        labels[takes], least[takes] = value, misfit[takes]
    for value in classes:
        labels[seeds == value] = value
    if allowed is not None:
        labels[~allowed] = 0
    progress(1.0)
    return labels


class _Field(NamedTuple):
    """Where regions grow: intensities in [0, 1], seeds, and which voxels are neighbours."""

    channels: tuple[FloatArray, ...]
    seeds: LabelArray
    allowed: MaskArray | None
    connectivity: int


class _Likeness(NamedTuple):
    """Mean of a class per channel, and the difference from it that counts as a misfit of 1."""

    mean: NDArray[np.float64]
    reach: NDArray[np.float64] | float


def _checked_classes(seeds: LabelArray, allowed: MaskArray | None) -> list[int]:
    if seeds.dtype.kind not in "ui" or (seeds.dtype.kind == "i" and seeds.min() < 0):
        raise InputError(
            f"{_TITLE}: expected whole numbers >= 0 as seeds, got {seeds.dtype} from "
            f"{seeds.min()}; convert the seeds to a labels layer."
        )
    classes = painted_classes(seeds, allowed)
    if not classes:
        where = " inside the mask" if seeds.any() else ""
        raise InputError(
            f"{_TITLE}: expected seeds of at least one class, got none{where}; paint a stroke."
        )
    return classes


def _confident(
    field: _Field, value: int, multiplier: float, iterations: int, progress: Progress
) -> tuple[MaskArray, FloatArray]:
    """Grow the region of a class, again and again by the likeness of the last one."""
    from scipy import ndimage

    cube = ndimage.generate_binary_structure(field.seeds.ndim, field.seeds.ndim)
    region: MaskArray = ndimage.binary_dilation(field.seeds == value, cube)
    if field.allowed is not None:
        region &= field.allowed
    for turn in range(iterations + 1):
        progress(turn / (iterations + 1), "growing")
        likeness = _likeness(field, region, multiplier)
        before = region
        region, misfit = _grown(field, value, likeness)
        if turn and np.array_equal(region, before):
            break
    return region, misfit


def _likeness(field: _Field, region: MaskArray, multiplier: float) -> _Likeness:
    """Mean and multiplied standard deviation within a region, per channel."""
    if field.allowed is not None:
        region = region & field.allowed
    sums = np.zeros((3, len(field.channels)))
    for planes, inside in _planes(field, region):
        values = np.stack([plane[inside].astype(np.float64) for plane in planes])
        sums += [np.full(len(planes), inside.sum()), values.sum(1), np.square(values).sum(1)]
    count, mean = sums[0], sums[1] / sums[0]
    spread = np.maximum(sums[2] / count - mean * mean, 0) * count / np.maximum(count - 1, 1)
    return _Likeness(mean, multiplier * np.sqrt(spread))


def _planes(field: _Field, region: MaskArray) -> Iterator[tuple[Sequence[FloatArray], MaskArray]]:
    """The channels' planes that a region touches, and where it does."""
    for z, inside in enumerate(region):
        if inside.any():
            yield [channel[z] for channel in field.channels], inside


def _grown(field: _Field, value: int, likeness: _Likeness) -> tuple[MaskArray, FloatArray]:
    """The region connected to the seeds of a class, and the misfit of every voxel."""
    from scipy import ndimage

    misfit = _misfit(field.channels, likeness)
    inside = misfit <= 1
    inside &= field.seeds == 0
    inside |= field.seeds == value
    if field.allowed is not None:
        inside &= field.allowed
    structure = ndimage.generate_binary_structure(inside.ndim, field.connectivity)
    parts, count = ndimage.label(inside, structure)
    is_seeded = np.zeros(count + 1, dtype=np.bool_)
    is_seeded[parts[(field.seeds == value) & inside]] = True
    region: MaskArray = is_seeded[parts]
    return region, misfit


def _misfit(channels: Sequence[FloatArray], likeness: _Likeness) -> FloatArray:
    """Root mean square, over channels, of the difference in units of the reach."""
    # Rounding shall not leave out the seeds of a class without any spread.
    reach = np.maximum(np.broadcast_to(likeness.reach, likeness.mean.shape), 1e-6)
    misfit = np.zeros(channels[0].shape, dtype=np.float32)
    for z, plane in enumerate(misfit):
        for channel, mean, unit in zip(channels, likeness.mean, reach, strict=True):
            plane += np.square((channel[z] - mean) / unit) / len(channels)
    return np.sqrt(misfit, out=misfit)
