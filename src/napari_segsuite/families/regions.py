"""Regions of an image, such as superpixels, and what is measured of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..boxes import slabs, whole
from ..errors import InputError
from ..label_values import unsigned_labels
from ..typing import Box, ImageArray, LabelArray, MaskArray, Spacing

# Ids beyond this are sorted and searched instead of looked up.
_LARGEST_IN_TABLE = 1 << 22


class Regions(NamedTuple):
    """Regions numbered from 1 to `n` without gaps.

    Attributes
    ----------
    numbers : (M, N[, P]) int32 array
        0 where no region is.
    n : int
    """

    numbers: NDArray[np.int32]
    n: int

    def label(self, of_number: NDArray[Any]) -> NDArray[Any]:
        """Give each voxel what its region has.

        Parameters
        ----------
        of_number : (n + 1,) array
            What belongs to each number, 0 included.

        Returns
        -------
        (M, N[, P]) array, dtype of `of_number`
        """
        labels = np.empty(self.numbers.shape, of_number.dtype)
        for box in slabs(whole(labels.shape)):
            labels[box] = of_number[self.numbers[box]]
        return labels


class RegionFeatures(NamedTuple):
    """What is measured of K regions in C channels; row k belongs to region k + 1.

    Attributes
    ----------
    sizes : (K,) int64 array
        Voxels.
    means, deviations : (K, C) float64 array
        Mean and standard deviation of the intensities.
    roughness : (K, C) float64 array
        Mean absolute difference of neighbouring voxels of the region.
    centroids : (K, 2 or 3) float64 array
        In units of the spacing.
    """

    sizes: NDArray[np.int64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    roughness: NDArray[np.float64]
    centroids: NDArray[np.float64]


def numbered_regions(labels: ImageArray, usable: MaskArray | None, title: str) -> Regions:
    """Close the gaps between the ids of regions, which keep their order.

    Parameters
    ----------
    labels : (M, N[, P]) array of whole numbers
        Ids, 0 = no region.
    usable : (M, N[, P]) bool array, optional
        Voxels that count; the others belong to no region.
    title : str
        The method's, for the sentence about labels without a region.

    Raises
    ------
    InputError
        If there is no region, or the labels are no whole numbers from 0 up.

    Examples
    --------
    >>> numbered_regions(np.array([[0, 7, 300]]), None, "Example").numbers
    array([[0, 1, 2]], dtype=int32)
    """
    ids = unsigned_labels(labels)
    known = _known_ids(ids, usable)
    if not len(known):
        raise InputError(
            f"{title}: expected at least one region in the labels, got none where the image can "
            "be used; make superpixels first, or widen the mask."
        )
    numbers = np.empty(ids.shape, np.int32)
    number_of = _numbering(known)
    for box, part in _used(ids, usable):
        numbers[box] = number_of(part)
    return Regions(numbers, len(known))


def _used(ids: LabelArray, usable: MaskArray | None) -> Iterator[tuple[Box, LabelArray]]:
    """Slabs of the ids, 0 where a voxel does not count."""
    for box in slabs(whole(ids.shape)):
        yield box, ids[box] if usable is None else ids[box] * usable[box]


def _known_ids(ids: LabelArray, usable: MaskArray | None) -> NDArray[np.int64]:
    """Ids of regions that hold a voxel that counts, in ascending order."""
    largest = int(ids.max())
    if largest <= _LARGEST_IN_TABLE:
        seen = np.zeros(largest + 1, bool)
        for _, part in _used(ids, usable):
            seen[part] = True
        return np.flatnonzero(seen[1:]) + 1
    known = np.empty(0, np.int64)
    for _, part in _used(ids, usable):
        known = np.union1d(known, part).astype(np.int64)
    return known[known > 0]


def _numbering(known: NDArray[np.int64]) -> Callable[[LabelArray], NDArray[np.integer[Any]]]:
    """What turns ids, 0 included, into their places in `known`, counted from 1."""
    if known[-1] > _LARGEST_IN_TABLE:
        with_none = np.concatenate([[0], known])
        return lambda part: np.searchsorted(with_none, part)
    table = np.zeros(known[-1] + 1, np.int32)
    table[known] = np.arange(1, len(known) + 1)
    return lambda part: table[part]


def region_features(
    channels: Sequence[ImageArray], regions: Regions, *, spacing: Spacing | None, title: str
) -> RegionFeatures:
    """Measure each region, in sums of float64.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
        Intensities, finite wherever there is a region.
    regions : Regions
    spacing : tuple of float, optional
        Voxel size per axis, for the centroids.
    title : str
        The method's, for the sentence about intensities that are too large.

    Raises
    ------
    InputError
        If squares of the intensities are beyond float64.

    Examples
    --------
    >>> regions = Regions(np.array([[1, 1, 2, 2]], dtype=np.int32), 2)
    >>> image = np.array([[1, 3, 6, 6]], dtype=np.uint8)
    >>> found = region_features([image], regions, spacing=(1, 2), title="Example")
    >>> found.means.tolist(), found.deviations.tolist(), found.centroids.tolist()
    ([[2.0], [6.0]], [[1.0], [0.0]], [[0.0, 1.0], [0.0, 5.0]])
    """
    from ..kernels.cpu.region_sums import sizes_and_places, spreads_of_values, sums_of_values

    sizes, places = sizes_and_places(*regions)
    means, deviations, roughness = (np.empty((regions.n, len(channels))) for _ in range(3))
    for c, channel in enumerate(channels):
        means[:, c] = sums_of_values(channel, *regions) / sizes
        squares, roughness[:, c] = spreads_of_values(channel, regions.numbers, means[:, c])
        deviations[:, c] = np.sqrt(squares / sizes)
    if not np.isfinite(deviations).all():
        raise InputError(
            f"{title}: expected intensities whose squares can be summed, up to about 1e140, got "
            "some beyond; scale the image down, for instance by its largest value."
        )
    step = np.array(spacing or (1.0,) * places.shape[1])
    return RegionFeatures(sizes, means, deviations, roughness, places / sizes[:, None] * step)
