"""Where objects lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError
from ...label_values import integer_labels
from .rows import ObjectRow


def centroids(labels: ArrayLike, ids: ArrayLike) -> NDArray[np.float64]:
    """Mean voxel index of each object, in one pass.

    Parameters
    ----------
    labels : (M, N[, P]) array_like
    ids : (K,) array_like of int
        Labels of the objects, ascending.

    Returns
    -------
    (K, 2 or 3) float64 array
        NaN for labels that do not occur.

    Raises
    ------
    InputError
        If `labels` are no labels in 2D or 3D.

    Examples
    --------
    >>> centroids([[7, 7, 0], [7, 7, 2]], [2, 7]).tolist()
    [[1.0, 2.0], [0.5, 0.5]]
    """
    from ...kernels.cpu.object_places import object_places

    array = integer_labels(labels)
    if array.ndim not in (2, 3):
        raise InputError(
            f"expected labels of shape (M, N) or (M, N, P), got {array.shape}; "
            "pick one image of a series"
        )
    sizes, sums = object_places(array, np.asarray(ids, np.uint64))
    out = np.full(sums.shape, np.nan)
    np.divide(sums, sizes[:, np.newaxis], out=out, where=sizes[:, np.newaxis] > 0)
    return out


def with_centroids(
    rows: tuple[ObjectRow, ...], prediction: ArrayLike, reference: ArrayLike
) -> tuple[ObjectRow, ...]:
    """The same objects, each with its centroid.

    Parameters
    ----------
    rows : tuple of ObjectRow
    prediction, reference : (M, N[, P]) array_like
        The labels that were compared. Ignored voxels are not left out here: an object that
        has some lies where all of it does.

    Examples
    --------
    >>> row = ObjectRow("reference", 7, 2, 0, 0.0, 0.0, "missed")
    >>> with_centroids((row,), [[0, 0, 0]], [[7, 7, 0]])[0].centroid
    (0.0, 0.5)
    """
    found: dict[tuple[str, int], tuple[float, ...]] = {}
    for role, labels in (("reference", reference), ("prediction", prediction)):
        ids = sorted(row.label for row in rows if row.role == role)
        for label, place in zip(ids, centroids(labels, ids).tolist(), strict=True):
            found[role, label] = tuple(place)
    return tuple(replace(row, centroid=found[row.role, row.label]) for row in rows)
