"""Geodesic distance against Dijkstra's algorithm, and where paths are known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import lil_array
from scipy.sparse.csgraph import dijkstra

import napari_segsuite as nss


def run(image, seeds, mask=None, **options):
    result = nss.run("geodesic", image, seeds=seeds, mask=mask, extras=("distance",), **options)
    return result.labels, result.extras["distance"]


def class_distances(image, seeds, mask, weight, connectivity, spacing):
    """Distance to each class in ascending order, (K, M, N[, P]), in float64."""
    shape = seeds.shape
    allowed = np.ones(shape, bool) if mask is None else mask
    values = image.astype(float)
    deviation = values[:, allowed].std()
    values *= weight * min(spacing) / (deviation or 1.0) / np.sqrt(len(image))
    index = np.arange(seeds.size).reshape(shape)
    graph = lil_array((seeds.size, seeds.size))
    for p, o in product(np.ndindex(*shape), product((-1, 0, 1), repeat=len(shape))):
        q = tuple(np.add(p, o))
        if not 0 < np.count_nonzero(o) <= connectivity or min(q) < 0:
            continue
        if any(x >= n for x, n in zip(q, shape, strict=True)) or not (allowed[p] and allowed[q]):
            continue
        change = values[(slice(None), *p)] - values[(slice(None), *q)]
        graph[index[p], index[q]] = np.sqrt(
            (np.multiply(o, spacing) ** 2).sum() + (change**2).sum()
        )
    return np.array(
        [
            dijkstra(graph.tocsr(), indices=index[(seeds == c) & allowed]).min(0).reshape(shape)
            for c in np.unique(seeds[(seeds > 0) & allowed])
        ]
    )


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from([(6, 7), (3, 4, 5), (1, 9), (4, 1, 5)]),
    n_channels=st.sampled_from([1, 3]),
    weight=st.sampled_from([0.0, 1.0, 7.0]),
    connectivity=st.integers(1, 3),
    is_spaced=st.booleans(),
    is_masked=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_equals_dijkstra(shape, n_channels, weight, connectivity, is_spaced, is_masked, seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 50, (n_channels, *shape)).astype(np.uint8)
    seeds = np.zeros(shape, np.uint8)
    seeds.flat[rng.choice(seeds.size, 4, replace=False)] = 2, 2, 5, 9
    mask = (rng.random(shape) < 0.8) | (seeds > 0) if is_masked else None
    spacing = (3.0, 0.5, 0.7)[-len(shape) :] if is_spaced else (1.0,) * len(shape)
    labels, found = run(
        image,
        seeds,
        mask,
        intensity_weight=weight,
        connectivity=connectivity,
        spacing=spacing,
        channel_axis=0,
    )
    expected = class_distances(image, seeds, mask, weight, connectivity, spacing)
    np.testing.assert_allclose(found, expected.min(0), rtol=1e-5, atol=1e-6)
    near = np.sort(expected, axis=0)
    clear = near[1] > near[0] * (1 + 1e-4) + 1e-5
    np.testing.assert_array_equal(labels[clear], np.array([2, 5, 9])[expected.argmin(0)[clear]])
    np.testing.assert_array_equal(labels == 0, np.isinf(near[0]))


def test_a_serpentine_is_followed_to_its_end():
    mask = np.ones((41, 41), bool)
    mask[1::4, :-1] = mask[3::4, 1:] = False
    seeds = np.zeros(mask.shape, np.uint8)
    seeds[0, 0], seeds[0, 1] = 1, 2
    labels, distance = run(np.zeros(mask.shape), seeds, mask, connectivity=1)
    assert labels[mask].all()
    assert distance[-1, -1] == 20 * 42 + 40 - 1


def test_of_classes_at_equal_distances_the_lowest_wins():
    seeds = np.array([[7, 0, 0, 0, 3]], np.uint8)
    np.testing.assert_array_equal(nss.geodesic(np.zeros((1, 5)), seeds), [[7, 7, 3, 3, 3]])


@pytest.mark.parametrize(("weight", "border"), [(0.0, 9), (20.0, 14)])
def test_a_step_stops_paths_the_more_the_higher_its_weight(weight, border):
    image = np.zeros((6, 6, 20), np.uint16)
    image[..., 14:] = 500
    seeds = np.zeros(image.shape, np.uint8)
    seeds[..., 0], seeds[..., 18] = 1, 2
    labels = nss.geodesic(image, seeds, intensity_weight=weight)
    np.testing.assert_array_equal(
        labels == 2, np.broadcast_to(np.arange(20) > border - (weight > 0), labels.shape)
    )


def test_nan_is_walked_around():
    image = np.zeros((3, 5))
    image[:2, 2] = np.nan
    seeds = np.zeros(image.shape, np.uint8)
    seeds[0, 0], seeds[2, 4] = 1, 2
    labels, distance = run(image, seeds, connectivity=1)
    assert not labels[:2, 2].any()
    assert np.isinf(distance[:2, 2]).all()
    assert labels[2, 2] == 2


def test_defaults_find_the_tissues_of_a_brain():
    from napari_segsuite.samples import load

    sample = load("brain")
    half = np.s_[::2, ::2, ::2]
    image, truth = sample["image"].data[half], sample["reference"].labels[half]
    is_seed = np.random.default_rng(0).random(truth.shape) < 0.01
    labels = nss.geodesic(image, np.where(is_seed, truth, 0).astype(np.uint8))
    inside = truth > 1
    assert (labels == truth)[inside].mean() > 0.85
