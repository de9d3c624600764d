"""A forest judged on its own samples, by trees that were kept from seeing them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from .forest import Forest, predict


def predict_out_of_fold(
    forest: Forest, samples: NDArray[np.uint8], folds: NDArray[Any], *, threads: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Judge training samples by the trees that have not seen their fold.

    Parameters
    ----------
    forest : Forest
        Trained with `folds`.
    samples : (F, n) uint8 array
        The samples it was trained on.
    folds : (n,) array of int
        Their folds.
    threads : int, optional
        As many as numba would use by default.

    Returns
    -------
    probabilities : (K, n) uint8 array
        The classes of a sample add up to 255; 0 for samples that every tree has seen.
    judged : (n,) bool array
        False for those.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_segsuite.kernels.cpu.forest import train
    >>> line = np.repeat(np.array([[10, 20, 200, 210]], dtype=np.uint8), 5, axis=1)
    >>> classes = np.repeat(np.array([0, 0, 1, 1], dtype=np.uint8), 5)
    >>> folds = stratified_folds(classes, np.repeat(np.arange(4), 5), 2)
    >>> forest = train(line, classes, 2, folds=folds)
    >>> probabilities, judged = predict_out_of_fold(forest, line, folds)
    >>> bool(judged.all()), bool((probabilities.argmax(0) == classes).all())
    (True, True)
    """
    probabilities = np.zeros((forest.leaves.shape[1], samples.shape[1]), dtype=np.uint8)
    judged = np.zeros(samples.shape[1], dtype=np.bool_)
    for fold in np.unique(forest.left_out[forest.left_out >= 0]):
        strangers = forest._replace(roots=forest.roots[forest.left_out == fold])
        here = np.asarray(folds) == fold
        probabilities[:, here] = predict(strangers, samples[:, here], threads=threads)
        judged |= here
    return probabilities, judged


def stratified_folds(
    classes: NDArray[Any], groups: NDArray[Any], n_folds: int
) -> NDArray[np.int16]:
    """Deal groups of samples out to folds, class by class, so that no fold has all of a class.

    Parameters
    ----------
    classes : (n,) array of int
        Class of each sample.
    groups : (n,) array of int
        Samples that belong together, a stroke of one class say, share a number.
    n_folds : int
        At least 2.

    Returns
    -------
    (n,) int16 array
        Fold of each sample, 0 to ``n_folds - 1``; -1 where a class has but one group,
        which nothing could be learned without.

    Raises
    ------
    ParameterError
        If there are fewer than two folds.

    Examples
    --------
    >>> import numpy as np
    >>> stratified_folds(np.array([0, 0, 0, 1]), np.array([1, 1, 2, 3]), 2).tolist()
    [0, 0, 1, -1]
    """
    if n_folds < 2:
        raise ParameterError(
            f"expected at least 2 folds, got {n_folds}; give 2 or more", name="n_folds"
        )
    pairs = np.stack([classes, groups])
    strokes, stroke_of, sizes = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    fold_of = np.full(strokes.shape[1], -1, dtype=np.int16)
    dealt = 0
    for k in np.unique(strokes[0]):
        members = np.flatnonzero(strokes[0] == k)
        if len(members) < 2:
            continue
        # The largest first: folds of about the same size.
        members = members[np.argsort(-sizes[members], kind="stable")]
        fold_of[members] = (dealt + np.arange(len(members))) % n_folds
        dealt += len(members)
    return fold_of[stroke_of.reshape(-1)]
