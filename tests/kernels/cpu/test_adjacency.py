"""Graphs of regions against a naive count and scikit-image."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.graph import RAG

from napari_segsuite.kernels.cpu import planes
from napari_segsuite.kernels.cpu.adjacency import region_adjacency


def naive(regions, channels, connectivity):
    """Length and summed strength of every border, voxel by voxel."""
    found: dict[tuple[int, int], list[float]] = {}
    for p in np.ndindex(regions.shape):
        for step in product((-1, 0, 1), repeat=regions.ndim):
            q = tuple(np.add(p, step))
            if np.abs(step).sum() > connectivity or not p < q:
                continue
            if any(not 0 <= x < n for x, n in zip(q, regions.shape, strict=True)):
                continue
            a, b = sorted((int(regions[p]), int(regions[q])))
            if a == b or a == 0:
                continue
            entry = found.setdefault((a, b), [0, 0.0])
            entry[0] += 1
            entry[1] += float(np.linalg.norm([float(c[p]) - float(c[q]) for c in channels]))
    return found


def as_dict(adjacency):
    assert adjacency.pairs.dtype == np.int32
    keys = [tuple(pair) for pair in adjacency.pairs.tolist()]
    assert keys == sorted(keys)
    return {k: [n, s] for k, n, s in zip(keys, adjacency.lengths, adjacency.strengths, strict=True)}


def random_problem(seed, shape, n_regions, n_channels=2):
    rng = np.random.default_rng(seed)
    regions = rng.integers(0, n_regions + 1, shape).astype(np.int32)
    return regions, [rng.integers(0, 200, shape).astype(np.uint8) for _ in range(n_channels)]


@given(
    seed=st.integers(0, 1000),
    shape=st.one_of(st.tuples(*[st.integers(1, 6)] * 2), st.tuples(*[st.integers(1, 4)] * 3)),
    n_regions=st.integers(1, 9),
    connectivity=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_pairs_lengths_and_strengths_are_those_of_a_naive_count(
    seed, shape, n_regions, connectivity
) -> None:
    regions, channels = random_problem(seed, shape, n_regions)
    found = as_dict(region_adjacency(regions, channels, connectivity=connectivity))
    expected = naive(regions, channels, connectivity)
    assert found.keys() == expected.keys()
    for pair, (length, strength) in expected.items():
        assert found[pair][0] == length
        assert found[pair][1] == pytest.approx(strength)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("connectivity", [1, 2])
def test_edges_are_those_of_scikit_image(ndim: int, connectivity: int) -> None:
    regions = 1 + random_problem(3, (12, 11, 10)[-ndim:], 40)[0]
    theirs = {tuple(sorted(edge)) for edge in RAG(regions, connectivity).edges}
    assert set(as_dict(region_adjacency(regions, connectivity=connectivity))) == theirs


def test_many_pieces_and_threads_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    regions, channels = random_problem(5, (9, 12, 10), 60)
    image = [channels[0].astype(np.float64) + 0.1]
    whole = region_adjacency(regions, image, connectivity=3)
    monkeypatch.setattr(planes, "_VOXELS_PER_PIECE", 200)
    one = region_adjacency(regions, image, connectivity=3, threads=1)
    four = region_adjacency(regions, image, connectivity=3, threads=4)
    for a, b, c in zip(whole, one, four, strict=True):
        np.testing.assert_array_equal(b, c)
        np.testing.assert_allclose(a, b)


def test_more_pairs_than_a_new_table_holds() -> None:
    regions = np.arange(1, 4097, dtype=np.int32).reshape(64, 64)
    found = region_adjacency(regions)
    assert len(found.pairs) == 2 * 64 * 63
    assert (found.lengths == 1).all()


def test_one_region_touches_none() -> None:
    found = region_adjacency(np.ones((3, 4), np.int32))
    assert found.pairs.shape == (0, 2)
    assert len(found.lengths) == len(found.strengths) == 0
