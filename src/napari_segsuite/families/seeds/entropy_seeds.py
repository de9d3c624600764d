"""Seeds of classes where an image is locally most uniform."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...errors import ParameterError
from ...method import Extras, method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..clustering.kmeans import kmeans
from ..histogram import histogram_of
from ..voxels import channels_of, check_any_usable, usable_voxels

_TITLE = "Entropy seeds"
# A box around a ball of 50 voxels' radius; more takes hours.
_MOST_NEIGHBOURS = 1 << 20


@method(
    title=_TITLE,
    family="seeds",
    channels="any",
    extras=("entropy",),
    bytes_per_voxel=48,
    bytes_per_channel=1,
    requires=("numba",),
    references=("10.1002/j.1538-7305.1948.tb01338.x", "10.1109/TIT.1982.1056489"),
)
def entropy_seeds(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    n_classes: Annotated[int, Ge(2), Le(64)] = 4,
    radius: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    min_distance: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    min_volume: Annotated[float, Ge(0), Unit("physical³")] = 0.0,
    grey_levels: Annotated[int, Ge(2), Le(256)] = 64,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    rng: int | np.random.Generator = 0,
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Paint seeds where the image is locally most uniform and sort them into classes.

    Each channel is reduced to a few grey levels and the entropy of the levels around every
    voxel computed, of several channels the mean. Voxels of less or equal entropy than all
    near them, joined by faces, edges and corners, are the seeds: within tissues and fields,
    not on borders. Seeds are clustered by their mean grey levels in all channels by
    K-means, in which a seed counts by the square root of its volume, so that a large empty
    background does not take several classes.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels are left
        unpainted.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others are left unpainted.
    n_classes : int
        Number of classes. There are fewer where fewer different seeds are found.
    radius : float
        Radius of the ball or disk in which entropy is measured, in the image's unit or in
        pixels, and one voxel along each axis at least.
    min_distance : float
        A seed is of the lowest entropy in a box that reaches so far along each axis, in the
        image's unit or in pixels, and one voxel at least.
    min_volume : float
        Drop seeds smaller than this: a volume in 3D, such as mm³, an area in 2D, in the
        image's unit or in voxels.
    grey_levels : int
        Levels of equal width between the 0.1st and the 99.9th percentile of each channel;
        the fewer, the less noise counts. Levels beyond these ends join the last ones.
    spacing : tuple of float, optional
        Voxel size per axis.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int or Generator
        Seed of the clustering.
    extras : Extras, optional
        "entropy": the local entropy in bits (float32), 0 where voxels do not count.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        Classes 1 … K by ascending mean of all channels, 0 = unpainted.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than float64 holds.
    ParameterError
        If `radius` is more than about 50 voxels, in 3D.

    References
    ----------
    .. [1] C. E. Shannon, "A mathematical theory of communication", Bell System Technical
       Journal 27(3), 1948, 10.1002/j.1538-7305.1948.tb01338.x.
    .. [2] S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans Inf Theory 28(2),
       1982, 10.1109/TIT.1982.1056489.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.repeat(np.array([[10, 10, 10, 90, 90, 90]], dtype=np.uint8), 3, axis=0)
    >>> nss.entropy_seeds(image, n_classes=2)[1]
    array([1, 1, 0, 0, 2, 2], dtype=uint8)
    """
    steps = spacing or (1.0,) * (image.ndim - (channel_axis is not None))
    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    levels = [_grey_levels(channel, usable, grey_levels) for channel in channels]
    progress(0.1, "entropy")
    entropy = _mean_entropy(
        levels, _ball(radius, steps, levels[0].shape), usable, part_of(progress, 0.1, 0.6)
    )
    progress(0.6, "minima")
    regions, sizes = _lowest_regions(entropy, min_distance, steps, usable)
    if extras is not None and "entropy" in extras.wanted:
        extras["entropy"] = entropy
    del entropy
    progress(0.8, "regions")
    # Rounding must not make a region of exactly this volume too small.
    kept = np.flatnonzero(sizes >= max(1.0, min_volume / math.prod(steps) * (1 - 1e-9)))
    if len(kept) == 0:
        return np.zeros(regions.shape, dtype=np.uint8)
    means = [_means(level, regions, sizes)[kept] for level in levels]
    progress(0.95, "classes")
    of_region = np.zeros(len(sizes), dtype=np.uint8)
    of_region[kept] = _classes(np.stack(means, axis=-1), sizes[kept], n_classes, rng)
    seeds: LabelArray = of_region[regions]
    return seeds


def _grey_levels(channel: ImageArray, usable: MaskArray | None, count: int) -> LabelArray:
    histogram = histogram_of(channel, usable, _TITLE)
    low, high = histogram.usual_range()
    share = (np.clip(histogram.values, low, high) - low) / ((high - low) or 1.0)
    level = np.minimum(share * count, count - 1).astype(np.uint8)
    return histogram.label(level)


def _ball(radius: float, steps: Spacing, shape: tuple[int, ...]) -> MaskArray:
    """The voxels of a ball, or of an ellipsoid where it would be thinner than a voxel."""
    reaches = [max(1.0, radius / step) for step in steps]
    # What reaches beyond the image from everywhere in it says nothing.
    whole = [int(min(reach + 1e-6, n)) for reach, n in zip(reaches, shape, strict=True)]
    if math.prod(2 * n + 1 for n in whole) > _MOST_NEIGHBOURS:
        raise ParameterError(
            f"{_TITLE}: 'radius' must leave at most {_MOST_NEIGHBOURS} voxels around each, got "
            f"{radius}; choose a smaller one.",
            name="radius",
        )
    offsets = np.meshgrid(
        *(np.arange(-n, n + 1) / reach for n, reach in zip(whole, reaches, strict=True)),
        indexing="ij",
    )
    squares: Any = sum(offset * offset for offset in offsets)
    return np.asarray(squares <= 1 + 1e-6)


def _mean_entropy(
    levels: Sequence[LabelArray],
    ball: MaskArray,
    usable: MaskArray | None,
    progress: Progress,
) -> FloatArray:
    from ...kernels.cpu.local_entropy import local_entropy, n_pieces

    total = np.zeros(levels[0].shape, dtype=np.float32)
    done = _counter(progress, len(levels) * n_pieces(total.shape), "entropy")
    for level in levels:
        total += local_entropy(level, ball, usable, done)
    total /= len(levels)
    if usable is not None:
        total[~usable] = 0
    return total


def _counter(progress: Progress, n_steps: int, message: str) -> Callable[[], None]:
    """A call per step, to be made as often as said."""
    reports = iter([partial(progress, (i + 1) / n_steps, message) for i in range(n_steps)])
    return lambda: next(reports)()


def _lowest_regions(
    entropy: FloatArray, min_distance: float, steps: Spacing, usable: MaskArray | None
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the regions that nothing near has less entropy than; and their voxels."""
    from scipy import ndimage

    reach = [max(1, int(min_distance / step + 1e-6)) for step in steps]
    if usable is None:
        lowest = ndimage.minimum_filter(entropy, [2 * n + 1 for n in reach])
        is_seed = entropy <= lowest
    else:
        high = np.where(usable, entropy, np.float32(np.inf))
        lowest = ndimage.minimum_filter(high, [2 * n + 1 for n in reach])
        is_seed = usable & (entropy <= lowest)
    del lowest
    regions, _ = ndimage.label(is_seed, np.ones((3,) * entropy.ndim))
    sizes = np.bincount(regions.reshape(-1))
    sizes[0] = 0
    return regions, sizes


def _means(level: LabelArray, regions: NDArray[np.int32], sizes: NDArray[np.int64]) -> FloatArray:
    from scipy import ndimage

    sums = ndimage.sum_labels(level, regions, np.arange(len(sizes)))
    means: FloatArray = (sums / np.maximum(sizes, 1)).astype(np.float32)
    return means


def _classes(
    means: FloatArray, sizes: NDArray[np.int64], n_classes: int, rng: int | np.random.Generator
) -> NDArray[np.uint8]:
    """Class of each region, by ascending mean of all channels."""
    times = np.rint(np.sqrt(sizes)).astype(np.int64)
    # A region stands in a row of pixels as often as it counts.
    row = np.repeat(means, times, axis=0)[np.newaxis]
    found = kmeans(row, n_clusters=n_classes, channel_axis=-1, rng=rng)[0]
    centres = [row[0][found == label].mean() for label in range(1, int(found.max()) + 1)]
    rank = np.zeros(len(centres) + 1, dtype=np.uint8)
    rank[1 + np.argsort(centres, kind="stable")] = np.arange(1, len(centres) + 1)
    first = np.cumsum(times) - times
    classes: NDArray[np.uint8] = rank[found[first]]
    return classes
