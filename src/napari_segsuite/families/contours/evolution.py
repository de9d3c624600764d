"""Iterations of a contour, and the states to keep of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress
from ...typing import LabelArray


def as_volume(array: NDArray[Any]) -> NDArray[Any]:
    """A 2D array as a volume of one plane; a view."""
    return array if array.ndim == 3 else array[np.newaxis]


def evolve(
    labels: Callable[[], LabelArray],
    step: Callable[[int], None],
    iterations: int,
    watch: Sequence[int],
    progress: Progress,
) -> LabelArray:
    """Repeat a step until the labels settle or the iterations are done.

    Parameters
    ----------
    labels : callable
        The labels as they are, in an array that later steps leave alone.
    step : callable
        One iteration; gets its number, from 0.
    iterations : int
    watch : sequence of int
        Iterations whose labels are asked for, 0 for those at the start; empty for the last
        ones alone.
    progress : callable
        Called with (fraction, message) after each iteration.

    Returns
    -------
    (M, N[, P]) or (W, M, N[, P]) array
        The last labels, or a frame per entry of `watch`, for which as many iterations are
        done as the largest asks for.
    """
    now = labels()
    chosen, last = np.array(watch, dtype=np.int64), max(watch, default=iterations)
    frames = np.empty((len(chosen), *now.shape), dtype=now.dtype)
    n_still = 0
    for i in range(last + 1):
        frames[chosen == i] = now
        # Two turns of smoothing differ: what one leaves alone the next may still change.
        if i == last or n_still == 2:
            frames[chosen > i] = now
            break
        step(i)
        before, now = now, labels()
        n_still = n_still + 1 if np.array_equal(now, before) else 0
        progress((i + 1) / last, "moving the contours")
    return frames if watch else now
