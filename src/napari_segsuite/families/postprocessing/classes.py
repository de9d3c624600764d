"""Where in a label array its classes are."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from ...label_values import present_labels, smallest_label_dtype
from ...typing import Box, LabelArray, MaskArray

# `find_objects` makes a list as long as the largest id.
_LARGEST_LISTED = 1 << 20


def class_boxes(labels: LabelArray, classes: Collection[int] = ()) -> dict[int, Box]:
    """Bounding boxes of the chosen classes that occur, in ascending order; of all if empty.

    Examples
    --------
    >>> class_boxes(np.array([[0, 7, 7]], dtype=np.uint8))
    {7: (slice(0, 1, None), slice(1, 3, None))}
    """
    from scipy import ndimage

    ids = present_labels(labels)
    if not ids:
        return {}
    if ids[-1] <= _LARGEST_LISTED:
        listed = dict(enumerate(ndimage.find_objects(labels), 1))
    else:
        # 0 need not occur, but has to come first.
        ranks = np.searchsorted(np.array([0, *ids], labels.dtype), labels).astype(np.uint32)
        listed = dict(zip(ids, ndimage.find_objects(ranks), strict=True))
    return {i: listed[i] for i in ids if not classes or i in classes}


def is_any(labels: LabelArray, classes: Collection[int]) -> MaskArray:
    """Voxels of the chosen classes, or of any class if none is chosen."""
    chosen: MaskArray = np.isin(labels, np.array(list(classes))) if classes else labels != 0
    return chosen


def with_new_ids(
    labels: LabelArray, objects: NDArray[np.uint32], total: int, classes: Collection[int]
) -> LabelArray:
    """Objects under the lowest ids that no other class has, and the other classes as before.

    Parameters
    ----------
    labels : (M, N[, P]) unsigned integer array
    objects : (M, N[, P]) uint32 array
        Objects 1 … `total` of the chosen classes, 0 elsewhere.
    total : int
    classes : collection of int
        The chosen classes; empty for all.

    Examples
    --------
    >>> labels = np.array([[1, 1, 5, 5]], dtype=np.uint8)
    >>> objects = np.array([[0, 0, 1, 2]], dtype=np.uint32)
    >>> with_new_ids(labels, objects, 2, [5])
    array([[1, 1, 2, 3]], dtype=uint8)
    """
    kept = set(present_labels(labels)) - set(classes) if classes else set()
    ids = list(islice((i for i in count(1) if i not in kept), total))
    largest = max([*ids[-1:], *kept], default=0)
    dtype = np.promote_types(labels.dtype, smallest_label_dtype(largest))
    result = np.array([0, *ids], dtype=dtype)[objects]
    if kept:
        np.copyto(result, labels, where=~is_any(labels, classes) & (labels != 0))
    return result
