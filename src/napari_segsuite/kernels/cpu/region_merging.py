"""Merging on a graph of regions."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numba import njit
from numpy.typing import NDArray

# As in GrowCut on voxels: strength falls with every step, and of equals the fewer steps win.
MOST_FORCE = 1 - 2.0**-22


@njit(nogil=True, cache=True)
def root_of(parents: NDArray[np.int32], region: int) -> int:
    """The region that stands for all that `region` is merged with."""
    while parents[region] != region:
        parents[region] = parents[parents[region]]
        region = parents[region]
    return region


@njit(nogil=True, cache=True)
def merge_ascending(
    pairs: NDArray[np.int32],
    order: NDArray[np.int64],
    n_nodes: int,
    most_merges: int,
) -> NDArray[np.int32]:
    """Join the regions of each pair, in a given order.

    Parameters
    ----------
    pairs : (E, 2) int32 array
    order : (F,) int64 array
        Rows of `pairs` to take, one after the other.
    n_nodes : int
        Regions are numbered from 0 to ``n_nodes - 1``.
    most_merges : int
        Stop when so many pairs have been joined that were apart.

    Returns
    -------
    (n_nodes,) int32 array
        The same number for regions that are joined: the smallest of theirs.
    """
    parents = np.arange(n_nodes).astype(np.int32)
    merges = 0
    for edge in order:
        if merges == most_merges:
            break
        a, b = root_of(parents, pairs[edge, 0]), root_of(parents, pairs[edge, 1])
        if a != b:
            parents[max(a, b)] = min(a, b)
            merges += 1
    for region in range(n_nodes):
        parents[region] = root_of(parents, region)
    return parents


@njit(nogil=True, cache=True)
def merge_most_similar(
    pairs: NDArray[np.int32],
    means: NDArray[np.float64],
    sizes: NDArray[np.float64],
    threshold: float,
    most_merges: int,
) -> NDArray[np.int32]:
    """Join the most similar neighbours again and again, with means that follow.

    The next pair is the one whose union adds least to the sum of squared deviations (Ward):
    |A||B| / (|A| + |B|) times the squared distance of the means. Of equal ones it is the pair
    of the smallest numbers, a union counting as younger than all before it.

    Parameters
    ----------
    pairs : (E, 2) int32 array
        Neighbours.
    means : (n_nodes, C) float64 array
        Mean of each region; regions are numbered from 0.
    sizes : (n_nodes,) float64 array
        Voxels; where 0, a region must not be in `pairs`.
    threshold : float
        Only neighbours whose means are no further apart than this are joined.
    most_merges : int
        Stop after so many unions.

    Returns
    -------
    (n_nodes,) int32 array
        The same number for regions that are joined: the smallest of theirs.

    References
    ----------
    J. H. Ward, "Hierarchical grouping to optimize an objective function", JASA 58(301), 1963,
    doi:10.1080/01621459.1963.10500845.
    """
    n_nodes, n_channels = means.shape
    # Each union gets a number of its own, so that what was said of its parts is void.
    parents = np.arange(2 * n_nodes).astype(np.int32)
    centre = np.zeros((2 * n_nodes, n_channels))
    centre[:n_nodes] = means
    weight = np.zeros(2 * n_nodes)
    weight[:n_nodes] = sizes
    first, last, following, target = _neighbour_lists(pairs, n_nodes)
    seen_by = np.full(2 * n_nodes, -1, np.int64)

    heap = [(0.0, np.int64(0), np.int64(0))]
    heap.clear()
    for edge in range(len(pairs)):
        _offer(heap, np.int64(pairs[edge, 0]), np.int64(pairs[edge, 1]), centre, weight, threshold)
    union = n_nodes
    while heap and union - n_nodes < most_merges:
        _, a, b = heappop(heap)
        if parents[a] != a or parents[b] != b:
            continue
        parents[a] = parents[b] = union
        weight[union] = weight[a] + weight[b]
        for c in range(n_channels):
            centre[union, c] = centre[a, c] + (centre[b, c] - centre[a, c]) * (
                weight[b] / weight[union]
            )
        first[union], last[union] = first[a], last[b]
        following[last[a]] = first[b]
        # Walk its neighbours once, and drop from the list what is a neighbour already.
        before, link = -1, first[union]
        while link != -1:
            other = root_of(parents, target[link])
            if other == union or seen_by[other] == union:
                if before == -1:
                    first[union] = following[link]
                else:
                    following[before] = following[link]
            else:
                seen_by[other] = union
                _offer(heap, np.int64(other), np.int64(union), centre, weight, threshold)
                before = link
            link = following[link]
        last[union] = before
        union += 1
    members: NDArray[np.int32] = _smallest_members(parents, n_nodes)
    return members


@njit(nogil=True, cache=True)
def _neighbour_lists(
    pairs: NDArray[np.int32], n_nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Linked lists: the first and last link of each region, the next link, what links lead to."""
    first = np.full(2 * n_nodes, -1, np.int64)
    last = np.full(2 * n_nodes, -1, np.int64)
    following = np.full(2 * len(pairs), -1, np.int64)
    target = np.zeros(2 * len(pairs), np.int64)
    for edge in range(len(pairs)):
        for side in range(2):
            link, region = 2 * edge + side, pairs[edge, side]
            target[link] = pairs[edge, 1 - side]
            if first[region] == -1:
                first[region] = link
            else:
                following[last[region]] = link
            last[region] = link
    return first, last, following, target


@njit(nogil=True, cache=True)
def _offer(
    heap: list[tuple[float, int, int]],
    a: int,
    b: int,
    centre: NDArray[np.float64],
    weight: NDArray[np.float64],
    threshold: float,
) -> None:
    squared = 0.0
    for c in range(centre.shape[1]):
        squared += (centre[a, c] - centre[b, c]) ** 2
    if np.sqrt(squared) <= threshold:
        heappush(heap, (squared * (weight[a] * weight[b] / (weight[a] + weight[b])), a, b))


@njit(nogil=True, cache=True)
def _smallest_members(parents: NDArray[np.int32], n_nodes: int) -> NDArray[np.int32]:
    smallest = np.full(len(parents), n_nodes, np.int32)
    members = np.zeros(n_nodes, np.int32)
    for region in range(n_nodes):
        root = root_of(parents, region)
        smallest[root] = min(smallest[root], region)
        members[region] = smallest[root]
    return members


@njit(nogil=True, cache=True)
def grow_on_graph(
    pairs: NDArray[np.int32],
    forces: NDArray[np.float64],
    seeds: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Grow seeds over a graph of regions to the fixed point of GrowCut.

    The strength of a region is the largest product of forces over all paths from a seed;
    forces above `MOST_FORCE` count as that.

    Parameters
    ----------
    pairs : (E, 2) int32 array
        Neighbours.
    forces : (E,) float64 array
        What a strength is multiplied by on its way between the two, from 0 to 1.
    seeds : (n_nodes,) int64 array
        Class of each region, 0 where it has none.

    Returns
    -------
    (n_nodes,) int64 array
        Class of each region, 0 where no seed reaches. Of classes that come with equal strength
        the smallest wins.

    References
    ----------
    V. Vezhnevets, V. Konouchine, "GrowCut: interactive multi-label N-D image segmentation by
    cellular automata", Graphicon 2005.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 2], [2, 3]], dtype=np.int32)
    >>> grow_on_graph(pairs, np.array([0.9, 0.1, 0.9]), np.array([5, 0, 0, 7]))
    array([5, 5, 7, 7])
    """
    first, _, following, target = _neighbour_lists(pairs, len(seeds))
    labels = np.zeros_like(seeds)
    strength = np.zeros(len(seeds))
    heap = [(0.0, np.int64(0), np.int64(0))]
    heap.clear()
    for region in np.flatnonzero(seeds):
        strength[region] = 1.0
        heappush(heap, (-1.0, seeds[region], region))
    while heap:
        negative, label, region = heappop(heap)
        if labels[region]:
            continue
        labels[region] = label
        link = first[region]
        while link != -1:
            other = target[link]
            attack = -negative * min(forces[link // 2], MOST_FORCE)
            # An equal attack is kept too: its class may be the smaller one.
            if attack > 0 and labels[other] == 0 and attack >= strength[other]:
                strength[other] = attack
                heappush(heap, (-attack, label, other))
            link = following[link]
    return labels
