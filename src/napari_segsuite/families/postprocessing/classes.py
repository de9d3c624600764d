"""Where in a label array its classes are."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ...label_values import present_labels
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
