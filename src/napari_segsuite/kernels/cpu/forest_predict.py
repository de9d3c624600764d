"""Votes of a forest, for tiles of neighbouring voxels at once.

A tile walks down a tree together, as a set of lanes: a node compares all its bytes with
the threshold and passes the two subsets on. Neighbours are alike, so that a tile visits
few of the nodes, and nothing is ever looked up voxel by voxel. The more compact tiles
are, the more alike are their voxels: cubes take half as long as runs of a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .forest_train import WHOLE
from .lane_sets import (
    BYTES_PER_SET,
    RUN,
    add_in,
    all_lanes,
    common,
    has_any,
    lanes_above,
    load_set,
    store_set,
    without,
)


@njit(inline="always")
def _vote(forest: Any, root: Any, tile: Any, nodes: Any, sets: Any, sums: Any) -> None:
    """Add the votes of the tree at `root` for the bytes at address `tile`."""
    nodes[0] = root
    store_set(sets, 0, all_lanes())
    waiting = 1
    while waiting:
        waiting -= 1
        node, lanes = nodes[waiting], load_set(sets, waiting)
        while forest.child[node] >= 0:
            plane = np.int64(forest.feature[node]) * RUN
            right = common(lanes_above(tile, plane, forest.threshold[node]), lanes)
            left = without(lanes, right)
            node = forest.child[node]
            if not has_any(left):
                node += 1
                continue
            if has_any(right):
                nodes[waiting] = node + 1
                store_set(sets, waiting, right)
                waiting += 1
            lanes = left
        leaf = -1 - forest.child[node]
        for k in range(forest.leaves.shape[1]):
            share = forest.leaves[leaf, k]
            if share:
                add_in(sums, k * RUN, np.uint16(share), lanes)


@njit(inline="always")
def _scale(sums: Any, unit: Any, scaled: Any) -> None:
    """Scale sums of votes; rounding the running sum makes them add up to the whole."""
    for i in range(RUN):
        running, given = 0, 0
        for k in range(sums.shape[0]):
            running += sums[k, i]
            upto = int(np.float32(running) * unit + np.float32(0.5))
            scaled[k, i] = upto - given
            given = upto


@njit(nogil=True, cache=True, error_model="numpy")
def classify(forest: Any, bank: Any, side: Any, whole: Any, out: Any) -> None:
    """Write what the trees make of `bank` (F, M, N, P) to `out` (K, M, N, P).

    `side` is the shape of a tile, of `RUN` voxels; shares add up to `whole`.
    """
    depth, height, width = side
    tile = np.zeros((bank.shape[0], RUN), dtype=np.uint8)
    sums = np.empty((out.shape[0], RUN), dtype=np.uint16)
    scaled = np.empty((out.shape[0], RUN), dtype=out.dtype)
    nodes = np.empty(forest.depth + 1, dtype=np.int32)
    sets = np.empty((forest.depth + 1, BYTES_PER_SET), dtype=np.uint8)
    unit = np.float32(whole / (WHOLE * forest.roots.size))
    for z in range(0, bank.shape[1], depth):
        for y in range(0, bank.shape[2], height):
            for x in range(0, bank.shape[3], width):
                # Lanes beyond the border keep what they had: nobody reads them.
                _copy(bank[:, z : z + depth, y : y + height, x : x + width], tile, side, True)
                sums[:] = 0
                for root in forest.roots:
                    _vote(forest, root, tile.ctypes.data, nodes, sets.ctypes.data, sums.ctypes.data)
                _scale(sums, unit, scaled)
                _copy(out[:, z : z + depth, y : y + height, x : x + width], scaled, side, False)


@njit
def _copy(box: Any, tile: Any, side: Any, read: Any) -> None:
    """Copy planes of a box that fits into a tile to the tile's lanes, or back."""
    _, height, width = side
    for f in range(box.shape[0]):
        for z in range(box.shape[1]):
            for y in range(box.shape[2]):
                lane = (z * height + y) * width
                for x in range(box.shape[3]):
                    if read:
                        tile[f, lane + x] = box[f, z, y, x]
                    else:
                        box[f, z, y, x] = tile[f, lane + x]
