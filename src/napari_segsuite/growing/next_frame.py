"""Seeds for the next time point, from the result of this one."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..boxes import bounding_box, grown
from ..errors import InputError
from ..label_values import compact_labels, present_labels, smallest_label_dtype
from ..typing import LabelArray, MaskArray


def seeds_from_result(
    result: ArrayLike,
    spacing: Sequence[float],
    erosion: float,
    classes: Collection[int] = (),
    keep: ArrayLike | None = None,
) -> LabelArray:
    """Seeds from eroded labels, for a frame in which objects have moved a little.

    Every class loses the voxels that lie within `erosion` of another class. Of a
    connected part that would vanish, the voxels farthest from other classes stay, so that
    thin and small objects live on. The edge of the image erodes nothing.

    Takes the seeds, a byte per voxel, and 11 bytes per voxel of the box around the largest
    class; the time goes with the number of classes.

    Parameters
    ----------
    result : (M, N[, P]) integer array
        Labels of this frame, 0 = unlabelled.
    spacing : tuple of float
        Voxel size per axis.
    erosion : float
        Physical distance, at least that which borders move from frame to frame.
    classes : collection of int
        Classes to hand on; all where it is empty.
    keep : (M, N[, P]) integer array, optional
        What is painted in the next frame already; it stays as it is.

    Returns
    -------
    (M, N[, P]) array of uint8, uint16 or uint32

    Raises
    ------
    InputError
        If result or `keep` hold no labels, or differ in shape, or the erosion is no
        distance.

    Examples
    --------
    >>> seeds_from_result(np.array([[1, 1, 1, 1, 2, 3, 3, 3]]), (1, 1), erosion=1)
    array([[1, 1, 1, 0, 2, 0, 3, 3]], dtype=uint8)
    """
    labels = compact_labels(result)
    painted = None if keep is None else compact_labels(keep)
    _check(labels, painted, erosion)
    chosen = [label for label in present_labels(labels) if not classes or label in classes]
    largest = max([*chosen, 0 if painted is None else int(painted.max())], default=0)
    seeds = np.zeros(labels.shape, smallest_label_dtype(largest))
    for label in chosen:
        found = bounding_box(labels == label)
        assert found is not None
        # The class's neighbours are seen too.
        box = grown(found, (1,) * labels.ndim, labels.shape)
        seeds[box][_core(labels[box] == label, spacing, erosion)] = label
    if painted is not None:
        np.copyto(seeds, painted, where=painted != 0, casting="unsafe")
    return seeds


def _check(labels: LabelArray, painted: LabelArray | None, erosion: float) -> None:
    if not 0 <= erosion < math.inf:
        raise InputError(
            f"expected an erosion of 0 or more, got {erosion}; give a length in the unit of the "
            f"image"
        )
    if painted is not None and painted.shape != labels.shape:
        raise InputError(
            f"expected seeds of the next frame of the result's shape {labels.shape}, got "
            f"{painted.shape}; give one frame of both"
        )


def _core(mask: MaskArray, spacing: Sequence[float], erosion: float) -> MaskArray:
    """Voxels farther than `erosion` from outside, and the innermost ones of lost parts."""
    from scipy import ndimage

    from ..kernels.cpu.distance import squared_distance

    depth = squared_distance(mask, tuple(spacing))
    # Two voxels of 0.7 are not farther than 1.4, whatever rounding says.
    core: MaskArray = depth > (erosion * (1 + 1e-5)) ** 2
    parts, n_parts = ndimage.label(mask, np.ones((3,) * mask.ndim))
    lives = np.zeros(n_parts + 1, bool)
    lives[parts[core]] = True
    lives[0] = True
    if not lives.all():
        lost = np.nonzero(~lives[parts])
        part, inner = parts[lost], depth[lost]
        deepest = np.zeros(n_parts + 1, depth.dtype)
        np.maximum.at(deepest, part, inner)
        core[lost] = inner == deepest[part]
    return core
