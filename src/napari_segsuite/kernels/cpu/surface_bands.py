"""Voxels of masks that lie within some distance of the background.

The rest of a mask is its erosion by a ball: what stays when the mask is moved by each row of
the ball, eroded along the row as far as the ball reaches there, and all of these are met.
With a bit per voxel one instruction serves 64 voxels and more.
"""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Volume = NDArray[np.uint8]
_Words = NDArray[np.uint64]
_Offsets = NDArray[np.int64]
_BITS_SET = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, np.uint8)
_ONE, _LAST = np.uint64(1), np.uint64(63)


def count_bands(
    first: _Volume, second: _Volume, spacing: tuple[float, ...], width: float
) -> tuple[int, int, int]:
    """Voxels in the inner band of the one mask, of the other, and of both.

    A voxel of a mask is in its band where the centre of some voxel outside lies within
    `width` of its own.

    Parameters
    ----------
    first, second : (M + 2, N + 2, P + 2) or (1, N + 2, P + 2) uint8 arrays
        0 and 1, framed by zeros: see `surface_elements`.
    spacing : tuple of 3 float
        Voxel size per axis.
    width : float
        In the unit of the spacing.

    Examples
    --------
    >>> square = np.pad(np.ones((1, 5, 5), np.uint8), ((0, 0), (1, 1), (1, 1)))
    >>> count_bands(square, square, (1.0, 1.0, 1.0), 1.5)
    (16, 16, 16)
    """
    one, other = _band(first, spacing, width), _band(second, spacing, width)
    return _n_set(one), _n_set(other), _n_set(one & other)


def _band(mask: _Volume, spacing: tuple[float, ...], width: float) -> _Words:
    band = _packed(mask)
    core = band.copy()
    eroded, before = band.copy(), 0
    for reach, offsets in _rows_of_ball(mask.shape, spacing, width):
        for _ in range(reach - before):
            _erode_rows(eroded)
        _meet(core, eroded, offsets)
        before = reach
    band &= ~core
    return band


def _packed(mask: _Volume) -> _Words:
    """Rows as words of 64 bits, the first voxel in the lowest bit."""
    packed = np.packbits(mask, axis=-1, bitorder="little")
    n_bytes = packed.shape[-1]
    rows = np.zeros((*mask.shape[:2], -(-n_bytes // 8) * 8), np.uint8)
    rows[..., :n_bytes] = packed
    return rows.view(np.dtype("<u8")).astype(np.uint64, copy=False)


def _n_set(words: _Words) -> int:
    return int(_BITS_SET[words.view(np.uint8)].sum(dtype=np.int64))


def _rows_of_ball(
    shape: tuple[int, ...], spacing: tuple[float, ...], width: float
) -> list[tuple[int, _Offsets]]:
    """How far rows of the ball reach, ascending, and the offsets (z, y) of those rows."""
    far = width * (1 + 1e-6)
    # Rows of the frame bound all that lies beyond them, and those of a flat mask nothing.
    planes, lines = (min(shape[i] - 1, int(far / spacing[i])) for i in (0, 1))
    rows = []
    for dz in range(-planes, planes + 1):
        for dy in range(-lines, lines + 1):
            left = far * far - (dz * spacing[0]) ** 2 - (dy * spacing[1]) ** 2
            if left >= 0:
                rows.append((min(int(math.sqrt(left) / spacing[2]), shape[2]), dz, dy))
    return [
        (reach, np.array([row[1:] for row in alike], np.int64))
        for reach, alike in groupby(sorted(rows), lambda row: row[0])
    ]


@njit(nogil=True, cache=True)
def _erode_rows(words: _Words) -> None:
    """Clear the bits at both ends of each run of set bits along the rows."""
    n = words.shape[2]
    for z in range(words.shape[0]):
        for y in range(words.shape[1]):
            row = words[z, y]
            before = np.uint64(0)
            for i in range(n):
                here = row[i]
                after = row[i + 1] if i + 1 < n else np.uint64(0)
                row[i] = here & (here << _ONE | before >> _LAST) & (here >> _ONE | after << _LAST)
                before = here


@njit(nogil=True, cache=True)
def _meet(core: _Words, eroded: _Words, offsets: _Offsets) -> None:
    """Keep of each row what all rows at these offsets have."""
    depth, height, n = core.shape
    size = height * n
    for z in range(depth):
        row = core[z].reshape(size)
        for k in range(len(offsets)):
            plane, shift = z + offsets[k, 0], offsets[k, 1] * n
            if not (0 <= plane < depth):
                row[:] = 0
                break
            # All rows of a plane at once, which are long enough for vector instructions.
            other = eroded[plane].reshape(size)
            start, stop = max(0, -shift), min(size, size - shift)
            row[:start] = 0
            row[stop:] = 0
            here, there = row[start:stop], other[start + shift : stop + shift]
            for i in range(len(here)):
                here[i] &= there[i]
