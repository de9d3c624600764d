"""Clusters of superpixels by normalised cuts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linear_sum_assignment

import napari_segsuite as nss
from builders import small_boxes
from napari_segsuite.families.clustering.normalized_cut import cut_value, normalized_cut
from napari_segsuite.families.clustering.region_graph import affinity_graph

ASSIGN = ("kmeans", "discretize")


def two_discs(ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Dark disc, bright disc and, of the same grey, bright square; on a grey ground."""
    shape = (18, 30, 48)[-ndim:]
    grid = np.indices(shape)
    truth = np.full(shape, 2, dtype=np.uint8)
    for label, column in ((1, 11), (3, 30)):
        centre = np.array([*(n // 2 for n in shape[:-1]), column]).reshape(-1, *[1] * ndim)
        truth[np.square(grid - centre).sum(axis=0) < 49] = label
    truth[..., :6, 42:] = 3
    noise = np.random.default_rng(0).normal(0, 2, shape)
    return np.array([0, 20, 90, 200])[truth] + noise, truth


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("assign", ASSIGN)
def test_objects_of_the_same_grey_are_found_exactly_and_share_a_cluster(
    ndim: int, assign: str
) -> None:
    image, truth = two_discs(ndim)
    boxes = small_boxes(image.shape) * np.uint32(4) + truth
    found = nss.spectral_clustering(image, boxes, n_clusters=3, assign=assign)
    np.testing.assert_array_equal(found, truth)


def test_superpixels_are_made_where_none_are_given() -> None:
    image, truth = two_discs(2)
    found = nss.spectral_clustering(image, n_clusters=3, n_superpixels=200)
    assert (found == truth).mean() > 0.98


def test_the_extra_is_what_was_clustered() -> None:
    image, _ = two_discs(2)
    result = nss.run("spectral_clustering", image, extras=("superpixels",), n_superpixels=50)
    superpixels = result.extras["superpixels"]
    assert superpixels.dtype == np.uint32
    for k in range(1, superpixels.max() + 1):
        assert len(np.unique(result.labels[superpixels == k])) == 1


def test_touching_and_place_alone_cut_a_bar_across() -> None:
    image = np.arange(40)[None].repeat(4, 0) % 2
    boxes = small_boxes(image.shape, 2)
    found = nss.spectral_clustering(
        image, boxes, n_clusters=2, neighbours=0, position_weight=1.0, spacing=(1.0, 3.0)
    )
    sides = [np.unique(found[:, side]).tolist() for side in (slice(0, 16), slice(24, 40))]
    assert sides in ([[1], [2]], [[2], [1]])


def test_spacing_says_which_way_is_long() -> None:
    image = np.ones((20, 20))
    boxes = small_boxes(image.shape, 4)
    for spacing, axis in (((5.0, 1.0), 1), ((1.0, 5.0), 0)):
        found = nss.spectral_clustering(
            image, boxes, n_clusters=2, position_weight=1.0, spacing=spacing
        )
        assert (found == found.take([0], axis)).all()
        assert len(np.unique(found)) == 2


def test_texture_tells_apart_what_means_do_not() -> None:
    grid = np.indices((24, 48))
    coarse = ((grid // 4).sum(axis=0) % 2) * 20
    fine = (grid.sum(axis=0) % 2) * 20
    image = np.where(grid[1] < 24, coarse, fine)
    boxes = small_boxes(image.shape, 8)
    found = nss.spectral_clustering(image, boxes, n_clusters=2, features="texture")
    assert len(np.unique(found[:, :24])) == len(np.unique(found[:, 24:])) == 1
    assert found[0, 0] != found[0, 47]


def test_fewer_different_regions_than_clusters() -> None:
    image, boxes = np.array([[9, 9, 4, 4]]), np.array([[1, 2, 3, 0]])
    assert nss.spectral_clustering(image, boxes, n_clusters=4).tolist() == [[2, 2, 1, 0]]
    assert nss.spectral_clustering(np.ones((8, 8)), n_clusters=4).tolist() == [[1] * 8] * 8


def test_what_is_masked_or_not_finite_stays_zero() -> None:
    image, truth = two_discs(2)
    boxes = small_boxes(image.shape) * np.uint32(4) + truth
    mask = np.ones(image.shape, bool)
    mask[:, 18:24] = False  # two parts that do not touch
    image[4, 4] = np.nan
    mask_and_finite = mask & np.isfinite(image)
    for neighbours in (0, 10):
        found = nss.spectral_clustering(image, boxes, mask, n_clusters=3, neighbours=neighbours)
        np.testing.assert_array_equal(found > 0, mask_and_finite)
    np.testing.assert_array_equal(found[mask_and_finite], truth[mask_and_finite])


def test_numbered_from_dark_to_bright_whatever_the_seed() -> None:
    image, truth = two_discs(2)
    boxes = small_boxes(image.shape) * np.uint32(4) + truth
    for rng in range(4):
        found = nss.spectral_clustering(image, boxes, n_clusters=3, rng=rng)
        assert [truth[found == k].max() for k in (1, 2, 3)] == [1, 2, 3]


# --- the graph and its cut ------------------------------------------------------------


def test_affinities_follow_the_formula() -> None:
    points, touching = np.array([[0.0], [1.0], [3.0]]), np.array([[0, 1], [1, 2]])
    graph = affinity_graph(points, touching, neighbours=0, sigma=2.0).toarray()
    near, far = np.exp(-1 / 8), np.exp(-4 / 8)
    np.testing.assert_allclose(graph, [[0, near, 0], [near, 0, far], [0, far, 0]])
    automatic = affinity_graph(points, touching, neighbours=0, sigma=None).toarray()
    assert automatic[0, 1] == pytest.approx(np.exp(-1 / (2 * 2.5 / 4)))


def test_neighbours_are_the_nearest_in_features() -> None:
    points = np.random.default_rng(0).random((30, 2))
    graph = affinity_graph(points, np.empty((0, 2), np.int64), neighbours=4, sigma=1.0)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    nearest = np.argsort(apart, axis=1)[:, 1:5]
    is_near = np.zeros((30, 30), bool)
    np.put_along_axis(is_near, nearest, True, axis=1)
    joined = graph.toarray() > 0
    assert joined[is_near].all()


def test_parts_that_nothing_joins_are_joined() -> None:
    points = np.random.default_rng(0).random((12, 1))
    graph = affinity_graph(points, np.empty((0, 2), np.int64), neighbours=0, sigma=None)
    assert sparse.csgraph.connected_components(graph)[0] == 1
    assert graph.nnz == 2 * 11


@pytest.mark.parametrize("assign", ASSIGN)
@pytest.mark.parametrize("size", [60, 900])
def test_weakly_joined_groups_are_cut_apart(assign: str, size: int) -> None:
    """By a dense solver for the smaller graph, by an iterative one for the larger."""
    rng = np.random.default_rng(size)
    group = np.arange(size) % 3
    strength = np.where(group[:, None] == group, 1.0, 0.01) * rng.random((size, size))
    kept = rng.random((size, size)) < 60 / size
    affinity = sparse.csr_array(np.triu(strength * kept, 1))
    affinity = (affinity + affinity.T).tocsr()
    parts = normalized_cut(affinity, 3, assign, 0)
    assert [len(np.unique(parts[group == k])) for k in range(3)] == [1, 1, 1]
    assert len(np.unique(parts)) == 3
    others = 1 - sum(
        affinity[group == k][:, group == k].sum() / affinity[group == k].sum() for k in range(3)
    )
    assert cut_value(affinity, parts) == pytest.approx(others + 2)


def brain_dice(image: np.ndarray, tissue: np.ndarray, **settings: object) -> float:
    found = nss.spectral_clustering(image, mask=tissue > 0, n_clusters=3, **settings)
    joint = np.histogram2d(found[tissue > 0], tissue[tissue > 0], [np.arange(1, 5)] * 2)[0]
    dice = 2 * joint / (joint.sum(axis=0) + joint.sum(axis=1)[:, None])
    return float(dice[linear_sum_assignment(-dice)].mean())


def test_tissues_of_a_brain(test_data: Path) -> None:
    folder = test_data / "brain_mni152"
    image = nss.read(folder / "t1_2mm.nii.gz").data
    tissue = nss.read(folder / "tissue_2mm.nii.gz", kind="labels").labels
    # Measured: 0.774; if each superpixel took the tissue of most of its voxels, 0.805.
    assert brain_dice(image, tissue) > 0.75
