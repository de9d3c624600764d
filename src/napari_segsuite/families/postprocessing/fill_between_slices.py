"""Slices between the labelled ones."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...method import method
from ...progress import SILENT, Progress
from ...typing import LabelArray, Spacing
from .between import between
from .classes import is_any

# Slices between which labels are missing come one by one, or now and then in pairs.
_MOST_IN_A_ROW = 1.5


@method(
    title="Fill between slices",
    family="postprocessing",
    ndim=(3,),
    bytes_per_voxel=24,
    requires=("numba",),
    references=("10.1109/42.52980", "10.1109/38.135915", "10.1109/TBME.2008.921158"),
)
def fill_between_slices(
    image: LabelArray,
    *,
    classes: Annotated[tuple[int, ...], Ge(1)] = (),
    axis: Annotated[int | None, Ge(0), Le(2)] = None,
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Label the slices between those that were labelled by hand.

    Between two labelled slices every object moves along the line between its centres on
    both, while the signed distances to its outlines are mixed. Parts that overlap are one
    object; of those left over the nearest are. What is on one of the slices only tapers off
    half-way to the other. Labelled voxels are never changed, and nothing is added before the
    first and after the last labelled slice.

    Parameters
    ----------
    image : (M, N, P) unsigned integer array
        Labels on some of the slices, 0 elsewhere.
    classes : tuple of int
        Classes to fill in; empty for all. A slice counts as labelled if it holds one of
        them, and then holds all of what there is of them: choose classes that were drawn on
        different slices one by one.
    axis : int, optional
        Axis across the labelled slices; by default the one along which single slices with
        labels alternate with most empty ones. Without such an axis nothing is filled in.
    spacing : tuple of float, optional
        Voxel size per axis.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N, P) unsigned integer array
        Labels of the same type.

    Raises
    ------
    InputError
        If the image holds anything but whole numbers from 0 up.

    References
    ----------
    .. [1] S. P. Raya, J. K. Udupa, "Shape-based interpolation of multidimensional objects",
       IEEE TMI 9(1), 1990, 10.1109/42.52980.
    .. [2] G. T. Herman, J. Zheng, C. A. Bucholtz, "Shape-based interpolation", IEEE Computer
       Graphics and Applications 12(3), 1992, 10.1109/38.135915.
    .. [3] A. B. Albu, T. Beugeling, D. Laurendeau, "A morphology-based approach for
       interslice interpolation of anatomical slices from volumetric images", IEEE TBME 55(8), 2008,
       10.1109/TBME.2008.921158.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> labels = np.zeros((3, 3, 9), dtype=np.uint8)
    >>> labels[0, :, 1:4] = labels[2, :, 5:8] = 1
    >>> nss.fill_between_slices(labels)[1, 1]
    array([0, 0, 0, 1, 1, 1, 0, 0, 0], dtype=uint8)
    """
    result = image.copy()
    across = _sparse_axis(image, classes) if axis is None else axis
    if across is None:
        return result
    pixel = tuple(np.delete(spacing or (1.0,) * image.ndim, across))
    given, filled = np.moveaxis(image, across, 0), np.moveaxis(result, across, 0)
    drawn = _drawn(image, classes, across)
    for i, j in pairwise(drawn):
        planes = between(given[i], given[j], j - i - 1, classes, pixel) if j > i + 1 else ()
        for k, plane in enumerate(planes, i + 1):
            progress((k - drawn[0]) / (drawn[-1] - drawn[0]), "filling in")
            np.copyto(filled[k], plane, where=given[k] == 0)
    return result


def _drawn(labels: LabelArray, classes: Collection[int], axis: int) -> list[int]:
    """Slices with labels."""
    planes = np.moveaxis(labels, axis, 0)
    return [i for i, plane in enumerate(planes) if is_any(plane, classes).any()]


def _sparse_axis(labels: LabelArray, classes: Collection[int]) -> int | None:
    """Axis along which labelled slices stand alone with the widest gaps."""
    filling: dict[int, float] = {}
    for axis in range(labels.ndim):
        drawn = np.array(_drawn(labels, classes, axis))
        n_rows = 1 + np.count_nonzero(np.diff(drawn) > 1)
        if n_rows > 1 and len(drawn) <= _MOST_IN_A_ROW * n_rows:
            filling[axis] = len(drawn) / (drawn[-1] - drawn[0])
    return min(filling, key=lambda axis: filling[axis]) if filling else None
