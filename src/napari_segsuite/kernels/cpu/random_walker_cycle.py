"""One multigrid cycle: a rough solution of the random walker's system on all scales."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .crew import Crew
from .random_walker_grid import Level, Shape, coarser, slabs


class Cycle:
    """A symmetric V-cycle over a level and all coarser ones.

    Voxels of alternating colour, as on a chessboard, are relaxed in turn: those of one
    colour have neighbours of the other only, so that threads may share them. The coarser
    levels have sums over blocks of 2 × 2 × 2 voxels and pass their corrections on to all
    voxels of a block.

    Parameters
    ----------
    level : Level
    crew : Crew

    References
    ----------
    M. Mohr, R. Wienands, "Cell-centred multigrid revisited", Computing and Visualization in
    Science 7, 2004, doi:10.1007/s00791-004-0137-0.
    """

    def __init__(self, level: Level, crew: Crew) -> None:
        self._crew = crew
        self._levels = [level, *coarser(level, crew)]
        self._targets = [np.zeros_like(coarse.diagonal) for coarse in self._levels[1:]]
        self._solutions = [np.zeros_like(coarse.diagonal) for coarse in self._levels[1:]]

    def __call__(self, target: NDArray[np.float32], solution: NDArray[np.float32]) -> None:
        """Write into `solution` what roughly solves the finest level for `target`.

        Parameters
        ----------
        target, solution : (A, B, C) float32 array
        """
        targets, solutions = [target, *self._targets], [solution, *self._solutions]
        last = len(self._levels) - 1
        for k, level in enumerate(self._levels[:-1]):
            self._run(_start, level, targets[k], solutions[k])
            self._relax(level, targets[k], solutions[k], 1)
            self._restrict(level, targets[k], solutions[k], targets[k + 1])
        coarsest = self._levels[last].diagonal
        np.divide(targets[last], coarsest, out=solutions[last], where=coarsest > 0)
        for k, level in reversed(list(enumerate(self._levels[:-1]))):
            self._run(_correct, level, solutions[k + 1], solutions[k])
            self._relax(level, targets[k], solutions[k], 1)
            self._relax(level, targets[k], solutions[k], 0)

    def _run(
        self, kernel: Any, level: Level, one: NDArray[np.float32], other: NDArray[np.float32]
    ) -> None:
        self._crew.run(
            lambda a, b: kernel(level.diagonal, level.steps, one, other, a, b),
            slabs(level.diagonal.shape),
        )

    def _relax(
        self, level: Level, target: NDArray[np.float32], solution: NDArray[np.float32], colour: int
    ) -> None:
        self._crew.run(
            lambda a, b: _relax(level.weights, level.diagonal, target, solution, colour, a, b),
            slabs(solution.shape),
        )

    def _restrict(
        self,
        level: Level,
        target: NDArray[np.float32],
        solution: NDArray[np.float32],
        coarse: NDArray[np.float32],
    ) -> None:
        self._crew.run(
            lambda a, b: _restrict(*level, target, solution, coarse, a, b), slabs(coarse.shape)
        )


@njit(nogil=True, cache=True)
def _start(
    diagonal: NDArray[np.float32],
    _steps: Shape,
    target: NDArray[np.float32],
    solution: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Relax the voxels of colour 0 where all others are 0, and clear those."""
    _, height, width = diagonal.shape
    for z in range(start, stop):
        for y in range(height):
            solution[z, y] = 0
            for x in range((z + y) % 2, width, 2):
                if diagonal[z, y, x] > 0:
                    solution[z, y, x] = target[z, y, x] / diagonal[z, y, x]


@njit(nogil=True, cache=True, inline="always")
def _inflow(
    weights: NDArray[np.float32], values: NDArray[np.float32], z: int, y: int, x: int
) -> np.float32:
    """Sum of conductance times value over the neighbours."""
    depth, height, width = values.shape
    total = np.float32(0)
    if z > 0:
        total += weights[0, z - 1, y, x] * values[z - 1, y, x]
    if z + 1 < depth:
        total += weights[0, z, y, x] * values[z + 1, y, x]
    if y > 0:
        total += weights[1, z, y - 1, x] * values[z, y - 1, x]
    if y + 1 < height:
        total += weights[1, z, y, x] * values[z, y + 1, x]
    if x > 0:
        total += weights[2, z, y, x - 1] * values[z, y, x - 1]
    if x + 1 < width:
        total += weights[2, z, y, x] * values[z, y, x + 1]
    return total


@njit(nogil=True, cache=True)
def _relax(
    weights: NDArray[np.float32],
    diagonal: NDArray[np.float32],
    target: NDArray[np.float32],
    solution: NDArray[np.float32],
    colour: int,
    start: int,
    stop: int,
) -> None:
    """Solve for each voxel of a colour, given its neighbours."""
    _, height, width = diagonal.shape
    for z in range(start, stop):
        for y in range(height):
            for x in range((z + y + colour) % 2, width, 2):
                if diagonal[z, y, x] > 0:
                    inflow = _inflow(weights, solution, z, y, x)
                    solution[z, y, x] = (target[z, y, x] + inflow) / diagonal[z, y, x]


@njit(nogil=True, cache=True)
def _restrict(
    weights: NDArray[np.float32],
    diagonal: NDArray[np.float32],
    steps: Shape,
    target: NDArray[np.float32],
    solution: NDArray[np.float32],
    coarse: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Sum over blocks what is left to solve for; nothing is, in voxels of colour 1."""
    depth, height, width = diagonal.shape
    coarse[start:stop] = 0
    for z in range(start * steps[0], min(stop * steps[0], depth)):
        for y in range(height):
            for x in range((z + y) % 2, width, 2):
                here = diagonal[z, y, x]
                if here > 0:
                    left = target[z, y, x] - here * solution[z, y, x]
                    left += _inflow(weights, solution, z, y, x)
                    coarse[z // steps[0], y // steps[1], x // steps[2]] += left


@njit(nogil=True, cache=True)
def _correct(
    diagonal: NDArray[np.float32],
    steps: Shape,
    coarse: NDArray[np.float32],
    solution: NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Add a block's value to its voxels of colour 0; those of colour 1 follow from them."""
    _, height, width = diagonal.shape
    for z in range(start, stop):
        for y in range(height):
            for x in range((z + y) % 2, width, 2):
                if diagonal[z, y, x] > 0:
                    solution[z, y, x] += coarse[z // steps[0], y // steps[1], x // steps[2]]
