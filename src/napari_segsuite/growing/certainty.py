"""Where a result is least certain, slice by slice: the place to paint next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..typing import FloatArray, LabelArray, MaskArray

# Borders with a margin above this percentile of all border voxels count as certain.
_CERTAIN = 95


def slice_uncertainty(margin: NDArray[Any], labels: LabelArray, axis: int) -> NDArray[np.float64]:
    """How much doubt each slice holds at the borders between classes.

    The doubt of a voxel beside another class goes from 1 where the runner-up is as strong
    as the winner to 0 where the margin reaches the 95th percentile of all such voxels;
    a slice holds the sum of them. The largest sum becomes 1, so that images compare, and
    a long clear border does not outweigh a short doubtful one. Voxels without a label
    make no border.

    Temporaries have the size of a few slices and of the borders.

    Parameters
    ----------
    margin : (M, N[, P]) array
        Strength of the winning class minus that of the runner-up, >= 0.
    labels : (M, N[, P]) integer array
    axis : int
        Slices are those across this axis.

    Returns
    -------
    (n,) array of float in [0, 1]
        All 0 where there is no border.

    Raises
    ------
    InputError
        If the arrays differ in shape.

    Examples
    --------
    >>> labels = np.array([[1, 1, 2, 2]] * 3)
    >>> margin = np.array([[0.8] * 4, [0.2] * 4, [0.8] * 4])
    >>> slice_uncertainty(margin, labels, axis=0)
    array([0., 1., 0.])
    """
    at_borders = _at_borders(margin, labels, axis)
    margins = np.concatenate(at_borders)
    doubts = np.zeros(len(at_borders))
    if not len(margins):
        return doubts
    certain = np.percentile(margins, _CERTAIN)
    for index, values in enumerate(at_borders):
        # Where all borders are undecided, all doubt is whole.
        doubts[index] = np.sum(1 - np.minimum(values / certain, 1)) if certain > 0 else len(values)
    return doubts / (doubts.max() or 1.0)


def least_certain_slice(
    margin: NDArray[Any],
    labels: LabelArray,
    axis: int,
    painted: LabelArray | None = None,
) -> int | None:
    """The slice in which to paint next.

    Parameters
    ----------
    margin, labels, axis
        As in `slice_uncertainty`.
    painted : (M, N[, P]) integer array, optional
        The seeds. A slice that has some counts half, its neighbours two thirds, the next
        ones three quarters and so on, so that one is led on to new places.

    Returns
    -------
    int or None
        Index along `axis`; None where no border is in doubt.

    Examples
    --------
    >>> labels = np.array([[1, 1, 2, 2]] * 3)
    >>> margin = np.array([[0.8] * 4, [0.2] * 4, [0.3] * 4])
    >>> least_certain_slice(margin, labels, axis=0)
    1
    >>> least_certain_slice(margin, labels, axis=0, painted=labels * [[0], [1], [0]])
    2
    """
    doubts = slice_uncertainty(margin, labels, axis)
    if painted is not None:
        doubts *= _novelty(painted, axis)
    return int(np.argmax(doubts)) if doubts.any() else None


def doubt(margin: NDArray[Any], labels: LabelArray) -> FloatArray:
    """How much doubt there is of each voxel, on the scale of `slice_uncertainty`.

    Takes what it returns, 4 bytes per voxel, and temporaries of the size of a slice and of
    the borders.

    Parameters
    ----------
    margin : (M, N[, P]) array
        Strength of the winning class minus that of the runner-up, >= 0.
    labels : (M, N[, P]) integer array

    Returns
    -------
    (M, N[, P]) float32 array
        From 0 to 1; 0 where there is no label, and everywhere without a border.

    Raises
    ------
    InputError
        If the arrays differ in shape.

    Examples
    --------
    >>> doubt(np.array([[0.9, 0.4, 0.4, 0.8]]), np.array([[1, 1, 2, 0]]))
    array([[0., 0., 0., 0.]], dtype=float32)
    >>> doubt(np.array([[0.9, 0.0, 0.0, 0.8]]), np.array([[1, 1, 2, 0]]))
    array([[0., 1., 1., 0.]], dtype=float32)
    """
    margins = np.concatenate(_at_borders(margin, labels, axis=0))
    doubts = np.zeros(margin.shape, np.float32)
    if not len(margins):
        return doubts
    certain = max(float(np.percentile(margins, _CERTAIN)), np.finfo(np.float32).tiny)
    for values, given, label in zip(doubts, margin, labels, strict=True):
        np.subtract(1, np.minimum(given / certain, 1), out=values, where=label != 0)
    return doubts


def _at_borders(margin: NDArray[Any], labels: LabelArray, axis: int) -> list[NDArray[np.float64]]:
    """Per slice, the margins of voxels beside another class."""
    if margin.shape != labels.shape:
        raise InputError(
            f"expected a margin of the labels' shape {labels.shape}, got {margin.shape}; "
            f"give both of one result"
        )
    return [
        plane[border].astype(np.float64)
        for plane, border in zip(np.moveaxis(margin, axis, 0), _borders(labels, axis), strict=True)
    ]


def _borders(labels: LabelArray, axis: int) -> Iterator[MaskArray]:
    """Per slice, the labelled voxels with a face neighbour of another label."""
    planes = np.moveaxis(labels, axis, 0)
    for index, plane in enumerate(planes):
        border = np.zeros(plane.shape, bool)
        for other in (index - 1, index + 1):
            if 0 <= other < len(planes):
                border |= _differs(plane, planes[other])
        for direction in range(plane.ndim):
            along, marked = (np.moveaxis(array, direction, 0) for array in (plane, border))
            differs = _differs(along[1:], along[:-1])
            marked[1:] |= differs
            marked[:-1] |= differs
        yield border


def _differs(one: LabelArray, other: LabelArray) -> MaskArray:
    """Where two classes meet; what has no label is none."""
    apart: MaskArray = (one != other) & (one != 0) & (other != 0)
    return apart


def _novelty(painted: LabelArray, axis: int) -> NDArray[np.float64]:
    """Factor per slice from 1/2 where there are seeds to nearly 1 far from them."""
    planes = np.moveaxis(painted, axis, 0)
    with_seeds = [index for index, plane in enumerate(planes) if plane.any()]
    if not with_seeds:
        return np.ones(len(planes))
    distance = np.abs(np.subtract.outer(np.arange(len(planes)), with_seeds)).min(axis=1)
    return np.asarray((1 + distance) / (2 + distance))
