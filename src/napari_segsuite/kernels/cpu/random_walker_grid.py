"""Grids of conductances, from the image's own to a single voxel, for the random walker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .crew import Crew

# Voxels handed to a thread at once: short enough to share evenly, long enough to pay.
_VOXELS_PER_PIECE = 1 << 17
# An axis along which walkers pass this much less easily than along the best is left as it is:
# relaxation sees no difference along it until the others have been coarsened.
_WEAK = 0.3
# Conductances between blocks count this much along a coarsened axis. Values that are level
# within each block make it seem too stiff: up to twice on smooth ground, not at all at edges.
_SOFTENING = 0.7

Shape = tuple[int, int, int]


class Level(NamedTuple):
    """The random walker's linear system on one grid.

    Attributes
    ----------
    weights : (3, A, B, C) float32 array
        Conductance between a voxel and the next one along each axis; 0 at the end.
    diagonal : (A, B, C) float32 array
        Sum of the conductances around a voxel; 0 where there is nothing to solve for.
    steps : tuple of int
        How many voxels, 1 or 2, make one of the next coarser level, per axis.
    """

    weights: NDArray[np.float32]
    diagonal: NDArray[np.float32]
    steps: Shape


def slabs(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Ranges of planes along the first axis for threads to share.

    Examples
    --------
    >>> slabs((5, 256, 256))
    [(0, 2), (2, 4), (4, 5)]
    """
    thick = max(1, _VOXELS_PER_PIECE // max(1, shape[1] * shape[2]))
    return [(a, min(a + thick, shape[0])) for a in range(0, shape[0], thick)]


def conductances(
    differences: NDArray[np.float32],
    allowed: NDArray[np.bool_] | None,
    falloff: float,
    floor: float,
    steps: tuple[float, float, float],
    crew: Crew,
) -> None:
    """Turn squared differences into conductances, in place.

    Parameters
    ----------
    differences : (3, A, B, C) float32 array
        Squared difference between a voxel and the next one along each axis; they become
        ``max(exp(-falloff * difference / step**2), floor) / step**2``.
    allowed : (A, B, C) bool array or None
        Nothing is conducted to or from voxels elsewhere.
    falloff, floor : float
    steps : tuple of float
        Length of a step along each axis.
    crew : Crew
    """
    everywhere = np.ones((1, 1, 1), dtype=np.bool_)
    where = everywhere if allowed is None else allowed
    lengths = np.array(steps, dtype=np.float64)
    crew.run(
        lambda a, b: _conduct(
            differences, where, allowed is not None, falloff, floor, lengths, a, b
        ),
        slabs(differences.shape[1:]),
    )


def add_squared_differences(
    channel: NDArray[np.float32], differences: NDArray[np.float32], crew: Crew
) -> None:
    """Add a channel's squared differences between neighbours along each axis."""
    crew.run(lambda a, b: _add_differences(channel, differences, a, b), slabs(channel.shape))


def first_level(weights: NDArray[np.float32], free: NDArray[np.bool_], crew: Crew) -> Level:
    """Build the system on the image's own grid.

    Parameters
    ----------
    weights : (3, A, B, C) float32 array
        Conductances, those to the seeds included.
    free : (A, B, C) bool array
        Voxels to solve for.
    crew : Crew
    """
    diagonal = np.zeros(free.shape, dtype=np.float32)
    crew.run(lambda a, b: _sum_around(weights, free, diagonal, a, b), slabs(free.shape))
    return Level(weights, diagonal, _steps(weights))


def coarser(level: Level, crew: Crew) -> Iterator[Level]:
    """Yield the levels below, down to a single voxel."""
    # What leads from a voxel to seeds other than through its neighbours: nothing, at first.
    ground = np.broadcast_to(np.zeros(1, dtype=np.float32), level.diagonal.shape)
    while max(level.steps) > 1:
        shape = tuple(-(-n // s) for n, s in zip(level.diagonal.shape, level.steps, strict=True))
        weights = np.zeros((3, *shape), dtype=np.float32)
        joined = np.zeros(shape, dtype=np.float32)
        diagonal = np.zeros(shape, dtype=np.float32)
        arrays = (*level, ground, weights, joined, diagonal)
        crew.run(lambda a, b, arrays=arrays: _join(*arrays, a, b), slabs(shape))
        level, ground = Level(weights, diagonal, _steps(weights)), joined
        yield level


def _steps(weights: NDArray[np.float32]) -> Shape:
    """Two along the axes worth coarsening."""
    shape = weights.shape[1:]
    ease = [
        float(along.mean(dtype=np.float64)) * n / (n - 1) if n > 1 else -1.0
        for along, n in zip(weights, shape, strict=True)
    ]
    a, b, c = (2 if e >= max(0.0, _WEAK * max(ease)) else 1 for e in ease)
    return a, b, c


@njit(nogil=True, cache=True)
def _add_differences(
    channel: NDArray[np.float32], differences: NDArray[np.float32], start: int, stop: int
) -> None:
    depth, height, width = channel.shape
    for z in range(start, stop):
        below = min(z + 1, depth - 1)
        for y in range(height):
            behind = min(y + 1, height - 1)
            for x in range(width):
                value = channel[z, y, x]
                differences[0, z, y, x] += (channel[below, y, x] - value) ** 2
                differences[1, z, y, x] += (channel[z, behind, x] - value) ** 2
            for x in range(width - 1):
                differences[2, z, y, x] += (channel[z, y, x + 1] - channel[z, y, x]) ** 2


@njit(nogil=True, cache=True)
def _conduct(
    weights: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    is_masked: bool,
    falloff: float,
    floor: float,
    lengths: NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    _, depth, height, width = weights.shape
    for axis in range(3):
        dz, dy, dx = axis == 0, axis == 1, axis == 2
        scale = 1.0 / (lengths[axis] * lengths[axis])
        rate, least, most = np.float32(-falloff * scale), np.float32(floor), np.float32(scale)
        for z in range(start, stop):
            for y in range(height):
                line = weights[axis, z, y]
                if z + dz == depth or y + dy == height:
                    line[:] = 0
                    continue
                for x in range(width):
                    line[x] = max(np.exp(rate * line[x]), least) * most
                if dx:
                    line[width - 1] = 0
                if is_masked:
                    for x in range(width - dx):
                        if not (allowed[z, y, x] and allowed[z + dz, y + dy, x + dx]):
                            line[x] = 0


@njit(nogil=True, cache=True)
def _sum_around(
    weights: NDArray[np.float32],
    free: NDArray[np.bool_],
    diagonal: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    for z in range(start, stop):
        for y in range(free.shape[1]):
            for x in range(free.shape[2]):
                if not free[z, y, x]:
                    continue
                total = weights[0, z, y, x] + weights[1, z, y, x] + weights[2, z, y, x]
                if z > 0:
                    total += weights[0, z - 1, y, x]
                if y > 0:
                    total += weights[1, z, y - 1, x]
                if x > 0:
                    total += weights[2, z, y, x - 1]
                diagonal[z, y, x] = total


@njit(nogil=True, cache=True)
def _join(
    weights: NDArray[np.float32],
    diagonal: NDArray[np.float32],
    steps: Shape,
    ground: NDArray[np.float32],
    joined: NDArray[np.float32],
    joined_ground: NDArray[np.float32],
    around: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Sum the conductances between blocks of voxels, and from blocks to seeds."""
    shape = diagonal.shape
    for z in range(start * steps[0], min(stop * steps[0], shape[0])):
        for y in range(shape[1]):
            for x in range(shape[2]):
                if diagonal[z, y, x] == 0:
                    continue
                block = (z // steps[0], y // steps[1], x // steps[2])
                joined_ground[block] += ground[z, y, x]
                around[block] += ground[z, y, x]
                for axis in range(3):
                    share = np.float32(_SOFTENING if steps[axis] == 2 else 1)
                    for side in (-1, 1):
                        # The neighbour's coordinates, and whose entry holds the conductance.
                        p = z + side * (axis == 0)
                        q = y + side * (axis == 1)
                        r = x + side * (axis == 2)
                        if min(p, q, r) < 0 or p == shape[0] or q == shape[1] or r == shape[2]:
                            continue
                        weight = weights[axis, min(p, z), min(q, y), min(r, x)]
                        if diagonal[p, q, r] == 0:
                            joined_ground[block] += weight
                            around[block] += weight
                        elif (p // steps[0], q // steps[1], r // steps[2]) != block:
                            around[block] += share * weight
                            if side > 0:
                                joined[axis, block[0], block[1], block[2]] += share * weight
