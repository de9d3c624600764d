"""Merging on graphs of regions against slow references."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.region_merging import (
    MOST_FORCE,
    grow_on_graph,
    merge_ascending,
    merge_most_similar,
)


def random_graph(seed: int, n: int, n_edges: int):
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, n, (n_edges, 2)), axis=1), axis=0)
    return pairs[pairs[:, 0] < pairs[:, 1]].astype(np.int32), rng


def naive_merging(pairs, means, sizes, threshold, most_merges):
    """Look at all pairs anew before every union."""
    members = {i: [i] for i in range(len(means))}
    for _ in range(most_merges):
        best = None
        centre = {k: np.average(means[m], axis=0, weights=sizes[m]) for k, m in members.items()}
        owner = {i: k for k, m in members.items() for i in m}
        for a, b in {tuple(sorted((owner[a], owner[b]))) for a, b in pairs.tolist()}:
            if a == b:
                continue
            distance = np.linalg.norm(centre[a] - centre[b])
            n_a, n_b = sizes[members[a]].sum(), sizes[members[b]].sum()
            cost = (distance**2 * n_a * n_b / (n_a + n_b), a, b)
            if distance <= threshold and (best is None or cost < best):
                best = cost
        if best is None:
            break
        members[best[1]] += members.pop(best[2])
    return {frozenset(m) for m in members.values()}


def groups(numbers):
    return {frozenset(np.flatnonzero(numbers == k).tolist()) for k in set(numbers.tolist())}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("threshold", "most_merges"), [(np.inf, 20), (0.4, 100), (np.inf, 100)])
def test_most_similar_first_with_means_that_follow(seed, threshold, most_merges) -> None:
    pairs, rng = random_graph(seed, 30, 80)
    means, sizes = rng.random((30, 2)), rng.integers(1, 50, 30).astype(float)
    joined = merge_most_similar(pairs, means, sizes, threshold, most_merges)
    assert groups(joined) == naive_merging(pairs, means, sizes, threshold, most_merges)
    assert all(joined[i] == np.flatnonzero(joined == joined[i]).min() for i in range(30))


def test_ascending_joins_in_the_given_order_until_enough() -> None:
    pairs = np.array([[0, 1], [1, 2], [0, 2], [3, 4]], dtype=np.int32)
    assert merge_ascending(pairs, np.array([0, 2, 1, 3]), 5, 2).tolist() == [0, 0, 0, 3, 4]
    assert merge_ascending(pairs, np.array([0, 2, 1, 3]), 5, 9).tolist() == [0, 0, 0, 3, 3]


def relaxed(pairs, forces, seeds):
    """Strengths by Bellman and Ford, then the smallest class that comes with that strength."""
    strength = (seeds > 0).astype(float)
    for _ in range(len(seeds)):
        for (a, b), force in zip(pairs, np.minimum(forces, MOST_FORCE), strict=True):
            strength[a] = max(strength[a], strength[b] * force)
            strength[b] = max(strength[b], strength[a] * force)
    labels = seeds.copy()
    for p in np.argsort(-strength, kind="stable"):
        if seeds[p] or strength[p] == 0:
            continue
        tight = [
            labels[q]
            for (a, b), force in zip(pairs, np.minimum(forces, MOST_FORCE), strict=True)
            for q in ((b,) if a == p else (a,) if b == p else ())
            if strength[q] * force == strength[p]
        ]
        labels[p] = min(tight)
    return labels


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("has_ties", [True, False])
def test_growth_finds_the_strongest_paths(seed: int, has_ties: bool) -> None:
    pairs, rng = random_graph(seed, 25, 45)
    forces = rng.integers(0, 3, len(pairs)) / 2 if has_ties else rng.random(len(pairs))
    seeds = np.zeros(25, np.int64)
    seeds[rng.choice(25, 4, replace=False)] = [1, 2, 2, 3]
    np.testing.assert_array_equal(
        grow_on_graph(pairs, forces, seeds), relaxed(pairs, forces, seeds)
    )
