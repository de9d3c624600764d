"""Two label arrays brought to one grid, and the size of its voxels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError, ParameterError, SpaceMismatchError
from ..image import Image, LabelClass, Segmentation
from ..inputs import check_spacing
from ..label_values import compact_labels

Labels = ArrayLike | Segmentation | Image | str | os.PathLike[str]
OtherGrid = Literal["refuse", "nearest"]

UNSTATED = "units"


def load_labels(value: Labels) -> Any:
    """Read a file, take the values of an image for labels; arrays stay what they are.

    Returns
    -------
    Segmentation or array_like

    Raises
    ------
    FormatError
        If a file cannot be read.
    InputError
        If an image holds anything but labels.
    """
    if isinstance(value, str | os.PathLike):
        from ..io import read

        return read(value, kind="labels")
    if isinstance(value, Image):
        return Segmentation(compact_labels(value.data), value.space, name=value.name)
    return value


def on_one_grid(prediction: Any, reference: Any, other_grid: OtherGrid = "refuse") -> Any:
    """Bring two segmentations to one grid.

    The grid is that of the reference. One that differs from it only in the order and
    direction of its axes is always matched up. Bare arrays have no place in the world and
    stay as they are.

    Parameters
    ----------
    prediction, reference : Segmentation or array_like
    other_grid : {"refuse", "nearest"}
        What to do where the grids differ: refuse, or take for each voxel of the reference
        the nearest one of the prediction.

    Returns
    -------
    (prediction, reference)

    Raises
    ------
    SpaceMismatchError
        If the grids differ, unless the nearest voxel is wanted.
    ParameterError
        If `other_grid` is another word.
    """
    if other_grid not in ("refuse", "nearest"):
        raise ParameterError(
            f"expected other_grid 'refuse' or 'nearest', got {other_grid!r}; choose one",
            name="other_grid",
        )
    if not (isinstance(prediction, Segmentation) and isinstance(reference, Segmentation)):
        return prediction, reference
    try:
        is_turned = lies_turned(prediction, reference)
    except SpaceMismatchError:
        if other_grid == "refuse":
            raise
        from .resampling import nearest_on

        return nearest_on(prediction, reference.labels.shape, reference.space), reference
    if is_turned:
        from ..orientation import turned_to

        prediction = replace(turned_to(prediction, reference.space), space=reference.space)
    return prediction, reference


def lies_turned(prediction: Segmentation, reference: Segmentation) -> bool:
    """Whether two grids are one only once the order or direction of axes is changed.

    Raises
    ------
    SpaceMismatchError
        If they are not one even then.
    """
    from ..orientation import closest_canonical

    if _same_grid(prediction, reference):
        return False
    if _same_grid(closest_canonical(prediction), closest_canonical(reference)):
        return True
    raise SpaceMismatchError(
        f"expected prediction and reference on one grid, got {_described(prediction)} and "
        f"{_described(reference)}; resample one onto the grid of the other, or allow "
        "resampling by nearest voxel (other_grid='nearest', or --nearest)"
    )


def labels_of(value: Any) -> ArrayLike:
    """The array of labels of what `load_labels` returned."""
    return value.labels if isinstance(value, Segmentation) else cast("ArrayLike", value)


def classes_of(value: Any) -> tuple[LabelClass, ...]:
    """The class table of what `load_labels` returned."""
    return value.classes if isinstance(value, Segmentation) else ()


def voxel_size(
    spacing: Sequence[float] | None, *values: Any
) -> tuple[tuple[float, ...], str | None]:
    """Steps per spatial axis and their unit.

    Parameters
    ----------
    spacing : sequence of float, optional
        In mm; by default what the first of `values` says that states a unit, or else the
        first whose steps are not all one.
    *values : Segmentation or array_like

    Returns
    -------
    (steps, unit)
        Ones and None where nothing is known; "units" for steps of no stated unit.

    Raises
    ------
    InputError
        If there are no axes.
    ParameterError
        If the spacing does not fit the axes.
    """
    spaces = [value.space for value in values if isinstance(value, Segmentation)]
    n_spatial = len(spaces[0].spatial) if spaces else np.ndim(values[0])
    if not n_spatial:
        raise InputError("expected arrays of labels, got single numbers; give them axes")
    if spacing is not None:
        try:
            return check_spacing(spacing, n_spatial), "mm"
        except InputError as error:
            raise ParameterError(str(error), name="spacing") from error
    for space in spaces:
        if space.unit is not None:
            return space.spacing, space.unit
    # Steps of no stated unit still say how much longer one axis is than another.
    steps = next((space.spacing for space in spaces if space.is_physical), None)
    return ((1.0,) * n_spatial, None) if steps is None else (steps, UNSTATED)


def _same_grid(first: Segmentation, second: Segmentation) -> bool:
    return first.labels.shape == second.labels.shape and first.space.is_close(second.space)


def _described(value: Segmentation) -> str:
    return f"shape {value.labels.shape} with {value.space}"
