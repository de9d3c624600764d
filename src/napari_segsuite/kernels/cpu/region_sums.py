"""Sums over the voxels of each region, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .planes import pieces, three_axes, with_next


def sizes_and_places(
    regions: NDArray[np.int32], n_regions: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the voxels of each region and sum their indices.

    Parameters
    ----------
    regions : (M, N[, P]) int32 array
        Numbers from 0 to `n_regions`; 0 is no region.
    n_regions : int

    Returns
    -------
    sizes : (n_regions,) int64 array
    places : (n_regions, 2 or 3) int64 array
        Sum of the indices along each axis.

    Examples
    --------
    >>> sizes_and_places(np.array([[1, 1, 2]], dtype=np.int32), 2)
    (array([2, 1]), array([[0, 1], [0, 2]]))
    """
    sizes = np.zeros(n_regions + 1, np.int64)
    places = np.zeros((n_regions + 1, 3), np.int64)
    _add_places(np.ascontiguousarray(three_axes(regions)), sizes, places)
    return sizes[1:], np.delete(places[1:], [1] if regions.ndim == 2 else [], axis=1)


def sums_of_values(
    image: NDArray[Any], regions: NDArray[np.int32], n_regions: int
) -> NDArray[np.float64]:
    """Sum the intensities of each region.

    Parameters
    ----------
    image : (M, N[, P]) array
        Finite wherever there is a region.
    regions : (M, N[, P]) int32 array
    n_regions : int

    Returns
    -------
    (n_regions,) float64 array
    """
    sums = np.zeros(n_regions + 1)
    for rows in pieces(regions.shape):
        _add_values(_flat(image[rows], np.float64), _flat(regions[rows], np.int32), sums)
    return sums[1:]


def spreads_of_values(
    image: NDArray[Any], regions: NDArray[np.int32], means: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum, per region, the squared deviations from its mean and the changes within it.

    Parameters
    ----------
    image : (M, N[, P]) array
        Finite wherever there is a region.
    regions : (M, N[, P]) int32 array
    means : (n_regions,) float64 array

    Returns
    -------
    squares : (n_regions,) float64 array
    roughness : (n_regions,) float64 array
        Mean absolute difference of neighbours, by faces, that both lie in the region; 0 where
        there are none.
    """
    of_region = np.concatenate([[0.0], means])
    squares, changes = np.zeros(len(of_region)), np.zeros(len(of_region))
    n_changes = np.zeros(len(of_region), np.int64)
    for rows in pieces(regions.shape):
        wider, n_planes = with_next(rows), rows.stop - rows.start
        values = np.ascontiguousarray(three_axes(image[wider]), dtype=np.float64)
        labels = np.ascontiguousarray(three_axes(regions[wider]))
        _add_squares(
            values[:n_planes].reshape(-1), labels[:n_planes].reshape(-1), of_region, squares
        )
        for axis in range(3):
            _add_changes(values, labels, n_planes, axis, changes, n_changes)
    return squares[1:], (changes / np.maximum(n_changes, 1))[1:]


def in_scan_order(regions: NDArray[np.int32], classes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number classes of regions by where they come first in the image.

    Parameters
    ----------
    regions : (M, N[, P]) int32 array
        Numbers from 0 to K.
    classes : (K + 1,) int32 array
        Any number from 0 to K for each region, number 0 included; 0 stays 0.

    Returns
    -------
    (K + 1,) int32 array
        1 for the class that comes first, and so on.

    Examples
    --------
    >>> regions = np.array([[2, 1, 3]], dtype=np.int32)
    >>> in_scan_order(regions, np.array([0, 3, 2, 3], dtype=np.int32))
    array([0, 2, 1, 2], dtype=int32)
    """
    number = np.zeros(len(classes), np.int32)
    n_classes = len(np.unique(classes[classes > 0]))
    for rows in pieces(regions.shape):
        if _number_new(_flat(regions[rows], np.int32), classes, number) == n_classes:
            break
    return number[classes]


def _flat(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=dtype).reshape(-1)


@njit(nogil=True, cache=True)
def _add_places(
    regions: NDArray[np.int32], sizes: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    planes, rows, columns = regions.shape
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                region = regions[z, y, x]
                sizes[region] += 1
                places[region, 0] += z
                places[region, 1] += y
                places[region, 2] += x


@njit(nogil=True, cache=True)
def _add_values(
    values: NDArray[np.float64], regions: NDArray[np.int32], sums: NDArray[np.float64]
) -> None:
    for i in range(values.size):
        if regions[i]:
            sums[regions[i]] += values[i]


@njit(nogil=True, cache=True)
def _add_squares(
    values: NDArray[np.float64],
    regions: NDArray[np.int32],
    means: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    for i in range(values.size):
        if regions[i]:
            step = values[i] - means[regions[i]]
            squares[regions[i]] += step * step


@njit(nogil=True, cache=True)
def _add_changes(
    values: NDArray[np.float64],
    regions: NDArray[np.int32],
    n_planes: int,
    axis: int,
    changes: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    dz, dy, dx = axis == 0, axis == 1, axis == 2
    planes, rows, columns = regions.shape
    for z in range(min(n_planes, planes - dz)):
        for y in range(rows - dy):
            for x in range(columns - dx):
                region = regions[z, y, x]
                if region and region == regions[z + dz, y + dy, x + dx]:
                    changes[region] += abs(values[z + dz, y + dy, x + dx] - values[z, y, x])
                    counts[region] += 1


@njit(nogil=True, cache=True)
def _number_new(
    regions: NDArray[np.int32], classes: NDArray[np.int32], number: NDArray[np.int32]
) -> Any:
    """Number the classes not met before; how many are numbered by then."""
    count = number.max()
    for i in range(regions.size):
        found = classes[regions[i]]
        if found and number[found] == 0:
            count += 1
            number[found] = count
    return count
