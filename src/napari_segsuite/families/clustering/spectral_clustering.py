"""Spectral clustering of superpixels: normalised cuts of a graph of regions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...label_values import smallest_label_dtype
from ...method import Extras, method
from ...progress import SILENT, Progress, part_of
from ...typing import ImageArray, LabelArray, MaskArray, Spacing
from ..regions import RegionFeatures, numbered_regions, region_features
from ..superpixels.slic import slic
from ..voxels import channels_of, check_any_usable, usable_voxels
from .normalized_cut import normalized_cut
from .ordering import ascending
from .region_graph import affinity_graph

_TITLE = "Spectral clustering"


@method(
    title=_TITLE,
    family="clustering",
    channels="any",
    extras=("superpixels",),
    bytes_per_voxel=32,
    bytes_per_channel=4,
    requires=("numba",),
    references=(
        "10.1109/34.868688",
        "https://www.jmlr.org/papers/v7/bach06b.html",
        "10.1109/ICCV.2003.1238361",
    ),
)
def spectral_clustering(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    n_clusters: Annotated[int, Ge(2), Le(255)] = 4,
    n_superpixels: Annotated[int, Ge(2), Le(100_000)] = 1000,
    features: Literal["mean", "spread", "texture"] = "mean",
    position_weight: Annotated[float, Ge(0), Le(100)] = 0.0,
    neighbours: Annotated[int, Ge(0), Le(100)] = 10,
    sigma: Annotated[float | None, Gt(0), Le(1000)] = None,
    assign: Literal["kmeans", "discretize"] = "kmeans",
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    rng: int = 0,
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Cut the image into clusters of superpixels that have little in common.

    Superpixels are joined where they touch and where they look alike, however far apart, so
    that objects of the same tissue share a cluster; the graph is then cut where it loses
    least (normalised cuts). Intensities are compared in standard deviations over the
    superpixels of each channel.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels become 0.
    labels : (M, N[, P]) array of whole numbers, optional
        Superpixels to cluster, 0 = none; those of SLIC by default.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become 0.
    n_clusters : int
        Clusters. There are fewer where fewer superpixels differ.
    n_superpixels : int
        How many superpixels SLIC aims at; thin tissues need many.
    features : {"mean", "spread", "texture"}
        What superpixels are compared by: the mean of each channel; also its standard
        deviation; also the mean difference of neighbouring voxels.
    position_weight : float
        How much their places count as well: 1 lets them spread as the intensities do. 0 cares
        only for looks.
    neighbours : int
        Each superpixel is joined to so many that look most alike; 0 leaves only those that
        touch, for clusters in one piece.
    sigma : float, optional
        Difference, in standard deviations, at which two superpixels have little in common; by
        default half the root mean square of the differences along the graph.
    assign : {"kmeans", "discretize"}
        How superpixels are given to clusters in the end: by K-means of the eigenvectors, or by
        the rotation that brings these closest to a partition.
    spacing : tuple of float, optional
        Voxel size per axis.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int
        Seed.
    extras : Extras, optional
        "superpixels": what was clustered, numbered from 1 (uint32).
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Clusters 1 … K from the darkest to the brightest mean of the first channel.

    Raises
    ------
    InputError
        If no voxel, or no superpixel, can be used.

    References
    ----------
    .. [1] J. Shi, J. Malik, "Normalized cuts and image segmentation", IEEE TPAMI 22(8), 2000,
       10.1109/34.868688.
    .. [2] F. R. Bach, M. I. Jordan, "Learning spectral clustering, with application to speech
       separation", JMLR 7, 2006.
    .. [3] S. X. Yu, J. Shi, "Multiclass spectral clustering", ICCV 2003,
       10.1109/ICCV.2003.1238361.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 11, 80, 82, 12, 10]], dtype=np.uint8)
    >>> nss.spectral_clustering(image, np.arange(1, 7).reshape(1, 6), n_clusters=2)
    array([[1, 1, 2, 2, 1, 1]], dtype=uint8)
    """
    from ...kernels.cpu.adjacency import region_adjacency

    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    if labels is None:
        labels = slic(
            image,
            mask,
            n_superpixels=n_superpixels,
            spacing=spacing,
            channel_axis=channel_axis,
            progress=part_of(progress, 0, 0.8),
        )
    progress(0.8, "superpixels")
    regions = numbered_regions(labels, usable, _TITLE)
    measured = region_features(channels, regions, spacing=spacing, title=_TITLE)
    progress(0.9, "graph")
    points = _points(measured, features, position_weight)
    touching = region_adjacency(regions.numbers).pairs - 1
    different, cluster = np.unique(points, axis=0, return_inverse=True)
    if len(different) > n_clusters:
        graph = affinity_graph(points, touching, neighbours=neighbours, sigma=sigma)
        progress(0.95, "cutting")
        cluster = normalized_cut(graph, n_clusters, assign, rng)
    if extras is not None and "superpixels" in extras.wanted:
        extras["superpixels"] = regions.numbers.view(np.uint32)
    number = _by_brightness(cluster, measured)
    result: LabelArray = regions.label(np.concatenate([[0], number]).astype(number.dtype))
    return result


def _points(measured: RegionFeatures, features: str, position_weight: float) -> NDArray[np.float64]:
    """Coordinates of the regions in the space in which they are compared."""
    n_kinds = {"mean": 1, "spread": 2, "texture": 3}[features]
    kinds = np.stack([measured.means, measured.deviations, measured.roughness][:n_kinds])
    # Channels that are equal count once.
    kinds = np.ascontiguousarray(np.unique(kinds, axis=2))
    kinds[0] -= np.average(kinds[0], axis=0, weights=measured.sizes)
    spread = np.sqrt(np.average(np.square(kinds[0]), axis=0, weights=measured.sizes))
    points = list(kinds / np.where(spread > 0, spread, 1))
    if position_weight > 0:
        place = measured.centroids - measured.centroids.mean(axis=0)
        reach = float(np.sqrt(np.square(place).sum(axis=1).mean()))
        points.append(position_weight * place / (reach or 1.0))
    return np.concatenate(points, axis=1)


def _by_brightness(cluster: NDArray[np.integer[Any]], measured: RegionFeatures) -> LabelArray:
    """Number clusters from 1 by their mean intensities."""
    _, cluster = np.unique(cluster, return_inverse=True)
    sizes = np.bincount(cluster, measured.sizes)
    sums = [np.bincount(cluster, mean * measured.sizes) for mean in measured.means.T]
    order = ascending((np.stack(sums) / sizes).T)
    number = np.empty(len(order), smallest_label_dtype(len(order)))
    number[order] = np.arange(1, len(order) + 1)
    of_region: LabelArray = number[cluster]
    return of_region
