"""Geometry between NIfTI headers and `Space`.

A NIfTI matrix maps (i, j, k) to (right, anterior, superior). Arrays here are in (z, y, x)
order, so with J the reversal of three axes the matrix of the space is ``J · M · J``: its
world axes are superior, anterior, right.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FormatError
from ..space import Axis, Space

Matrix = NDArray[np.float64]

_REVERSAL = np.eye(4)[[2, 1, 0, 3]]
_UNIT_OF_CODE = {1: "m", 2: "mm", 3: "um"}
_SECONDS_OF_CODE = {8: 1.0, 16: 1e-3, 24: 1e-6}
_SECONDS_CODE = 8
_SPACE_BITS, TIME_BITS = 7, 56
# Known lengths as (NIfTI code, factor to the unit of that code).
_CODE_OF_UNIT = {
    None: (0, 1.0),
    "m": (1, 1.0),
    "meter": (1, 1.0),
    "metre": (1, 1.0),
    "cm": (2, 10.0),
    "centimeter": (2, 10.0),
    "mm": (2, 1.0),
    "millimeter": (2, 1.0),
    "um": (3, 1.0),
    "µm": (3, 1.0),
    "μm": (3, 1.0),
    "micron": (3, 1.0),
    "micrometer": (3, 1.0),
    "nm": (3, 1e-3),
    "nanometer": (3, 1e-3),
}
_SECONDS_OF_UNIT = {None: 1.0, "s": 1.0, "second": 1.0, "ms": 1e-3, "millisecond": 1e-3,
                    "us": 1e-6, "µs": 1e-6, "microsecond": 1e-6}  # fmt: skip
_SCANNER, _ALIGNED, _LAST_FORM_CODE = 1, 2, 5
# sform and qform count as one geometry below this difference, in the unit of the file.
_SAME_FORM = 1e-3
_SAME_GRID = 1e-5
_ORTHONORMAL = 1e-6


class GeometryWarning(UserWarning):
    """A file places its voxels ambiguously; the message says which reading was taken."""


@dataclass(frozen=True)
class Placement:
    """Geometry as a NIfTI header holds it.

    Attributes
    ----------
    affine : (4, 4) array
        Voxel (i, j, k) to (right, anterior, superior).
    sform, qform : (4, 4) array or None
        None where the code is 0.
    sform_code, qform_code : int
    unit_code : int
        Spatial part of ``xyzt_units``.
    """

    affine: Matrix
    sform: Matrix | None
    qform: Matrix | None
    sform_code: int
    qform_code: int
    unit_code: int

    def to_metadata(self) -> dict[str, Any]:
        """Plain data from which `placement_of` finds the codes again."""
        return {
            "affine": self.affine.tolist(),
            "sform": None if self.sform is None else self.sform.tolist(),
            "qform": None if self.qform is None else self.qform.tolist(),
            "sform_code": self.sform_code,
            "qform_code": self.qform_code,
            "unit_code": self.unit_code,
        }

    @classmethod
    def from_metadata(cls, data: dict[str, Any]) -> Placement:
        """Inverse of `to_metadata`."""
        sform, qform = (
            None if data[key] is None else np.array(data[key]) for key in ("sform", "qform")
        )
        codes = [int(data[key]) for key in ("sform_code", "qform_code", "unit_code")]
        return cls(np.array(data["affine"]), sform, qform, *codes)


def read_placement(header: Any, name: str) -> Placement:
    """Geometry of a nibabel NIfTI header: sform, else qform, else the voxel size alone.

    Warns
    -----
    GeometryWarning
        If sform and qform disagree, or neither they nor the voxel size can be used.
    """
    codes = _form_code(header["sform_code"]), _form_code(header["qform_code"])
    sform = _usable(np.asarray(header.get_sform(), dtype=np.float64)) if codes[0] > 0 else None
    qform = _usable(_qform(header)) if codes[1] > 0 else None
    if sform is not None and qform is not None:
        difference = float(np.abs(sform - qform).max())
        if difference > _SAME_FORM:
            _warn(f"{name}: sform and qform differ by up to {difference:.3g}; the sform is used")
    affine = sform if sform is not None else qform
    if affine is None:
        if max(codes) > 0:
            _warn(f"{name}: its orientation matrix is not usable; the voxel size alone is used")
        affine = _from_voxel_size(header, name)
    unit_code = int(header["xyzt_units"]) & _SPACE_BITS
    kept = codes[0] if sform is not None else 0, codes[1] if qform is not None else 0
    return Placement(affine, sform, qform, *kept, unit_code)


def read_space(placement: Placement, planar: bool) -> Space:
    """Space of the (z, y, x) array, or of its only plane."""
    # Tools write "unknown" (0) and mean millimetres.
    unit = _UNIT_OF_CODE.get(placement.unit_code, "mm")
    matrix = _REVERSAL @ placement.affine @ _REVERSAL
    if not planar:
        return Space.from_matrix(matrix, unit)
    size = np.linalg.norm(matrix[:3, 1:3], axis=0)
    flat = matrix[1:, 1:]
    in_plane = np.abs(matrix[0, 1:3]).max() < 1e-4 * size.max()
    if in_plane and _usable(flat) is not None:
        return Space.from_matrix(flat, unit)
    # A plane that does not lie in the world's (y, x) plane has only its own coordinates.
    return Space.regular(2, tuple(float(step) for step in size), unit)


def read_time_axis(header: Any) -> Axis:
    """Fourth axis of a header, in seconds."""
    factor = _SECONDS_OF_CODE.get(int(header["xyzt_units"]) & TIME_BITS, 1.0)
    step, start = float(header["pixdim"][4]), float(header["toffset"])
    step = step if np.isfinite(step) and step > 0 else 1.0
    start = start if np.isfinite(start) else 0.0
    return Axis("t", "time", step * factor, start * factor, "s")


def placement_of(space: Space, known: dict[str, Any] | None) -> Placement:
    """Geometry to write for an array in `space`.

    Parameters
    ----------
    space : Space
    known : dict or None
        `Placement.to_metadata` of the file that the array came from. Where it describes
        the same grid, matrices and codes go back as they were; otherwise the sform is
        written, and the qform too where it can say the same.

    Raises
    ------
    FormatError
        If there are not two or three spatial axes, or their unit has no NIfTI word.
    """
    spatial = space.without("channel").without("time")
    if spatial.ndim not in (2, 3):
        raise FormatError(
            f"expected 2 or 3 spatial axes for NIfTI, got {spatial.ndim}; "
            "write slices of the array instead"
        )
    code, factor = _unit_code(spatial)
    if known is not None:
        before = Placement.from_metadata(known)
        same_unit = before.unit_code == code or (before.unit_code == 0 and code == 2)
        there = read_space(before, planar=spatial.ndim == 2)
        if same_unit and factor == 1 and spatial.is_close(there, atol=_SAME_GRID):
            return before
    matrix = np.eye(4)
    matrix[4 - len(spatial.matrix) :, 4 - len(spatial.matrix) :] = spatial.matrix
    matrix[:3] *= factor
    affine = _REVERSAL @ matrix @ _REVERSAL
    form_code = _SCANNER if code else _ALIGNED
    rigid = _is_orthonormal(affine)
    return Placement(
        affine, affine, affine if rigid else None, form_code, form_code if rigid else 0, code
    )


def write_placement(header: Any, placement: Placement, time: Axis | None) -> None:
    """Fill the geometry of a fresh nibabel header whose shape is set."""
    zooms = np.linalg.norm(placement.affine[:3, :3], axis=0)
    header["pixdim"][1:4] = zooms
    # An sform says nothing of pixdim[0], which is the handedness of the qform.
    header["pixdim"][0] = 1
    if placement.qform is not None:
        header.set_qform(placement.qform, placement.qform_code)
    if placement.sform is not None:
        header.set_sform(placement.sform, placement.sform_code)
    units = placement.unit_code
    if time is not None:
        seconds = _SECONDS_OF_UNIT.get(time.unit)
        if seconds is None:
            raise FormatError(
                f"expected time in s, ms or us for NIfTI, got {time.unit!r}; convert the time step"
            )
        header["pixdim"][4] = time.scale * seconds
        header["toffset"] = time.translate * seconds
        units |= _SECONDS_CODE
    header["xyzt_units"] = units


def _unit_code(spatial: Space) -> tuple[int, float]:
    units = {None if axis.unit in ("", "pixel") else axis.unit for axis in spatial.axes}
    if len(units) > 1:
        names = ", ".join(sorted(str(unit) for unit in units))
        raise FormatError(
            f"expected one unit for all spatial axes, got {names}; convert them to one"
        )
    unit = units.pop()
    if unit not in _CODE_OF_UNIT:
        raise FormatError(
            f"expected lengths in m, cm, mm, um or nm for NIfTI, got {unit!r}; convert the spacing"
        )
    return _CODE_OF_UNIT[unit]


def _form_code(stored: Any) -> int:
    """Code of a form; where the standard does not list it, the form counts as aligned."""
    code = int(stored)
    return code if code <= _LAST_FORM_CODE else _ALIGNED


def _qform(header: Any) -> Matrix:
    """qform with the two mistakes mended that are common and harmless."""
    header = header.copy()
    header["pixdim"][0] = -1 if header["pixdim"][0] < 0 else 1
    header["pixdim"][1:4] = np.abs(header["pixdim"][1:4])
    try:
        return np.asarray(header.get_qform(), dtype=np.float64)
    except ValueError:  # the quaternion is longer than one
        return np.full((4, 4), np.nan)


def _usable(matrix: Matrix) -> Matrix | None:
    linear = matrix[:-1, :-1]
    if not np.isfinite(matrix).all():
        return None
    size = np.linalg.norm(linear, axis=0)
    if not (size > 0).all() or abs(np.linalg.det(linear / size)) < 1e-6:
        return None
    return matrix


def _from_voxel_size(header: Any, name: str) -> Matrix:
    size = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64))
    valid = np.isfinite(size) & (size > 0)
    if not valid.all():
        _warn(f"{name}: its voxel size is {size.tolist()}; 1 is used where it is not positive")
    return np.diag([*np.where(valid, size, 1.0), 1.0])


def _is_orthonormal(affine: Matrix) -> bool:
    direction = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(direction.T @ direction, np.eye(3), rtol=0, atol=_ORTHONORMAL))


def _warn(message: str) -> None:
    warnings.warn(message, GeometryWarning, stacklevel=2)


def with_channels(space: Space, at: int) -> Space:
    """The same space with a channel axis put in."""
    axes = list(space.axes)
    axes.insert(at, Axis("c", "channel"))
    return replace(space, axes=tuple(axes))
