"""Mixtures of Gaussians against known densities and against sklearn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import napari_segsuite as nss
from napari_segsuite.families.clustering.mixture import fit_mixture
from napari_segsuite.progress import SILENT

SHAPES = ["full", "diag", "spherical", "tied"]


def points_of_three(n: int = 900) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    group = np.arange(n) % 3
    means = np.array([[0, 0], [5, 1], [2, 6]])
    spread = np.array([[[1, 0.6], [0.6, 0.8]], [[0.3, 0], [0, 1.5]], [[0.5, 0], [0, 0.5]]])
    points = [rng.multivariate_normal(means[k], spread[k]) for k in group]
    return np.array(points).T, group


@pytest.mark.parametrize("shape", SHAPES)
def test_fit_is_that_of_sklearn(shape: Any) -> None:
    points, group = points_of_three()
    ours = fit_mixture(points, np.ones(900), group, shape, 500, SILENT).ascending()
    peer = GaussianMixture(3, covariance_type=shape, tol=1e-6, max_iter=500, random_state=0)
    peer.fit(points.T)
    likelihood = ours.sums(points, np.ones(900))[1]
    assert likelihood == pytest.approx(peer.score(points.T), abs=1e-3)
    order = np.argsort(peer.means_[:, 0])
    np.testing.assert_allclose(ours.means, peer.means_[order], atol=0.05)
    np.testing.assert_allclose(ours.shares, peer.weights_[order], atol=0.02)
    np.testing.assert_allclose(
        ours.probabilities(points), peer.predict_proba(points.T).T[order], atol=0.1
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_covariances_have_the_shape_asked_for(shape: Any) -> None:
    points, group = points_of_three()
    found = fit_mixture(points, np.ones(900), group, shape, 100, SILENT).covariances
    off_axis = np.abs(found[:, 0, 1]).max()
    assert (off_axis > 0.05) == (shape in ("full", "tied"))
    assert (shape == "spherical") == np.allclose(found[:, 0, 0], found[:, 1, 1])
    assert (shape == "tied") == np.allclose(found, found[0])


@pytest.mark.parametrize("shape", ["full", "diag", "tied"])
def test_a_channel_of_small_range_is_fitted_as_well(shape: Any) -> None:
    points, group = points_of_three()
    small = np.array([[1.0], [1e-6]])
    plain = fit_mixture(points, np.ones(900), group, shape, 100, SILENT)
    scaled = fit_mixture(points * small, np.ones(900), group, shape, 100, SILENT)
    np.testing.assert_allclose(scaled.means, plain.means * small.T, rtol=1e-6)
    np.testing.assert_allclose(scaled.covariances, plain.covariances * (small * small.T), 1e-5)


def test_weights_stand_for_repeated_points() -> None:
    points, group = points_of_three(60)
    weights = 1 + np.arange(60) % 4
    ours = fit_mixture(points, weights.astype(float), group, "full", 50, SILENT)
    repeated = np.repeat(points, weights, axis=1)
    again = fit_mixture(
        repeated, np.ones(repeated.shape[1]), np.repeat(group, weights), "full", 50, SILENT
    )
    np.testing.assert_allclose(ours.means, again.means)
    np.testing.assert_allclose(ours.covariances, again.covariances)


def test_a_narrow_peak_inside_a_wide_one_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(100, 30, 6000), rng.normal(120, 2, 4000)
    image = np.concatenate([wide, narrow]).reshape(100, 100).astype(np.float32)
    labels = nss.gaussian_mixture(image, n_clusters=2, max_iterations=2000)
    assert (labels[60:] == 2).mean() > 0.95
    assert (labels[:60] == 1).mean() > 0.85


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channel_axis", [None, -1])
def test_probabilities_sum_to_one_and_agree_with_the_labels(
    dtype: Any, channel_axis: int | None
) -> None:
    rng = np.random.default_rng(0)
    grey = rng.choice([40, 90, 200], (30, 31)) + rng.normal(0, 12, (30, 31))
    image = grey.clip(0, 255).astype(dtype)
    if channel_axis is not None:
        image = np.stack([image, 255 - image // 2, image // 3], axis=-1)
    mask = np.ones((30, 31), bool)
    mask[4:6] = False
    result = nss.run(
        "gaussian_mixture",
        image,
        mask=mask,
        n_clusters=3,
        channel_axis=channel_axis,
        extras="probabilities",
    )
    likely = result.extras["probabilities"]
    assert likely.shape == (3, 30, 31)
    assert likely.dtype == np.float32
    np.testing.assert_allclose(likely.sum(axis=0)[mask], 1, rtol=1e-5)
    assert not likely[:, ~mask].any()
    np.testing.assert_array_equal(likely.argmax(axis=0)[mask] + 1, result.labels[mask])
    assert not result.labels[~mask].any()


def test_probabilities_of_regions_are_given_to_their_voxels() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(0, 1, (2, 20, 20)) + 10 * (np.indices((20, 20))[1] > 9)
    regions = 1 + np.arange(400).reshape(20, 20) // 4
    regions[0, :4] = 0
    for data, axis in ((image, 0), (image[0], None)):
        result = nss.run(
            "gaussian_mixture",
            data,
            labels=regions,
            n_clusters=2,
            channel_axis=axis,
            extras="probabilities",
        )
        likely = result.extras["probabilities"]
        assert not result.labels[0, :4].any()
        assert not likely[:, 0, :4].any()
        for number in range(2, 101):
            assert len(np.unique(result.labels[regions == number])) == 1
        np.testing.assert_array_equal(likely.argmax(axis=0)[1:] + 1, result.labels[1:])


def test_scale_and_shift_of_intensities_change_nothing() -> None:
    rng = np.random.default_rng(0)
    image = rng.choice([40.0, 90.0, 200.0], (2, 30, 30)) + rng.integers(-20, 20, (2, 30, 30))
    for data, axis in ((image, 0), (image[0], None)):
        expected = nss.gaussian_mixture(data, n_clusters=3, channel_axis=axis)
        other = nss.gaussian_mixture(data * 2.0**40 - 2.0**48, n_clusters=3, channel_axis=axis)
        np.testing.assert_array_equal(other, expected)


def test_fewer_values_than_clusters_give_fewer_clusters() -> None:
    image = np.array([[3, 3, 8], [8, 3, 8]], dtype=np.uint8)
    assert nss.gaussian_mixture(image, n_clusters=5).tolist() == [[1, 1, 2], [2, 1, 2]]
    both = np.stack([image, image])
    labels = nss.gaussian_mixture(both, n_clusters=5, channel_axis=0)
    assert labels.tolist() == [[1, 1, 2], [2, 1, 2]]


def test_colours_in_a_volume() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (5, 12, 12))
    centres = np.array([[20, 30, 40], [120, 20, 90], [200, 220, 30]])
    volume = (centres[truth] + rng.normal(0, 8, (5, 12, 12, 3))).astype(np.float32)
    labels = nss.gaussian_mixture(volume, n_clusters=3, channel_axis=-1)
    np.testing.assert_array_equal(labels, truth + 1)
