"""Scores of several predictions on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError


def score_table(scores: Mapping[str, Sequence[float]]) -> NDArray[np.float64]:
    """One row per prediction, one column per case.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        By name of the prediction, in the same order of cases; NaN where there is no score.

    Returns
    -------
    (P, N) float64 array

    Raises
    ------
    InputError
        If predictions have scores of different numbers of cases, or none at all, or a
        score is no finite number or NaN.

    Examples
    --------
    >>> score_table({"a": [0.5, 1], "b": [0.25, float("nan")]})
    array([[0.5 , 1.  ],
           [0.25,  nan]])
    """
    rows = {name: np.asarray(values) for name, values in scores.items()}
    for name, row in rows.items():
        if row.ndim != 1 or row.dtype.kind not in "biuf" or np.isinf(row).any():
            raise InputError(
                f"expected a list of finite scores, NaN where there is none, for {name!r}, got "
                f"{row.dtype} in the shape {row.shape}; give one score per case"
            )
    sizes = {name: row.size for name, row in rows.items()}
    if len(set(sizes.values())) != 1 or not min(sizes.values()):
        raise InputError(
            "expected as many scores for each prediction, one per case, got "
            f"{', '.join(f'{n} for {name!r}' for name, n in sizes.items()) or 'none'}; "
            "give NaN where a case has no score"
        )
    return np.stack([row.astype(np.float64) for row in rows.values()])
