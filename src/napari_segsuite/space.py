"""Where voxels lie in the world: the one carrier of geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

AxisKind = Literal["space", "time", "channel"]
Matrix = tuple[tuple[float, ...], ...]

_DEFAULT_NAMES = ("t", "z", "y", "x")
_PIXEL_UNITS = ("", "pixel", "dimensionless")


@dataclass(frozen=True)
class Axis:
    """One axis of an array.

    Attributes
    ----------
    name : str
        "z", "y", "x", "t", "c" or what the source calls it.
    kind : {"space", "time", "channel"}
    scale : float
        Step between samples, in `unit`.
    translate : float
        Position of the centre of the first sample, in `unit`.
    unit : str or None
        "mm", "um", "s", …; None when the source states none.
    """

    name: str
    kind: AxisKind = "space"
    scale: float = 1.0
    translate: float = 0.0
    unit: str | None = None


@dataclass(frozen=True)
class Space:
    """Axes of an array and the map from its indices to the world.

    World = affine · (translate + rotate · shear · scale · index), in array order
    (z, y, x), as napari composes it; index (0, …, 0) is the centre of the first voxel.
    Channel axes have no place in the world: `rotate`, `shear` and `affine` cover the
    remaining axes only.

    Attributes
    ----------
    axes : tuple of Axis
    rotate : matrix or None
        Rotation between scale and translate, None for none.
    shear : tuple of float or None
        Upper-triangular shear as napari stores it.
    affine : matrix or None
        Homogeneous matrix applied last.

    Examples
    --------
    >>> space = Space.regular(3, spacing=(3, 0.7, 0.7), unit="mm")
    >>> space.spacing
    (3.0, 0.7, 0.7)
    >>> space.crop((slice(2, 5), slice(None), slice(None))).axes[0].translate
    6.0
    """

    axes: tuple[Axis, ...]
    rotate: Matrix | None = None
    shear: tuple[float, ...] | None = None
    affine: Matrix | None = None

    def __str__(self) -> str:
        """Spacing and first voxel, as error messages say them."""
        spacing, start = (
            ", ".join(f"{value:.4g}" for value in values)
            for values in (self.spacing, self.matrix[:-1, -1])
        )
        return f"spacing ({spacing}){f' {self.unit}' if self.unit else ''} from ({start})"

    @classmethod
    def regular(
        cls,
        ndim: int,
        spacing: Sequence[float] | None = None,
        unit: str | None = None,
        channel_axis: int | None = None,
    ) -> Space:
        """Axis-aligned space of an array with `ndim` axes, one of them perhaps channels."""
        n_world = ndim - (channel_axis is not None)
        scale = tuple(spacing) if spacing is not None else (1.0,) * n_world
        if len(scale) != n_world:
            raise ValueError(f"expected {n_world} spacings, got {len(scale)}")
        names = (
            _DEFAULT_NAMES[4 - n_world :]
            if n_world <= 4
            else tuple(f"d{i}" for i in range(n_world))
        )
        axes = [
            Axis(name, "time", float(step))
            if name == "t"
            else Axis(name, "space", float(step), 0.0, unit)
            for name, step in zip(names, scale, strict=True)
        ]
        if channel_axis is not None:
            axes.insert(channel_axis % ndim, Axis("c", "channel"))
        return cls(tuple(axes))

    @classmethod
    def from_matrix(cls, matrix: NDArray[np.float64], unit: str | None = None) -> Space:
        """Spatial space of a homogeneous index → world matrix in array order.

        Column lengths become the scale; a pure scaling needs no affine at all, so the
        layer lies straight in the viewer.
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        n = len(matrix) - 1
        scale = np.linalg.norm(matrix[:n, :n], axis=0)
        if not (np.isfinite(matrix).all() and (scale > 0).all()):
            raise ValueError("expected a finite index-to-world matrix without zero columns")
        direction = matrix[:n, :n] / scale
        straight = np.allclose(direction, np.eye(n), atol=1e-9)
        translate = matrix[:n, n] if straight else np.zeros(n)
        axes = tuple(
            Axis(name, "space", float(step), float(start), unit)
            for name, step, start in zip(_DEFAULT_NAMES[-n:], scale, translate, strict=True)
        )
        if straight:
            return cls(axes)
        affine = np.eye(n + 1)
        affine[:n, :n] = direction
        affine[:n, n] = matrix[:n, n]
        return cls(axes, affine=_freeze(affine))

    # --- what methods ask -------------------------------------------------------------
    @property
    def ndim(self) -> int:
        """Number of array axes, channels included."""
        return len(self.axes)

    @property
    def channel_axis(self) -> int | None:
        """Index of the channel axis."""
        kinds = [axis.kind for axis in self.axes]
        return kinds.index("channel") if "channel" in kinds else None

    @property
    def spatial(self) -> tuple[Axis, ...]:
        """The axes of kind "space", in array order."""
        return tuple(axis for axis in self.axes if axis.kind == "space")

    @property
    def spacing(self) -> tuple[float, ...]:
        """Physical step per spatial axis, (z, y, x)."""
        return tuple(abs(axis.scale) for axis in self.spatial)

    @property
    def unit(self) -> str | None:
        """Unit shared by the spatial axes; None if they state none or differ."""
        units = {axis.unit for axis in self.spatial}
        unit = units.pop() if len(units) == 1 else None
        return None if unit in _PIXEL_UNITS else unit

    @property
    def is_physical(self) -> bool:
        """Whether the spacing means something: a unit is stated, or a step is not 1."""
        return self.unit is not None or any(step != 1 for step in self.spacing)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Homogeneous index → world matrix over the axes that are not channels."""
        axes = self._world_axes
        n = len(axes)
        linear = np.diag([axis.scale for axis in axes])
        if self.shear is not None:
            linear = _shear_matrix(self.shear, n) @ linear
        if self.rotate is not None:
            linear = np.asarray(self.rotate) @ linear
        matrix = np.eye(n + 1)
        matrix[:n, :n] = linear
        matrix[:n, n] = [axis.translate for axis in axes]
        return matrix if self.affine is None else np.asarray(self.affine) @ matrix

    def is_close(self, other: Space, atol: float = 1e-4) -> bool:
        """Whether both map the same indices to the same places, within `atol` voxels.

        A unit that only one of them states is taken for both.
        """
        mine, theirs = self.matrix, other.matrix
        if mine.shape != theirs.shape:
            return False
        if None not in (self.unit, other.unit) and _unit_name(self.unit) != _unit_name(other.unit):
            return False
        step = np.abs(mine[:-1, :-1]).max()
        return bool(np.allclose(mine, theirs, rtol=0, atol=atol * step))

    # --- derived spaces ---------------------------------------------------------------
    def without(self, kind: AxisKind) -> Space:
        """The space of an array that lost its axes of one kind."""
        kept = [axis.kind != kind for axis in self._world_axes]
        return replace(self._reduced(kept), axes=tuple(a for a in self.axes if a.kind != kind))

    def with_channel_axis(self, index: int) -> Space:
        """The space in which axis `index` holds channels instead of places or times."""
        axes = list(self.axes)
        kept = [axis is not axes[index] for axis in self._world_axes]
        axes[index] = Axis("c", "channel")
        return replace(self._reduced(kept), axes=tuple(axes))

    def _reduced(self, kept: Sequence[bool]) -> Space:
        """The same axes, with rotate, shear and affine over the kept ones alone."""
        if all(kept):
            return self
        n = len(kept)
        rows = np.flatnonzero(kept)
        rotate, shear, affine = None, None, None
        if self.rotate is not None:
            rotate = _freeze(np.asarray(self.rotate)[np.ix_(rows, rows)])
        if self.shear is not None:
            inner = _shear_matrix(self.shear, n)[np.ix_(rows, rows)]
            shear = tuple(float(v) for v in inner[np.triu_indices(len(rows), 1)])
        if self.affine is not None:
            rows = np.append(rows, n)
            affine = _freeze(np.asarray(self.affine)[np.ix_(rows, rows)])
        return Space(self.axes, rotate, shear, affine)

    def with_leading(self, axis: Axis) -> Space:
        """The space of a stack of such arrays along a new first axis."""

        def grown(matrix: Matrix | None) -> Matrix | None:
            if matrix is None:
                return None
            inner = np.asarray(matrix)
            outer = np.eye(len(inner) + 1)
            outer[1:, 1:] = inner
            return _freeze(outer)

        shear = None
        if self.shear is not None:
            n = len(self._world_axes) + 1
            full = np.eye(n)
            full[1:, 1:] = _shear_matrix(self.shear, n - 1)
            shear = tuple(float(v) for v in full[np.triu_indices(n, 1)])
        return Space((axis, *self.axes), grown(self.rotate), shear, grown(self.affine))

    def crop(self, box: Sequence[slice]) -> Space:
        """The space of ``array[box]``; steps other than one are refused."""
        starts = []
        for axis, part in zip(self.axes, box, strict=True):
            if part.step not in (None, 1):
                raise ValueError("expected slices with step 1; use `resample` for coarser grids")
            if axis.kind != "channel":
                starts.append(part.start or 0)
        return self._moved(np.asarray(starts, dtype=np.float64))

    def resample(self, factors: Sequence[float]) -> Space:
        """The space after each axis got `factor` times as many voxels over the same extent."""
        scales = [
            replace(axis, scale=axis.scale / factor)
            for axis, factor in zip(self.axes, factors, strict=True)
        ]
        # The outer faces of the volume stay; the first centre moves by half a voxel's change.
        world = [f for axis, f in zip(self.axes, factors, strict=True) if axis.kind != "channel"]
        shifted = self._moved(np.array([(1 / f - 1) / 2 for f in world]))
        moved = [
            replace(axis, translate=new.translate)
            for axis, new in zip(scales, shifted.axes, strict=True)
        ]
        return replace(self, axes=tuple(moved))

    def _moved(self, start: NDArray[np.float64]) -> Space:
        inner = replace(self, affine=None).matrix
        translate = iter((inner @ np.append(start, 1.0))[:-1])
        axes = tuple(
            axis if axis.kind == "channel" else replace(axis, translate=float(next(translate)))
            for axis in self.axes
        )
        return replace(self, axes=axes)

    # --- napari's words ---------------------------------------------------------------
    def to_layer_kwargs(self) -> dict[str, Any]:
        """Keywords that place a layer here; channels excluded, as napari has it."""
        axes = self._world_axes
        kwargs: dict[str, Any] = {
            "scale": tuple(axis.scale for axis in axes),
            "translate": tuple(axis.translate for axis in axes),
            "axis_labels": tuple(axis.name for axis in axes),
            "units": tuple(axis.unit or "pixel" for axis in axes),
        }
        if self.rotate is not None:
            kwargs["rotate"] = np.asarray(self.rotate)
        if self.shear is not None:
            kwargs["shear"] = np.asarray(self.shear)
        if self.affine is not None:
            kwargs["affine"] = np.asarray(self.affine)
        return kwargs

    @classmethod
    def from_layer_kwargs(cls, kwargs: Mapping[str, Any], channel_axis: int | None = None) -> Space:
        """Inverse of `to_layer_kwargs`; `channel_axis` counts in the array with channels.

        Names that are napari's placeholders ("-3", "-2", …) become z, y, x.
        """
        scale = tuple(float(s) for s in kwargs["scale"])
        n = len(scale)
        translate = tuple(float(t) for t in kwargs.get("translate", (0.0,) * n))
        units = tuple(_unit_name(u) for u in kwargs.get("units") or (None,) * n)
        labels = tuple(kwargs.get("axis_labels") or ("",) * n)
        names = tuple(
            _DEFAULT_NAMES[-n + i] if _is_placeholder(label) and n - i <= 4 else str(label)
            for i, label in enumerate(labels)
        )
        axes = [
            Axis(name, "time" if name == "t" or unit in ("s", "second") else "space", s, t, unit)
            for name, s, t, unit in zip(names, scale, translate, units, strict=True)
        ]
        if channel_axis is not None:
            axes.insert(channel_axis % (n + 1), Axis("c", "channel"))
        rotate = _unless_identity(kwargs.get("rotate"), n)
        affine = _unless_identity(kwargs.get("affine"), n + 1)
        shear = kwargs.get("shear")
        sheared = shear is not None and bool(np.any(np.asarray(shear)))
        return cls(
            tuple(axes),
            rotate,
            tuple(float(v) for v in np.asarray(shear).ravel()) if sheared else None,
            affine,
        )

    # --- plain data -------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "axes": [vars(axis) | {} for axis in self.axes],
            "rotate": self.rotate,
            "shear": self.shear,
            "affine": self.affine,
        }

    @property
    def _world_axes(self) -> tuple[Axis, ...]:
        return tuple(axis for axis in self.axes if axis.kind != "channel")


def _freeze(matrix: NDArray[np.float64]) -> Matrix:
    return tuple(tuple(float(v) for v in row) for row in np.asarray(matrix))


def _unless_identity(matrix: Any, n: int) -> Matrix | None:
    if matrix is None:
        return None
    array = np.asarray(getattr(matrix, "affine_matrix", matrix), dtype=np.float64)
    return None if np.array_equal(array, np.eye(n)) else _freeze(array)


def _shear_matrix(shear: Sequence[float], n: int) -> NDArray[np.float64]:
    matrix = np.eye(n)
    matrix[np.triu_indices(n, 1)] = shear
    return matrix


def _unit_name(unit: Any) -> str | None:
    if unit is None:
        return None
    name = f"{unit:~}" if hasattr(unit, "dimensionality") else str(unit)
    name = {"millimeter": "mm", "micrometer": "um", "µm": "um", "μm": "um", "second": "s"}.get(
        name, name
    )
    return None if name in (*_PIXEL_UNITS, "px", "pix") else name


def _is_placeholder(label: Any) -> bool:
    text = str(label)
    return not text or text.lstrip("-").isdigit()
