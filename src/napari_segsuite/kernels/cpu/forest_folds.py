"""Which samples each tree of a forest is kept from seeing: whole strokes, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError


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
