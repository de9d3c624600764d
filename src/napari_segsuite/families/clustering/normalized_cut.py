"""Cutting a graph into parts that have little in common."""

from __future__ import annotations

import inspect
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT
from .features import point_list
from .lloyd import fit_centres, label_nearest

# Graphs up to this size are solved whole: faster than iteration, and sure to end.
_DENSE = 400
# What differs less than this in an eigenvector does not change the cut.
_TOLERANCE = 1e-5
_STARTS = 4
_MOST_TURNS = 100


def normalized_cut(
    affinity: Any, n_clusters: int, assign: Literal["kmeans", "discretize"], rng: int
) -> NDArray[np.intp]:
    """Cut a graph into parts, each with little affinity to the others for all that it has.

    The cut is relaxed to the leading eigenvectors of the affinities divided by the roots of
    the degrees at either end. Their rows, one for each node, are then given to the parts:
    divided by the root of the degree, where they are equal within parts if nothing joins
    these, or at unit length.

    Parameters
    ----------
    affinity : (R, R) sparse array
        Symmetric, of a connected graph, with nothing below 0.
    n_clusters : int
        Parts, from 2 to R - 1.
    assign : {"kmeans", "discretize"}
        How rows are given to parts: K-means, in which nodes weigh their degree, or, of rows at
        unit length, the nearest partition up to a rotation.
    rng : int
        Seed.

    Returns
    -------
    (R,) array of integers
        Part of each node, from 0.

    References
    ----------
    J. Shi, J. Malik (2000), doi:10.1109/34.868688; F. Bach, M. Jordan, "Learning spectral
    clustering", JMLR 7, 2006 (the weights of K-means); S. X. Yu, J. Shi (2003),
    doi:10.1109/ICCV.2003.1238361.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> affinity = csr_array([[0, 9, 0, 0], [9, 0, 1, 0], [0, 1, 0, 9], [0, 0, 9, 0]])
    >>> parts = normalized_cut(affinity, 2, "kmeans", 0)
    >>> bool(parts[0] == parts[1] != parts[2] == parts[3])
    True
    """
    generator = np.random.default_rng(rng)
    rows = _leading_eigenvectors(affinity, n_clusters, generator)
    if assign == "kmeans":
        degrees = affinity.sum(axis=1)
        return _by_kmeans(rows / np.sqrt(degrees)[:, np.newaxis], degrees, generator)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return _by_rotation(rows, generator)


def cut_value(affinity: Any, parts: NDArray[np.integer[Any]]) -> float:
    """The normalised cut: the share of its affinity that each part has to others, summed.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cut_value(csr_array([[0, 3, 1], [3, 0, 0], [1, 0, 0]]), np.array([0, 0, 1]))
    1.1428571428571428
    """
    total = np.bincount(parts, affinity.sum(axis=1))
    edges = affinity.tocoo()
    is_inside = parts[edges.row] == parts[edges.col]
    inside = np.bincount(parts[edges.row[is_inside]], edges.data[is_inside], len(total))
    return float((1 - inside[total > 0] / total[total > 0]).sum())


def _leading_eigenvectors(
    affinity: Any, n: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Eigenvectors, as columns, of the `n` largest eigenvalues of the normalised affinities."""
    from scipy import sparse
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh

    scale = sparse.diags_array(1 / np.sqrt(affinity.sum(axis=1)))
    normalised = scale @ affinity @ scale
    if affinity.shape[0] <= _DENSE:
        return _leading_of_dense(normalised, n)
    keywords: dict[str, Any] = {"v0": generator.random(affinity.shape[0])}
    if "rng" in inspect.signature(eigsh).parameters:
        # Newer versions draw when they start anew.
        keywords["rng"] = generator
    try:
        found = eigsh(normalised, n, which="LA", tol=_TOLERANCE, ncv=4 * n + 20, **keywords)
    except ArpackNoConvergence:
        return _leading_of_dense(normalised, n)
    vectors: NDArray[np.float64] = found[1]
    return vectors


def _leading_of_dense(normalised: Any, n: int) -> NDArray[np.float64]:
    from scipy.linalg import eigh

    last = normalised.shape[0] - 1
    vectors: NDArray[np.float64] = eigh(
        normalised.toarray(), subset_by_index=(last - n + 1, last), overwrite_a=True
    )[1]
    return vectors


def _by_kmeans(
    rows: NDArray[np.float64], weights: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.intp]:
    from ...kernels.cpu.crew import Crew

    # Points are counted in whole numbers: thousandths of the mean weight.
    counts = np.maximum(np.rint(1000 * weights / weights.mean()), 1)
    points = point_list(np.ascontiguousarray(rows.T, np.float32), counts)
    # So few points are clustered in less time than threads take to meet.
    with Crew(1) as crew:
        centres = fit_centres(points, rows.shape[1], _STARTS, _MOST_TURNS, generator, SILENT, crew)
        return label_nearest(points, centres, lambda: None, crew).astype(np.intp) - 1


def _by_rotation(rows: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.intp]:
    """Turn rows and the nearest partition towards each other in turns."""
    rotation = _spread_out(rows, int(generator.integers(len(rows))))
    parts = np.full(len(rows), -1)
    for _ in range(_MOST_TURNS):
        before, parts = parts, (rows @ rotation).argmax(axis=1)
        if np.array_equal(parts, before):
            break
        chosen = np.eye(rows.shape[1])[parts]
        left, _, right = np.linalg.svd(rows.T @ chosen)
        rotation = left @ right
    return parts


def _spread_out(rows: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """As many rows as columns, each as far from those before it as can be, as columns."""
    chosen = [rows[first]]
    likeness = np.zeros(len(rows))
    for _ in range(rows.shape[1] - 1):
        likeness += np.abs(rows @ chosen[-1])
        chosen.append(rows[likeness.argmin()])
    return np.stack(chosen, axis=1)
