"""Objects that touch, told apart by their necks: a watershed whose basins may merge."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Voxels handed to compiled code at once: short enough to cancel between pieces.
_VOXELS_PER_PIECE = 1 << 19


class Rule(NamedTuple):
    """When two hills that meet are one object.

    Attributes
    ----------
    neck : float
        If the saddle between them is at least this share of the lower summit …
    noise : float
        … or less than this below the lower summit …
    separation : float
        … or if the summits are nearer to each other than this.
    """

    neck: float
    noise: float
    separation: float


def hills(
    height: NDArray[np.float32],
    rule: Rule,
    spacing: tuple[float, ...],
    done: Callable[[], None] = lambda: None,
) -> NDArray[np.int32]:
    """Number the hills of a landscape.

    Voxels are visited from the highest to the lowest, equally high ones in scan order. One
    with no visited neighbour is a new summit; any other joins the hill of its highest
    visited neighbour. Where two hills meet, `rule` says whether they are one.

    Parameters
    ----------
    height : (M, N[, P]) float32 array
        0 where nothing is.
    rule : Rule
    spacing : tuple of float
        Voxel size per axis.
    done : callable
        Called after each piece of the work; may raise `Cancelled`.

    Returns
    -------
    (M, N[, P]) int32 array
        1 … n in the order of the hills' first voxels, 0 where nothing is. Besides it 6 bytes
        per voxel, and while the voxels are sorted 28 for each where something is.

    References
    ----------
    L. Vincent, P. Soille (1991), doi:10.1109/34.87344; L. Najman, M. Schmitt, "Geodesic
    saliency of watershed contours and hierarchical segmentation", IEEE TPAMI 18(12), 1996,
    doi:10.1109/34.546254.

    Examples
    --------
    >>> row = np.array([[3, 2, 1, 2, 3, 0, 1]], dtype=np.float32)
    >>> hills(row, Rule(0.8, 0, 0), (1, 1))
    array([[1, 1, 1, 2, 2, 0, 3]], dtype=int32)
    """
    # The rim of zeros spares the kernel a look at the borders.
    padded = np.zeros([n + 2 for n in height.shape], dtype=np.float32)
    padded[(slice(1, -1),) * height.ndim] = height
    flat = padded.reshape(-1)
    order = np.flatnonzero(flat)
    order = order[np.argsort(-flat[order], kind="stable")]
    strides = np.array(padded.strides) // padded.itemsize
    offsets = np.array([np.dot(o, strides) for o in _neighbours(height.ndim)])
    hill = np.zeros(flat.size, dtype=np.int32)
    # Two neighbours are never both summits.
    summits = np.zeros(_most_summits(height.shape) + 1, dtype=np.int64)
    parents = np.zeros(len(summits), dtype=np.int32)
    count = 0
    for start in range(0, len(order), _VOXELS_PER_PIECE):
        piece = order[start : start + _VOXELS_PER_PIECE]
        count = _climb_down(
            piece,
            flat,
            hill,
            offsets,
            parents,
            summits,
            count,
            strides,
            np.array(spacing, dtype=np.float64),
            rule,
        )
        done()
    _number(hill, parents)
    return hill.reshape(padded.shape)[(slice(1, -1),) * height.ndim]


def _neighbours(ndim: int) -> list[tuple[int, ...]]:
    return [o for o in itertools.product((-1, 0, 1), repeat=ndim) if any(o)]


def _most_summits(shape: tuple[int, ...]) -> int:
    return int(np.prod([-(-n // 2) for n in shape]))


@njit(nogil=True, cache=True)
def _root(parents: NDArray[np.int32], hill: int) -> int:
    while parents[hill] != hill:
        parents[hill] = parents[parents[hill]]
        hill = parents[hill]
    return hill


@njit(nogil=True, cache=True)
def _apart(a: int, b: int, strides: NDArray[np.int64], spacing: NDArray[np.float64]) -> float:
    """Squared distance of two voxels given by their flat indices."""
    total = 0.0
    for axis in range(len(strides)):
        step = (a // strides[axis] - b // strides[axis]) * spacing[axis]
        total += step * step
        a, b = a % strides[axis], b % strides[axis]
    return total


@njit(nogil=True, cache=True)
def _climb_down(
    piece: NDArray[np.int64],
    height: NDArray[np.float32],
    hill: NDArray[np.int32],
    offsets: NDArray[np.int64],
    parents: NDArray[np.int32],
    summits: NDArray[np.int64],
    count: int,
    strides: NDArray[np.int64],
    spacing: NDArray[np.float64],
    rule: Rule,
) -> int:
    """Visit the voxels of `piece`; how many summits there are by then."""
    for voxel in piece:
        joined, highest = 0, np.float32(0)
        for offset in offsets:
            other = voxel + offset
            if hill[other] == 0:
                continue
            if joined == 0:
                joined, highest = _root(parents, hill[other]), height[other]
                continue
            a, b = _root(parents, joined), _root(parents, hill[other])
            if a != b:
                # The higher one goes on; of equally high ones the one that was there first.
                if height[summits[a]] < height[summits[b]] or (
                    height[summits[a]] == height[summits[b]] and b < a
                ):
                    a, b = b, a
                low = height[summits[b]]
                near = rule.separation * rule.separation
                if (
                    height[voxel] >= rule.neck * low
                    or low - height[voxel] < rule.noise
                    or _apart(summits[a], summits[b], strides, spacing) < near
                ):
                    parents[b] = a
            if height[other] > highest:
                joined, highest = hill[other], height[other]
        if joined == 0:
            count += 1
            joined = count
            parents[joined], summits[joined] = joined, voxel
        hill[voxel] = _root(parents, joined)
    return count


@njit(nogil=True, cache=True)
def _number(hill: NDArray[np.int32], parents: NDArray[np.int32]) -> None:
    """Give the hills numbers in the order of their first voxels."""
    number = np.zeros(len(parents), dtype=np.int32)
    count = 0
    for i in range(hill.size):
        if hill[i] == 0:
            continue
        root = _root(parents, hill[i])
        if number[root] == 0:
            count += 1
            number[root] = count
        hill[i] = number[root]
