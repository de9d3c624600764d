"""Region graphs and their normalised cut against scikit-image: times taken in turns.

Both list the same pairs of regions, with the same differences of means. Both then cut the same
affinities into the same number of parts: ours takes that number, the peer a largest cut, which
is swept beforehand until the number comes out. The normalised cut, the less the better, is the
sum over the parts of the share of its affinity that each has to the others.

Run ``python benchmarks/region_graphs.py [SIZE] [REPEATS]``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from skimage import graph

from napari_segsuite.families.clustering.normalized_cut import cut_value, normalized_cut
from napari_segsuite.families.regions import numbered_regions
from napari_segsuite.families.superpixels.slic import slic
from napari_segsuite.kernels.cpu.adjacency import region_adjacency
from napari_segsuite.kernels.cpu.region_sums import sizes_and_places, sums_of_values

Graph = tuple[NDArray[Any], NDArray[Any]]
# Affinity of two regions is exp(-difference² / SIGMA).
SIGMA = 1000.0
THRESHOLDS = (0.003, 0.005, 0.01, 0.02, 0.05)


def blobs(shape: Sequence[int], seed: int) -> NDArray[np.uint8]:
    """Smooth noise, as bytes, with some grain."""
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 6)
    image = (smooth - smooth.min()) / np.ptp(smooth) * 240
    return (image + rng.integers(0, 15, shape)).astype(np.uint8)


def our_graph(image: NDArray[Any], labels: NDArray[Any], connectivity: int) -> Graph:
    """Pairs of regions and the differences of their means."""
    regions = numbered_regions(labels, None, "benchmark")
    means = sums_of_values(image, *regions) / sizes_and_places(*regions)[0]
    pairs = region_adjacency(regions.numbers, connectivity=connectivity).pairs
    weights = np.abs(means[pairs[:, 0] - 1] - means[pairs[:, 1] - 1])
    return pairs, weights


def peer_graph(image: NDArray[Any], labels: NDArray[Any], connectivity: int) -> graph.RAG:
    """The same by scikit-image."""
    return graph.rag_mean_color(image[..., np.newaxis], labels, connectivity=connectivity)


def check_equal(ours: Graph, theirs: graph.RAG) -> None:
    """Fail unless both have the same edges and, but for rounding, weights."""
    found = {(min(a, b), max(a, b)): w for a, b, w in theirs.edges(data="weight")}
    mine = dict(zip(map(tuple, ours[0].tolist()), ours[1].tolist(), strict=True))
    assert mine.keys() == found.keys()
    # The peer adds one colour to each of three sums.
    assert all(np.isclose(mine[pair], found[pair] / np.sqrt(3)) for pair in mine)


def seconds(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Wall time of one call, and what it returns."""
    start = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - start, result


def report(name: str, times: Sequence[tuple[float, float]], note: str) -> None:
    """Print medians, and the median of the ratios."""
    ours, theirs = (statistics.median(column) * 1e3 for column in zip(*times, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in times)
    print(f"{name:<22} {ours:>9.1f} {theirs:>10.1f} {ratio:>7.0f}  {note}")


def compare_graphs(name: str, shape: Sequence[int], n: int, repeats: int) -> None:
    """Time both on one image."""
    image = blobs(shape, 0)
    labels = slic(image, n_superpixels=n).astype(np.int64)
    for connectivity in (1, 2):
        ours = our_graph(image, labels, connectivity)
        check_equal(ours, peer_graph(image, labels, connectivity))
        times = [
            tuple(seconds(f, image, labels, connectivity)[0] for f in (our_graph, peer_graph))
            for _ in range(repeats)
        ]
        note = f"{labels.max()} regions, {len(ours[0])} pairs, connectivity {connectivity}"
        report(f"graph {name}", times, note)


def compare_cuts(n: int, repeats: int) -> None:
    """Time the cut of one graph of about `n` regions into as many parts as the peer finds."""
    image = blobs((192, 192), 1)
    labels = slic(image, n_superpixels=n).astype(np.int64)
    similar = graph.rag_mean_color(image[..., np.newaxis], labels, mode="similarity", sigma=SIGMA)
    a, b, weights = map(np.array, zip(*similar.edges(data="weight"), strict=True))
    size = labels.max()
    half = sparse.coo_array((weights, (a - 1, b - 1)), shape=(size, size))
    # The peer joins each region to itself, with the affinity of equals.
    affinity = (half + half.T + sparse.eye_array(size)).tocsr()
    first = np.zeros(size + 1, int)
    first[labels.ravel()] = np.arange(labels.size)

    def peer(threshold: float) -> NDArray[np.intp]:
        cut = graph.cut_normalized(labels, similar, thresh=threshold, in_place=False, rng=0)
        return np.unique(cut.ravel()[first[1:]], return_inverse=True)[1]

    normalized_cut(affinity, 2, "kmeans", 0)  # imports what it needs
    seen = set()
    for threshold in THRESHOLDS:
        n_parts = int(peer(threshold).max()) + 1
        if n_parts < 2 or n_parts > 20 or n_parts in seen:
            continue
        seen.add(n_parts)
        times, values = [], []
        for _ in range(repeats):
            ours = seconds(normalized_cut, affinity, n_parts, "kmeans", 0)
            theirs = seconds(peer, threshold)
            times.append((ours[0], theirs[0]))
            values = [cut_value(affinity, parts) for parts in (ours[1], theirs[1])]
        note = f"{size} regions, {n_parts} parts, cut {values[0]:.4f} and {values[1]:.4f}"
        report("normalised cut", times, note)


def main(size: int = 128, repeats: int = 3) -> None:
    """Print one line per comparison."""
    print(f"{'':<22} {'ours ms':>9} {'peer ms':>10} {'ratio':>7}")
    compare_graphs(f"{size}³", (size,) * 3, 2000, repeats)
    compare_graphs(f"{4 * size}²", (4 * size,) * 2, 1000, repeats)
    for n in (150, 600):
        compare_cuts(n, repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
