"""Tidy up labels: components, holes, borders."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import Box, LabelArray, MaskArray, Spacing
from .classes import class_boxes
from .smoothing import smooth_labels


@method(
    title="Clean labels",
    family="postprocessing",
    bytes_per_voxel=32,
    references=("10.1109/ICCV.1995.466848",),
)
def clean_labels(
    image: LabelArray,
    *,
    classes: Annotated[tuple[int, ...], Ge(1)] = (),
    keep_largest: bool = False,
    min_volume: Annotated[float, Ge(0), Unit("physical³")] = 0.0,
    removed: Literal["background", "neighbour"] = "background",
    fill_holes: Literal["no", "volume", "slices"] = "no",
    smoothing: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Remove small parts, fill holes and smooth the borders of chosen classes.

    What is switched on happens in this order: parts are removed, holes filled, borders
    smoothed. Other classes are left alone by all of it, but for what `removed` gives them.
    With no setting changed the labels come back as they are. Parts are joined by faces,
    edges and corners; holes by faces alone.

    Parameters
    ----------
    image : (M, N[, P]) unsigned integer array
        Labels to clean, 0 = unlabelled.
    classes : tuple of int
        Classes to clean; empty for all.
    keep_largest : bool
        Keep only the largest part of each class; of equal ones the first in scan order.
    min_volume : float
        Remove parts smaller than this: a volume in 3D, such as mm³, an area in 2D, in the
        image's unit or in voxels.
    removed : {"background", "neighbour"}
        What becomes of removed voxels: unlabelled, or what the nearest voxel is that was not
        removed, which leaves a complete partition complete.
    fill_holes : {"no", "volume", "slices"}
        Give unlabelled voxels that a class encloses to this class: in the whole volume, or
        plane by plane along the first axis, where a hole need not be closed above and below.
        Never takes voxels of another class; of nested classes the inner one gets the hole.
    smoothing : float
        Bumps and dents narrower than about this are smoothed away, in the image's unit or in
        pixels. Classes share borders without gaps or overlaps, and their volumes stay nearly
        the same.
    spacing : tuple of float, optional
        Voxel size per axis.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Labels of the same type.

    Raises
    ------
    InputError
        If the image holds anything but whole numbers from 0 up.

    References
    ----------
    .. [1] G. Taubin, "Curve and surface smoothing without shrinkage", ICCV 1995,
       10.1109/ICCV.1995.466848.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> labels = np.array([[1, 0, 2, 2, 0, 1, 1]], dtype=np.uint8)
    >>> nss.clean_labels(labels, keep_largest=True)
    array([[0, 0, 2, 2, 0, 1, 1]], dtype=uint8)
    """
    # Rounding must not make a part of exactly this volume too small.
    smallest = min_volume / math.prod(spacing or (1.0,)) * (1 - 1e-9)
    result = image.copy()
    if keep_largest or smallest > 1:
        progress(0.0, "removing parts")
        gone = _small_parts(result, classes, smallest, keep_largest, progress)
        progress(0.25, "removing parts")
        if removed == "neighbour":
            _give_to_nearest(result, gone, spacing)
        else:
            result[gone] = 0
    if fill_holes != "no":
        _fill_holes(result, classes, fill_holes == "slices", progress)
    if smoothing > 0:

        def last_half(fraction: float, message: str = "") -> None:
            progress(0.5 + fraction / 2, message)

        result = smooth_labels(result, spacing, smoothing, classes, last_half)
    return result


def _small_parts(
    labels: LabelArray,
    classes: Collection[int],
    smallest: float,
    keep_largest: bool,
    progress: Progress,
) -> MaskArray:
    """Voxels of parts that are too small, or not the largest of their class."""
    from scipy import ndimage

    small = np.zeros(labels.shape, dtype=bool)
    touching = ndimage.generate_binary_structure(labels.ndim, labels.ndim)
    boxes = class_boxes(labels, classes)
    for i, (label, box) in enumerate(boxes.items()):
        progress(0.25 * i / len(boxes), "removing parts")
        parts, _ = ndimage.label(labels[box] == label, touching)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        too_small = sizes < smallest
        if keep_largest:
            too_small |= np.arange(len(sizes)) != sizes.argmax()
        too_small[0] = False
        if too_small.any():
            small[box] |= too_small[parts]
    return small


def _give_to_nearest(labels: LabelArray, gone: MaskArray, spacing: Spacing | None) -> None:
    """Give voxels in `gone` the value of the nearest other voxel, 0 included."""
    from scipy import ndimage

    if gone.all():
        labels[...] = 0
    elif gone.any():
        nearest = ndimage.distance_transform_edt(
            gone, sampling=spacing, return_distances=False, return_indices=True
        )
        labels[gone] = labels[tuple(index[gone] for index in nearest)]


def _fill_holes(
    labels: LabelArray, classes: Collection[int], in_slices: bool, progress: Progress
) -> None:
    boxes = class_boxes(labels, classes)
    # What lies inside another class has the smaller box and comes first.
    order = sorted(boxes, key=lambda label: _n_voxels(boxes[label]))
    for i, label in enumerate(order):
        progress(0.25 + 0.25 * i / len(order), "filling holes")
        part = labels[boxes[label]]
        enclosed = _enclosed(part == label, in_slices and labels.ndim == 3)
        enclosed &= part == 0
        np.copyto(part, labels.dtype.type(label), where=enclosed)


def _n_voxels(box: Box) -> int:
    return math.prod(side.stop - side.start for side in box)


def _enclosed(wall: MaskArray, in_slices: bool) -> MaskArray:
    """Voxels from which no way leads past the wall to the border, in each plane if so asked."""
    from scipy import ndimage

    steps = ndimage.generate_binary_structure(wall.ndim, 1)
    if in_slices:
        steps[0] = steps[-1] = False
    rooms, n_rooms = ndimage.label(~wall, steps)
    is_enclosed = np.ones(n_rooms + 1, dtype=bool)
    is_enclosed[0] = False
    for axis in range(1 if in_slices else 0, wall.ndim):
        for border in (0, -1):
            is_enclosed[rooms.take(border, axis)] = False
    enclosed: MaskArray = is_enclosed[rooms]
    return enclosed
