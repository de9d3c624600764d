"""Entropy of the grey values around every voxel, by a histogram that slides along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew

# What does not count, beyond the border or masked out, is counted in a bin of its own.
_NOTHING = 256
# The sum of n log2 n is kept as a whole number of these, so that it never drifts.
_UNITS = float(1 << 32)
# More than rounding leaves of nothing, and less than two different voxels have.
_LEAST = 1e-8
# Voxels that one call of compiled code works on, roughly: short enough to cancel between.
_VOXELS_PER_PIECE = 1 << 17


def local_entropy(
    image: NDArray[np.uint8],
    footprint: NDArray[np.bool_],
    mask: NDArray[np.bool_] | None = None,
    done: Callable[[], None] = lambda: None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Entropy in bits of the grey values in a window around every voxel.

    The window moves along the last axis; at each step only the voxels that enter or leave
    it change the histogram, and with it the sum that the entropy follows from.

    Parameters
    ----------
    image : (M, N[, P]) uint8 array
    footprint : bool array with as many axes, of odd lengths
        The window's shape, of up to 2**26 voxels. At the border of the image it is cut off.
    mask : (M, N[, P]) bool array, optional
        Voxels that count as neighbours.
    done : callable
        Called after each of `n_pieces` pieces of the work; may raise `Cancelled`.
    threads : int, optional
        All processors by default. The result is the same for any number.

    Returns
    -------
    (M, N[, P]) float32 array
        0 where no neighbour counts. Besides it 2 bytes per voxel of the image and a rim as
        wide as the window reaches.

    References
    ----------
    T. S. Huang, G. J. Yang, G. Y. Tang, "A fast two-dimensional median filtering algorithm",
    IEEE TASSP 27(1), 1979, doi:10.1109/TASSP.1979.1163188, for the histogram that slides.

    Examples
    --------
    >>> image = np.array([[7, 7, 7, 7, 8]], dtype=np.uint8)
    >>> local_entropy(image, np.ones((1, 3), dtype=bool)).round(3)
    array([[0.   , 0.   , 0.   , 0.918, 1.   ]], dtype=float32)
    """
    planes, window = _as_volume(image), _as_volume(footprint)
    padded = _padded(planes, window, None if mask is None else _as_volume(mask))
    strides = np.array(padded.strides) // padded.itemsize
    shifted = np.zeros_like(window)
    shifted[..., 1:] = window[..., :-1]
    everything = _offsets(window, strides)
    # Seen from where the window goes to, and from where it comes from.
    entering = _offsets(window & ~_back(window), strides)
    leaving = _offsets(window & ~shifted, strides)
    sums, logs = _tables(len(everything))
    entropy = np.empty(planes.shape, dtype=np.float32)
    lines = entropy.reshape(-1, planes.shape[2])

    def piece(start: int, stop: int) -> None:
        _slide(
            padded, lines, planes.shape[1], start, stop, everything, entering, leaving, sums, logs
        )

    with Crew(int(config.NUMBA_NUM_THREADS) if threads is None else threads) as crew:
        crew.run(piece, _pieces(*lines.shape), done)
    return entropy.reshape(image.shape)


def n_pieces(shape: tuple[int, ...]) -> int:
    """How often `local_entropy` calls `done` for an image of this shape.

    Examples
    --------
    >>> n_pieces((64, 128, 128))
    8
    """
    return len(_pieces(int(np.prod(shape[:-1])), shape[-1]))


def _pieces(n_lines: int, length: int) -> list[tuple[int, int]]:
    per_piece = max(1, _VOXELS_PER_PIECE // length)
    return [(start, min(start + per_piece, n_lines)) for start in range(0, n_lines, per_piece)]


def _as_volume(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.ndim == 3 else array[np.newaxis]


def _padded(
    image: NDArray[np.uint8], window: NDArray[np.bool_], mask: NDArray[np.bool_] | None
) -> NDArray[np.uint16]:
    """The image with a rim that does not count."""
    reach = [n // 2 for n in window.shape]
    shape = [n + 2 * r for n, r in zip(image.shape, reach, strict=True)]
    padded = np.full(shape, _NOTHING, dtype=np.uint16)
    core = tuple(slice(r, r + n) for n, r in zip(image.shape, reach, strict=True))
    np.copyto(padded[core], image, where=True if mask is None else mask)
    return padded


def _back(window: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The window one step further back along the last axis."""
    moved = np.zeros_like(window)
    moved[..., :-1] = window[..., 1:]
    return moved


def _offsets(window: NDArray[np.bool_], strides: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Steps through the padded image from the first voxel of a window to its others."""
    return (np.argwhere(window) @ strides).astype(np.uint64)


def _tables(size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What n log2 n gains from n to n + 1, in whole units; and log2 n."""
    n = np.arange(size + 2, dtype=np.float64)
    logs = np.log2(np.maximum(n, 1))
    gains = np.diff(np.rint(n * logs * _UNITS)).astype(np.int64)
    return gains, logs


@njit(nogil=True, cache=True)
def _slide(
    padded: Any, lines: Any, rows: int, start: int, stop: int, everything: Any, entering: Any,
    leaving: Any, gains: Any, logs: Any,
) -> None:  # fmt: skip
    """Write the entropies of the lines from `start` to `stop`."""
    # Numba looks for negative positions unless their type has none.
    one = np.uint64(1)
    flat = padded.reshape(-1)
    for line in range(start, stop):
        counts = np.zeros(_NOTHING + 1, dtype=np.uint64)
        at = np.uint64((line // rows * padded.shape[1] + line % rows) * padded.shape[2])
        total = np.int64(0)
        for offset in everything:
            value = flat[at + offset]
            total += gains[counts[value]]
            counts[value] += one
        for x in range(lines.shape[1]):
            if x > 0:
                # A row of the window loses a voxel at one end and gains one at the other.
                for i in range(leaving.size):
                    old = flat[at + leaving[i] - one]
                    new = flat[at + entering[i]]
                    if old == new:
                        continue
                    counts[old] -= one
                    total -= gains[counts[old]]
                    total += gains[counts[new]]
                    counts[new] += one
            at += one
            outside = np.int64(counts[_NOTHING])
            n = everything.size - outside
            bits = 0.0
            if n > 0:
                # The outside's own n log2 n is no part of the sum.
                bits = logs[n] - (total / _UNITS - outside * logs[outside]) / n
            lines[line, x] = bits if bits > _LEAST else 0.0
