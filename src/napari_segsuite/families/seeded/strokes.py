"""Painted voxels, taken apart into strokes."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...typing import LabelArray, MaskArray


class Strokes(NamedTuple):
    """Every painted voxel, in the order of memory.

    Attributes
    ----------
    indices : tuple of (n,) int arrays
        Where they are, one array per axis.
    labels : (n,) array of the seeds' type
    strokes : (n,) int array
        Voxels of one class that touch, corners included, share a number.
    """

    indices: tuple[NDArray[np.int64], ...]
    labels: LabelArray
    strokes: NDArray[np.int64]


def find_strokes(seeds: LabelArray, allowed: MaskArray | None = None) -> Strokes:
    """Find what was painted where it is allowed; costs little beyond one look at each voxel.

    Examples
    --------
    >>> import numpy as np
    >>> find_strokes(np.array([[1, 1, 0, 1, 2]], dtype=np.uint8)).strokes
    array([0, 0, 1, 2])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    painted = seeds != 0
    if allowed is not None:
        painted &= allowed
    indices = np.nonzero(painted)
    labels = seeds[indices]
    # One voxel of margin, so that a step never leaves a row and enters the next.
    shape = tuple(n + 2 for n in seeds.shape)
    places = np.ravel_multi_index(tuple(i + 1 for i in indices), shape)
    count = len(places)
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for step in product((-1, 0, 1), repeat=seeds.ndim):
        shift = int(np.ravel_multi_index(tuple(s + 1 for s in step), shape))
        shift -= int(np.ravel_multi_index((1,) * seeds.ndim, shape))
        if shift <= 0:
            continue
        at = np.searchsorted(places, places + shift)
        found = np.flatnonzero(at < count)
        found = found[places[at[found]] == places[found] + shift]
        found = found[labels[at[found]] == labels[found]]
        pairs.append(np.stack([found, at[found]]))
    ends = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(ends.shape[1], dtype=np.bool_), tuple(ends)), shape=(count, count))
    strokes = connected_components(graph, directed=False)[1]
    return Strokes(indices, labels, strokes.astype(np.int64))
