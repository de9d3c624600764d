"""Where iterations that improve several centres begin."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...typing import FloatArray


class Axis(NamedTuple):
    """Points by their place along the axis of their largest variance.

    Attributes
    ----------
    values : (B,) float64 array
        Places, ascending, each once.
    counts : (B,) int64 array
        Weight of the points at each.
    place : (n,) array of integers
        Index into `values` of each point.
    first : (B,) array of integers
        The first point at each of `values`.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    place: NDArray[np.intp]
    first: NDArray[np.intp]


def main_axis(points: FloatArray, weights: NDArray[np.float64]) -> Axis:
    """Line up points along the axis of their largest variance.

    There the best clusters can be found exactly. Of points that do lie on a line, as those
    of equal channels, they are the best of all.

    Parameters
    ----------
    points : (C, n) float32 array
    weights : (n,) float64 array
        Whole numbers.

    Examples
    --------
    >>> axis = main_axis(np.array([[0, 4, 4], [0, 1, 1]], dtype=np.float32), np.ones(3))
    >>> axis.counts.tolist(), axis.place.tolist()
    ([1, 2], [0, 1, 1])
    """
    centred = points - np.average(points, axis=1, weights=weights)[:, None]
    axis = np.linalg.eigh((centred * weights) @ centred.T)[1][:, -1]
    axis *= np.copysign(1.0, axis.sum())
    # One channel after the other: equal points have to get equal values, to the last digit.
    along: Any = sum(share * row for share, row in zip(axis, centred, strict=True))
    values, first, place = np.unique(along, return_index=True, return_inverse=True)
    return Axis(values, np.bincount(place, weights).astype(np.int64), place, first)


def spread_out(
    points: FloatArray,
    weights: NDArray[np.float64],
    n_clusters: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw points far from each other: greedy k-means++.

    Parameters
    ----------
    points : (C, n) float32 array
    weights : (n,) float64 array
    n_clusters : int
    rng : Generator

    Returns
    -------
    (K,) array of integers
        Indices of different points; fewer where there are fewer different points.

    References
    ----------
    .. [1] D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA
       2007, 10.5555/1283383.1283494.

    Examples
    --------
    >>> points = np.array([[1, 1, 9]], dtype=np.float32)
    >>> len(spread_out(points, np.ones(3), 3, np.random.default_rng(0)))
    2
    """
    n_tries = 2 + int(np.log(n_clusters))
    first = int(rng.choice(len(weights), p=weights / weights.sum()))
    chosen, squares = [first], _squares_from(points, first)
    while len(chosen) < n_clusters and squares.any():
        upto = np.cumsum(weights * squares)
        drawn = np.searchsorted(upto, rng.random(n_tries) * upto[-1], side="right")
        candidates = np.minimum(drawn, np.flatnonzero(squares)[-1]).tolist()
        tries = [np.minimum(squares, _squares_from(points, index)) for index in candidates]
        # No dot product: its threads cost more than they bring, and change the last digits.
        best = int(np.argmin([(left * weights).sum() for left in tries]))
        squares = tries[best]
        chosen.append(candidates[best])
    return np.array(chosen, dtype=np.int64)


def _squares_from(points: FloatArray, index: int) -> FloatArray:
    squares: FloatArray = np.square(points - points[:, index, None]).sum(axis=0)
    return squares
