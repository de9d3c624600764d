"""Surface elements of masks: cells of the dual grid, or voxels at the border.

Masks here are volumes of 0 and 1 with a frame of zeros, one voxel wide. A flat image is a
volume of one plane, framed within that plane alone; it is taken to go on unchanged above
and below, so that what bounds it is its contour.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Volume = NDArray[np.uint8]
_FULL = 255


def neighbour_codes(mask: _Volume) -> _Volume:
    """Which of the eight voxels around each corner point of the grid belong to the mask.

    Parameters
    ----------
    mask : (M + 2, N + 2, P + 2) or (1, N + 2, P + 2) uint8 array
        0 and 1, framed.

    Returns
    -------
    (M + 1, N + 1, P + 1) or (1, N + 1, P + 1) uint8 array
        Bit ``4 z + 2 y + x`` stands for the voxel at offset (z, y, x) of the 2 × 2 × 2 around
        a point. 0 where all eight lie inside or all outside: no surface passes there.

    Examples
    --------
    >>> framed = np.pad(np.ones((1, 2, 2), np.uint8), ((0, 0), (1, 1), (1, 1)))
    >>> neighbour_codes(framed)[0]
    array([[136, 204,  68],
           [170,   0,  85],
           [ 34,  51,  17]], dtype=uint8)
    """
    depth, height, width = mask.shape
    codes = np.empty((max(1, depth - 1), height - 1, width - 1), np.uint8)
    _fill_codes(mask, codes)
    return codes


def border_voxels(mask: _Volume) -> _Volume:
    """Voxels of the mask with a neighbour outside, across faces of voxels.

    Parameters
    ----------
    mask : (M + 2, N + 2, P + 2) or (1, N + 2, P + 2) uint8 array
        0 and 1, framed.

    Returns
    -------
    (M, N, P) or (1, N, P) uint8 array
        1 at the border, else 0.

    Examples
    --------
    >>> framed = np.pad(np.ones((1, 3, 4), np.uint8), ((0, 0), (1, 1), (1, 1)))
    >>> border_voxels(framed)[0]
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]], dtype=uint8)
    """
    depth, height, width = mask.shape
    border = np.empty((max(1, depth - 2), height - 2, width - 2), np.uint8)
    _fill_border(mask, border)
    return border


@njit(nogil=True, cache=True)
def _fill_codes(mask: _Volume, codes: _Volume) -> None:
    last = mask.shape[0] - 1
    depth, height, width = codes.shape
    for z in range(depth):
        below = min(z + 1, last)
        for y in range(height):
            a, b = mask[z, y], mask[z, y + 1]
            c, d = mask[below, y], mask[below, y + 1]
            row = codes[z, y]
            for x in range(width):
                upper = a[x] | a[x + 1] << 1 | b[x] << 2 | b[x + 1] << 3
                lower = c[x] | c[x + 1] << 1 | d[x] << 2 | d[x + 1] << 3
                code = np.uint8(upper | lower << 4)
                row[x] = code if code != _FULL else 0


@njit(nogil=True, cache=True)
def _fill_border(mask: _Volume, border: _Volume) -> None:
    depth, height, width = border.shape
    frame = (mask.shape[0] - depth) // 2
    for z in range(depth):
        plane, above = mask[z + frame], mask[z]
        below = mask[z + 2 * frame]
        for y in range(height):
            row, up, down = plane[y + 1], plane[y], plane[y + 2]
            over, under = above[y + 1], below[y + 1]
            out = border[z, y]
            for x in range(width):
                i = x + 1
                inner = row[x] & row[x + 2] & up[i] & down[i] & over[i] & under[i]
                out[x] = row[i] & ~inner & 1
