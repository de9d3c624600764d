"""Consensus and agreement against SimpleITK and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.io import read
from napari_segsuite.metrics.raters.consensus import consensus, rater_agreement

sitk = pytest.importorskip("SimpleITK")


def images_of(raters):
    return [sitk.GetImageFromArray(rater) for rater in raters]


def by_simpleitk(raters):
    """Sensitivities, specificities, probabilities of 1, and iterations."""
    peer = sitk.STAPLEImageFilter()
    peer.SetForegroundValue(1)
    weights = sitk.GetArrayFromImage(peer.Execute(images_of(raters)))
    return (
        np.array(peer.GetSensitivity()),
        np.array(peer.GetSpecificity()),
        weights,
        peer.GetElapsedIterations() + 1,  # counted from 0
    )


def ball_by_three(shape=(24, 40, 40)):
    grid = np.indices(shape)
    ball = sum((g - n // 2) ** 2 for g, n in zip(grid, shape, strict=True)) < 100
    return [np.roll(ball, i, i).astype(np.uint8) for i in range(3)]


@pytest.mark.parametrize("errors", [(0.02, 0.05, 0.1), (0.1, 0.2, 0.3, 0.4), (0.01,) * 6])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_iterations_as_simpleitk(errors, seed):
    rng = np.random.default_rng(seed)
    truth = ball_by_three()[0]
    raters = [truth ^ (rng.random(truth.shape) < error).astype(np.uint8) for error in errors]
    sensitivity, specificity, weights, n_iterations = by_simpleitk(raters)
    found = consensus(raters, max_iterations=n_iterations)
    assert np.allclose(found.performance.sensitivity[:, 1], sensitivity, rtol=0, atol=1e-10)
    assert np.allclose(found.performance.specificity[:, 1], specificity, rtol=0, atol=1e-10)
    clear = np.abs(weights - 0.5) > 1e-6
    assert np.array_equal(found.segmentation.labels[clear], (weights > 0.5)[clear])


def test_masks_that_settle_quickly_equal_simpleitk_whatever_the_stop():
    raters = ball_by_three()
    sensitivity, specificity, weights, _ = by_simpleitk(raters)
    found = consensus(raters)
    assert found.has_converged
    assert np.allclose(found.performance.sensitivity[:, 1], sensitivity, rtol=0, atol=1e-6)
    assert np.allclose(found.performance.specificity[:, 1], specificity, rtol=0, atol=1e-6)
    assert np.array_equal(found.segmentation.labels, weights > 0.5)


def test_simpleitk_stops_before_it_is_there():
    # Its result moves on towards ours when it is left to iterate from where ours stands.
    rng = np.random.default_rng(0)
    truth = ball_by_three()[0]
    raters = [truth ^ (rng.random(truth.shape) < e).astype(np.uint8) for e in (0.1, 0.2, 0.4)]
    sensitivity, *_, n_iterations = by_simpleitk(raters)
    more = [
        np.abs(consensus(raters, max_iterations=n).performance.sensitivity[:, 1] - sensitivity)
        for n in (n_iterations, 2 * n_iterations, 10_000)
    ]
    assert more[0].max() < 1e-10
    assert more[0].max() < more[1].max() <= more[2].max() < 1e-2


def test_many_labels_against_simpleitk(test_data):
    truth = read(test_data / "brain_mni152" / "tissue_2mm.nii.gz", kind="labels").labels
    truth = np.ascontiguousarray(truth[20:60])
    raters = [np.roll(truth, i, i) for i in range(3)]
    peer = sitk.MultiLabelSTAPLEImageFilter()
    peer.SetLabelForUndecidedPixels(0)
    expected = sitk.GetArrayFromImage(peer.Execute(images_of(raters)))
    found = consensus(raters)
    assert np.mean(found.segmentation.labels != expected) < 1e-3


def test_majority_against_simpleitk():
    rng = np.random.default_rng(0)
    raters = list(rng.integers(0, 4, (5, 10, 11, 12), dtype=np.uint8))
    expected = sitk.GetArrayFromImage(sitk.LabelVoting(images_of(raters), 0))
    assert np.array_equal(consensus(raters, rule="majority").segmentation.labels, expected)


def test_pairs_against_scikit_learn():
    peer = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    raters = list(rng.integers(0, 4, (3, 500)))
    found = rater_agreement(raters)
    for i, first in enumerate(raters):
        for j, second in enumerate(raters):
            dice = peer.f1_score(first, second, labels=[1, 2, 3], average="macro")
            assert found.dice[i, j] == pytest.approx(dice, abs=1e-12)
            kappa = peer.cohen_kappa_score(first, second)
            assert found.kappa[i, j] == pytest.approx(kappa, abs=1e-12)
