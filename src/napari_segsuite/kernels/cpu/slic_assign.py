"""The nearest centre of each voxel, in runs of sixteen voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.extending import intrinsic

from .growcut_lanes import RUN, absolute, add, get, load, multiply, spread, store, subtract
from .lanes import emit

_BEYOND = np.float32(np.inf)


@njit(nogil=True, cache=True)
def assign_rows(
    features: Any, usable: Any, labels: Any, centres: Any, weights: Any, pull: Any, reach: Any,
    order: Any, begins: Any, n_cells: Any, side: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """Label the voxels of some rows by the nearest centre within reach; -1 where none is.

    Rows are counted through the planes. Centres are (z, y, x, intensities …), `weights` those
    of squared differences of intensity, `pull` those of squared distances along each axis.
    `order` lists the centres by the cell of planes and rows they lie in; `begins` says where
    each of the `n_cells` has its first, `side` how many planes and rows a cell has.
    """
    n_channels, _, n_rows, n_columns = features.shape
    # Room for the last run to overhang.
    pitch = n_columns + RUN
    line = np.zeros((n_channels, pitch), np.float32)
    least = np.empty(pitch, np.float32)
    nearest = np.empty(pitch, np.float32)  # float32 holds whole numbers up to 2²⁴
    columns = np.arange(pitch).astype(np.float32)
    for row in range(first, last):
        z, y = row // n_rows, row % n_rows
        line[:, :n_columns] = features[:, z, y]
        least[:] = np.inf
        nearest[:] = -1
        top, bottom = _cells_within(y, reach[1], side[1], n_cells[1])
        front, back = _cells_within(z, reach[0], side[0], n_cells[0])
        for plane in range(front, back):
            cell = plane * n_cells[1]
            for i in range(begins[cell + top], begins[cell + bottom]):
                k = order[i]
                dz = np.float32(z) - centres[k, 0]
                dy = np.float32(y) - centres[k, 1]
                if abs(dz) <= reach[0] and abs(dy) <= reach[1]:
                    left = max(0, int(np.ceil(centres[k, 2] - reach[2])))
                    right = min(n_columns, int(np.floor(centres[k, 2] + reach[2])) + 1)
                    _compare(
                        line.ctypes.data, pitch, n_channels, columns.ctypes.data,
                        centres.ctypes.data, k * centres.shape[1], np.float32(k), weights[k],
                        pull[2], pull[0] * dz * dz + pull[1] * dy * dy, np.float32(reach[2]),
                        left, right, least.ctypes.data, nearest.ctypes.data,
                    )  # fmt: skip
        for x in range(n_columns):
            labels[z, y, x] = np.int32(nearest[x]) if usable[z, y, x] else -1


@njit
def _cells_within(position: Any, reach: Any, side: Any, n_cells: Any) -> Any:
    """First cell along an axis that a reach around a position meets, and the one after the last."""
    return (
        max(0, int(np.floor((position - reach) / side))),
        min(n_cells, int(np.floor((position + reach) / side)) + 1),
    )


@intrinsic
def _where_less(typing: Any, a: Any, b: Any, chosen: Any, otherwise: Any) -> Any:
    """Lane by lane `chosen` where a < b, else `otherwise`."""

    def build(
        context: Any, builder: Any, signature: Any, a: Any, b: Any, chosen: Any, otherwise: Any
    ) -> Any:
        return builder.select(builder.fcmp_ordered("<", a, b), chosen, otherwise)

    return emit(chosen, build, a, b, chosen, otherwise)


@njit
def _compare(
    line: Any, pitch: Any, n_channels: Any, columns: Any, centres: Any, at: Any, label: Any,
    weight: Any, pull: Any, away: Any, reach: Any, left: Any, right: Any, least: Any, nearest: Any,
) -> None:  # fmt: skip
    """Give the label of a centre to the voxels of a row that it is the nearest to so far."""
    weights, pulls, aways, labels = spread(weight), spread(pull), spread(away), spread(label)
    middle, farthest, beyond = spread(get(centres, at + 2)), spread(reach), spread(_BEYOND)
    for x in range(left, right, RUN):
        offset = subtract(load(columns, x), middle)
        distance = add(aways, multiply(pulls, multiply(offset, offset)))
        for c in range(n_channels):
            mean = spread(get(centres, at + 3 + c))
            difference = subtract(load(line, c * pitch + x), mean)
            distance = add(distance, multiply(weights, multiply(difference, difference)))
        # The last run may hang over.
        distance = _where_less(farthest, absolute(offset), beyond, distance)
        so_far = load(least, x)
        store(nearest, x, _where_less(distance, so_far, labels, load(nearest, x)))
        store(least, x, _where_less(distance, so_far, distance, so_far))
