"""A mixture of Gaussians fitted to weighted points by expectation maximisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress
from .ordering import ascending

Covariance = Literal["full", "diag", "spherical", "tied"]
Matrix = NDArray[np.float64]

# Of the variance of all points, per channel: no component becomes narrower.
_LEAST_VARIANCE = 1e-6
# Gain of the mean log-likelihood per iteration below which the fit has settled.
_ENOUGH = 1e-5


@dataclass(frozen=True, eq=False)
class Mixture:
    """A weighted sum of Gaussian densities.

    Attributes
    ----------
    shares : (K,) float64 array
        Weights of the components; they sum to 1.
    means : (K, C) float64 array
    covariances : (K, C, C) float64 array
    """

    shares: Matrix
    means: Matrix
    covariances: Matrix

    def ascending(self) -> Mixture:
        """The same components in ascending order of their means."""
        order = ascending(self.means)
        return Mixture(self.shares[order], self.means[order], self.covariances[order])

    def shaped(self, kind: Covariance, least: Matrix) -> Mixture:
        """The same with covariances of one kind, and variances wider by `least`, (C,)."""
        covariances = self.covariances
        if kind == "tied":
            covariances = np.tensordot(self.shares, covariances, 1)[None].repeat(len(self.means), 0)
        unit = np.eye(len(least))
        if kind == "diag":
            covariances = covariances * unit
        elif kind == "spherical":
            variances = covariances.trace(axis1=1, axis2=2) / len(least)
            return replace(self, covariances=(variances + least.mean())[:, None, None] * unit)
        return replace(self, covariances=covariances + least * unit)

    def probabilities(self, points: Matrix) -> Matrix:
        """How likely points, (C, n), come from each component: (K, n), which sums to 1 over K."""
        from ...kernels.cpu.mixture import component_shares

        return component_shares(points, *self._densities())

    def sums(self, points: Matrix, weights: Matrix) -> tuple[Matrix, float]:
        """Sums of what each component has of weighted points, as `mixture_sums` returns them.

        Returns
        -------
        (K, 1 + C, 1 + C) array
        float
            Mean logarithm of the density.
        """
        from ...kernels.cpu.mixture import mixture_sums

        sums, likelihood = mixture_sums(points, weights, *self._densities())
        return sums, likelihood / float(weights.sum())

    def _densities(self) -> tuple[Matrix, Matrix, Matrix]:
        """Logarithms of the densities at the means, the means, and what whitens around them."""
        triangles = np.linalg.cholesky(self.covariances)
        diagonals = np.diagonal(triangles, axis1=1, axis2=2)
        constant = self.means.shape[1] / 2 * np.log(2 * np.pi)
        logs = np.log(self.shares) - np.log(diagonals).sum(axis=1) - constant
        return logs, self.means, np.tril(np.linalg.inv(triangles))


def fit_mixture(
    points: Matrix,
    weights: Matrix,
    cluster: NDArray[np.intp],
    covariance: Covariance,
    max_iterations: int,
    progress: Progress,
) -> Mixture:
    """Fit a mixture from clusters on, each component from one of them.

    Parameters
    ----------
    points : (C, n) float64 array
    weights : (n,) float64 array
        How often each point occurs.
    cluster : (n,) array of integers
        Where the fit starts: clusters from 0, none of them empty.
    covariance : {"full", "diag", "spherical", "tied"}
        Any ellipsoids; ones along the axes; balls; ellipsoids of one shape.
    max_iterations : int
    progress : callable

    Examples
    --------
    >>> from napari_segsuite.progress import SILENT
    >>> points, cluster = np.array([[1.0, 3, 7, 9]]), np.array([0, 0, 1, 1])
    >>> fit = fit_mixture(points, np.ones(4), cluster, "full", 100, SILENT)
    >>> fit.means.round(1).ravel().tolist()
    [2.0, 8.0]
    """
    spread = np.cov(points, aweights=weights, ddof=0).reshape(len(points), -1)
    least = _LEAST_VARIANCE * spread.diagonal()
    least[least == 0] = least.max() or 1.0
    mixture = _of_clusters(points, weights, cluster).shaped(covariance, least)
    before = -np.inf
    for i in range(max_iterations):
        progress(1 - 0.9**i, "iterations")
        sums, likelihood = mixture.sums(points, weights)
        if likelihood - before < _ENOUGH:
            break
        before = likelihood
        mixture = _most_likely(sums, mixture.means).shaped(covariance, least)
    return mixture


def _of_clusters(points: Matrix, weights: Matrix, cluster: NDArray[np.intp]) -> Mixture:
    """The mixture most likely where each component owns the points of a cluster."""
    n_clusters, n_channels = int(cluster.max()) + 1, len(points)
    shares, means = np.bincount(cluster, weights), np.empty((n_clusters, n_channels))
    covariances = np.empty((n_clusters, n_channels, n_channels))
    for k in range(n_clusters):
        own, weight = points[:, cluster == k], weights[cluster == k]
        means[k] = np.average(own, axis=1, weights=weight)
        covariances[k] = np.cov(own, aweights=weight, ddof=0)
    return Mixture(shares / shares.sum(), means, covariances)


def _most_likely(sums: Matrix, means: Matrix) -> Mixture:
    """The mixture most likely, given sums of what each component owns around `means`."""
    totals = np.maximum(sums[:, 0, 0], np.finfo(np.float64).tiny)
    moves = sums[:, 0, 1:] / totals[:, None]
    covariances = sums[:, 1:, 1:] / totals[:, None, None] - moves[:, :, None] * moves[:, None]
    return Mixture(totals / totals.sum(), means + moves, covariances)
