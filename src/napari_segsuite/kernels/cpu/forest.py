"""Forests of extremely randomised trees on binned features.

Made for a classifier that is learned from a few thousand painted voxels and asked about
millions: features are bytes, votes are whole numbers, and neither the number of threads
nor their schedule changes a bit of the result.
"""

from __future__ import annotations

from functools import partial
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numba import config
from numpy.typing import NDArray

from ...errors import InputError, ParameterError
from ...progress import SILENT, Progress
from .boxes import cut, slices
from .crew import Crew
from .forest_predict import classify
from .forest_train import WHOLE, grow_tree
from .lane_sets import RUN

MAX_CLASSES = 255
# Votes are added up in 16 bits.
MAX_TREES = (2**16 - 1) // WHOLE
# Weights of all samples together: exact in whole numbers and in products of two.
_WEIGHT = 2**30
_TREES_PER_PIECE = 4
_VOXELS_PER_PIECE = 1 << 13

Bytes = NDArray[np.uint8]


class Forest(NamedTuple):
    """Trees in flat arrays; node n is split or a leaf.

    Attributes
    ----------
    child : (N,) int32 array
        Left child of a node, the right one follows it; ``-1 - l`` at leaf l.
    feature, threshold : (N,) uint16 and uint8 arrays
        A sample goes right where the feature is larger than the threshold.
    leaves : (L, K) uint8 array
        Share of each class; a row adds up to 255.
    roots : (T,) int32 array
        First node of each tree.
    left_out : (T,) int16 array
        Fold of samples that a tree has not seen, -1 where it saw all.
    depth : int
        Steps from a root to the deepest leaf.
    """

    child: NDArray[np.int32]
    feature: NDArray[np.uint16]
    threshold: Bytes
    leaves: Bytes
    roots: NDArray[np.int32]
    left_out: NDArray[np.int16]
    depth: int


def train(
    samples: Bytes,
    classes: Bytes,
    n_classes: int,
    *,
    n_trees: int = 60,
    min_leaf: int = 2,
    features_per_node: float = 0.3,
    weights: NDArray[Any] | None = None,
    folds: NDArray[Any] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Forest:
    """Grow a forest of extremely randomised trees.

    Parameters
    ----------
    samples : (F, n) uint8 array
        Binned features, one row each; up to 65535 of them.
    classes : (n,) uint8 array
        Class of each sample, from 0 to ``n_classes - 1``.
    n_classes : int
        At most 255.
    n_trees : int
        At most 257.
    min_leaf : int
        Samples that each side of a split keeps at least.
    features_per_node : float
        Share of the features, in (0, 1], that are tried at a node; more only where none of
        those varies.
    weights : (n,) array, optional
        Weights of the samples, positive; such that all classes weigh the same by default.
    folds : (n,) array of int, optional
        Fold of each sample, -1 for samples that every tree sees; see `stratified_folds`.
        With k folds, tree t does not see fold ``t % k``.
    seed : int
        The same seed gives the same forest, with any number of threads.
    threads : int, optional
        As many as numba would use (``NUMBA_NUM_THREADS``) by default.
    progress : Progress
        Called from this thread; may raise `Cancelled`.

    Raises
    ------
    InputError
        If arrays do not fit together or there is nothing to learn from.
    ParameterError
        If a setting is out of range.

    References
    ----------
    Geurts, Ernst & Wehenkel (2006), Extremely randomized trees,
    doi:10.1007/s10994-006-6226-1.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.array([[10, 12, 14, 200, 210, 220]], dtype=np.uint8)
    >>> forest = train(samples, np.array([0, 0, 0, 1, 1, 1], np.uint8), 2, min_leaf=1)
    >>> predict(forest, np.array([[11, 215]], dtype=np.uint8))
    array([[255,   0],
           [  0, 255]], dtype=uint8)
    """
    samples, classes = np.ascontiguousarray(samples), np.ascontiguousarray(classes)
    _check_samples(samples, classes, n_classes)
    _check_weights(weights, classes.shape)
    _check_settings(n_trees, min_leaf, features_per_node)
    if folds is None:
        folds = np.full(classes.shape, -1)
    n_folds = int(folds.max()) + 1
    views = [
        _view(classes, np.flatnonzero(folds != fold), weights) for fold in range(max(n_folds, 1))
    ]
    candidates = max(1, round(features_per_node * len(samples)))
    seeds = np.random.default_rng(seed).integers(2**64, size=n_trees, dtype=np.uint64)
    trees: list[_Tree] = [None] * n_trees  # type: ignore[list-item]

    def grow(first: int, stop: int) -> None:
        for t in range(first, stop):
            members, whole = views[t % len(views)]
            trees[t] = _grow(
                samples, classes, whole, members, candidates, min_leaf, n_classes, seeds[t]
            )

    pieces = [(a, min(a + _TREES_PER_PIECE, n_trees)) for a in range(0, n_trees, _TREES_PER_PIECE)]
    with Crew(_threads(threads)) as crew:
        crew.run(grow, pieces, partial(progress, 0.0, "Learning"))
    left_out = np.arange(n_trees) % len(views) if n_folds else np.full(n_trees, -1)
    return _join(trees, left_out.astype(np.int16))


def predict(
    forest: Forest,
    bank: Bytes,
    out: NDArray[Any] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> NDArray[Any]:
    """Tell the probability of each class: the mean of all trees.

    Needs the result, 1 or 2 K bytes per voxel, and 2 MB per thread.

    Parameters
    ----------
    forest : Forest
        From `train`.
    bank : (F, M, N[, P]) or (F, V) uint8 array
        The features that the forest was trained on. Parts such as ``bank[:, z]`` are read
        in place.
    out : (K, M, N[, P]) or (K, V) array of uint8 or uint16, optional
        Where to write; a new uint8 array by default.
    threads : int, optional
        As many as numba would use by default.
    progress : Progress
        Called from this thread after pieces of the work; may raise `Cancelled`.

    Returns
    -------
    (K, M, N[, P]) or (K, V) array
        `out`. The classes of a voxel add up to 255, or 65535 where `out` is uint16.

    Raises
    ------
    InputError
        If the bank or `out` does not fit the forest.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.arange(4, dtype=np.uint8)[np.newaxis]
    >>> forest = train(line, np.array([0, 0, 1, 1], np.uint8), 2, min_leaf=1, n_trees=20)
    >>> predict(forest, line)[1] > 127
    array([False, False,  True,  True])
    """
    shape = (forest.leaves.shape[1], *bank.shape[1:])
    if out is None:
        out = np.empty(shape, dtype=np.uint8)
    _check_bank(forest, bank, out, shape)
    # Axes of length one in front: views of both, whatever their strides are.
    grid = (1,) * (4 - bank.ndim) + bank.shape[1:]
    planes, room = bank.reshape(len(bank), *grid), out.reshape(len(out), *grid)
    side = _tile(grid)
    pieces = _pieces(grid, side)
    whole = np.iinfo(out.dtype).max
    done = 0

    def vote(box: tuple[slice, ...]) -> None:
        # Contiguous copies of a piece, so that one compiled kernel serves views of all kinds.
        part = np.array(planes[:, *box], order="C")
        votes = np.empty((len(room), *part.shape[1:]), dtype=room.dtype)
        classify(forest, part, side, whole, votes)
        room[:, *box] = votes

    def report() -> None:
        nonlocal done
        done += 1
        progress(done / len(pieces), "Classifying")

    with Crew(_threads(threads)) as crew:
        crew.run(vote, pieces, report)
    return out


class _Tree(NamedTuple):
    child: NDArray[np.int32]
    feature: NDArray[np.uint16]
    threshold: Bytes
    leaves: Bytes
    depth: int


def _view(
    classes: Bytes, members: NDArray[Any], weights: NDArray[Any] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a tree sees: samples, and the weight in whole numbers of every sample."""
    if members.size == 0:
        raise InputError(
            "expected samples outside of each fold, got all in one; use more folds or none"
        )
    if weights is None:
        counts = np.bincount(classes[members])
        per_class = np.divide(1.0, counts, out=np.zeros(len(counts)), where=counts > 0)
        exact = np.zeros(classes.shape)
        exact[members] = per_class[classes[members]]
    else:
        exact = np.asarray(weights, dtype=np.float64)
    whole = np.rint(exact * (_WEIGHT / exact[members].sum())).astype(np.int64)
    return members, np.maximum(whole, 1)


def _grow(
    samples: Bytes, classes: Bytes, whole: NDArray[np.int64], members: NDArray[np.int64],
    candidates: int, min_leaf: int, n_classes: int, seed: np.uint64,
) -> _Tree:  # fmt: skip
    room = 2 * members.size
    child = np.empty(room, dtype=np.int32)
    feature = np.empty(room, dtype=np.uint16)
    threshold = np.empty(room, dtype=np.uint8)
    leaves = np.empty((members.size, n_classes), dtype=np.uint8)
    nodes, n_leaves, depth = grow_tree(
        samples, classes, whole, members.copy(), candidates, min_leaf, seed,
        child, feature, threshold, leaves,
    )  # fmt: skip
    # Copies: the rest of the room is given back.
    kept = (child[:nodes].copy(), feature[:nodes].copy(), threshold[:nodes].copy())
    return _Tree(*kept, leaves[:n_leaves].copy(), depth)


def _join(trees: list[_Tree], left_out: NDArray[np.int16]) -> Forest:
    roots = np.cumsum([0, *(len(tree.child) for tree in trees)])
    first_leaves = np.cumsum([0, *(len(tree.leaves) for tree in trees)])
    child = [
        np.where(tree.child < 0, tree.child - leaf, tree.child + root)
        for tree, root, leaf in zip(trees, roots, first_leaves, strict=False)
    ]
    return Forest(
        np.concatenate(child).astype(np.int32),
        np.concatenate([tree.feature for tree in trees]),
        np.concatenate([tree.threshold for tree in trees]),
        np.concatenate([tree.leaves for tree in trees]),
        roots[:-1].astype(np.int32),
        left_out,
        max(tree.depth for tree in trees),
    )


def _tile(grid: tuple[int, ...]) -> tuple[int, int, int]:
    """Shape of a compact tile that is no thicker than the image."""
    depth = _power_of_two(min(grid[0], 8))
    height = _power_of_two(min(grid[1], isqrt(RUN // depth)))
    return depth, height, RUN // (depth * height)


def _power_of_two(upto: int) -> int:
    return 1 << max(upto, 1).bit_length() - 1


def _pieces(grid: tuple[int, ...], side: tuple[int, ...]) -> list[tuple[tuple[slice, ...]]]:
    """Boxes of whole tiles, with about as many voxels as a thread does at once."""
    width = min(grid[2], _VOXELS_PER_PIECE)
    height = side[1] * max(1, _VOXELS_PER_PIECE // (side[0] * side[1] * width))
    return [(slices(*piece),) for piece in cut(grid, (side[0], height, width))]


def _threads(threads: int | None) -> int:
    return int(config.NUMBA_NUM_THREADS) if threads is None else threads


def _check_samples(samples: Bytes, classes: Bytes, n_classes: int) -> None:
    if not 1 <= n_classes <= MAX_CLASSES:
        raise InputError(
            f"expected 1 to {MAX_CLASSES} classes, got {n_classes}; merge or drop classes"
        )
    if samples.dtype != np.uint8 or samples.ndim != 2 or samples.size == 0:
        raise InputError(
            "expected samples as an array (features, samples) of uint8, got "
            f"{samples.dtype} {samples.shape}; bin the features first"
        )
    if classes.dtype != np.uint8 or classes.shape != samples.shape[1:]:
        raise InputError(
            f"expected a uint8 class for each of {samples.shape[1]} samples, got "
            f"{classes.dtype} {classes.shape}; give one per sample"
        )
    if classes.max() >= n_classes:
        raise InputError(
            f"expected classes below {n_classes}, got {classes.max()}; number them from 0"
        )


def _check_weights(weights: NDArray[Any] | None, shape: tuple[int, ...]) -> None:
    if weights is None:
        return
    if weights.shape != shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise InputError(
            f"expected a positive weight for each of {shape[0]} samples, got {weights.shape} "
            "or some that are not; leave out samples that shall not count"
        )


def _check_settings(n_trees: int, min_leaf: int, features_per_node: float) -> None:
    if not 1 <= n_trees <= MAX_TREES:
        raise ParameterError(
            f"expected 1 to {MAX_TREES} trees, got {n_trees}; change n_trees", name="n_trees"
        )
    if min_leaf < 1:
        raise ParameterError(
            f"expected at least 1 sample a leaf, got {min_leaf}; change min_leaf", name="min_leaf"
        )
    if not 0 < features_per_node <= 1:
        raise ParameterError(
            f"expected a share of features above 0 and up to 1, got {features_per_node}; "
            "change features_per_node",
            name="features_per_node",
        )


def _check_bank(forest: Forest, bank: Bytes, out: NDArray[Any], shape: tuple[int, ...]) -> None:
    needed = int(forest.feature.max()) + 1
    if bank.dtype != np.uint8 or not 2 <= bank.ndim <= 4 or len(bank) < needed:
        raise InputError(
            f"expected a uint8 bank of at least {needed} feature planes, got {bank.dtype} "
            f"{bank.shape}; give the features the forest was trained on"
        )
    if out.dtype not in (np.uint8, np.uint16) or out.shape != shape:
        raise InputError(
            f"expected room for uint8 or uint16 probabilities {shape}, got {out.dtype} "
            f"{out.shape}; give an array like that or none"
        )
