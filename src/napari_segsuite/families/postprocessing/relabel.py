"""Objects numbered anew, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...method import method
from ...progress import SILENT, Progress
from ...typing import LabelArray
from .classes import class_boxes, with_new_ids


@method(
    title="Relabel",
    family="postprocessing",
    output="instances",
    bytes_per_voxel=24,
    references=("10.1145/321356.321357",),
)
def relabel(
    image: LabelArray,
    *,
    classes: Annotated[tuple[int, ...], Ge(1)] = (),
    objects: Literal["labels", "parts"] = "labels",
    order: Literal["label", "position", "size"] = "label",
    connectivity: Annotated[int, Ge(1), Le(3)] = 1,
    progress: Progress = SILENT,
) -> LabelArray:
    """Number labels, or their connected parts, from 1 without gaps.

    Parameters
    ----------
    image : (M, N[, P]) unsigned integer array
        Labels, 0 = unlabelled.
    classes : tuple of int
        Labels to number anew; empty for all. The others keep their voxels and ids.
    objects : {"labels", "parts"}
        What gets a number of its own: every label, or every connected part of a label.
    order : {"label", "position", "size"}
        What comes first: the lowest label, of which parts follow each other in scan order;
        the object whose first voxel comes first in scan order; or the largest object, of equal
        ones the first in scan order.
    connectivity : int
        Voxels of a part differ in at most this many axes; 3 counts as 2 in a 2D image.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Objects 1 … n; ids of labels that are kept are left out. Of the same type, or the
        smallest that holds all ids.

    Raises
    ------
    InputError
        If the image holds anything but whole numbers from 0 up.

    References
    ----------
    .. [1] A. Rosenfeld, J. L. Pfaltz, "Sequential operations in digital picture processing",
       Journal of the ACM 13(4), 1966, 10.1145/321356.321357.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> labels = np.array([[7, 7, 0, 3, 7, 7, 7]], dtype=np.uint8)
    >>> nss.relabel(labels)
    array([[2, 2, 0, 1, 2, 2, 2]], dtype=uint8)
    >>> nss.relabel(labels, objects="parts", order="size")
    array([[2, 2, 0, 3, 1, 1, 1]], dtype=uint8)
    """
    rank = min(connectivity, image.ndim) if objects == "parts" else None
    found, total = _objects(image, classes, rank, lambda done: progress(0.7 * done, "counting"))
    if order != "label":
        progress(0.8, "ordering")
        ranks = np.zeros(total + 1, dtype=np.uint32)
        ranks[_in_order(found, total, by_size=order == "size")] = np.arange(1, total + 1)
        found = ranks[found]
    return with_new_ids(image, found, total, classes)


def _objects(
    labels: LabelArray,
    classes: Collection[int],
    rank: int | None,
    report: Callable[[float], None],
) -> tuple[NDArray[np.uint32], int]:
    """Objects in the order of their labels, and how many; of rank None, whole labels."""
    from scipy import ndimage

    found, total = np.zeros(labels.shape, dtype=np.uint32), 0
    boxes = class_boxes(labels, classes)
    for number, (label, box) in enumerate(boxes.items()):
        report(number / len(boxes))
        inside = labels[box] == label
        parts, n_parts = inside.view(np.uint8), 1
        if rank is not None:
            steps = ndimage.generate_binary_structure(labels.ndim, rank)
            parts, n_parts = ndimage.label(inside, steps)
        np.copyto(found[box], parts + np.uint32(total), where=inside, casting="unsafe")
        total += n_parts
    return found, total


def _in_order(objects: NDArray[np.uint32], total: int, *, by_size: bool) -> NDArray[np.int64]:
    """Ids of all objects, the one to come first ahead."""
    flat = objects.reshape(-1)
    first = np.empty(total + 1, dtype=np.int64)
    # Of a place that is written more than once, the last value stays.
    first[flat[::-1]] = np.arange(flat.size - 1, -1, -1)
    if not by_size:
        return 1 + np.argsort(first[1:])
    sizes = np.bincount(flat, minlength=total + 1)
    return 1 + np.lexsort((first[1:], -sizes[1:]))
