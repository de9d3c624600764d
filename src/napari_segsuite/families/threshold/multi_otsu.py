"""Several classes of intensity, as even as they can be."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...method import method
from ...typing import ImageArray, LabelArray, MaskArray
from ..histogram import histogram_of
from .criteria import otsu_thresholds


@method(
    title="Multi-Otsu threshold",
    family="threshold",
    requires=("numba",),
    bytes_per_voxel=8,  # of a small image, on which the tables of the histogram weigh
    is_pixelwise=True,
    preview="volume",
    references=(
        "10.1109/TSMC.1979.4310076",
        "10.6688/JISE.2001.17.5.1",
        "10.32614/RJ-2011-015",
    ),
)
def multi_otsu(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    n_classes: Annotated[int, Ge(2), Le(8)] = 3,
) -> LabelArray:
    """Split the image into several classes of intensity, by Otsu's criterion.

    The thresholds are those, of all there are, with the least variance within the classes.
    Integers of up to 16 bits are counted one by one; of other images 65536 steps between the
    lowest and the highest value are told apart.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels take no part and become 0.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become 0.
    n_classes : int
        Classes; an image with fewer values than that gives a class to each value.

    Returns
    -------
    (M, N[, P]) uint8 array
        1 = lowest intensities, up to `n_classes` = highest; 0 only where a voxel does not
        count.

    Raises
    ------
    InputError
        If no voxel counts.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE TSMC
       9(1), 1979, 10.1109/TSMC.1979.4310076.
    .. [2] P. S. Liao, T. S. Chen, P. C. Chung, "A fast algorithm for multilevel
       thresholding", J Inf Sci Eng 17(5), 2001, 10.6688/JISE.2001.17.5.1.
    .. [3] H. Wang, M. Song, "Ckmeans.1d.dp: optimal k-means clustering in one dimension by
       dynamic programming", The R Journal 3(2), 2011, 10.32614/RJ-2011-015.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> nss.multi_otsu(np.array([[1, 2, 40, 41, 90, 95]], dtype=np.uint8))
    array([[1, 1, 2, 2, 3, 3]], dtype=uint8)
    """
    histogram = histogram_of(image, mask, "Multi-Otsu threshold")
    thresholds = otsu_thresholds(histogram.values, histogram.counts, n_classes)
    classes = np.searchsorted(thresholds, histogram.values) + 1
    return histogram.label(classes.astype(np.uint8))
