"""Labels carried onto another grid, from the nearest voxel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, SpaceMismatchError
from ..image import Segmentation
from ..space import Space

# In voxels: rounding errors of the geometry must not decide which of two voxels is taken.
_TIE = 1e-6
_POWER_OF_TEN = {"m": 0, "cm": -2, "mm": -3, "um": -6, "nm": -9}
_SYNONYMS = {
    "meter": "m",
    "centimeter": "cm",
    "millimeter": "mm",
    "micrometer": "um",
    "micron": "um",
    "µm": "um",
    "μm": "um",
    "nanometer": "nm",
}
_NO_UNIT = (None, "", "pixel", "dimensionless")
_Index = NDArray[np.intp]


def nearest_on(segmentation: Segmentation, shape: tuple[int, ...], space: Space) -> Segmentation:
    """Labels of a segmentation at the centres of the voxels of another grid.

    Each voxel of the new grid takes the label of the voxel whose centre is nearest along the
    axes of the segmentation. A position half-way between two centres (up to 1e-6 of a voxel)
    takes the one of higher index; a position outside all voxels becomes 0.

    Parameters
    ----------
    segmentation : Segmentation
        (M, N[, P]) labels, in any position; time points are carried over one by one.
    shape : tuple of int
        Of the new grid, with as many time points.
    space : Space
        Of the new grid. Metres, cm, mm, um and nm are converted into one another; a unit
        that only one of the two states is taken for both.

    Returns
    -------
    Segmentation
        On the new grid, with the same classes and name; extra outputs are left out.

    Raises
    ------
    SpaceMismatchError
        If no voxel centre of the new grid lies in the segmentation, the units cannot be
        converted, or the axes or time points do not match.
    InputError
        If the shape and the space do not fit together, or there are channels.

    Examples
    --------
    >>> coarse = Segmentation(np.array([[0, 1], [2, 3]], np.uint8), Space.regular(2, (2, 2)))
    >>> nearest_on(coarse, (4, 4), coarse.space.resample((2, 2))).labels
    array([[0, 0, 1, 1],
           [0, 0, 1, 1],
           [2, 2, 3, 3],
           [2, 2, 3, 3]], dtype=uint8)
    """
    _check_axes(segmentation.space, space, tuple(shape))
    labels = np.asarray(segmentation.labels)
    resampled = np.zeros(shape, labels.dtype)
    matrix = _index_to_index(segmentation.space, space)
    sources, targets = _time_points(labels, segmentation.space), _time_points(resampled, space)
    if len(sources) != len(targets):
        raise SpaceMismatchError(
            f"expected {len(sources)} time points, got {len(targets)}; "
            "give a shape with as many as the segmentation has"
        )
    overlap = [
        _fill(target, source, matrix) for source, target in zip(sources, targets, strict=True)
    ]
    if not any(overlap):
        raise SpaceMismatchError(
            f"expected grids that overlap, got shape {labels.shape} with {segmentation.space} and "
            f"shape {resampled.shape} with {space}; check origin, spacing and unit of both"
        )
    return replace(segmentation, labels=resampled, space=space, extras={})


def _check_axes(source: Space, target: Space, shape: tuple[int, ...]) -> None:
    if len(shape) != target.ndim or min(shape, default=0) < 1:
        raise InputError(
            f"expected a shape of {target.ndim} positive lengths, as the space has axes, "
            f"got {shape}; give one length per axis"
        )
    kinds, wanted = (sorted(axis.kind for axis in space.axes) for space in (source, target))
    if "channel" in (*kinds, *wanted):
        raise InputError(
            "expected grids without channels, got a channel axis; "
            "give the space without it: space.without('channel')"
        )
    if kinds != wanted:
        raise SpaceMismatchError(
            f"expected grids with the same kinds of axes, got {', '.join(kinds)} and "
            f"{', '.join(wanted)}; pick a time point or a slice first"
        )


def _index_to_index(source: Space, target: Space) -> NDArray[np.float64]:
    """Homogeneous matrix from spatial indices of the target to those of the source."""
    mine, theirs = (space.without("time").matrix for space in (source, target))
    steps = [
        _conversion(old.unit, new.unit)
        for old, new in zip(source.spatial, target.spatial, strict=True)
    ]
    try:
        return np.asarray(np.linalg.solve(mine, np.diag([*steps, 1.0]) @ theirs), np.float64)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"expected a segmentation whose axes span space, got {source}; check its spacing"
        ) from error


def _conversion(source: str | None, target: str | None) -> float:
    """How many of the source's units one of the target's is."""
    old, new = (_SYNONYMS.get(unit or "", unit) for unit in (source, target))
    if old in _POWER_OF_TEN and new in _POWER_OF_TEN:
        return 10.0 ** (_POWER_OF_TEN[new] - _POWER_OF_TEN[old])
    if old == new or old in _NO_UNIT or new in _NO_UNIT:
        return 1.0
    raise SpaceMismatchError(
        f"expected grids in units of length, got {source!r} and {target!r}; "
        f"state both in one of {', '.join(_POWER_OF_TEN)}"
    )


def _time_points(labels: NDArray[Any], space: Space) -> list[NDArray[Any]]:
    """Views of the spatial arrays, one per time point."""
    axes = [i for i, axis in enumerate(space.axes) if axis.kind == "time"]
    leading = np.moveaxis(labels, axes, range(len(axes)))
    return [leading[index] for index in np.ndindex(leading.shape[: len(axes)])]


def _fill(target: NDArray[Any], source: NDArray[Any], matrix: NDArray[np.float64]) -> bool:
    """Write the labels of one time point; whether any voxel lies in the source."""
    reach = np.abs(matrix[:-1, :-1]) * (np.array(target.shape) - 1)
    moves = reach > _TIE
    straight = moves.sum(axis=0).max() <= 1 and moves.sum(axis=1).max() <= 1
    return (_fill_straight if straight else _fill_oblique)(target, source, matrix, moves)


def _fill_straight(
    target: NDArray[Any],
    source: NDArray[Any],
    matrix: NDArray[np.float64],
    moves: NDArray[np.bool_],
) -> bool:
    """Where each axis of the target runs along one of the source: one index per axis."""
    box = [slice(0, n) for n in target.shape]
    indices: list[_Index] = []
    for axis, (row, n) in enumerate(zip(matrix[:-1], source.shape, strict=True)):
        along = int(np.argmax(moves[axis]))
        n_steps = target.shape[along] if moves[axis].any() else 1
        index = _nearest(row[along] * np.arange(n_steps) + row[-1], n)
        inside = np.flatnonzero((index >= 0) & (index < n))
        if inside.size == 0:
            return False
        part = slice(int(inside[0]), int(inside[-1]) + 1)
        if n_steps > 1:
            box[along] = part
        indices.append(np.expand_dims(index[part], _others(along, target.ndim)))
    start = box[0].start
    for place in range(start, box[0].stop):
        # An index that does not change along the first axis has one entry there.
        at: list[_Index] = [index[min(place - start, len(index) - 1)] for index in indices]
        plane: tuple[int | slice, ...] = (place, *box[1:])
        target[plane] = source[tuple(at)]
    return True


def _fill_oblique(
    target: NDArray[Any],
    source: NDArray[Any],
    matrix: NDArray[np.float64],
    moves: NDArray[np.bool_],
) -> bool:
    """Plane by plane, with the coordinates of one axis of the source at a time."""
    found = False
    for place in range(len(target)):
        inside = np.ones(target.shape[1:], np.bool_)
        plane: list[_Index] = []
        for row, n in zip(matrix[:-1], source.shape, strict=True):
            index = _nearest(_coordinates(row, place, target.shape[1:]), n)
            inside &= (index >= 0) & (index < n)
            plane.append(np.clip(index, 0, n - 1, out=index))
        np.multiply(source[tuple(plane)], inside, out=target[place])
        found = found or bool(inside.any())
    return found


def _coordinates(
    row: NDArray[np.float64], place: int, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Position along one axis of the source, over a plane of the target."""
    coordinates = np.full(shape, row[0] * place + row[-1])
    for axis, (step, n) in enumerate(zip(row[1:-1], shape, strict=True)):
        coordinates += np.expand_dims(step * np.arange(n), _others(axis, len(shape)))
    return coordinates


def _others(axis: int, ndim: int) -> tuple[int, ...]:
    return tuple(other for other in range(ndim) if other != axis)


def _nearest(coordinates: NDArray[np.float64], n: int) -> _Index:
    """Indices of the nearest of `n` voxels; -1 and `n` stand for all that lies outside."""
    coordinates += 0.5 + _TIE
    np.floor(coordinates, out=coordinates)
    return np.clip(coordinates, -1, n, out=coordinates).astype(np.intp)
