"""Area of the marching-cubes surface in each cell, for every way its corners can be filled.

The table is worked out here from three rules. The surface passes through the middles of
those edges of the cell whose ends differ. On a face whose corners differ crosswise, the
corners that are fewer in the whole cell are kept apart; of four and four, the filled ones.
And a polygon that is not flat is made of those triangles that give it the largest area in a
cube of side 1: the quadrilateral that is flat stays whole. With these, areas do not change
when a cell is turned, mirrored or filled the other way round.

References
----------
W. E. Lorensen, H. E. Cline, "Marching cubes: a high resolution 3D surface construction
algorithm", SIGGRAPH 1987, doi:10.1145/37401.37422.
S. Nikolov et al., "Clinically applicable segmentation of head and neck anatomy for
radiotherapy", J. Med. Internet Res. 23(7), 2021, doi:10.2196/26151: areas of such elements as
weights of distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

_Point = tuple[int, int, int]
_Vectors = NDArray[np.float64]
_CORNERS: tuple[_Point, ...] = tuple((z, y, x) for z, y, x in product((0, 1), repeat=3))
_AROUND = ((0, 0), (0, 1), (1, 1), (1, 0))


def surfel_areas(spacing: Sequence[float]) -> _Vectors:
    """Area of surface, or length of contour, per code of a neighbourhood.

    Parameters
    ----------
    spacing : sequence of 2 or 3 float
        Distance of neighbouring voxel centres along each axis.

    Returns
    -------
    (256,) or (16,) float64 array
        By the number whose bit ``4 z + 2 y + x``, or ``2 y + x``, says whether the voxel at
        that offset is inside. In the square or plain unit of the spacing.

    Examples
    --------
    >>> surfel_areas((2.0, 1.0))[[0, 0b0011, 0b0101, 0b1111]]
    array([0., 1., 2., 0.])
    >>> float(surfel_areas((1.0, 1.0, 1.0))[1].round(4))
    0.2165
    """
    if len(spacing) == 2:
        # A contour is the cross-section of the surface of an image that goes on unchanged.
        return surfel_areas((1.0, *spacing))[::0b10001]
    codes, normals = _triangles()
    z, y, x = spacing
    areas = np.linalg.norm(normals * (y * x, z * x, z * y), axis=1)
    return np.bincount(codes, areas, minlength=256).astype(np.float64, copy=False)


@cache
def _triangles() -> tuple[NDArray[np.intp], _Vectors]:
    """Of all triangles in a cube of side 1 the code and the normal, as long as the area."""
    codes, normals = [], []
    for code in range(256):
        for polygon in _polygons(code):
            found = _normals(polygon)
            normals.append(found)
            codes += [code] * len(found)
    return np.array(codes, np.intp), np.concatenate(normals)


def _polygons(code: int) -> Iterator[list[_Point]]:
    """Closed loops around the corners that are fewer; points are twice as far out as in cells."""
    inside = {corner for bit, corner in enumerate(_CORNERS) if code >> bit & 1}
    fewer = inside if len(inside) <= 4 else set(_CORNERS) - inside
    links: dict[_Point, list[_Point]] = {}
    for face in _faces():
        for start, end in _segments(face, fewer):
            links.setdefault(start, []).append(end)
            links.setdefault(end, []).append(start)
    while links:
        loop = [next(iter(links))]
        while following := [point for point in links.pop(loop[-1]) if point in links]:
            loop.append(following[0])
        yield loop


def _faces() -> Iterator[list[_Point]]:
    """The corners of each face, one after the other around it."""
    for axis, side in product(range(3), (0, 1)):
        corners = [list(corner) for corner in _AROUND]
        for corner in corners:
            corner.insert(axis, side)
        yield [(z, y, x) for z, y, x in corners]


def _segments(face: list[_Point], fewer: set[_Point]) -> list[tuple[_Point, _Point]]:
    """Where the surface meets a face: lines between the middles of its edges."""
    middles = [_middle(face[i], face[(i + 1) % 4]) for i in range(4)]
    crossed = [i for i in range(4) if (face[i] in fewer) != (face[(i + 1) % 4] in fewer)]
    if len(crossed) == 4:
        return [(middles[i - 1], middles[i]) for i in range(4) if face[i] in fewer]
    return list(combinations([middles[i] for i in crossed], 2))


def _middle(start: _Point, end: _Point) -> _Point:
    z, y, x = (a + b for a, b in zip(start, end, strict=True))
    return z, y, x


def _normals(polygon: list[_Point]) -> _Vectors:
    ways = [np.array([_normal(*corners) for corners in way]) for way in _triangulations(polygon)]
    return max(ways, key=lambda normals: float(np.linalg.norm(normals, axis=1).sum()))


def _normal(first: _Point, second: _Point, third: _Point) -> _Vectors:
    start = np.array(first)
    # Half the product is the triangle's area, and its points are twice too far out.
    return np.cross(np.array(second) - start, np.array(third) - start) / 8


def _triangulations(polygon: list[_Point]) -> Iterator[list[tuple[_Point, _Point, _Point]]]:
    """All ways to cut a polygon into triangles with its own corners."""
    if len(polygon) < 3:
        yield []
    for i in range(1, len(polygon) - 1):
        for before in _triangulations(polygon[: i + 1]):
            for after in _triangulations(polygon[i:]):
                yield [(polygon[0], polygon[i], polygon[-1]), *before, *after]
