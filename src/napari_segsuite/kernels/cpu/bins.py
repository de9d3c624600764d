"""Values to bytes: what of a feature decides a tree's question is its rank."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

EDGES = 255


def quantile_edges(sample: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edges between 256 bins that hold about as many of the sampled values each.

    Parameters
    ----------
    sample : array of float32
        Values of a feature at some thousand voxels. A value that is there many times,
        such as that of air, is given one bin and leaves the others to the rest.

    Returns
    -------
    (255,) float32 array
        In ascending order; the last ones are infinite where fewer are needed.

    Examples
    --------
    >>> import numpy as np
    >>> quantile_edges(np.array([7, 7, 7, 9, 8], dtype=np.float32))[:3]
    array([ 8.,  9., inf], dtype=float32)
    """
    values, counts = np.unique(sample[np.isfinite(sample)], return_counts=True)
    edges = np.full(EDGES, np.inf, dtype=np.float32)
    if len(values) <= EDGES + 1:
        edges[: max(len(values) - 1, 0)] = values[1:]
        return edges
    # One bin's share at most for a single value; then the share of the others grows.
    for _ in range(8):
        counts = np.minimum(counts, max(1, int(counts.sum()) // (EDGES + 1)))
    upto = np.cumsum(counts)
    at = np.searchsorted(upto, np.arange(1, EDGES + 1) * (upto[-1] / (EDGES + 1)))
    edges[:] = values[at]
    return edges


def to_bins(
    values: NDArray[np.float32], edges: NDArray[np.float32], out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Tell how many of 255 edges do not exceed a value.

    Parameters
    ----------
    values : array of float32
        NaN falls into bin 0.
    edges : (255,) float32 array
        In ascending order.
    out : array of uint8, optional
        Where to write.

    Returns
    -------
    array of uint8, shape of `values`
        `out`, or a new array.

    Examples
    --------
    >>> import numpy as np
    >>> edges = quantile_edges(np.array([7, 8, 9], dtype=np.float32))
    >>> to_bins(np.array([6.5, 8, 8.5, 100], dtype=np.float32), edges)
    array([0, 1, 1, 2], dtype=uint8)
    """
    bins = np.empty(values.shape, dtype=np.uint8)
    _count_edges(np.ascontiguousarray(values).reshape(-1), edges, bins.reshape(-1))
    if out is None:
        return bins
    out[...] = bins
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _count_edges(values: Any, edges: Any, bins: Any) -> None:
    for i in range(values.size):
        count, step = 0, 128
        while step:
            count += step * (values[i] >= edges[count + step - 1])
            step //= 2
        bins[i] = count
