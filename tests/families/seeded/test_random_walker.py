"""Random walker against the linear system solved densely, and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.samples import load
from random_walker_problems import dense_probabilities, random_problem


def probabilities(image, seeds, mask=None, **settings):
    result = nss.run(
        "random_walker", image, seeds=seeds, mask=mask, extras=("probabilities",), **settings
    )
    return result.labels, result.extras["probabilities"]


@pytest.mark.parametrize("shape", [(9, 11), (5, 6, 7), (1, 8, 9)])
@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_equals_the_dense_solution(shape, spaced, masked, n_channels):
    image, seeds, mask = random_problem(shape, n_channels, masked)
    spacing = (2.0, 0.5, 0.7)[-len(shape) :] if spaced else None
    labels, found = probabilities(
        image, seeds, mask, beta=130.0, spacing=spacing, channel_axis=0, tolerance=1e-8
    )
    expected = dense_probabilities(image, seeds, mask, 130.0, spacing)
    # Where a pocket hangs on a millionth of the usual conductance, 32 bits give three digits.
    np.testing.assert_allclose(found, expected, atol=1e-3)
    clear = np.sort(expected, axis=0)[-1] - np.sort(expected, axis=0)[-2] > 1e-3
    np.testing.assert_array_equal(labels[clear], expected.argmax(0)[clear] + 1)


@pytest.mark.parametrize("shape", [(24, 31), (12, 15, 17)])
@pytest.mark.parametrize("beta", [0.0, 10.0, 40.0])
def test_equals_scikit_image_for_an_image_from_0_to_1(shape, beta):
    from skimage.segmentation import random_walker as peer

    image, seeds, _ = random_problem(shape, 1, False)
    image = (image[0] - image.min()) / (image.max() - image.min())
    expected = peer(image, seeds, beta=beta, mode="bf", return_full_prob=True)
    _, found = probabilities(image, seeds, beta=beta, tolerance=1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_probability_falls_linearly_along_a_uniform_row():
    image, seeds = np.zeros((1, 11), np.uint8), np.zeros((1, 11), np.uint8)
    seeds[0, 0], seeds[0, -1] = 4, 7
    labels, found = probabilities(image, seeds, tolerance=1e-6)
    np.testing.assert_allclose(found[0, 0], np.linspace(1, 0, 11), atol=1e-5)
    np.testing.assert_array_equal(labels, [[4, 4, 4, 4, 4, labels[0, 5], 7, 7, 7, 7, 7]])


def test_probabilities_sum_to_one_and_seeds_keep_their_class():
    image, seeds, _ = random_problem((10, 12, 14), 1, False)
    labels, found = probabilities(image[0], seeds)
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(labels[seeds > 0], seeds[seeds > 0])
    for k in range(3):
        assert (found[k][seeds == k + 1] == 1).all()


def test_pockets_without_a_seed_stay_unlabelled():
    image = np.zeros((7, 12), np.float32)
    image[:, 4] = np.nan
    seeds = np.zeros((7, 12), np.uint8)
    seeds[0, 0], seeds[6, 0] = 1, 2
    labels, found = probabilities(image, seeds)
    assert labels[:, :4].all()
    assert not labels[:, 4:].any()
    assert not found[..., 4:].any()


@pytest.mark.parametrize("factor", [1e-6, 1.0, 3e4])
def test_units_of_intensity_and_length_do_not_matter(factor):
    image, seeds, _ = random_problem((12, 13, 14), 1, False)
    _, expected = probabilities(image[0], seeds, spacing=(3.0, 1.0, 1.0))
    scaled = tuple(factor * size for size in (3.0, 1.0, 1.0))
    _, found = probabilities(image[0] * np.float32(factor), seeds, spacing=scaled)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_one_class_is_refused_in_words():
    seeds = np.zeros((5, 5), np.uint8)
    seeds[0, 0] = 1
    with pytest.raises(InputError, match="only class 1 is painted"):
        nss.random_walker(np.zeros((5, 5)), seeds)


def test_brain_is_near_the_truth_and_the_exact_labels():
    sample = load("brain")
    box = (slice(60, 120),) * 3
    image = sample["image"].data[box]
    truth = sample["reference"].labels[box]
    rng = np.random.default_rng(0)
    seeds = np.where(rng.random(truth.shape) < 0.02, truth, 0).astype(np.uint8)
    rough = nss.random_walker(image, seeds)
    exact = nss.random_walker(image, seeds, tolerance=1e-6)
    assert (rough == exact).mean() > 0.999
    inside = truth > 0
    assert (rough == truth)[inside].mean() > 0.9
