"""One extremely randomised tree, grown on binned samples.

At each node a few features are drawn, for each a random threshold between its least and
its largest value there; the split with the lowest Gini impurity is kept. Weights are whole
numbers, so that sums do not depend on the order of the samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# A share of a leaf is counted in parts of this, and the shares of a leaf add up to it.
WHOLE = 255


@njit
def _mixed(state: Any) -> Any:
    """Splitmix64: the next of a sequence of random 64-bit numbers; `state` moves on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit
def _below(state: Any, bound: Any) -> Any:
    """A random whole number from 0 to ``bound - 1``."""
    return np.int64(((_mixed(state) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@njit
def _extent(plane: Any, members: Any) -> Any:
    low, high = np.uint8(255), np.uint8(0)
    for i in members:
        low, high = min(low, plane[i]), max(high, plane[i])
    return low, high


@njit
def _sum_up(plane: Any, threshold: Any, members: Any, classes: Any, weights: Any, left: Any) -> Any:
    """Weigh the classes of the samples up to the threshold; returns how many there are."""
    left[:] = 0
    count = 0
    for i in members:
        inside = plane[i] <= threshold
        left[classes[i]] += inside * weights[i]
        count += inside
    return count


@njit
def _purity(left: Any, total: Any) -> Any:
    """What is to be maximised: lower Gini impurity of both sides gives a larger number."""
    left_sum, right_sum, left_squares, right_squares = 0.0, 0.0, 0.0, 0.0
    for k in range(total.size):
        here, there = np.float64(left[k]), np.float64(total[k] - left[k])
        left_sum += here
        right_sum += there
        left_squares += here * here
        right_squares += there * there
    return left_squares / left_sum + right_squares / right_sum


@njit
def _best_split(
    samples: Any, members: Any, classes: Any, weights: Any, total: Any, left: Any, pool: Any,
    candidates: Any, min_leaf: Any, state: Any,
) -> Any:  # fmt: skip
    """Feature and threshold of the best of the candidates; feature -1 where none splits."""
    best, best_feature, best_threshold = -1.0, -1, 0
    varies, untried = False, pool.size
    while untried and (pool.size - untried < candidates or not varies):
        drawn = _below(state, untried)
        untried -= 1
        feature = pool[drawn]
        pool[drawn], pool[untried] = pool[untried], feature
        plane = samples[feature]
        low, high = _extent(plane, members)
        if low == high:
            continue
        varies = True
        threshold = low + _below(state, np.int64(high) - low)
        count = _sum_up(plane, threshold, members, classes, weights, left)
        if count < min_leaf or members.size - count < min_leaf:
            continue
        purity = _purity(left, total)
        if purity > best:
            best, best_feature, best_threshold = purity, feature, threshold
    return best_feature, best_threshold


@njit
def _divide(plane: Any, threshold: Any, members: Any, spare: Any) -> Any:
    """Put the samples up to the threshold first, in their order; returns how many."""
    count, rest = 0, 0
    for i in members:
        above = plane[i] > threshold
        spare[rest] = i
        members[count] = i
        rest += above
        count += not above
    members[count:] = spare[:rest]
    return count


@njit
def _shares(total: Any, leaf: Any) -> None:
    """Split `WHOLE` in proportion to the totals; rounding the running sum loses nothing."""
    everything = total.sum()
    running, given = 0, 0
    for k in range(total.size):
        running += total[k]
        upto = (2 * WHOLE * running + everything) // (2 * everything)
        leaf[k] = upto - given
        given = upto


@njit(nogil=True, cache=True, error_model="numpy")
def grow_tree(
    samples: Any, classes: Any, weights: Any, members: Any, candidates: Any, min_leaf: Any,
    seed: Any, child: Any, feature: Any, threshold: Any, leaves: Any,
) -> Any:  # fmt: skip
    """Grow a tree on the samples listed in `members`, which are put in another order.

    `child`, `feature` and `threshold` have room for twice as many nodes as there are
    members, `leaves` for as many rows. Returns how many nodes and leaves the tree has and
    its depth. The children of a node are neighbours: `child` and ``child + 1``; of leaf l
    it is ``-1 - l``.
    """
    state = np.array([seed], dtype=np.uint64)
    pool = np.arange(samples.shape[0])
    total, left = np.empty((2, leaves.shape[1]), dtype=np.int64)
    spare = np.empty(members.size + 1, dtype=members.dtype)
    # Begin, end, node and depth of what is still to be split.
    waiting = np.empty((members.size + 1, 4), dtype=np.int64)
    waiting[0] = 0, members.size, 0, 0
    count, nodes, n_leaves, deepest = 1, 1, 0, 0
    while count:
        count -= 1
        begin, end, node, depth = waiting[count]
        here = members[begin:end]
        total[:] = 0
        for i in here:
            total[classes[i]] += weights[i]
        best = -1
        if here.size >= 2 * min_leaf and total.max() < total.sum():
            best, at = _best_split(
                samples, here, classes, weights, total, left, pool, candidates, min_leaf, state
            )
        if best < 0:
            child[node] = -1 - n_leaves
            feature[node] = threshold[node] = 0
            _shares(total, leaves[n_leaves])
            n_leaves += 1
            deepest = max(deepest, depth)
            continue
        middle = begin + _divide(samples[best], at, here, spare)
        child[node], feature[node], threshold[node] = nodes, best, at
        waiting[count] = middle, end, nodes + 1, depth + 1
        waiting[count + 1] = begin, middle, nodes, depth + 1
        count += 2
        nodes += 2
    return nodes, n_leaves, deepest
