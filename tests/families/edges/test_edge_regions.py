"""Regions between edges: known shapes, peers of the edges, spacing and real images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import feature, filters
from skimage.segmentation import watershed

import napari_segsuite as nss
from napari_segsuite.families.edges.edge_regions import _flooded
from napari_segsuite.families.edges.operators import gradient, magnitude, ridges, zero_crossings

OPERATORS = ["sobel", "scharr", "prewitt", "canny", "log"]


def blocks(shape, size, noise=2.0) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of clearly different brightness, and their numbers in scan order."""
    index = np.indices(shape) // size
    n_across = -(-np.array(shape) // size)
    number = np.ravel_multi_index(tuple(index), tuple(n_across)) + 1
    brightness = (index.sum(axis=0) % 2) * 100 + 50
    return brightness + np.random.default_rng(0).normal(0, noise, shape), number


@pytest.mark.parametrize("edges", OPERATORS)
@pytest.mark.parametrize(("shape", "size"), [((45, 60), 15), ((24, 24, 36), 12)])
def test_blocks_are_told_apart(edges, shape, size):
    image, number = blocks(shape, size)
    labels = nss.edge_regions(image, edges=edges, min_volume=20)
    assert labels.min() == 1
    # Each block is mostly one region of its own.
    centres = tuple(slice(size // 2, None, size) for _ in shape)
    own = labels[centres].reshape(-1)
    assert len(np.unique(own)) == number.max()
    assert (own[number - 1] == labels).mean() > (0.93 if len(shape) == 2 else 0.85)


@pytest.mark.parametrize("edges", OPERATORS)
def test_labels_are_numbered_without_gaps_and_cover_all(edges):
    image = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(70, 80)), 2)
    strength = 0.3 if edges == "log" else 0.7
    labels = nss.edge_regions(image, edges=edges, strength=strength, min_volume=5)
    assert labels.max() > 3
    np.testing.assert_array_equal(np.unique(labels), np.arange(1, labels.max() + 1))


def test_small_parts_go_to_their_neighbours():
    image = np.full((40, 40), 50.0)
    image[10:14, 10:14] = image[22:36, 22:36] = 150
    assert nss.edge_regions(image, edges="sobel", scale=0).max() == 3
    labels = nss.edge_regions(image, edges="sobel", scale=0, min_volume=30)
    assert labels.max() == 2
    assert labels[11, 11] == labels[0, 0]
    assert nss.edge_regions(image, edges="sobel", scale=0, min_volume=30, spacing=(3, 3)).max() == 3
    assert (nss.edge_regions(image, edges="sobel", scale=0, min_volume=1e6) == 1).all()


def test_fewer_edges_make_fewer_regions():
    image = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(80, 80)), 2)
    numbers = [nss.edge_regions(image, strength=share).max() for share in (0.5, 0.8, 1.0)]
    assert numbers[0] > numbers[1] > numbers[2] == 1


def test_constant_image_is_one_region():
    assert (nss.edge_regions(np.full((9, 9), 3, np.uint8)) == 1).all()


def test_voxel_size_counts_in_all_measures():
    image, _ = blocks((20, 48, 48), 12)
    labels = nss.edge_regions(image, scale=1.5, min_volume=90, spacing=(3, 1, 1))
    same = nss.edge_regions(image, scale=3.0, min_volume=720, spacing=(6, 2, 2))
    np.testing.assert_array_equal(labels, same)
    assert (labels != nss.edge_regions(image, scale=1.5, min_volume=90)).any()


def test_what_does_not_count_stays_background():
    image, _ = blocks((45, 60), 15)
    image[20:25, 20:25] = np.nan
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :5] = False
    labels = nss.edge_regions(image, mask)
    np.testing.assert_array_equal(labels > 0, mask & np.isfinite(image))
    # A hole in the middle of a block makes no edge.
    assert labels[18, 18] == labels[27, 27]


@pytest.mark.parametrize("operator", ["sobel", "scharr", "prewitt"])
@pytest.mark.parametrize("shape", [(30, 40), (10, 12, 14)])
def test_gradients_are_those_of_the_peer(operator, shape):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = getattr(filters, operator)(image, mode="nearest") * np.sqrt(len(shape)) / 2
    found = magnitude(gradient(image, (1.0,) * len(shape), operator))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_gradient_is_per_unit_of_length():
    planes = np.arange(6, dtype=np.float32)[:, None, None] * np.ones((6, 5, 5), np.float32)
    steep = magnitude(gradient(planes * 3, (3.0, 1.0, 1.0), "sobel"))
    np.testing.assert_allclose(steep[1:-1], 1)


def test_ridges_of_a_blurred_step_are_one_voxel_thin():
    for axis in range(3):
        step = np.zeros((14, 14, 14), np.float32)
        step[(slice(None),) * axis + (slice(7, None),)] = 1
        smooth = ndimage.gaussian_filter(step, 1.5)
        derivatives = gradient(smooth, (1.0,) * 3, "sobel")
        strength = magnitude(derivatives)
        found = ridges(strength, derivatives) & (strength > 0.05)
        assert (found.sum(axis=axis) == 1).all()


def test_ridges_lie_where_the_peer_finds_its_edges():
    image = filters.gaussian(np.random.default_rng(0).normal(size=(100, 100)), 3)
    image = (image / np.abs(image).max()).astype(np.float32)
    derivatives = gradient(image, (1.0, 1.0), "sobel")
    strength = magnitude(derivatives)
    limit = float(np.quantile(strength, 0.8))
    ours = ridges(strength, derivatives) & (strength > limit)
    # The peer's Sobel weighs eight times as much.
    theirs = feature.canny(image, sigma=0, low_threshold=8 * limit, high_threshold=8 * limit)
    near_theirs = ndimage.binary_dilation(theirs, np.ones((3, 3)))
    near_ours = ndimage.binary_dilation(ours, np.ones((3, 3)))
    inner = np.s_[3:-3, 3:-3]
    assert near_theirs[inner][ours[inner]].mean() > 0.9
    assert near_ours[inner][theirs[inner]].mean() > 0.9


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (2.0, 1.0)])
def test_zero_crossings_of_a_disc_lie_on_its_border(spacing):
    rows, columns = np.indices((80, 80)) * np.array(spacing)[:, None, None]
    distance = np.hypot(rows - 40 * spacing[0], columns - 40)
    image = (distance < 25).astype(np.float32)
    found = zero_crossings(image, 2.0, spacing) & (
        ndimage.gaussian_gradient_magnitude(image, 2 / np.array(spacing)) > 0.02
    )
    assert found.sum() > 80
    assert np.abs(distance[found] - 25).max() < 1.6 * max(spacing)


def test_bright_nuclei_are_enclosed_by_their_edges(test_data):
    from skimage.io import imread

    folder = test_data / "nuclei_dsb2018" / "val"
    scores = []
    for path in sorted((folder / "images").glob("*.png")):
        image = imread(path)
        if image.ndim > 2 or max(image.shape) > 300:
            continue
        truth = imread(folder / "labels" / path.name)
        labels = nss.edge_regions(image, min_volume=5)
        overlap = [np.bincount(labels[truth == n]).max() for n in range(1, truth.max() + 1)]
        largest = [np.bincount(labels[truth == n]).argmax() for n in range(1, truth.max() + 1)]
        sizes = np.bincount(labels.ravel())[largest]
        whole = np.bincount(truth.ravel(), minlength=truth.max() + 1)[1:]
        scores += (np.array(overlap) / (sizes + whole - overlap)).tolist()
    assert len(scores) > 100
    assert np.mean(scores) > 0.5


@pytest.mark.parametrize("shape", [(40, 50), (14, 15, 16), (1, 30)])
def test_flooding_from_the_rims_is_flooding_from_whole_parts(shape):
    rng = np.random.default_rng(0)
    slope = ndimage.gaussian_filter(rng.random(shape), 1).astype(np.float32)
    usable = rng.random(shape) > 0.1
    parts, _ = ndimage.label((slope < np.median(slope)) & usable)
    np.testing.assert_array_equal(
        _flooded(slope, parts, usable), watershed(slope, parts, mask=usable)
    )
    np.testing.assert_array_equal(_flooded(slope, parts, None), watershed(slope, parts))
