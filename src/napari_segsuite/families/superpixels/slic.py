"""SLIC: compact superpixels by k-means around a grid of centres."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from ...errors import ParameterError
from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..voxels import channels_of, check_any_usable, usable_voxels
from .scaled_channels import scaled_channels, smooth

_TITLE = "SLIC superpixels"
# Like L* of colours, so that compactness means about the same for them.
_TOP = 100.0
# Smaller parts than this share of the mean superpixel are merged with a neighbour.
_SMALLEST = 0.25

Colour = Literal["automatic", "as given", "lab"]


@method(
    title=_TITLE,
    family="superpixels",
    channels="any",
    requires=("numba",),
    # Of which up to 6 for the scattered parts that noise falls into before they are joined.
    bytes_per_voxel=24,
    bytes_per_channel=4,
    references=(
        "10.1109/TPAMI.2012.120",
        "10.1109/ICPR.2014.181",
        "https://arxiv.org/abs/1606.09518",
    ),
)
def slic(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    n_superpixels: Annotated[int, Ge(2), Le(10_000_000)] = 1000,
    compactness: Annotated[float, Gt(0), Le(1e6)] = 10.0,
    scale: Annotated[float, Ge(0), Le(100), Unit("physical")] = 0.0,
    adaptive: bool = False,
    max_iterations: Annotated[int, Ge(1), Le(1000)] = 10,
    colour: Colour = "automatic",
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Cut the image into compact regions of about equal size that keep to its edges.

    Centres start on a regular grid; each voxel goes to the centre that is nearest in
    intensity and position, and each centre moves to the mean of its voxels, in turn. At the
    end superpixels are made connected: parts of less than a quarter of the mean volume join
    the neighbour they share the most border with.

    Intensities are scaled so that but for a thousandth at either end they span 0 to 100 in
    each channel, and of several channels the mean square counts.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities, or colours with `channel_axis`. NaN and infinite voxels stay 0.
    mask : (M, N[, P]) bool array, optional
        Where superpixels may lie; the centres start inside and voxels outside stay 0.
    n_superpixels : int
        About how many to make.
    compactness : float
        Difference of intensity, of 100, that weighs as much as the distance between two
        centres. Higher values give rounder superpixels, lower ones follow edges more.
    scale : float
        Standard deviation of the Gaussian that smooths the image first, in the image's unit
        or in pixels.
    adaptive : bool
        Give each superpixel its own compactness, the largest difference of intensity within
        it, so that they are as round in texture as in flat parts (SLIC-zero). `compactness`
        is where this starts; it never falls below a tenth of that.
    max_iterations : int
        Iterations, fewer if the centres come to rest.
    colour : {"automatic", "as given", "lab"}
        Whether three channels are red, green and blue, to be compared as L*a*b*. Automatic:
        where they are three channels of 8 bits that are not all equal. Unsigned integers
        count from 0 to the largest of their type, other values from 0 to 1, and those that go
        beyond as scaled in each channel.
    spacing : tuple of float, optional
        Voxel size per axis, for the grid and all distances.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Superpixels 1 … K in scan order, joined by faces; 0 outside of the mask.

    Raises
    ------
    InputError
        If no voxel is finite and inside the mask.
    ParameterError
        If L*a*b* is asked for and there are not three channels.

    References
    ----------
    .. [1] R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel
       methods", IEEE TPAMI 34(11), 2012, 10.1109/TPAMI.2012.120.
    .. [2] B. Irving, "maskSLIC: regional superpixel generation with application to local
       pathology characterisation in medical images", 2016, arXiv:1606.09518.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 10, 80, 80, 80]], dtype=np.uint8).repeat(3, axis=0)
    >>> nss.slic(image, n_superpixels=2)[0]
    array([1, 1, 1, 2, 2, 2], dtype=uint8)
    """
    from ...kernels.cpu.slic_regions import connect

    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    progress(0.0, "scaling intensities")
    features = _features(channels, usable, colour)
    smooth(features, usable, scale, spacing, part_of(progress, 0.02, 0.1))
    step = (1.0,) * (3 - channels[0].ndim) + (spacing or (1.0,) * channels[0].ndim)
    counted = _as_volume(np.ones(channels[0].shape, bool) if usable is None else usable)
    labels, count = _clusters(
        features.reshape(len(features), *counted.shape),
        counted,
        n_superpixels,
        (step, compactness, adaptive),
        max_iterations,
        part_of(progress, 0.1, 0.8),
    )
    del features
    smallest = _SMALLEST * counted.sum() / count
    report = part_of(progress, 0.8, 1.0)
    regions, n_regions = connect(labels, counted, smallest, lambda share: report(share, "joining"))
    return regions.reshape(channels[0].shape).astype(smallest_label_dtype(n_regions))


def _as_volume(array: Any) -> Any:
    """An image as a volume of one plane; a volume as it is, in C order."""
    return np.ascontiguousarray(array.reshape((1,) * (3 - array.ndim) + array.shape))


def _clusters(
    features: FloatArray,
    counted: MaskArray,
    n_superpixels: int,
    metric: tuple[Any, float, bool],
    iterations: int,
    progress: Progress,
) -> tuple[Any, int]:
    """Superpixels that need not be connected, from 0, and how many there are."""
    from ...kernels.cpu.slic import Metric, cluster, row_pieces
    from ...kernels.cpu.slic_seeds import seed_cells

    seeds = seed_cells(counted, n_superpixels, metric[0])
    total, done = iterations * len(row_pieces(counted.shape)), 0

    def report() -> None:
        nonlocal done
        progress(done / total, "moving centres")
        done += 1

    cluster(features, counted, seeds, Metric(*metric), iterations, report)
    return seeds.labels, seeds.number


def _features(
    channels: tuple[ImageArray, ...], usable: MaskArray | None, colour: Colour
) -> FloatArray:
    """What voxels are compared by, in units of a hundredth of the range."""
    if colour == "lab" and len(channels) != 3:
        raise ParameterError(
            f"{_TITLE}: expected three channels (red, green, blue) for colour 'lab', got "
            f"{len(channels)}; choose 'as given'.",
            name="colour",
        )
    if colour == "lab" or (colour == "automatic" and _is_colourful(channels)):
        return _lab(channels, usable)
    features = scaled_channels(channels, usable, _TITLE, _TOP)
    features *= len(channels) ** -0.5
    return features


def _is_colourful(channels: tuple[ImageArray, ...]) -> bool:
    """Whether these are three channels of 8 bits that differ."""
    return (
        len(channels) == 3
        and channels[0].dtype == np.uint8
        and not all(np.array_equal(channels[0], other) for other in channels[1:])
    )


def _lab(channels: tuple[ImageArray, ...], usable: MaskArray | None) -> FloatArray:
    """L*a*b* of red, green and blue."""
    from ...kernels.cpu.slic_lab import to_lab

    is_unsigned = channels[0].dtype.kind == "u"
    if is_unsigned or _are_shares(channels, usable):
        colours = np.stack(channels).astype(np.float32)
        colours /= np.iinfo(channels[0].dtype).max if is_unsigned else 1
        if usable is not None:
            colours[:, ~usable] = 0
    else:
        colours = scaled_channels(channels, usable, _TITLE, 1.0)
    to_lab(colours)
    return colours


def _are_shares(channels: tuple[ImageArray, ...], usable: MaskArray | None) -> bool:
    """Whether all values lie between 0 and 1."""
    where: Any = True if usable is None else usable
    return all(
        channel.min(where=where, initial=0) >= 0 and channel.max(where=where, initial=1) <= 1
        for channel in channels
    )
