"""Superpixels made connected: scattered bits go to the neighbour they share most border with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_VOXELS_PER_PIECE = 1 << 20


def connect(
    labels: NDArray[np.int32],
    usable: NDArray[np.bool_],
    smallest: float,
    done: Callable[[float], None] = lambda share: None,
) -> tuple[NDArray[np.int32], int]:
    """Split labels into parts joined by faces, and merge the small parts with neighbours.

    Small parts are taken in scan order; each joins the part it shares the most faces with, of
    several such the first in scan order. Only what has no neighbour at all stays small.

    Parameters
    ----------
    labels : (L, M, N) int32 array
        Any numbers; voxels of one number that touch are one part.
    usable : (L, M, N) bool array
        Voxels that count.
    smallest : float
        Parts of fewer voxels are merged.
    done : callable
        Called with the share of the work that is done; may raise `Cancelled`.

    Returns
    -------
    regions : (L, M, N) int32 array
        1 … `count` in scan order, 0 where a voxel does not count.
    count : int

    Examples
    --------
    >>> labels = np.array([[[5, 5, 5, 7, 5, 5]]], dtype=np.int32)
    >>> connect(labels, labels > 0, 2)[0]
    array([[[1, 1, 1, 1, 2, 2]]], dtype=int32)
    """
    parts = np.empty(labels.shape, np.int32)
    planes = len(labels)
    step = max(1, _VOXELS_PER_PIECE * planes // labels.size)
    for first in range(0, planes, step):
        done(0.5 * first / planes)
        _join_equal(labels, usable, first, min(first + step, planes), parts)
    sizes, firsts = _number_parts(parts.reshape(-1), usable.reshape(-1))
    done(0.6)
    _merge_small(parts.reshape(-1), np.array(labels.shape), sizes, firsts, smallest)
    done(0.9)
    count = _renumber(parts.reshape(-1), len(sizes))
    return parts, count


@njit(nogil=True, cache=True)
def _root(parents: Any, i: Any) -> Any:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(nogil=True, cache=True)
def _join_equal(labels: Any, usable: Any, first: int, last: int, parts: Any) -> None:
    """Lead every voxel of some planes to the first one of its part, by way of earlier voxels."""
    _, rows, columns = labels.shape
    parents, values, counts = parts.reshape(-1), labels.reshape(-1), usable.reshape(-1)
    i = first * rows * columns
    for z in range(first, last):
        for y in range(rows):
            for x in range(columns):
                parents[i] = i
                if counts[i]:
                    if x > 0:
                        _join(parents, values, counts, i, i - 1)
                    if y > 0:
                        _join(parents, values, counts, i, i - columns)
                    if z > 0:
                        _join(parents, values, counts, i, i - rows * columns)
                i += 1


@njit(nogil=True, cache=True)
def _join(parents: Any, values: Any, counts: Any, i: Any, j: Any) -> None:
    if counts[j] and values[i] == values[j]:
        a, b = _root(parents, i), _root(parents, j)
        parents[max(a, b)] = min(a, b)


@njit(nogil=True, cache=True)
def _number_parts(parts: Any, usable: Any) -> Any:
    """Replace parents by numbers from 1 up; sizes and first voxels by number."""
    n_parts = 0
    for i in range(parts.size):
        n_parts += usable[i] and parts[i] == i
    sizes, firsts = np.zeros(n_parts + 1, np.int64), np.zeros(n_parts + 1, np.int64)
    number = 0
    for i in range(parts.size):
        if not usable[i]:
            parts[i] = 0
            continue
        if parts[i] == i:
            number += 1
            firsts[number] = i
            parts[i] = number
        else:
            # The parent comes earlier and has its number already.
            parts[i] = parts[parts[i]]
        sizes[parts[i]] += 1
    return sizes, firsts


@njit(nogil=True, cache=True)
def _merge_small(parts: Any, shape: Any, sizes: Any, firsts: Any, smallest: Any) -> None:
    room = np.int64(min(np.ceil(smallest), parts.size))
    voxels, steps = np.empty(room + 1, np.int64), np.empty(6, np.int64)
    faces, beside = np.zeros(sizes.size, np.int64), np.empty(6 * room + 6, np.int64)
    for part in range(1, sizes.size):
        if not 0 < sizes[part] < smallest:
            continue
        n_voxels = _collect(parts, shape, part, firsts[part], voxels, steps)
        n_beside = _count_faces(parts, shape, part, voxels[:n_voxels], steps, faces, beside)
        chosen = 0
        for other in beside[:n_beside]:
            if faces[other] > faces[chosen] or (faces[other] == faces[chosen] and other < chosen):
                chosen = other
        faces[beside[:n_beside]] = 0
        if chosen:
            parts[voxels[:n_voxels]] = chosen
            sizes[chosen] += n_voxels
            sizes[part] = 0


@njit(nogil=True, cache=True)
def _neighbours(shape: Any, i: Any, steps: Any) -> Any:
    """Write the voxels that share a face with one; returns how many there are."""
    columns, plane = shape[2], shape[1] * shape[2]
    x, y, z = i % columns, i // columns % shape[1], i // plane
    n = 0
    for position, length, pitch in ((z, shape[0], plane), (y, shape[1], columns), (x, columns, 1)):
        if position > 0:
            steps[n] = i - pitch
            n += 1
        if position + 1 < length:
            steps[n] = i + pitch
            n += 1
    return n


@njit(nogil=True, cache=True)
def _collect(parts: Any, shape: Any, part: Any, first: Any, voxels: Any, steps: Any) -> Any:
    """List the voxels of a part; they are marked by its negative number meanwhile."""
    voxels[0], n_voxels, done = first, 1, 0
    parts[first] = -part
    while done < n_voxels:
        n_steps = _neighbours(shape, voxels[done], steps)
        done += 1
        for j in steps[:n_steps]:
            if parts[j] == part:
                parts[j] = -part
                voxels[n_voxels] = j
                n_voxels += 1
    parts[voxels[:n_voxels]] = part
    return n_voxels


@njit(nogil=True, cache=True)
def _count_faces(
    parts: Any, shape: Any, part: Any, voxels: Any, steps: Any, faces: Any, beside: Any
) -> Any:
    """Count the faces a part shares with each other one; lists and counts these."""
    n_beside = 0
    for i in voxels:
        for j in steps[: _neighbours(shape, i, steps)]:
            other = parts[j]
            if other != 0 and other != part:
                if faces[other] == 0:
                    beside[n_beside] = other
                    n_beside += 1
                faces[other] += 1
    return n_beside


@njit(nogil=True, cache=True)
def _renumber(parts: Any, n_numbers: Any) -> Any:
    """Number what is left from 1 up in scan order."""
    number, count = np.zeros(n_numbers, np.int32), 0
    for i in range(parts.size):
        part = parts[i]
        if part:
            if number[part] == 0:
                count += 1
                number[part] = count
            parts[i] = number[part]
    return count
