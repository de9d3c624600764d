"""Regions as single points: clustering them stands for clustering their voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...typing import ImageArray, MaskArray
from ..regions import Regions, numbered_regions
from ..voxels import check_any_usable, usable_voxels


@dataclass(frozen=True, eq=False)
class RegionMeans:
    """What each region of an image looks like on average.

    Attributes
    ----------
    means : (R, C) float64 array
        Mean intensity per channel.
    sizes : (R,) int64 array
        Voxels that count in each, at least 1.
    """

    means: NDArray[np.float64]
    sizes: NDArray[np.int64]
    _regions: Regions

    def label(self, of_region: NDArray[Any]) -> NDArray[Any]:
        """Give each voxel what its region has, and 0 where there is none.

        Parameters
        ----------
        of_region : (R,) array

        Returns
        -------
        (M, N[, P]) array, dtype of `of_region`
        """
        return self._regions.label(np.append(of_region.dtype.type(0), of_region))


def means_of_regions(
    channels: tuple[ImageArray, ...], labels: ImageArray, mask: MaskArray | None, title: str
) -> RegionMeans:
    """Average each channel over each region, region 0 left out.

    Parameters
    ----------
    channels : tuple of (M, N[, P]) array
        Voxels that are not finite in all channels do not count.
    labels : (M, N[, P]) array of integers
        Regions, 0 = none.
    mask : (M, N[, P]) bool array, optional
        Voxels that count.
    title : str
        The method's, for its errors.

    Raises
    ------
    InputError
        If no voxel counts, `labels` are no labels, or sums are beyond float64.

    Examples
    --------
    >>> image = np.array([[1.0, 3.0, 8.0, 9.0]])
    >>> regions = means_of_regions((image,), np.array([[7, 7, 2, 0]]), None, "Example")
    >>> regions.means.ravel().tolist(), regions.sizes.tolist()
    ([8.0, 2.0], [1, 2])
    >>> regions.label(np.array([1, 2], dtype=np.uint8))
    array([[2, 2, 1, 0]], dtype=uint8)
    """
    from ...kernels.cpu.region_sums import sizes_and_places, sums_of_values

    usable = usable_voxels(channels, mask)
    check_any_usable(usable, title)
    regions = numbered_regions(labels, usable, title)
    sums = np.stack([sums_of_values(channel, *regions) for channel in channels], axis=1)
    if not np.isfinite(sums).all():
        raise InputError(
            f"{title}: expected intensities whose sums stay below "
            f"{np.finfo(np.float64).max:.0e}, got larger ones; scale the image down, for "
            "instance by its largest value."
        )
    sizes = sizes_and_places(*regions)[0]
    return RegionMeans(sums / sizes[:, None], sizes, regions)
