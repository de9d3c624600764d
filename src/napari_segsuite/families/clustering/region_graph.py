"""Which regions are compared with which, and how much they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Fainter than this, what joins two parts of a graph is lost in rounding.
_FAINTEST = 1e-6


def affinity_graph(
    points: NDArray[np.float64],
    touching: NDArray[np.int32],
    *,
    neighbours: int,
    sigma: float | None,
) -> Any:
    """Join regions that touch or are alike, the closer the stronger.

    The affinity of regions at distance d is exp(-d² / (2 sigma²)). Parts of the graph that
    nothing joins are put in the order of their mean features and each joined to the next by
    the regions nearest to these, so that the graph hangs together.

    Parameters
    ----------
    points : (R, F) array
        Features of the regions.
    touching : (E, 2) int32 array
        Pairs of regions that touch, numbered from 0.
    neighbours : int
        Each region is joined to so many, too, whose features are nearest to its own.
    sigma : float, optional
        Half the root mean square of d over the graph by default.

    Returns
    -------
    (R, R) scipy.sparse.csr_array
        Symmetric, with nothing on the diagonal.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [9.0]])
    >>> graph = affinity_graph(points, np.array([[0, 1]]), neighbours=0, sigma=1)
    >>> graph.nnz, float(graph[0, 1].round(4))
    (4, 0.6065)
    """
    from scipy import sparse

    n = len(points)
    pairs = _distinct(np.concatenate([touching, _nearest(points, neighbours)]))
    pairs = _distinct(np.concatenate([pairs, _links(points, pairs)]))
    squared = np.square(points[pairs[:, 0]] - points[pairs[:, 1]]).sum(axis=1)
    scale = squared.mean() / 4 if sigma is None else sigma**2
    affinity = np.maximum(np.exp(-squared / (2 * (scale or 1.0))), _FAINTEST)
    half = sparse.coo_array((affinity, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return (half + half.T).tocsr()


def _distinct(pairs: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Each pair once, the smaller number first, in lexicographic order."""
    ordered = np.sort(pairs.astype(np.int64), axis=1)
    return np.unique(ordered[ordered[:, 0] < ordered[:, 1]], axis=0)


def _nearest(points: NDArray[np.float64], neighbours: int) -> NDArray[np.int64]:
    from scipy.spatial import KDTree

    n_found = min(neighbours, len(points) - 1)
    if n_found == 0:
        return np.empty((0, 2), np.int64)
    # A region is among the nearest to itself, or others that equal it are.
    found = KDTree(points).query(points, n_found + 1)[1]
    here = np.repeat(np.arange(len(points)), n_found + 1)
    return np.stack([here, found.ravel()], axis=1)


def _links(points: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs that join the parts of a graph."""
    from scipy import sparse

    n = len(points)
    graph = sparse.coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(n, n))
    n_parts, part = sparse.csgraph.connected_components(graph, directed=False)
    sizes = np.bincount(part)
    means = np.stack([np.bincount(part, column) / sizes for column in points.T], axis=1)
    apart = np.square(points - means[part]).sum(axis=1)
    by_part = np.lexsort((apart, part))
    typical = by_part[np.searchsorted(part[by_part], np.arange(n_parts))]
    chain = typical[np.lexsort(means.T[::-1])]
    return np.stack([chain[:-1], chain[1:]], axis=1)
