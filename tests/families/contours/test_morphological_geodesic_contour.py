"""Geodesic contours in scenes with edges that are known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import inverse_gaussian_gradient

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.families.contours.morphological_geodesic_contour import _speed


def two_balls(ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """An image of two bright balls, and the labels of the balls."""
    axes = np.ogrid[(slice(36),) * (ndim - 1) + (slice(64),)]
    truth = np.zeros((36,) * (ndim - 1) + (64,), dtype=np.uint8)
    for label, centre in ((3, 18), (200, 46)):
        squares = sum((axis - 18) ** 2 for axis in axes[:-1]) + (axes[-1] - centre) ** 2
        truth[squares <= 11**2] = label
    return 100 + 50.0 * (truth > 0), truth


def cores(truth: np.ndarray, reach: int) -> np.ndarray:
    """The middles of the balls, as boxes."""
    labels = np.zeros_like(truth)
    side = slice(18 - reach, 18 + reach + 1)
    for label, centre in ((3, 18), (200, 46)):
        along = slice(centre - reach, centre + reach + 1)
        labels[(*(side,) * (truth.ndim - 1), along)] = label
    return labels


@pytest.mark.parametrize("ndim", [2, 3])
def test_each_class_is_blown_up_to_its_own_edge(ndim: int) -> None:
    image, truth = two_balls(ndim)
    labels = nss.morphological_geodesic_contour(image, cores(truth, 3), threshold=0.3)
    assert labels.dtype == np.uint8
    assert (labels == truth).mean() > 0.98
    assert not ((labels != truth) & (labels > 0) & (truth > 0)).any()


def test_a_negative_balloon_shrinks_onto_the_edges() -> None:
    image, truth = two_balls(2)
    labels = nss.morphological_geodesic_contour(
        image, cores(truth, 13), balloon=-1.0, threshold=0.3
    )
    assert (labels == truth).mean() > 0.98


def test_without_an_edge_between_them_classes_meet_in_the_middle_and_keep_what_they_have() -> None:
    image = np.zeros((21, 40))
    start = np.zeros(image.shape, dtype=np.uint16)
    start[:, :3], start[:, -3:] = 300, 7
    labels = nss.morphological_geodesic_contour(image, start, threshold=0.5)
    assert labels.dtype == np.uint16
    assert (labels[:, :20] == 300).all()
    assert (labels[:, 20:] == 7).all()


def test_the_speed_is_the_peers_and_knows_voxel_sizes() -> None:
    image = np.random.default_rng(0).normal(size=(20, 22, 24)).astype(np.float32)
    low, high = np.percentile(image, [0.1, 99.9], method="inverted_cdf")
    expected = inverse_gaussian_gradient(image / (high - low), alpha=50, sigma=2)
    found = _speed(image, None, 2.0, 50, (1.0, 1.0, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    np.testing.assert_allclose(_speed(image, None, 6.0, 50, (3.0, 3.0, 3.0)), found, rtol=1e-5)
    ramp = np.arange(20.0)[:, None] + np.zeros((20, 20))
    middle = (10, 10)
    fine = _speed(ramp, None, 0, 50, (1.0, 1.0))[middle]
    coarse = _speed(ramp, None, 0, 50, (4.0, 1.0))[middle]
    assert 1 / coarse**2 - 1 == pytest.approx((1 / fine**2 - 1) / 4, rel=1e-3)


def test_watched_frames_are_what_as_many_iterations_give() -> None:
    image, truth = two_balls(2)
    start = cores(truth, 2)
    frames = nss.morphological_geodesic_contour(image, start, watch=(0, 4, 2))
    np.testing.assert_array_equal(frames[0], start)
    for n, frame in ((4, frames[1]), (2, frames[2])):
        expected = nss.morphological_geodesic_contour(image, start, iterations=n)
        np.testing.assert_array_equal(frame, expected)


def test_contours_stay_in_the_mask_and_off_nan() -> None:
    image, truth = two_balls(3)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :10] = False
    image[20, 20, 20] = np.nan
    labels = nss.morphological_geodesic_contour(image, cores(truth, 2), mask, threshold=0.3)
    assert not labels[~mask].any()
    assert labels[20, 20, 20] == 0
    assert (labels == truth)[mask].mean() > 0.97


def test_nothing_to_start_from_is_refused() -> None:
    image, truth = two_balls(2)
    with pytest.raises(InputError, match="at least one class"):
        nss.morphological_geodesic_contour(image, 0 * truth)


def test_a_small_object_has_contrast_of_its_own() -> None:
    image = np.zeros((64, 64), dtype=np.uint16)
    image[30:35, 30:35] = 40_000
    speeds = [_speed(i, None, 0.0, 100, (1.0, 1.0)) for i in (image, image / 40_000)]
    np.testing.assert_allclose(*speeds, rtol=1e-3)
