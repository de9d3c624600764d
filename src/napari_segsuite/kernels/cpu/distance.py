"""Exact Euclidean distances on a grid with spacing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Voxels handed to compiled code at once: short enough to cancel between pieces.
_VOXELS_PER_PIECE = 1 << 21


def squared_distance(
    inside: NDArray[np.bool_],
    spacing: tuple[float, ...],
    done: Callable[[], None] = lambda: None,
) -> NDArray[np.float32]:
    """Squared distance from every voxel inside to the nearest one outside.

    One axis after the other: along each line the lower envelope of the parabolas that the
    axes before have left. Besides the result it needs no memory of the volume's size.

    Parameters
    ----------
    inside : (M, N[, P]) bool array
        What lies beyond the borders of the array is neither inside nor outside.
    spacing : tuple of float
        Voxel size per axis.
    done : callable
        Called after each piece of the work; may raise `Cancelled`.

    Returns
    -------
    (M, N[, P]) float32 array
        0 outside; infinite everywhere inside if nothing is outside.

    References
    ----------
    P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", Theory
    of Computing 8, 2012, doi:10.4086/toc.2012.v008a019.

    Examples
    --------
    >>> squared_distance(np.array([[False, True, True]]), (1.0, 2.0))
    array([[ 0.,  4., 16.]], dtype=float32)
    """
    squared = np.zeros(inside.shape, dtype=np.float32)  # in C order, whatever `inside` has
    squared[inside] = np.inf
    for axis in reversed(range(inside.ndim)):
        # Lines run along the last axis but one, so that neighbouring lines lie side by side.
        lines = _as_planes(squared, axis)
        per_piece = max(1, _VOXELS_PER_PIECE // max(1, lines.shape[1] * lines.shape[2]))
        for start in range(0, len(lines), per_piece):
            _lower_envelopes(lines[start : start + per_piece], spacing[axis])
            done()
    return squared


def _as_planes(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """A view (before, length, after) of a contiguous array around one of its axes."""
    before = int(np.prod(array.shape[:axis]))
    return array.reshape(before, array.shape[axis], -1)


@njit(nogil=True, cache=True)
def _lower_envelopes(lines: NDArray[np.float32], step: float) -> None:
    """Replace every line along the middle axis by the lower envelope of its parabolas."""
    n = lines.shape[1]
    heights = np.empty(n, dtype=np.float64)
    apex = np.empty(n, dtype=np.int64)
    begins = np.empty(n + 1, dtype=np.float64)
    for plane in range(lines.shape[0]):
        for column in range(lines.shape[2]):
            nothing_to_do = True
            for i in range(n):
                heights[i] = lines[plane, i, column]
                nothing_to_do = nothing_to_do and heights[i] == heights[0]
            if nothing_to_do:
                continue
            count = 0
            for i in range(n):
                if np.isinf(heights[i]):
                    continue
                begin = -np.inf
                while count > 0:
                    j = apex[count - 1]
                    rise = (heights[i] - heights[j]) / (step * step)
                    begin = (rise + i * i - j * j) / (2 * (i - j))
                    if begin > begins[count - 1]:
                        break
                    count -= 1
                    begin = -np.inf
                apex[count], begins[count] = i, begin
                count += 1
            begins[count] = np.inf
            k = 0
            for i in range(n):
                while begins[k + 1] < i:
                    k += 1
                away = (i - apex[k]) * step
                lines[plane, i, column] = away * away + heights[apex[k]]
