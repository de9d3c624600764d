"""How what has grown is merged into a result."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..boxes import shape_of, slabs, whole
from ..errors import InputError, ParameterError
from ..label_values import compact_labels, integer_labels
from ..typing import Box, LabelArray, MaskArray

Rule = Literal["replace", "unlabelled", "classes"]


def merge(
    result: ArrayLike,
    grown: ArrayLike,
    rule: Rule = "replace",
    *,
    classes: Collection[int] = (),
    locked: Collection[int] = (),
    background: int | None = None,
    box: Box | None = None,
) -> LabelArray:
    """Labels of a result after what has grown was merged in.

    Both inputs stay as they are. Beyond the array returned, temporaries have the size of
    a slab of a million voxels.

    Parameters
    ----------
    result : (M, N[, P]) integer array
        Labels so far, 0 = background.
    grown : (M, N[, P]) integer array, or one of the shape of `box`
        Labels that have grown.
    rule : {"replace", "unlabelled", "classes"}
        "replace": every voxel becomes what has grown there. "unlabelled": only voxels
        that are 0 do. "classes": only `classes` are taken over; their former voxels
        that have not grown again become 0.
    classes : collection of int
        For the rule "classes" alone.
    locked : collection of int
        Classes of `result` whose voxels are never overwritten.
    background : int, optional
        Class of `grown` that stands for background and becomes 0.
    box : tuple of slice, optional
        Where `grown` lies in `result`; outside nothing changes.

    Returns
    -------
    (M, N[, P]) array of uint8, uint16 or uint32, the smallest that holds the labels

    Raises
    ------
    InputError
        If the shapes do not match, or values are no labels.
    ParameterError
        If the rule is none of these, or "classes" comes without classes.

    Examples
    --------
    >>> result, grown = np.array([0, 1, 1, 2]), np.array([1, 1, 3, 3])
    >>> merge(result, grown, "unlabelled")
    array([1, 1, 1, 2], dtype=uint8)
    >>> merge(result, grown, "classes", classes=[1])
    array([1, 1, 0, 2], dtype=uint8)
    >>> merge(result, grown, "replace", locked=[2], background=3)
    array([1, 1, 0, 2], dtype=uint8)
    """
    old, new = integer_labels(result), integer_labels(grown)
    place = whole(old.shape) if box is None else box
    _check(old, new, rule, classes, place)
    merged = old.astype(np.result_type(old, new))
    target = merged[place]
    for slab in slabs(whole(new.shape)):
        here, values = target[slab], new[slab]
        if background is not None:
            values = np.where(values == background, 0, values).astype(values.dtype)
        if rule == "classes":
            taken = _is_any(here, classes) | _is_any(values, classes)
            values = np.where(_is_any(values, classes), values, 0).astype(values.dtype)
        else:
            taken = here == 0 if rule == "unlabelled" else np.ones(here.shape, bool)
        taken &= ~_is_any(here, locked)
        here[taken] = values[taken]
    return compact_labels(merged)


def _is_any(labels: NDArray[Any], ids: Collection[int]) -> MaskArray:
    """Whether each label is one of `ids`."""
    return np.isin(labels, np.fromiter(ids, np.int64, len(ids)))


def _check(
    old: NDArray[Any],
    new: NDArray[Any],
    rule: str,
    classes: Collection[int],
    place: Box,
) -> None:
    if rule not in get_args(Rule):
        raise ParameterError(
            f"expected one of the rules {', '.join(get_args(Rule))}, got {rule!r}; pick one",
            name="rule",
        )
    if rule == "classes" and not classes:
        raise ParameterError(
            'expected classes to take over by the rule "classes", got none; choose some, or '
            "another rule",
            name="classes",
        )
    if len(place) != old.ndim or old[place].shape != new.shape:
        raise InputError(
            f"expected grown labels of shape {shape_of(place)}, got {new.shape}; "
            f"put them on the grid of the result, or say in which box of it they lie"
        )
