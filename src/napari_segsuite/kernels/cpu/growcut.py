"""Exact GrowCut on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba import config
from numpy.typing import NDArray

from ...progress import SILENT, Progress
from ..growcut_cost import Steps
from .crew import Crew
from .growcut_forest import clear_unreached, find_parents, follow_parents
from .growcut_grid import Grid, build_grid, inner
from .growcut_sweeps import SLOTS, UNREACHED, sweep_blocks

# Fewer voxels than this are finished before a second thread would pay.
SERIAL_BELOW = 1 << 20
# Work handed to a thread at once: short enough to cancel between pieces.
VOXELS_PER_PIECE = 1 << 20


class Forest(NamedTuple):
    """A solved problem, padded and flat: strengths, labels and codes of parents."""

    strength: NDArray[np.float32]
    label: NDArray[Any]
    code: NDArray[np.uint8]


def grow(
    features: NDArray[Any],
    seeds: NDArray[Any],
    steps: Steps,
    *,
    mask: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Grow seeds to the fixed point of the GrowCut automaton.

    The strength of a voxel is the largest product of attack forces over all paths from
    a seed, evaluated in float32 from the seed on: bit for bit what Dijkstra's algorithm
    finds. It depends neither on the number of threads nor on their schedule.

    Parameters
    ----------
    features : (C, M, N[, P]) array
        Feature planes, channel first; uint8, uint16, int16 or float32. Voxels with a
        NaN or infinite feature are treated as outside the mask.
    seeds : (M, N[, P]) array of uint8, uint16 or uint32
        Labels of the seeds, 0 where unpainted.
    steps : Steps
        Neighbourhood and attack force.
    mask : (M, N[, P]) bool array, optional
        False where nothing may grow or pass; seeds there are ignored.
    threads : int, optional
        Threads to use; as many as numba would (``NUMBA_NUM_THREADS``) by default.
    progress : Progress
        Called from this thread; may raise `Cancelled`.

    Returns
    -------
    labels : (M, N[, P]) array, dtype of `seeds`
        Label of the root of each voxel, 0 where no seed reaches. A voxel's parent is
        the last neighbour q, in the order of ``steps.offsets``, with
        ``strength_q * g == strength_p``.
    strength : (M, N[, P]) float32 array
        1 at seeds, 0 where no seed reaches.

    References
    ----------
    Vezhnevets & Konouchine (2005), GrowCut: interactive multi-label N-D image
    segmentation by cellular automata, Graphicon. Falcão, Stolfi & Lotufo (2004), The
    image foresting transform, doi:10.1109/TPAMI.2004.1261076.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_segsuite.kernels.growcut_cost import build_steps
    >>> row = np.array([[[0, 0, 0, 9, 9]]], dtype=np.uint8)
    >>> seeds = np.array([[1, 0, 0, 0, 2]], dtype=np.uint8)
    >>> grow(row, seeds, build_steps(2, 1, contrast=9))[0]
    array([[1, 1, 1, 2, 2]], dtype=uint8)
    """
    progress(0.0, "Preparing")
    grid = build_grid(features, steps, mask)
    forest = empty_forest(grid, seeds.dtype)
    solve(grid, seeds, forest, threads=threads, progress=progress)
    shape, padded = grid.shape, grid.padded
    strength, label = forest.strength, forest.label
    del grid, forest  # features and codes: the copies below need the room
    labels = inner(label, shape, padded).copy()
    del label
    return labels, inner(strength, shape, padded).copy()


def empty_forest(grid: Grid, dtype: np.dtype[Any]) -> Forest:
    """Arrays for a solution, zero outside the image."""
    size = grid.law.size
    return Forest(
        np.zeros(size, dtype=np.float32),
        np.zeros(size, dtype=dtype),
        np.zeros(size, dtype=np.uint8),
    )


def solve(
    grid: Grid,
    seeds: NDArray[Any],
    forest: Forest,
    *,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> None:
    """Fill `forest` with the solution for `seeds`; see `grow`."""
    threads = _threads(grid) if threads is None else threads
    progress(0.0, "Preparing")
    _plant(grid, seeds, forest)
    layout, law, links = grid.layout, grid.law, grid.links
    with Crew(threads) as crew:
        _sweep(grid, forest.strength, crew, progress)
        clear_unreached(forest.strength)
        crew.run(
            lambda a, b: find_parents(forest.strength, forest.code, law, links, layout, a, b),
            _lines(grid),
            partial(progress, 0.9, "Tracing labels"),
        )
        _trace(grid, forest, crew, partial(progress, 0.95, "Tracing labels"))
    progress(1.0, "Done")


def trace(grid: Grid, seeds: NDArray[Any], forest: Forest) -> None:
    """Bring the labels of a solved forest in line with seeds of other classes."""
    _plant_labels(grid, seeds, forest)
    with Crew(_threads(grid)) as crew:
        _trace(grid, forest, crew)


def _trace(grid: Grid, forest: Forest, crew: Crew, done: Callable[[], None] = lambda: None) -> None:
    offsets, layout = grid.links.offsets, grid.layout
    crew.run(
        lambda a, b: follow_parents(forest.label, forest.code, offsets, layout, a, b),
        _lines(grid),
        done,
    )


def _threads(grid: Grid) -> int:
    return 1 if np.prod(grid.shape) < SERIAL_BELOW else int(config.NUMBA_NUM_THREADS)


def _lines(grid: Grid) -> list[tuple[int, int]]:
    """Pieces of the image as ranges of rows, counted over all planes."""
    lines = grid.layout.planes * grid.layout.rows
    return [(a, a + n) for a, n in _cut(lines, VOXELS_PER_PIECE // grid.layout.width)]


def _sweep(grid: Grid, strength: NDArray[np.float32], crew: Crew, progress: Progress) -> None:
    layout = grid.layout
    blocks = layout.blocks_down * layout.blocks_across
    problem = (strength, grid.law, layout, grid.neighbours)
    mail = np.zeros(
        (SLOTS, layout.planes * layout.rows, len(grid.neighbours.planes)), dtype=np.uint64
    )
    active = np.ones(blocks, dtype=np.bool_)
    per_piece = VOXELS_PER_PIECE // (layout.block_planes * layout.block_rows * layout.width)
    fraction = 0.0

    def pieces(order: NDArray[np.int64]) -> list[tuple[NDArray[np.int64]]]:
        fair = len(order) // (4 * crew.threads) if crew.threads > 1 else len(order)
        return [(order[a : a + n],) for a, n in _cut(len(order), min(per_piece, fair))]

    turn = 0
    while active.any():
        order = np.flatnonzero(active)
        active[:] = False
        fraction = max(fraction, 0.9 * (1 - len(order) / (blocks + 1)))

        def sweep(some: NDArray[np.int64], turn: int = turn) -> None:
            sweep_blocks(*problem, mail, active, some, turn, crew.stop)

        crew.run(
            sweep,
            pieces(order if turn % 2 else order[::-1].copy()),
            partial(progress, fraction, "Growing"),
        )
        turn += 1


def _cut(total: int, length: int) -> list[tuple[int, int]]:
    length = max(1, length)
    return [(a, min(length, total - a)) for a in range(0, total, length)]


def _plant(grid: Grid, seeds: NDArray[Any], forest: Forest) -> None:
    _plant_labels(grid, seeds, forest)
    strength = grid.inner(forest.strength)
    strength[...] = UNREACHED
    np.copyto(strength, 1, where=grid.inner(forest.label) != 0)


def _plant_labels(grid: Grid, seeds: NDArray[Any], forest: Forest) -> None:
    label = grid.inner(forest.label)
    label[...] = seeds
    np.copyto(label, 0, where=np.isnan(grid.inner(grid.features[0])))
