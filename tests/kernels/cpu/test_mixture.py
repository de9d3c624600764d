"""Sums under a mixture of Gaussians against densities of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from napari_segsuite.families.clustering.mixture import Mixture


def mixture_and_points(n_channels: int, n_components: int, n: int) -> tuple[Mixture, np.ndarray]:
    rng = np.random.default_rng(n_channels)
    loose = rng.normal(size=(n_components, n_channels, n_channels))
    covariances = loose @ loose.transpose(0, 2, 1) + 0.1 * np.eye(n_channels)
    shares = rng.dirichlet(np.ones(n_components))
    means = rng.normal(0, 3, (n_components, n_channels))
    return Mixture(shares, means, covariances), rng.normal(0, 4, (n_channels, n))


def log_densities(mixture: Mixture, points: np.ndarray) -> np.ndarray:
    parts = zip(mixture.shares, mixture.means, mixture.covariances, strict=True)
    return np.array(
        [np.log(share) + multivariate_normal(*part).logpdf(points.T) for share, *part in parts]
    )


@pytest.mark.parametrize("n", [1, 255, 256, 257, 1000])
@pytest.mark.parametrize(("n_channels", "n_components"), [(1, 1), (1, 16), (2, 3), (5, 4)])
def test_sums_and_shares_are_those_of_the_densities(
    n_channels: int, n_components: int, n: int
) -> None:
    mixture, points = mixture_and_points(n_channels, n_components, n)
    weights = np.arange(1.0, n + 1)
    logs = log_densities(mixture, points).reshape(n_components, n)
    likelihood = logsumexp(logs, axis=0)
    shares = np.exp(logs - likelihood)
    np.testing.assert_allclose(mixture.probabilities(points), shares, atol=1e-12)
    sums, found = mixture.sums(points, weights)
    assert found == pytest.approx(np.average(likelihood, weights=weights), rel=1e-12)
    for k in range(n_components):
        away = np.concatenate([np.ones((1, n)), points - mixture.means[k, :, None]])
        np.testing.assert_allclose(sums[k], (shares[k] * weights * away) @ away.T, rtol=1e-9)


def test_points_far_from_every_component_have_a_likeliest_one() -> None:
    mixture = Mixture(np.array([0.5, 0.5]), np.array([[0.0], [1.0]]), np.full((2, 1, 1), 1e-6))
    likely = mixture.probabilities(np.array([[-1e6, 0.0, 0.5, 1e6]]))
    np.testing.assert_allclose(likely[1], [0, 0, 0.5, 1], atol=1e-12)
