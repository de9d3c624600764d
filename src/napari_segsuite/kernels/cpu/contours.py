"""Contours that move by morphology: a region of ones that is changed voxel by voxel.

A 2D image is a volume of one plane. Beyond the border lies what is at the border, so that a
region cut off by the image's border is not rounded off there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .crew import Crew

_VOXELS_PER_PIECE = 1 << 18
_NO_MASK = np.zeros((0, 0, 0), dtype=np.bool_)


def _plane_bits() -> NDArray[np.uint32]:
    """The nine planes of 3 × 3 voxels through the middle of 3 × 3 × 3, as bits.

    The bit of a voxel at (z, y, x) is that of 9 x + 3 z + y.
    """
    normals = ((0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1),
               (1, 1, 0), (1, -1, 0))  # fmt: skip
    planes = np.zeros(len(normals), dtype=np.uint32)
    for z, y, x in product((-1, 0, 1), repeat=3):
        on = np.array(normals) @ (z, y, x) == 0
        planes[on] |= np.uint32(1 << (9 * (x + 1) + 3 * (z + 1) + y + 1))
    return planes


_PLANES = _plane_bits()
_NINE = np.uint16((1 << 9) - 1)


class Contour:
    """A region and what can be done to it.

    Parameters
    ----------
    inside : (M, N, P) bool array
        The region at first.
    usable : (M, N, P) bool array, optional
        Voxels that may be part of it.
    crew : Crew
        Threads; the result is the same for any number.

    Examples
    --------
    >>> box = np.zeros((1, 7, 7), dtype=bool)
    >>> box[0, 2:5, 2:5] = True
    >>> with Crew(1) as crew:
    ...     contour = Contour(box, None, crew)
    ...     contour.smooth(range(1))
    ...     contour.inside[0, 1:6, 1:6]
    array([[0, 0, 0, 0, 0],
           [0, 0, 1, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 1, 0, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """

    def __init__(
        self, inside: NDArray[np.bool_], usable: NDArray[np.bool_] | None, crew: Crew
    ) -> None:
        self._usable = _NO_MASK if usable is None else np.ascontiguousarray(usable)
        self._now = np.zeros([n + 2 for n in inside.shape], dtype=np.uint8)
        self._now[1:-1, 1:-1, 1:-1] = inside
        self._next = np.zeros_like(self._now)
        self._crew = crew
        step = max(1, _VOXELS_PER_PIECE // max(1, inside[0].size))
        self.pieces = [
            (start, min(start + step, len(inside))) for start in range(0, len(inside), step)
        ]

    @property
    def inside(self) -> NDArray[np.uint8]:
        """The region, (M, N, P): 1 inside, 0 outside; a view."""
        return self._now[1:-1, 1:-1, 1:-1]

    def smooth(self, turns: range) -> None:
        """Smooth the contour once for each turn.

        On even turns dents are filled before bumps are taken off, on odd ones after it: the
        operators SI and IS of Márquez-Neila et al. (2014), doi:10.1109/TPAMI.2013.106.
        """
        for turn in turns:
            fill_first = turn % 2 == 0
            self._change(_smooth, fill_first)
            self._change(_smooth, not fill_first)

    def means(self, image: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mean of each channel inside and outside; 0 where there is no voxel.

        Parameters
        ----------
        image : (C, M, N, P) float32 array
        """
        sums = np.zeros((len(self.pieces), 2, len(image) + 1))

        def add(piece: int, start: int, stop: int) -> None:
            _add(self.inside, image, self._usable, start, stop, sums[piece])

        self._crew.run(add, [(i, *piece) for i, piece in enumerate(self.pieces)])
        # Added in the order of the pieces, whichever thread summed them.
        outside, inside = sums.sum(axis=0)
        return inside[:-1] / max(inside[-1], 1), outside[:-1] / max(outside[-1], 1)

    def follow_means(
        self, image: NDArray[np.float32], inside_weight: float, outside_weight: float
    ) -> None:
        """Give voxels on the contour to the side whose mean is nearer; Chan–Vese.

        Parameters
        ----------
        image : (C, M, N, P) float32 array
        inside_weight, outside_weight : float
            Factors of the squared differences to the means.
        """
        self._change(_follow_means, image, *self.means(image), inside_weight, outside_weight)

    def inflate(self, speed: NDArray[np.float32], slowest: float, *, outward: bool) -> None:
        """Move the contour by a voxel wherever the speed is above `slowest`.

        Parameters
        ----------
        speed : (M, N, P) float32 array
        slowest : float
        outward : bool
        """
        self._change(_inflate, speed, slowest, outward)

    def descend(self, speed: NDArray[np.float32]) -> None:
        """Move the contour to where the speed is lower.

        Parameters
        ----------
        speed : (M, N, P) float32 array
        """
        self._change(_descend, speed)

    def _change(self, kernel: Callable[..., None], *arguments: Any) -> None:
        rim = self._now
        rim[0], rim[-1] = rim[1], rim[-2]
        rim[:, 0], rim[:, -1] = rim[:, 1], rim[:, -2]
        rim[..., 0], rim[..., -1] = rim[..., 1], rim[..., -2]

        def change(start: int, stop: int) -> None:
            kernel(self._now, self._next, self._usable, start, stop, *arguments)

        self._crew.run(change, self.pieces)
        self._now, self._next = self._next, self._now


@njit(nogil=True, cache=True)
def _gather(now: Any, z: int, y: int, columns: Any) -> None:
    """The nine voxels around each of a line in the plane of the first two axes, as bits."""
    columns[:] = 0
    for dz in range(3):
        for dy in range(3):
            line, bit = now[z + dz, y + dy], np.uint16(3 * dz + dy)
            for x in range(columns.size):
                columns[x] |= np.uint16(line[x]) << bit


@njit(nogil=True, cache=True)
def _smooth(now: Any, after: Any, usable: Any, start: int, stop: int, fill: bool) -> None:
    """To fill: inside if every plane meets the region. Else: if it holds a whole plane."""
    columns = np.zeros(now.shape[2], dtype=np.uint16)
    # A voxel inside meets all planes through it; one outside holds none.
    settled = np.uint8(fill)
    for z in range(start, stop):
        for y in range(now.shape[1] - 2):
            _gather(now, z, y, columns)
            old, new = now[z + 1, y + 1], after[z + 1, y + 1]
            for x in range(columns.size - 2):
                value = old[x + 1]
                either = columns[x] | columns[x + 1] | columns[x + 2]
                all_three = columns[x] & columns[x + 1] & columns[x + 2]
                if value != settled and either != 0 and all_three != _NINE:
                    bits = np.uint32(columns[x]) | np.uint32(columns[x + 1]) << np.uint32(9)
                    bits |= np.uint32(columns[x + 2]) << np.uint32(18)
                    value = _hit(bits) if fill else _held(bits)
                new[x + 1] = value


@njit(nogil=True, cache=True)
def _hit(bits: Any) -> Any:
    """Whether every plane holds a one."""
    for plane in _PLANES:
        if bits & plane == 0:
            return np.uint8(0)
    return np.uint8(1)


@njit(nogil=True, cache=True)
def _held(bits: Any) -> Any:
    """Whether any plane is full of ones."""
    for plane in _PLANES:
        if bits & plane == plane:
            return np.uint8(1)
    return np.uint8(0)


@njit(nogil=True, cache=True)
def _add(inside: Any, image: Any, usable: Any, start: int, stop: int, sums: Any) -> None:
    """Add up each channel outside and inside, and count the voxels last."""
    n_channels = image.shape[0]
    for z in range(start, stop):
        for y in range(inside.shape[1]):
            for x in range(inside.shape[2]):
                if usable.size and not usable[z, y, x]:
                    continue
                side = inside[z, y, x]
                for c in range(n_channels):
                    sums[side, c] += image[c, z, y, x]
                sums[side, n_channels] += 1


@njit(nogil=True, cache=True)
def _follow_means(
    now: Any, after: Any, usable: Any, start: int, stop: int, image: Any, mean_inside: Any,
    mean_outside: Any, inside_weight: float, outside_weight: float,
) -> None:  # fmt: skip
    for z in range(start, stop):
        for y in range(now.shape[1] - 2):
            for x in range(now.shape[2] - 2):
                k, j, i = z + 1, y + 1, x + 1
                value = now[k, j, i]
                if usable.size and not usable[z, y, x]:
                    value = np.uint8(0)
                elif (
                    now[k - 1, j, i] != now[k + 1, j, i]
                    or now[k, j - 1, i] != now[k, j + 1, i]
                    or now[k, j, i - 1] != now[k, j, i + 1]
                ):
                    force = 0.0
                    for c in range(image.shape[0]):
                        to_inside = image[c, z, y, x] - mean_inside[c]
                        to_outside = image[c, z, y, x] - mean_outside[c]
                        force += inside_weight * to_inside * to_inside
                        force -= outside_weight * to_outside * to_outside
                    if force != 0:
                        value = np.uint8(force < 0)
                after[k, j, i] = value


@njit(nogil=True, cache=True)
def _inflate(
    now: Any, after: Any, usable: Any, start: int, stop: int, speed: Any, slowest: float,
    outward: bool,
) -> None:  # fmt: skip
    for z in range(start, stop):
        for y in range(now.shape[1] - 2):
            for x in range(now.shape[2] - 2):
                value = now[z + 1, y + 1, x + 1]
                if usable.size and not usable[z, y, x]:
                    value = np.uint8(0)
                elif (value == 0) == outward and speed[z, y, x] > slowest:
                    for dz in range(3):
                        for dy in range(3):
                            for dx in range(3):
                                if now[z + dz, y + dy, x + dx] == np.uint8(outward):
                                    value = np.uint8(outward)
                after[z + 1, y + 1, x + 1] = value


@njit(nogil=True, cache=True)
def _descend(now: Any, after: Any, usable: Any, start: int, stop: int, speed: Any) -> None:
    depth, height, width = speed.shape
    for z in range(start, stop):
        above, below = max(z - 1, 0), min(z + 1, depth - 1)
        for y in range(height):
            back, front = max(y - 1, 0), min(y + 1, height - 1)
            for x in range(width):
                k, j, i = z + 1, y + 1, x + 1
                value = now[k, j, i]
                if usable.size and not usable[z, y, x]:
                    after[k, j, i] = 0
                    continue
                slope_z = np.float32(now[k + 1, j, i]) - np.float32(now[k - 1, j, i])
                slope_y = np.float32(now[k, j + 1, i]) - np.float32(now[k, j - 1, i])
                slope_x = np.float32(now[k, j, i + 1]) - np.float32(now[k, j, i - 1])
                if slope_z != 0 or slope_y != 0 or slope_x != 0:
                    left, right = max(x - 1, 0), min(x + 1, width - 1)
                    rise = slope_z * (speed[below, y, x] - speed[above, y, x])
                    rise += slope_y * (speed[z, front, x] - speed[z, back, x])
                    rise += slope_x * (speed[z, y, right] - speed[z, y, left])
                    if rise != 0:
                        value = np.uint8(rise > 0)
                after[k, j, i] = value
