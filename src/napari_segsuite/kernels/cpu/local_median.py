"""Median over a box around each voxel, in a time that hardly grows with the box."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from ...progress import SILENT, Progress
from .crew import Crew

N_LEVELS = 256


def local_median(
    levels: NDArray[np.uint8],
    usable: NDArray[np.bool_] | None,
    half_widths: tuple[int, ...],
    progress: Progress = SILENT,
) -> NDArray[np.uint8]:
    """Lower median of the usable voxels within a box around each voxel.

    Histograms of columns are kept from row to row, and that of the box is kept from voxel
    to voxel, by what enters and what leaves. A box ends where the image does.

    Parameters
    ----------
    levels : (M, N[, P]) uint8 array
    usable : (M, N[, P]) bool array, optional
        Voxels that count; a box without any has the median 0.
    half_widths : tuple of int
        The box reaches that far from its centre along each axis.
    progress : Progress
        Called after each plane, or each band of rows; raises `Cancelled` to stop.

    Returns
    -------
    (M, N[, P]) uint8 array

    References
    ----------
    .. [1] S. Perreault, P. Hébert, "Median filtering in constant time", IEEE TIP 16(9),
       2007, 10.1109/TIP.2007.902329.

    Examples
    --------
    >>> local_median(np.array([[9, 1, 2, 3, 9]], dtype=np.uint8), None, (0, 1)).tolist()
    [[1, 2, 2, 3, 3]]
    """
    shape = (1,) * (3 - levels.ndim) + levels.shape
    reach = (0,) * (3 - levels.ndim) + half_widths
    volume = np.ascontiguousarray(levels).reshape(shape)
    counted = np.empty((0, 0, 0), np.bool_) if usable is None else usable.reshape(shape)
    medians = np.empty(shape, np.uint8)
    # A band starts with the rows above it, which is not worth while for a few rows.
    height = max(64, 4 * reach[1])
    bands = [(z, y) for z in range(shape[0]) for y in range(0, shape[1], height)]
    done = 0

    def median(z: int, y: int) -> None:
        _median_of_band(volume, counted, reach, z, y, min(y + height, shape[1]), medians)

    def report() -> None:
        nonlocal done
        done += 1
        progress(done / len(bands), "median")

    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        crew.run(median, bands, report)
    return medians.reshape(levels.shape)


@njit(nogil=True, cache=True)
def _median_of_band(
    levels: Any, usable: Any, reach: Any, z: int, top: int, bottom: int, medians: Any
) -> None:
    _depth, height, width = levels.shape
    columns = np.zeros((width, N_LEVELS), np.int32)
    for y in range(max(top - reach[1], 0), min(top + reach[1], height)):
        _add_row(levels, usable, reach[0], z, y, 1, columns)
    for y in range(top, bottom):
        if y + reach[1] < height:
            _add_row(levels, usable, reach[0], z, y + reach[1], 1, columns)
        _medians_of_row(columns, reach[2], medians[z, y])
        if y >= reach[1]:
            _add_row(levels, usable, reach[0], z, y - reach[1], -1, columns)


@njit(nogil=True, cache=True)
def _add_row(levels: Any, usable: Any, reach: int, z: int, y: int, step: int, columns: Any) -> None:
    """Let a row, with those of the planes around, enter the columns' histograms or leave."""
    for plane in range(max(z - reach, 0), min(z + reach + 1, levels.shape[0])):
        for x in range(levels.shape[2]):
            if usable.size == 0 or usable[plane, y, x]:
                columns[x, levels[plane, y, x]] += step


@njit(nogil=True, cache=True)
def _medians_of_row(columns: Any, reach: int, medians: Any) -> None:
    box = np.zeros(N_LEVELS, np.int32)
    width = len(columns)
    for x in range(min(reach, width)):
        box += columns[x]
    for x in range(width):
        if x + reach < width:
            box += columns[x + reach]
        medians[x] = _median(box)
        if x >= reach:
            box -= columns[x - reach]


@njit(nogil=True, cache=True)
def _median(counts: Any) -> Any:
    half = (counts.sum() + 1) // 2
    below = 0
    for level in range(N_LEVELS):
        below += counts[level]
        if below >= half and below > 0:
            return level
    return 0
