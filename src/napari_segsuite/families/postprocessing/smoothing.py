"""Smooth borders that all classes share."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...boxes import grown
from ...progress import SILENT, Progress
from ...typing import FloatArray, LabelArray, Spacing
from .classes import class_boxes, is_any

# Below this a voxel's standing is the same, but for rounding.
_TIE = 1e-5
# Of a Gaussian, in standard deviations.
_REACH = 3.0
# A Gaussian narrower than this, in voxels, leaves an axis as it is.
_NARROWEST = 0.2


def smooth_labels(
    labels: LabelArray,
    spacing: Spacing | None,
    length: float,
    classes: Collection[int] = (),
    progress: Progress = SILENT,
) -> LabelArray:
    """Smooth the borders of classes jointly: no gaps between them and no overlaps.

    The indicator of every class is filtered. A voxel is labelled where all classes together
    outweigh what is unlabelled, and goes to the class that weighs most; of equal ones it
    keeps its own, else takes the lowest id. The filter is twice a Gaussian less one twice as
    wide: what curvature does to the first it does to the second twice over, so that curved
    borders stay where they are to first order. A Gaussian alone shrinks everything round.

    Parameters
    ----------
    labels : (M, N[, P]) unsigned integer array
        0 = unlabelled. The image's borders do not count as borders of a class.
    spacing : tuple of float or None
        Voxel size per axis; None for 1.
    length : float
        Standard deviation of the narrower Gaussian, in the unit of `spacing`. Bumps, dents and
        objects narrower than about this go.
    classes : collection of int
        Classes to smooth, all if empty. Voxels of the others stay theirs, and the chosen
        ones do not enter them.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) array, dtype of `labels`
        Needs 13 bytes per voxel besides, and 9 for each voxel of the box of one class.

    References
    ----------
    G. Taubin, "Curve and surface smoothing without shrinkage", ICCV 1995,
    doi:10.1109/ICCV.1995.466848.

    Examples
    --------
    >>> bump = np.zeros((6, 9), dtype=np.uint8)
    >>> bump[3:], bump[2, 4] = 1, 1
    >>> smooth_labels(bump, None, 1.0)[2]
    array([0, 0, 0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    sigmas = [length / size for size in spacing or (1.0,) * labels.ndim]
    margins = reach(length, spacing or (1.0,) * labels.ndim)
    boxes = class_boxes(labels, classes)
    contest = _Contest(labels)
    for i, (label, box) in enumerate(boxes.items()):
        progress(i / (len(boxes) + 1), "smoothing")
        around = grown(box, margins, labels.shape)
        contest.enter(label, around, _filtered(labels[around] == label, sigmas))
    progress(len(boxes) / (len(boxes) + 1), "smoothing")
    fixed = (labels != 0) & ~is_any(labels, classes) if classes else None
    if fixed is not None and fixed.any():
        return contest.decide(_filtered(fixed, sigmas), fixed)
    return contest.decide()


def reach(length: float, spacing: Spacing) -> tuple[int, ...]:
    """How many voxels away, per axis, a label can still matter to `smooth_labels`."""
    return tuple(math.ceil((1 + math.sqrt(3)) * _REACH * length / size) + 1 for size in spacing)


class _Contest:
    """Weights of the classes that have entered so far, at every voxel."""

    def __init__(self, labels: LabelArray) -> None:
        self._labels = labels
        self._all = np.zeros(labels.shape, dtype=np.float32)
        self._own = np.zeros(labels.shape, dtype=np.float32)
        self._best = np.zeros(labels.shape, dtype=np.float32)
        self._winner = labels.copy()

    def enter(self, label: int, box: tuple[slice, ...], weight: FloatArray) -> None:
        """Let a class that weighs something inside `box` take part; in ascending order."""
        mine = self._labels[box] == label
        self._all[box] += weight
        np.copyto(self._own[box], weight, where=mine)
        best = self._best[box]
        better = weight > best + np.float32(_TIE)
        better &= ~mine
        np.copyto(best, weight, where=better)
        np.copyto(self._winner[box], self._labels.dtype.type(label), where=better)

    def decide(
        self, fixed_weight: FloatArray | None = None, fixed: NDArray[np.bool_] | None = None
    ) -> LabelArray:
        """The class of every voxel; those in `fixed` keep theirs."""
        # All weights sum up to 1: in favour of a label is what outweighs the unlabelled rest.
        self._all *= 2
        self._all -= 1
        if fixed_weight is not None:
            self._all += fixed_weight
        result, painted = self._winner, self._labels != 0
        keeps = self._best <= self._own + np.float32(_TIE)
        np.copyto(result, self._labels, where=keeps & painted)
        result[painted & (self._all < -_TIE)] = 0
        result[~painted & (self._all <= _TIE)] = 0
        if fixed is not None:
            np.copyto(result, self._labels, where=fixed)
        return result


def _filtered(inside: NDArray[np.bool_], sigmas: list[float]) -> FloatArray:
    from scipy import ndimage

    sigmas = [sigma if sigma >= _NARROWEST else 0.0 for sigma in sigmas]
    narrow: FloatArray = inside.astype(np.float32)
    ndimage.gaussian_filter(narrow, sigmas, output=narrow, mode="nearest", truncate=_REACH)
    further = [math.sqrt(3) * sigma for sigma in sigmas]
    wide = ndimage.gaussian_filter(narrow, further, mode="nearest", truncate=_REACH)
    narrow *= 2
    narrow -= wide
    return narrow
