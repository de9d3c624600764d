"""Separable correlation of a box of an image, in runs of sixteen voxels.

Every voxel is the same sum in the same order whichever box it is computed in, so that a
part of an image is bit for bit what it is in the whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .growcut_lanes import RUN, add, load, multiply, spread, store


@njit
def _reflected(i: Any, n: Any) -> Any:
    """Position inside of 0 … ``n - 1`` for one outside, d c b a | a b c d | d c b a."""
    i %= 2 * n
    return min(i, 2 * n - 1 - i)


@njit
def _correlate_line(
    source: Any, at: Any, before: Any, after: Any, weights: Any, sign: Any, target: Any,
    to: Any, length: Any,
) -> None:  # fmt: skip
    """Write a line of sums: what lies k steps after, and `sign` times what lies before."""
    for r in range((length + RUN - 1) // RUN):
        # The last run overlaps the one before it.
        x = min(r * RUN, length - RUN)
        acc = multiply(load(source, at + x), spread(weights[0]))
        for k in range(1, weights.size):
            pair = multiply(load(source, at + before[k] + x), spread(sign))
            pair = add(load(source, at + after[k] + x), pair)
            acc = add(acc, multiply(pair, spread(weights[k])))
        store(target, to + x, acc)


@njit
def _steps(weights: Any, pitch: Any) -> Any:
    """How far the neighbours lie before and after a voxel, with lines `pitch` apart."""
    after = np.arange(weights.size) * pitch
    return -after, after


@njit
def _reflected_steps(weights: Any, plane: Any, planes: Any, pitch: Any) -> Any:
    """How far the planes before and after one lie from it, in an image that ends."""
    before, after = _steps(weights, pitch)
    for k in range(weights.size):
        before[k] = (_reflected(plane - k, planes) - plane) * pitch
        after[k] = (_reflected(plane + k, planes) - plane) * pitch
    return before, after


@njit(nogil=True, cache=True, error_model="numpy")
def correlate(image: Any, low: Any, weights: Any, signs: Any, out: Any) -> None:
    """Correlate the box of `out`'s shape at `low` with a kernel for each axis.

    `weights` are those of the distances 0, 1, 2 … along each axis, to be multiplied with
    the sign of the axis, float32 1 or -1, before the voxel. The image is at least `RUN` wide.
    """
    planes, rows, columns = image.shape
    depth, height, width = out.shape
    reach_y, reach_x = weights[1].size - 1, weights[2].size - 1
    # Columns that count, and as many more as make a run.
    left = max(0, min(low[2] - reach_x, columns - RUN))
    span = max(min(low[2] + width + reach_x, columns) - left, RUN)
    sheet = np.empty((height + 2 * reach_y, span), dtype=np.float32)
    row = np.empty(span, dtype=np.float32)
    mirrored = np.zeros(max(width, RUN) + 2 * reach_x, dtype=np.float32)
    line = np.empty(max(width, RUN), dtype=np.float32)
    source = np.arange(low[2] - reach_x, low[2] + width + reach_x)
    for x in range(source.size):
        source[x] = _reflected(source[x], columns) - left
    up, down = _steps(weights[1], span)
    back, forth = _steps(weights[2], 1)
    for z in range(depth):
        plane = low[0] + z
        before, after = _reflected_steps(weights[0], plane, planes, rows * columns)
        for y in range(sheet.shape[0]):
            at = (plane * rows + _reflected(low[1] + y - reach_y, rows)) * columns + left
            _correlate_line(
                image.ctypes.data, at, before, after, weights[0], signs[0],
                sheet.ctypes.data, y * span, span,
            )  # fmt: skip
        for y in range(height):
            _correlate_line(
                sheet.ctypes.data, (y + reach_y) * span, up, down, weights[1], signs[1],
                row.ctypes.data, 0, span,
            )  # fmt: skip
            for x in range(source.size):
                mirrored[x] = row[source[x]]
            _correlate_line(
                mirrored.ctypes.data, reach_x, back, forth, weights[2], signs[2],
                line.ctypes.data, 0, line.size,
            )  # fmt: skip
            out[z, y, :] = line[:width]
