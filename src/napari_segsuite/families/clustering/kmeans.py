"""Clusters of least variance."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...method import method
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray
from ..voxels import channels_of
from .features import features_of, full_crew
from .lines import line_of, segment_of
from .lloyd import fit_centres, label_nearest

_TITLE = "K-means"


@method(
    title=_TITLE,
    family="clustering",
    channels="any",
    requires=("numba",),
    bytes_per_voxel=12,
    bytes_per_channel=6,
    is_pixelwise=True,
    preview="volume",
    references=("10.1109/TIT.1982.1056489", "10.32614/RJ-2011-015", "10.5555/1283383.1283494"),
)
def kmeans(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    n_clusters: Annotated[int, Ge(1), Le(64)] = 4,
    n_init: Annotated[int, Ge(1), Le(100)] = 5,
    max_iterations: Annotated[int, Ge(1), Le(10000)] = 100,
    standardize: bool = False,
    channel_axis: int | None = None,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
) -> LabelArray:
    """Group voxels into clusters of like intensity, with the least squares to their means.

    Of one channel the best clusters there are get found, by dynamic programming: exactly so
    for integers of up to 16 bits and for regions, to 65536 bins of the range for others. Of
    several channels it is the best of several starts, each improved by Lloyd's iterations,
    on 32768 voxels first and then on all.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` voxels are compared by all channels. NaN and
        infinite voxels stay 0.
    labels : (M, N[, P]) unsigned integer array, optional
        Regions, such as superpixels. Their mean intensities are clustered in place of
        voxels, each weighted by its size, and a region's voxels share its cluster. Region 0
        stays 0.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others stay 0.
    n_clusters : int
        How many clusters. There are fewer where there are fewer different values, and in
        rare cases where one is left without voxels.
    n_init : int
        Starts, for several channels; more take longer and may find better clusters.
    max_iterations : int
        Iterations at most from each start, for several channels.
    standardize : bool
        Whether each channel is divided by its standard deviation, for several channels, so
        that those with a wide range do not outweigh the others.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int or Generator
        Seed of the starts and the sample, for several channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        Clusters from 1, by ascending mean of the first channel.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than float64 holds.

    References
    ----------
    .. [1] S. P. Lloyd, "Least squares quantization in PCM", IEEE Trans Inf Theory 28(2),
       1982, 10.1109/TIT.1982.1056489.
    .. [2] H. Wang, M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by
       dynamic programming", The R Journal 3(2), 2011, 10.32614/RJ-2011-015.
    .. [3] D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA
       2007, 10.5555/1283383.1283494.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> nss.kmeans(np.array([[90, 1, 2, 40, 42, 91]], dtype=np.uint8), n_clusters=3)
    array([[3, 1, 1, 2, 2, 3]], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    if len(channels) == 1:
        from ...kernels.cpu.optimal_segments import optimal_segments

        line = line_of(channels[0], labels, mask, _TITLE)
        starts = optimal_segments(line.values, line.counts, n_clusters)
        return line.label_clusters(segment_of(starts, len(line.values)))
    points = features_of(channels, labels, mask, standardize, _TITLE)
    drawing = np.random.default_rng(rng)
    with full_crew() as crew:
        centres = fit_centres(points, n_clusters, n_init, max_iterations, drawing, progress, crew)
        found = label_nearest(points, centres, partial(progress, 0.95, "labels"), crew)
    return points.on_grid(found)
