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
BLOCK_3D = (16, 16)
BLOCK_2D = (1, 64)
ABSENT = -2


class Law(NamedTuple):
    """What forces are computed from, as the kernels take it.

    `features` and `tables` are addresses of float32 arrays, which the `Grid` keeps
    alive; `size` is the padded length of a channel.
    """

    features: int
    channels: int
    size: int
    inverse_contrast: np.float32
    tables: int
    direct: bool


class Layout(NamedTuple):
    """Shape of the padded grid and of its blocks.

    Lengths are in voxels, planes and rows; `row_pitch` is the padded width, `plane_pitch`
    the padded rows of a plane; one bit of a mask stands
    for ``1 << bit_shift`` runs; `along` is the table of steps along a row.
    """

    plane_margin: int
    planes: int
    rows: int
    width: int
    block_planes: int
    block_rows: int
    blocks_down: int
    blocks_across: int
    runs: int
    bit_shift: int
    row_pitch: int
    plane_pitch: int
    along: int


class Neighbours(NamedTuple):
    """The neighbour rows of a row, in offset order; entry G-1-j is opposite to j.

    `force_rows[j, dx + 1]` is the table of the step, -1 for the direct law, `ABSENT`
    where the neighbourhood has no such step.
    """

    planes: NDArray[np.int64]
    rows: NDArray[np.int64]
    shifts: NDArray[np.int64]
    force_rows: NDArray[np.int64]


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
    law: Law
    features: NDArray[np.float32]
    tables: NDArray[np.float32]

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


def build_grid(features: NDArray[Any], steps: Steps, mask: NDArray[np.bool_] | None = None) -> Grid:
    """Lay out (C, M, N[, P]) features; voxels that are masked or not finite become NaN."""
    shape = features.shape[1:]
    padded = padded_shape(shape)
    planes = _padded_features(features, padded, mask)
    tables = np.ascontiguousarray(steps.tables)
    neighbours, along = _neighbours(steps, padded)
    return Grid(
        shape=shape,
        padded=padded,
        layout=_layout(shape, padded, along),
        neighbours=neighbours,
        links=Links(
            _three(steps.offsets) @ np.array([padded[1] * padded[2], padded[2], 1]),
            steps.table_index,
        ),
        law=Law(
            features=planes.ctypes.data,
            channels=len(planes),
            size=planes.shape[1],
            inverse_contrast=steps.inverse_contrast,
            tables=tables.ctypes.data,
            direct=bool(len(features) == 1 and (steps.table_index < 0).all()),
        ),
        features=planes,
        tables=tables,
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


def _layout(shape: tuple[int, ...], padded: tuple[int, int, int], along: int) -> Layout:
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
        bit_shift=max(0, (-(-runs // 64) - 1).bit_length()),
        row_pitch=padded[2],
        plane_pitch=padded[1],
        along=along,
    )


def _neighbours(steps: Steps, padded: tuple[int, int, int]) -> tuple[Neighbours, int]:
    by_row: dict[tuple[int, int], list[int]] = {}
    for (z, y, x), table in zip(_three(steps.offsets).tolist(), steps.table_index, strict=True):
        by_row.setdefault((z, y), [ABSENT] * 3)[x + 1] = int(table)
    along = by_row.pop((0, 0))[0]
    planes, rows = np.array(list(by_row), dtype=np.int64).reshape(-1, 2).T
    return Neighbours(
        planes=planes.copy(),
        rows=rows.copy(),
        shifts=(planes * padded[1] + rows) * padded[2],
        force_rows=np.array(list(by_row.values()), dtype=np.int64).reshape(-1, 3),
    ), along
