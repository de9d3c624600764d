"""Scores of several predictions on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError

# Scores are computed in about 16 digits; what differs beyond the twelfth is a tie.
_DIGITS = 12


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
    rows = {name: finite_scores(values, f" for {name!r}") for name, values in scores.items()}
    sizes = {name: row.size for name, row in rows.items()}
    if len(set(sizes.values())) != 1 or not min(sizes.values()):
        raise InputError(
            "expected as many scores for each prediction, one per case, got "
            f"{', '.join(f'{n} for {name!r}' for name, n in sizes.items()) or 'none'}; "
            "give NaN where a case has no score"
        )
    return np.stack(list(rows.values()))


def finite_scores(values: ArrayLike, whose: str = "") -> NDArray[np.float64]:
    """A list of scores as an array, (n,).

    Parameters
    ----------
    values : (n,) array_like of float
        NaN where there is no score.
    whose : str
        For the message, " for 'method'".

    Raises
    ------
    InputError
        If it is no list of finite numbers or NaN.

    Examples
    --------
    >>> finite_scores([1, float("nan")])
    array([ 1., nan])
    """
    wanted = f"expected a list of finite scores, NaN where there is none{whose},"
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{wanted} got lists of unequal length; give one score per case"
        ) from error
    if array.ndim != 1 or array.dtype.kind not in "biuf" or np.isinf(array).any():
        raise InputError(
            f"{wanted} got {array.dtype} in the shape {array.shape}; give one score per case"
        )
    return array.astype(np.float64)


def in_shares(values: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values as shares of the largest of some scores, without what only rounding made of them.

    Parameters
    ----------
    values : float64 array
        Scores, or differences of them.
    scores : float64 array
        NaN where there is none.

    Examples
    --------
    >>> found = in_shares(np.array([0.1 + 0.2, 0.3]), np.array([0.3, 0.6]))
    >>> found.tolist()
    [0.5, 0.5]
    """
    largest = np.abs(scores[~np.isnan(scores)]).max(initial=0) or 1.0
    return np.asarray(np.round(values / largest, _DIGITS), dtype=np.float64)
