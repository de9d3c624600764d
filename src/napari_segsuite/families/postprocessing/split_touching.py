"""Touching objects become instances."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...boxes import grown
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import LabelArray, MaskArray, Spacing
from .classes import class_boxes, with_new_ids

# Distances on a grid are uncertain by this many voxels: no neck is made out of it.
_NOISE = 0.5


@method(
    title="Split touching objects",
    family="postprocessing",
    output="instances",
    bytes_per_voxel=48,
    requires=("numba",),
    references=("10.1109/34.87344", "10.1109/34.546254", "10.4086/toc.2012.v008a019"),
)
def split_touching(
    image: LabelArray,
    *,
    classes: Annotated[tuple[int, ...], Ge(1)] = (),
    neck: Annotated[float, Ge(0), Le(1)] = 0.85,
    min_distance: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Cut objects of one class that touch at their necks and number them.

    The distance to the border of a class makes a landscape with a hill for every rounded
    part. Hills are flooded from their summits; two that meet are one object if the neck
    between them is nearly as wide as the narrower part, or if the summits are close. Cuts
    run along the valleys between the others. Objects do not reach over a border of classes.

    Parameters
    ----------
    image : (M, N[, P]) unsigned integer array
        Labels, 0 = unlabelled. Objects that the image's border cuts are taken to go on.
    classes : tuple of int
        Classes whose objects are split; empty for all. The others keep their voxels and ids.
    neck : float
        Two parts are one object if the neck between them is at least this share of the
        narrower part's width: 0 splits nothing that touches, 1 at every narrowing.
    min_distance : float
        Two parts that touch are one object if their centres are nearer than this, in the
        image's unit or in pixels.
    spacing : tuple of float, optional
        Voxel size per axis.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Instances 1 … n, class by class, in the order of their first voxels; ids of classes
        that are kept are left out. Of the same type, or the smallest that holds all ids.

    Raises
    ------
    InputError
        If the image holds anything but whole numbers from 0 up.

    References
    ----------
    .. [1] L. Vincent, P. Soille, "Watersheds in digital spaces: an efficient algorithm
       based on immersion simulations", IEEE TPAMI 13(6), 1991, 10.1109/34.87344.
    .. [2] L. Najman, M. Schmitt, "Geodesic saliency of watershed contours and hierarchical
       segmentation", IEEE TPAMI 18(12), 1996, 10.1109/34.546254.
    .. [3] P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions",
       Theory of Computing 8, 2012, 10.4086/toc.2012.v008a019.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> y, x = np.mgrid[:21, :40]
    >>> disks = np.minimum((x - 10) ** 2, (x - 28) ** 2) + (y - 10) ** 2 < 100
    >>> nss.split_touching(disks)[10, [5, 15, 23, 35]]
    array([1, 1, 2, 2], dtype=uint8)
    """
    from ...kernels.cpu.basins import Rule, hills

    steps = spacing or (1.0,) * image.ndim
    rule = Rule(neck, _NOISE * min(steps), min_distance)
    objects = np.zeros(image.shape, dtype=np.uint32)
    boxes = class_boxes(image, classes)
    total = 0
    for i, (label, box) in enumerate(boxes.items()):
        measured = partial(progress, (i + 0.1) / len(boxes), "measuring depths")
        flooded = partial(progress, (i + 0.5) / len(boxes), "flooding")
        measured()
        # One voxel more on all sides shows where the class ends.
        around = grown(box, (1,) * image.ndim, image.shape)
        inside = image[around] == label
        found = hills(_depth(inside, steps, measured), rule, steps, flooded)
        np.copyto(objects[around], found + np.uint32(total), where=inside, casting="unsafe")
        total += int(found.max())
    return with_new_ids(image, objects, total, classes)


def _depth(inside: MaskArray, spacing: Spacing, done: Callable[[], None]) -> NDArray[np.float32]:
    """Distance to the border of the class; equal everywhere if it has none."""
    from ...kernels.cpu.distance import squared_distance

    depth = squared_distance(inside, spacing, done)
    np.sqrt(depth, out=depth)
    return np.ones_like(depth) if np.isinf(depth[0].flat[0]) else depth
