"""Graph-based regions against the definition, written down plainly."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.families.superpixels.felzenszwalb import neighbour_offsets
from napari_segsuite.kernels.cpu import felzenszwalb as kernel
from napari_segsuite.kernels.cpu.felzenszwalb import graph_regions

CASES = [((1, 11, 13), 2, 1), ((1, 11, 13), 2, 2), ((5, 6, 7), 3, 1), ((5, 6, 7), 3, 3)]


def naive_regions(
    features: np.ndarray, usable: np.ndarray, offsets: np.ndarray, k: float, smallest: float
) -> np.ndarray:
    """Regions as sets of voxels, joined along a sorted list of edges."""
    edges = []
    for voxel in map(tuple, np.argwhere(usable)):
        for turn, offset in enumerate(offsets):
            other = tuple(np.add(voxel, offset))
            inside = all(0 <= a < n for a, n in zip(other, usable.shape, strict=True))
            if inside and usable[other]:
                squares = np.float32(0)
                for channel in features:
                    squares += (channel[voxel] - channel[other]) ** 2
                edges.append((np.sqrt(squares), voxel, turn, other))
    edges.sort()
    regions = {voxel: [voxel] for voxel in map(tuple, np.argwhere(usable))}
    widest: dict[int, np.float32] = {id(region): np.float32(0) for region in regions.values()}

    def limit(region: list) -> np.float32:
        return widest[id(region)] + np.float32(k / len(region))

    def join(one: list, other: list, weight: np.float32) -> None:
        one += other
        widest[id(one)] = weight
        regions.update(dict.fromkeys(other, one))

    for weight, a, _, b in edges:
        one, other = regions[a], regions[b]
        if one is not other and weight <= min(limit(one), limit(other)):
            join(one, other, weight)
    for weight, a, _, b in edges:
        one, other = regions[a], regions[b]
        if one is not other and min(len(one), len(other)) < smallest:
            join(one, other, weight)
    labels, numbers = np.zeros(usable.shape, dtype=int), {}
    for voxel in map(tuple, np.argwhere(usable)):
        labels[voxel] = numbers.setdefault(id(regions[voxel]), len(numbers) + 1)
    return labels


@pytest.mark.parametrize("levels", [4, 1000])
@pytest.mark.parametrize(("k", "smallest"), [(0.0, 1), (2.0, 1), (5.0, 4), (30.0, 9)])
@pytest.mark.parametrize(("shape", "ndim", "connectivity"), CASES)
def test_regions_are_those_of_the_definition(
    shape: tuple[int, ...], ndim: int, connectivity: int, k: float, smallest: int, levels: int
) -> None:
    rng = np.random.default_rng(levels + connectivity)
    # Few levels make many edges of equal weight, and of none.
    features = (rng.integers(0, levels, (2, *shape)) * (10 / levels)).astype(np.float32)
    usable = rng.random(shape) > 0.15
    offsets = neighbour_offsets(ndim, connectivity)
    found, count = graph_regions(features, usable, offsets, k, smallest)
    np.testing.assert_array_equal(found, naive_regions(features, usable, offsets, k, smallest))
    assert count == found.max()


def test_pieces_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(1).random((1, 6, 20, 21)).astype(np.float32)
    job = features, np.ones(features.shape[1:], dtype=bool), neighbour_offsets(3, 2), 0.5, 5
    whole, _ = graph_regions(*job)
    monkeypatch.setattr(kernel, "_VOXELS_PER_PIECE", 50)
    monkeypatch.setattr(kernel, "_EDGES_PER_PIECE", 70)
    np.testing.assert_array_equal(graph_regions(*job)[0], whole)
    assert whole.max() > 10


@pytest.mark.parametrize(("ndim", "numbers"), [(2, (2, 4, 4)), (3, (3, 9, 13))])
def test_each_pair_of_neighbours_is_met_once(ndim: int, numbers: tuple[int, ...]) -> None:
    for connectivity, number in enumerate(numbers, start=1):
        offsets = {tuple(step) for step in neighbour_offsets(ndim, connectivity).tolist()}
        assert len(offsets) == number
        assert not offsets & {tuple(-n for n in step) for step in offsets}
        assert all(step > (0, 0, 0) for step in offsets)
