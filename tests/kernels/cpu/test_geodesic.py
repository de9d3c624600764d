"""The queue of shortest paths against relaxing all voxels until nothing changes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.geodesic import shortest_paths


def pairs_along(offset: tuple[int, ...], shape: tuple[int, ...]) -> tuple[tuple, tuple]:
    """Slices of an array and of the same array moved by an offset."""
    here = tuple(slice(max(0, -o), n - max(0, o)) for o, n in zip(offset, shape, strict=True))
    there = tuple(slice(max(0, o), n - max(0, -o)) for o, n in zip(offset, shape, strict=True))
    return here, there


def relaxed(features, seeds, allowed, steps, connectivity):
    """Every voxel asks all neighbours, all at once, as often as it helps anyone."""
    labels = np.where(allowed, seeds, 0).astype(np.int64)
    distance = np.where(labels > 0, np.float32(0), np.float32(np.inf))
    offsets = [o for o in product((-1, 0, 1), repeat=3) if 0 < np.count_nonzero(o) <= connectivity]
    while True:
        before = distance.copy(), labels.copy()
        for offset in offsets:
            here, there = pairs_along(offset, seeds.shape)
            square = np.float32(np.linalg.norm(np.array(offset) * steps)) ** 2
            for feature in features:
                square = square + (feature[there] - feature[here]) ** 2
            length = distance[there] + np.sqrt(square, dtype=np.float32)
            label = labels[there]
            is_tie = (length == distance[here]) & (label < labels[here])
            is_better = (length < distance[here]) | is_tie
            is_better &= allowed[here] & (label > 0)
            distance[here][is_better] = length[is_better]
            labels[here][is_better] = label[is_better]
        if all(np.array_equal(a, b) for a, b in zip(before, (distance, labels), strict=True)):
            return labels, distance


@pytest.mark.parametrize("weight", [0, 1, 300])
@pytest.mark.parametrize("connectivity", [1, 2, 3])
@pytest.mark.parametrize("steps", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.5)])
def test_labels_and_distances_are_those_of_relaxing_everything(weight, connectivity, steps):
    rng = np.random.default_rng(weight + connectivity)
    shape = (9, 17, 23)
    features = (rng.normal(size=(2, *shape)) * weight).astype(np.float32)
    allowed = rng.random(shape) < 0.7
    seeds = np.where(rng.random(shape) < 0.01, rng.integers(1, 9, shape), 0).astype(np.uint8)
    found = shortest_paths(features, seeds, allowed, steps, connectivity)
    labels, distance = relaxed(features, seeds, allowed, steps, connectivity)
    np.testing.assert_array_equal(found.distance, distance)
    np.testing.assert_array_equal(found.labels, labels)


def test_of_equal_paths_the_lowest_seed_counts_wherever_it_lies():
    flat = np.zeros((1, 1, 1, 7), dtype=np.float32)
    allowed = np.ones(flat.shape[1:], dtype=bool)
    seeds = np.array([[[5, 0, 0, 0, 0, 0, 2]]], dtype=np.uint16)
    one = (1.0, 1.0, 1.0)
    assert shortest_paths(flat, seeds, allowed, one, 1).labels[0, 0].tolist() == [5] * 3 + [2] * 4
    turned = shortest_paths(flat, seeds[..., ::-1].copy(), allowed, one, 1).labels
    assert turned[0, 0].tolist() == [2] * 4 + [5] * 3


def test_the_share_done_rises_and_cancelling_goes_through():
    shape = (90, 90, 90)
    seeds = np.zeros(shape, dtype=np.uint8)
    seeds[0, 0, 0] = 1
    allowed = np.ones(shape, dtype=bool)
    flat, one = np.zeros((1, *shape), dtype=np.float32), (1.0, 1.0, 1.0)
    shares: list[float] = []
    shortest_paths(flat, seeds, allowed, one, 3, shares.append)
    assert len(shares) > 1
    assert sorted(shares) == shares
    assert 0 < shares[0] < shares[-1] <= 1

    def cancel(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        shortest_paths(flat, seeds, allowed, one, 3, cancel)
