"""Probabilities of the random walker by conjugate gradients with a multigrid cycle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from ...progress import SILENT, Progress, part_of
from .crew import Crew
from .random_walker_cycle import Cycle
from .random_walker_grid import first_level, slabs

# Far beyond what a tolerance within the range of float32 takes.
_MOST_STEPS = 200


def solve(
    weights: NDArray[np.float32],
    seeds: NDArray[Any],
    free: NDArray[np.bool_],
    classes: Sequence[int],
    tolerance: float,
    *,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Iterator[NDArray[np.float32]]:
    """Yield, class by class, the probability that a walker reaches its seeds first.

    Parameters
    ----------
    weights : (3, A, B, C) float32 array
        Conductance between a voxel and the next one along each axis; 0 at the end.
    seeds : (A, B, C) integer array
    free : (A, B, C) bool array
        Voxels to solve for: without a seed, and connected to one.
    classes : sequence of int
        Seeds whose probabilities are wanted.
    tolerance : float
        Share of its first value at which the error, in the energy norm as the cycle
        estimates it, is small enough.
    threads : int, optional
        As many as numba would use by default; the result is the same for any number.
    progress : Progress
        May raise `Cancelled`.

    Yields
    ------
    (A, B, C) float32 array
        1 at seeds of the class, 0 at others; valid until the next one is asked for.
    """
    with Crew(int(config.NUMBA_NUM_THREADS) if threads is None else threads) as crew:
        progress(0.0, "preparing")
        level = first_level(weights, free, crew)
        cycle = Cycle(level, crew)
        solver = _Solver(weights, level.diagonal, cycle, crew)
        for k, value in enumerate(classes):
            report = part_of(progress, k / len(classes), (k + 1) / len(classes))
            yield solver.run((seeds == value).astype(np.float32), tolerance, report)


class _Solver:
    """Conjugate gradients; vectors are 0 at seeds, only the solution is not."""

    def __init__(
        self,
        weights: NDArray[np.float32],
        diagonal: NDArray[np.float32],
        cycle: Cycle,
        crew: Crew,
    ) -> None:
        self._weights, self._diagonal = weights, diagonal
        self._cycle, self._crew = cycle, crew
        self._slabs = slabs(diagonal.shape)
        self._sums = np.zeros(len(diagonal), dtype=np.float64)
        self._rest, self._direction, self._change = (np.zeros_like(diagonal) for _ in range(3))

    def run(
        self, solution: NDArray[np.float32], tolerance: float, progress: Progress
    ) -> NDArray[np.float32]:
        """Solve in place, from the seeds on."""
        rest, direction, change = self._rest, self._direction, self._change
        self._flow(solution, rest)
        np.negative(rest, out=rest)
        direction[...] = 0
        first = previous = reached = 0.0
        for _ in range(_MOST_STEPS):
            self._cycle(rest, change)
            energy = self._dot(rest, change)
            first = first or energy
            if energy <= first * tolerance**2:
                break
            # The estimate falls in the long run only.
            reached = max(reached, _done(energy / first, tolerance))
            progress(reached, "walking")
            keep = energy / previous if previous else 0.0
            self._each(_add_scaled, direction, change, keep)
            slope = self._flow(direction, change)
            self._each(_step, solution, rest, direction, change, energy / slope)
            previous = energy
        return solution

    def _each(self, kernel: Any, *arguments: Any) -> None:
        self._crew.run(lambda a, b: kernel(*arguments, a, b), self._slabs)

    def _flow(self, values: NDArray[np.float32], flow: NDArray[np.float32]) -> float:
        """Apply the system to `values`; their inner product with the result."""
        self._each(_flow, self._weights, self._diagonal, values, flow, self._sums)
        return float(self._sums.sum())

    def _dot(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        self._each(_dot, one, other, self._sums)
        return float(self._sums.sum())


def _done(share: float, tolerance: float) -> float:
    """How far the error has come on its way down, in [0, 1]."""
    return min(1.0, max(0.0, 0.5 * math.log(share) / math.log(tolerance)))


@njit(nogil=True, cache=True)
def _flow(
    weights: NDArray[np.float32],
    diagonal: NDArray[np.float32],
    values: NDArray[np.float32],
    flow: NDArray[np.float32],
    sums: NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    """Sum of conductance times difference to each neighbour: exact where values are level."""
    depth, height, width = values.shape
    for z in range(start, stop):
        total = 0.0
        for y in range(height):
            for x in range(width):
                if diagonal[z, y, x] == 0:
                    flow[z, y, x] = 0
                    continue
                here = values[z, y, x]
                out = np.float32(0)
                if z > 0:
                    out += weights[0, z - 1, y, x] * (here - values[z - 1, y, x])
                if z + 1 < depth:
                    out += weights[0, z, y, x] * (here - values[z + 1, y, x])
                if y > 0:
                    out += weights[1, z, y - 1, x] * (here - values[z, y - 1, x])
                if y + 1 < height:
                    out += weights[1, z, y, x] * (here - values[z, y + 1, x])
                if x > 0:
                    out += weights[2, z, y, x - 1] * (here - values[z, y, x - 1])
                if x + 1 < width:
                    out += weights[2, z, y, x] * (here - values[z, y, x + 1])
                flow[z, y, x] = out
                total += float(here) * float(out)
        sums[z] = total


@njit(nogil=True, cache=True)
def _dot(
    one: NDArray[np.float32],
    other: NDArray[np.float32],
    sums: NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    for z in range(start, stop):
        total = 0.0
        for y in range(one.shape[1]):
            for x in range(one.shape[2]):
                total += float(one[z, y, x]) * float(other[z, y, x])
        sums[z] = total


@njit(nogil=True, cache=True)
def _add_scaled(
    direction: NDArray[np.float32],
    change: NDArray[np.float32],
    keep: float,
    start: int,
    stop: int,
) -> None:
    share = np.float32(keep)
    for z in range(start, stop):
        for y in range(direction.shape[1]):
            for x in range(direction.shape[2]):
                direction[z, y, x] = change[z, y, x] + share * direction[z, y, x]


@njit(nogil=True, cache=True)
def _step(
    solution: NDArray[np.float32],
    rest: NDArray[np.float32],
    direction: NDArray[np.float32],
    flow: NDArray[np.float32],
    length: float,
    start: int,
    stop: int,
) -> None:
    far = np.float32(length)
    for z in range(start, stop):
        for y in range(solution.shape[1]):
            for x in range(solution.shape[2]):
                solution[z, y, x] += far * direction[z, y, x]
                rest[z, y, x] -= far * flow[z, y, x]
