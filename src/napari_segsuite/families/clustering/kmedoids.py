"""Clusters around voxels of the image itself."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...method import method
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray
from ..voxels import channels_of
from .clara import find_medoids
from .features import features_of, full_crew
from .lines import line_of
from .lloyd import label_nearest

_TITLE = "K-medoids"


@method(
    title=_TITLE,
    family="clustering",
    channels="any",
    requires=("numba",),
    bytes_per_voxel=12,
    bytes_per_channel=6,
    is_pixelwise=True,
    references=("10.1016/j.is.2021.101804", "10.1002/9780470316801", "arXiv:1701.07204"),
)
def kmedoids(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    n_clusters: Annotated[int, Ge(1), Le(64)] = 4,
    sample_size: Annotated[int, Ge(100), Le(50000)] = 4000,
    n_samples: Annotated[int, Ge(1), Le(100)] = 5,
    standardize: bool = False,
    channel_axis: int | None = None,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
) -> LabelArray:
    """Group voxels around typical ones, the medoids, with the least distances to them.

    Distances count as they are and not squared, so that outliers weigh less than for
    K-means. Of one channel the best clusters there are get found, by dynamic programming:
    exactly so for integers of up to 16 bits and for regions, to 65536 bins of the range for
    others. Of several channels medoids are looked for by FasterPAM on samples, with Euclidean
    distances, and those with the least distances to 65536 voxels are kept, as in CLARA.

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
        How many clusters. There are fewer where there are fewer different values.
    sample_size : int
        Voxels in a sample, for several channels; the time grows with the square.
    n_samples : int
        Samples, for several channels.
    standardize : bool
        Whether each channel is divided by its standard deviation, for several channels, so
        that those with a wide range do not outweigh the others.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int or Generator
        Seed of the samples, for several channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        Clusters from 1, by ascending first channel of the medoid. Halfway between two a
        voxel belongs to the one before.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than float64 holds.

    References
    ----------
    .. [1] E. Schubert, P. J. Rousseeuw, "Fast and eager k-medoids clustering", Information
       Systems 101, 2021, 10.1016/j.is.2021.101804.
    .. [2] L. Kaufman, P. J. Rousseeuw, "Finding groups in data", Wiley, 1990,
       10.1002/9780470316801.
    .. [3] A. Grønlund, K. G. Larsen, A. Mathiasen, J. S. Nielsen, "Fast exact k-means,
       k-medians and Bregman divergence clustering in 1D", 2017, arXiv:1701.07204.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[1, 2, 2, 40, 41, 250]], dtype=np.uint8)
    >>> nss.kmedoids(image, n_clusters=2)
    array([[1, 1, 1, 1, 1, 2]], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    if len(channels) == 1:
        from ...kernels.cpu.kmedoids_line import optimal_medoids

        line = line_of(channels[0], labels, mask, _TITLE)
        medoids = line.values[optimal_medoids(line.values, line.counts, n_clusters)]
        halfway = medoids[:-1] + np.diff(medoids) / 2
        return line.label_clusters(np.searchsorted(halfway, line.values))
    points = features_of(channels, labels, mask, standardize, _TITLE)
    drawing = np.random.default_rng(rng)
    centres = find_medoids(points, n_clusters, sample_size, n_samples, drawing, progress)
    with full_crew() as crew:
        found = label_nearest(points, centres, partial(progress, 0.95, "labels"), crew)
    return points.on_grid(found)
