"""How a GrowCut problem lies in memory: padded rows, blocks of rows, neighbour rows.

Arrays are flat and padded by one voxel, so that no kernel tests for the image border.
Rows are lengthened to a multiple of `RUN`. Padding and masked voxels hold NaN as
feature: a force with NaN is NaN, and no comparison with it conquers anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..growcut_cost import Steps
from .growcut_lanes import RUN

# Thin blocks with whole rows: most of a wave's neighbours are then in the same block.
BLOCK_3D = (8, 8)
BLOCK_2D = (1, 32)
ABSENT = -2


class Field(NamedTuple):
    """What forces are computed from; `features` is (C, padded size)."""

    features: NDArray[np.float32]
    inverse_contrast: np.float32
    tables: NDArray[np.float32]
    direct: bool


class Layout(NamedTuple):
    """Shape of the padded grid and of its blocks; all lengths in voxels."""

    plane_margin: int
    planes: int
    rows: int
    width: int
    block_planes: int
    block_rows: int
    blocks_down: int
    blocks_across: int
    runs: int
    runs_per_bit: int
    row_pitch: int
    plane_pitch: int


class Neighbours(NamedTuple):
    """The neighbour rows of a row, in offset order; entry G-1-j is opposite to j.

    `force_rows[j, dx + 1]` is the table of the step, -1 for the direct law, `ABSENT`
    where the neighbourhood has no such step. `along` is that of steps within the row.
    """

    planes: NDArray[np.int64]
    rows: NDArray[np.int64]
    force_rows: NDArray[np.int64]
    along: int


class Links(NamedTuple):
    """The steps of the neighbourhood as flat shifts, with the table of each."""

    offsets: NDArray[np.int64]
    force_rows: NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """A problem laid out for the kernels."""

    shape: tuple[int, ...]
    padded: tuple[int, int, int]
    layout: Layout
    neighbours: Neighbours
    links: Links
    field: Field

    def inner(self, flat: NDArray[Any]) -> NDArray[Any]:
        """View a padded flat array without its padding, in the shape of the image."""
        return inner(flat, self.shape, self.padded)


def inner(flat: NDArray[Any], shape: tuple[int, ...], padded: tuple[int, int, int]) -> NDArray[Any]:
    """View a padded flat array without its padding, in the shape of the image."""
    planes, rows, width = (1, *shape) if len(shape) == 2 else shape
    first = 0 if len(shape) == 2 else 1
    view = flat.reshape(padded)[first : first + planes, 1 : 1 + rows, 1 : 1 + width]
    return view.reshape(shape) if len(shape) == 3 else view[0]


def padded_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Shape of the padded array; a 2D image is one plane without neighbours."""
    rows, width = shape[-2:]
    planes = shape[0] + 2 if len(shape) == 3 else 1
    return planes, rows + 2, -(-width // RUN) * RUN + 2


def build_grid(
    features: NDArray[Any], steps: Steps, mask: NDArray[np.bool_] | None = None
) -> Grid:
    """Lay out (C, M, N[, P]) features; voxels that are masked or not finite become NaN."""
    shape = features.shape[1:]
    padded = padded_shape(shape)
    return Grid(
        shape=shape,
        padded=padded,
        layout=_layout(shape, padded),
        neighbours=_neighbours(steps),
        field=Field(
            _padded_features(features, padded, mask),
            steps.inverse_contrast,
            steps.tables if len(steps.tables) else np.zeros((1, 2), dtype=np.float32),
            bool(len(features) == 1 and (steps.table_index < 0).all()),
        ),
        links=Links(
            _three(steps.offsets) @ np.array([padded[1] * padded[2], padded[2], 1]),
            steps.table_index,
        ),
    )


def _padded_features(
    features: NDArray[Any], padded: tuple[int, int, int], mask: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    shape = features.shape[1:]
    planes = np.full((len(features), int(np.prod(padded))), np.nan, dtype=np.float32)
    for source, plane in zip(features, planes, strict=True):
        view = inner(plane, shape, padded)
        view[...] = source
        if source.dtype.kind == "f":
            # An infinite feature would pass for a voxel that is merely very different.
            np.copyto(inner(planes[0], shape, padded), np.nan, where=~np.isfinite(view))
    if mask is not None:
        np.copyto(inner(planes[0], shape, padded), np.nan, where=~mask)
    return planes


def _three(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    if offsets.shape[1] == 3:
        return offsets
    return np.insert(offsets, 0, 0, axis=1)


def _layout(shape: tuple[int, ...], padded: tuple[int, int, int]) -> Layout:
    planes, rows = (1, shape[0]) if len(shape) == 2 else shape[:2]
    block_planes, block_rows = BLOCK_2D if len(shape) == 2 else BLOCK_3D
    runs = (padded[2] - 2) // RUN
    return Layout(
        plane_margin=(padded[0] - planes) // 2,
        planes=planes,
        rows=rows,
        width=shape[-1],
        block_planes=block_planes,
        block_rows=block_rows,
        blocks_down=-(-planes // block_planes),
        blocks_across=-(-rows // block_rows),
        runs=runs,
        runs_per_bit=-(-runs // 64),
        row_pitch=padded[2],
        plane_pitch=padded[1],
    )


def _neighbours(steps: Steps) -> Neighbours:
    by_row: dict[tuple[int, int], list[int]] = {}
    for (z, y, x), table in zip(_three(steps.offsets).tolist(), steps.table_index, strict=True):
        by_row.setdefault((z, y), [ABSENT] * 3)[x + 1] = int(table)
    along = by_row.pop((0, 0))[0]
    rows = np.array(list(by_row), dtype=np.int64).reshape(-1, 2)
    return Neighbours(
        planes=rows[:, 0].copy(),
        rows=rows[:, 1].copy(),
        force_rows=np.array(list(by_row.values()), dtype=np.int64).reshape(-1, 3),
        along=along,
    )
