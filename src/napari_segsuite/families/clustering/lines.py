"""One channel as values on a line, on which clusterings can be found exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...typing import ImageArray, LabelArray, MaskArray
from ..histogram import histogram_of
from .region_means import means_of_regions


@dataclass(frozen=True, eq=False)
class Line:
    """The values of a channel, or of the means of its regions.

    Attributes
    ----------
    values : (B,) float64 array
        Ascending, each once.
    counts : (B,) int64 array
        Voxels of each.
    label : callable
        Gives each voxel what an array of B entries holds for its value.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    label: Callable[[NDArray[Any]], NDArray[Any]]

    def label_clusters(self, cluster: NDArray[np.intp]) -> LabelArray:
        """Label by the cluster, from 0, of each value."""
        return self.label((cluster + 1).astype(np.uint8))


def line_of(
    channel: ImageArray, labels: ImageArray | None, mask: MaskArray | None, title: str
) -> Line:
    """Values of the voxels, or of regions where there are `labels`.

    Raises
    ------
    InputError
        As `histogram_of` and `means_of_regions`.

    Examples
    --------
    >>> line = line_of(np.array([[5, 5, 90]], dtype=np.uint8), None, None, "Example")
    >>> line.values.tolist(), line.counts.tolist()
    ([5.0, 90.0], [2, 1])
    """
    if labels is None:
        histogram = histogram_of(channel, mask, title)
        return Line(histogram.values, histogram.counts, histogram.label)
    regions = means_of_regions((channel,), labels, mask, title)
    values, place = np.unique(regions.means[:, 0], return_inverse=True)
    counts = np.bincount(place, regions.sizes).astype(np.int64)
    return Line(values, counts, lambda of_value: regions.label(of_value[place]))


def segment_of(starts: NDArray[np.int64], n: int) -> NDArray[np.intp]:
    """Which segment each of `n` entries lies in, by where segments start.

    Examples
    --------
    >>> segment_of(np.array([0, 2]), 4).tolist()
    [0, 0, 1, 1]
    """
    return np.searchsorted(starts, np.arange(n), side="right") - 1
