"""A mixture of Gaussians fitted to weighted points by expectation maximisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress
from .ordering import ascending

Covariance = Literal["full", "diag", "spherical", "tied"]
Matrix = NDArray[np.float64]

# Of the mean variance of all points: no component becomes narrower.
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

    def log_densities(self, points: Matrix) -> Matrix:
        """Logarithm of each component's share of the density, (K, n), at points (C, n)."""
        out = np.empty((len(self.shares), points.shape[1]))
        n_channels = len(points)
        for k, (mean, covariance) in enumerate(zip(self.means, self.covariances, strict=True)):
            root = np.linalg.cholesky(covariance)
            whitened = np.linalg.inv(root) @ (points - mean[:, None])
            scale = 2 * np.log(root.diagonal()).sum() + n_channels * np.log(2 * np.pi)
            out[k] = -0.5 * (np.square(whitened).sum(axis=0) + scale)
        with np.errstate(divide="ignore"):
            out += np.log(self.shares)[:, None]
        return out

    def probabilities(self, points: Matrix) -> tuple[Matrix, Matrix]:
        """How likely points, (C, n), come from each component.

        Returns
        -------
        (K, n) array
            Sums to 1 over components.
        (n,) array
            Logarithm of the density.
        """
        logs = self.log_densities(points)
        highest = logs.max(axis=0)
        shares = np.exp(logs - highest)
        total = shares.sum(axis=0)
        return shares / total, highest + np.log(total)


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
    shares = np.zeros((int(cluster.max()) + 1, len(cluster)))
    shares[cluster, np.arange(len(cluster))] = 1
    spread = np.cov(points, aweights=weights, ddof=0).reshape(len(points), -1)
    least = _LEAST_VARIANCE * spread.trace() / len(points) or 1.0
    before = -np.inf
    for i in range(max_iterations):
        progress(1 - 0.9**i, "iterations")
        mixture = _most_likely(points, weights * shares, covariance, least)
        shares, logs = mixture.probabilities(points)
        likelihood = float(np.average(logs, weights=weights))
        if likelihood - before < _ENOUGH:
            break
        before = likelihood
    return mixture


def _most_likely(points: Matrix, owned: Matrix, kind: Covariance, least: float) -> Mixture:
    """The mixture most likely where component k owns ``owned[k]`` of each point."""
    totals = np.maximum(owned.sum(axis=1), np.finfo(np.float64).tiny)
    means = owned @ points.T / totals[:, None]
    covariances = np.empty((len(owned), len(points), len(points)))
    for k, mean in enumerate(means):
        centred = points - mean[:, None]
        covariances[k] = (owned[k] * centred) @ centred.T / totals[k]
    shares = totals / totals.sum()
    if kind == "tied":
        covariances[:] = np.tensordot(shares, covariances, 1)
    unit = np.eye(len(points))
    if kind == "diag":
        covariances *= unit
    elif kind == "spherical":
        covariances = covariances.trace(axis1=1, axis2=2)[:, None, None] / len(points) * unit
    return Mixture(shares, means, covariances + least * unit)
