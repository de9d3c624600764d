"""Fewer, larger regions: superpixels joined where the image hardly changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...errors import InputError
from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray
from ..regions import RegionFeatures, Regions, numbered_regions, region_features
from ..seeded.seeds import check_seeds
from ..voxels import channels_of, check_any_usable, usable_voxels

_TITLE = "Merge superpixels"


@method(
    title=_TITLE,
    family="superpixels",
    channels="any",
    bytes_per_voxel=32,
    bytes_per_channel=4,
    requires=("numba",),
    references=(
        "10.1109/83.841950",
        "10.1080/01621459.1963.10500845",
        "https://www.graphicon.ru/oldgr/en/publications/text/gc2005vk.pdf",
    ),
)
def merge_superpixels(
    image: ImageArray,
    labels: LabelArray,
    seeds: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    criterion: Literal["mean", "boundary", "hierarchical", "growcut"] = "hierarchical",
    n_regions: Annotated[int | None, Ge(1), Le(1_000_000)] = None,
    threshold: Annotated[float | None, Ge(0), Unit("intensity")] = None,
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Join superpixels that touch and are alike, or grow painted classes over them.

    Differences of means and of neighbouring voxels are Euclidean over channels. With neither
    `n_regions` nor `threshold` the threshold is Otsu's, which splits the differences between
    touching superpixels in small ones, within objects, and large ones, across their borders.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels become 0.
    labels : (M, N[, P]) array of whole numbers
        Superpixels, such as those of SLIC; 0 belongs to none and stays 0.
    seeds : (M, N[, P]) unsigned integer array, optional
        Painted classes for "growcut", 0 = unpainted; at least two. A superpixel takes the
        class of most of its painted voxels, of equally many the smallest.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become 0.
    criterion : {"mean", "boundary", "hierarchical", "growcut"}
        What is joined: "mean", superpixels whose means differ by no more than the threshold;
        "boundary", those whose voxels on either side of the common border do so on average.
        "hierarchical" joins two at a time and lets the means follow: first the two whose
        union adds least to the squared deviations from the means (Ward), so that small regions
        go first, until no two that touch are within the threshold. "growcut" grows the
        classes of the seeds from superpixel to superpixel.
    n_regions : int, optional
        Stop when so many regions are left, the most similar having been joined first. Parts
        of the image that do not touch stay apart. Plays no part in "growcut".
    threshold : float, optional
        Largest difference to join across, in the image's intensities. Plays no part in
        "growcut".
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Regions 1 … K in scan order. Of "growcut" the classes of the seeds, 0 where none
        reaches: strength passes from superpixel to superpixel times 1 - difference of their
        means / largest difference of any means, and is less by 2**-22 at least with every
        step. Of classes that come with equal strength the smallest wins.

    Raises
    ------
    InputError
        If no superpixel holds a usable voxel, or "growcut" lacks seeds of two classes.

    References
    ----------
    .. [1] A. Tremeau, P. Colantoni, "Regions adjacency graph applied to color image
       segmentation", IEEE TIP 9(4), 2000, 10.1109/83.841950.
    .. [2] J. H. Ward, "Hierarchical grouping to optimize an objective function", JASA 58(301),
       1963, 10.1080/01621459.1963.10500845.
    .. [3] V. Vezhnevets, V. Konouchine, "GrowCut: Interactive multi-label N-D image
       segmentation by cellular automata", Graphicon 2005, 150-156.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 12, 12, 80, 80]], dtype=np.uint8)
    >>> superpixels = np.array([[1, 1, 2, 2, 3, 3]])
    >>> nss.merge_superpixels(image, superpixels, threshold=5)
    array([[1, 1, 1, 1, 2, 2]], dtype=uint8)
    """
    from ...kernels.cpu.adjacency import region_adjacency
    from ...kernels.cpu.region_sums import in_scan_order

    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    progress(0.0, "superpixels")
    regions = numbered_regions(labels, usable, _TITLE)
    features = region_features(channels, regions, spacing=None, title=_TITLE)
    progress(0.4, "borders")
    touching = region_adjacency(regions.numbers, channels if criterion == "boundary" else ())
    progress(0.9, "joining")
    if criterion == "growcut":
        classes = _grown(touching.pairs, features, _seeds_of(regions, seeds))
        return _labels_by(classes, regions)
    if criterion == "boundary":
        differences = touching.strengths / touching.lengths
    else:
        differences = _mean_differences(touching.pairs, features)
    if n_regions is None and threshold is None:
        threshold = _otsu(differences)
    limit = np.inf if threshold is None else threshold
    most_merges = regions.n - (1 if n_regions is None else min(n_regions, regions.n))
    if criterion == "hierarchical":
        joined = _by_similarity(touching.pairs, features, limit, most_merges)
    else:
        joined = _in_order(touching.pairs, differences, regions.n, limit, most_merges)
    return _labels_by(in_scan_order(regions.numbers, joined), regions)


def _mean_differences(pairs: NDArray[np.int32], features: RegionFeatures) -> NDArray[np.float64]:
    step = features.means[pairs[:, 0] - 1] - features.means[pairs[:, 1] - 1]
    differences: NDArray[np.float64] = np.sqrt(np.square(step).sum(axis=1))
    return differences


def _otsu(differences: NDArray[np.float64]) -> float:
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(differences)) if differences.size else 0.0


def _in_order(
    pairs: NDArray[np.int32],
    differences: NDArray[np.float64],
    n: int,
    limit: float,
    most_merges: int,
) -> NDArray[np.int32]:
    """Join across the smallest differences first."""
    from ...kernels.cpu.region_merging import merge_ascending

    order = np.argsort(differences, kind="stable")
    order = order[differences[order] <= limit]
    joined: NDArray[np.int32] = merge_ascending(pairs, order, n + 1, most_merges)
    return joined


def _by_similarity(
    pairs: NDArray[np.int32], features: RegionFeatures, limit: float, most_merges: int
) -> NDArray[np.int32]:
    from ...kernels.cpu.region_merging import merge_most_similar

    # Number 0, no region, has no neighbours.
    means = np.pad(features.means, ((1, 0), (0, 0)))
    sizes = np.pad(features.sizes.astype(np.float64), (1, 0))
    joined: NDArray[np.int32] = merge_most_similar(pairs, means, sizes, limit, most_merges)
    return joined


def _seeds_of(regions: Regions, seeds: LabelArray | None) -> NDArray[np.int64]:
    """Class of each region, number 0 included; 0 where nothing is painted."""
    if seeds is None:
        raise InputError(
            f"{_TITLE}: expected seeds for the criterion 'growcut', got none; paint a stroke in "
            "each of at least two classes, or choose another criterion."
        )
    check_seeds(seeds, regions.numbers > 0, _TITLE)
    counted = (seeds > 0) & (regions.numbers > 0)
    at = np.stack([regions.numbers[counted], seeds[counted]]).astype(np.int64)
    (number, painted), votes = np.unique(at, axis=1, return_counts=True)
    # What is written last stays: most votes, and of equally many the smallest class.
    order = np.lexsort((-painted, votes))
    of_region = np.zeros(regions.n + 1, np.int64)
    of_region[number[order]] = painted[order]
    return of_region


def _grown(
    pairs: NDArray[np.int32], features: RegionFeatures, seeds: NDArray[np.int64]
) -> NDArray[np.int64]:
    from ...kernels.cpu.region_merging import grow_on_graph

    largest = float(np.linalg.norm(np.ptp(features.means, axis=0)))
    forces = 1 - _mean_differences(pairs, features) / (largest or 1.0)
    grown: NDArray[np.int64] = grow_on_graph(pairs, forces, seeds)
    return grown


def _labels_by(of_number: NDArray[np.integer[Any]], regions: Regions) -> LabelArray:
    """Give each voxel what its region has, in the smallest type."""
    table = of_number.astype(smallest_label_dtype(int(of_number.max())))
    labels: LabelArray = regions.label(table)
    return labels
