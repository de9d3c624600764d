"""Region growing: each class takes the connected voxels whose values are like its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...errors import InputError, ParameterError
from ...label_values import smallest_label_dtype
from ...method import method
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from ..threshold.connected import connected_to
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
    iterations: Annotated[int, Ge(0), Le(100)] = 0,
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
        `multiplier` standard deviations around the mean of the seeds and their neighbours,
        and can refine both by `iterations`, as ConfidenceConnected does in ITK.
    tolerance : float, optional
        Largest difference from the mean, in units of intensity; for "tolerance" only, which
        needs it.
    multiplier : float
        Largest difference from the mean in standard deviations; for "confidence" only.
    iterations : int
        How often the regions are grown anew, each from its seeds, by the mean and deviation
        of the voxels that it had; for "confidence" only. Seeds of a few voxels need it.
        With strokes 0 is best: regions of several classes drift together.
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
    if algorithm == "tolerance":
        share = (tolerance or 0.0) / scale.range if scale.range else 1.0
        starts = (_likeness(field, seeds == value, 1.0)._replace(reach=share) for value in classes)
        labels = _grown(field, classes, starts, progress)
    else:
        labels = _confident(field, classes, multiplier, iterations, progress)
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
    field: _Field, classes: Sequence[int], multiplier: float, iterations: int, progress: Progress
) -> LabelArray:
    """Grow the regions, again and again by the likeness of the last ones."""
    from scipy import ndimage

    cube = np.ones((3,) * field.seeds.ndim)
    around = (ndimage.binary_dilation(field.seeds == value, cube) for value in classes)
    likenesses = (_likeness(field, region, multiplier) for region in around)
    labels = _grown(field, classes, likenesses, part_of(progress, 0, 1 / (iterations + 1)))
    for turn in range(1, iterations + 1):
        before = labels
        likenesses = (_likeness(field, before == value, multiplier) for value in classes)
        part = part_of(progress, turn / (iterations + 1), (turn + 1) / (iterations + 1))
        labels = _grown(field, classes, likenesses, part)
        if np.array_equal(labels, before):
            break
    return labels


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


def _grown(
    field: _Field, classes: Sequence[int], likenesses: Iterable[_Likeness], progress: Progress
) -> LabelArray:
    """Grow every class; of several that reach a voxel it goes to the one it fits best."""
    labels = np.zeros(field.seeds.shape, smallest_label_dtype(classes[-1]))
    least = np.full(field.seeds.shape, np.inf, dtype=np.float32)
    for k, (value, likeness) in enumerate(zip(classes, likenesses, strict=True)):
        progress(k / len(classes), "growing")
        misfit = _misfit(field.channels, likeness)
        takes = _region(field, value, misfit)
        takes &= misfit < least
        labels[takes], least[takes] = value, misfit[takes]
    for value in classes:
        labels[field.seeds == value] = value
    if field.allowed is not None:
        labels[~field.allowed] = 0
    return labels


def _region(field: _Field, value: int, misfit: FloatArray) -> MaskArray:
    """What is like a class and connected to its seeds."""
    inside = misfit <= 1
    inside &= field.seeds == 0
    own = field.seeds == value
    inside |= own
    if field.allowed is not None:
        inside &= field.allowed
        own &= field.allowed
    return connected_to(own, inside, field.connectivity)


def _misfit(channels: Sequence[FloatArray], likeness: _Likeness) -> FloatArray:
    """Root mean square, over channels, of the difference in units of the reach."""
    # Rounding shall not leave out the seeds of a class without any spread.
    reach = np.maximum(np.broadcast_to(likeness.reach, likeness.mean.shape), 1e-6)
    misfit = np.zeros(channels[0].shape, dtype=np.float32)
    for z, plane in enumerate(misfit):
        for channel, mean, unit in zip(channels, likeness.mean, reach, strict=True):
            plane += np.square((channel[z] - mean) / unit) / len(channels)
    return np.sqrt(misfit, out=misfit)
