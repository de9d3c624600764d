"""How far a mean score can be trusted: percentile bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError, ParameterError
from ...inputs import as_array
from ..folders.case_scores import finite_scores

Values = NDArray[np.float64]
TableScore = Callable[[Values], Values]

_FEWEST_RESAMPLES = 100
# Numbers that are drawn or pooled at a time.
_PIECE = 1 << 21


@dataclass(frozen=True)
class Interval:
    """A value with the range in which resampling finds it.

    Attributes
    ----------
    value : float
        What was measured on all cases, objects or slices; NaN if nothing could be.
    low, high : float
        Ends of the confidence interval, in the unit of `value`; NaN if there is none.
    n : int
        Cases, objects or slices that were resampled.
    n_left_out : int
        Those that were not: values that are NaN, slices without a counted voxel.
    reason : str
        Why there is no interval, or what it does not cover.
    """

    value: float
    low: float
    high: float
    n: int
    n_left_out: int = 0
    reason: str = ""


def bootstrap_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    rng: int | np.random.Generator = 0,
) -> Interval:
    """Confidence interval of the mean over cases or objects.

    The percentile bootstrap: as many values as there are, drawn with replacement, have a
    mean; the interval holds the middle `confidence` of those means. The order of the values
    does not matter. With few values it is too narrow: of samples of 10 from a normal
    distribution, intervals meant to hold the mean 95 times in 100 do so about 90 times.

    Parameters
    ----------
    values : (n,) array_like of float
        One per case or object. NaN is left out and counted.
    confidence : float
        Share of the resamples within the interval, between 0 and 1.
    n_resamples : int
        At least 100.
    rng : int or Generator
        Seed of the draws, or where they come from.

    Returns
    -------
    Interval
        Without ends, and with the reason, for fewer than two values.

    Raises
    ------
    InputError
        If `values` is not a list of finite numbers or NaN.
    ParameterError
        If `confidence` or `n_resamples` is out of range.

    References
    ----------
    Efron 1979, Bootstrap methods: another look at the jackknife,
    doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> interval = bootstrap_interval([0.8, 0.9, 0.7, float("nan"), 0.8])
    >>> round(interval.value, 3), round(interval.low, 3), round(interval.high, 3)
    (0.8, 0.725, 0.875)
    >>> interval.n, interval.n_left_out
    (4, 1)
    """
    ends = _ends(confidence, n_resamples)
    given = finite_scores(values)
    # In order, so that the same cases in another order have the same interval.
    used = np.sort(given[~np.isnan(given)])
    n, n_left_out = used.size, given.size - used.size
    value = float(used.mean()) if n else math.nan
    if n < 2:
        reason = "no value" if n == 0 else "one value: an interval takes two at least"
        return Interval(value, math.nan, math.nan, n, n_left_out, reason)
    generator = np.random.default_rng(rng)
    means = [
        used[generator.integers(0, n, (size, n))].mean(axis=1) for size in _pieces(n_resamples, n)
    ]
    low, high = np.quantile(np.concatenate(means), ends).tolist()
    return Interval(value, low, high, n, n_left_out)


def bootstrap_slices(
    confusions: ArrayLike,
    score: TableScore,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    rng: int | np.random.Generator = 0,
) -> tuple[Interval, ...]:
    """Confidence intervals of scores of one volume, from its slices.

    Slices are drawn with replacement and their confusion matrices added up, so that no
    resample costs a pass over voxels. Neighbouring slices resemble each other, which makes
    such intervals too narrow: they tell how much a score hangs on single slices, not what
    to expect of another volume.

    Parameters
    ----------
    confusions : (S, K, K) array_like of int
        Confusion matrix of each slice. Slices without a counted voxel are left out.
    score : callable
        From pooled matrices, (B, K, K) whole numbers as float64, to one value per matrix,
        (B,), or several, (B, C); NaN where there is none.
    confidence, n_resamples, rng
        As for `bootstrap_interval`.

    Returns
    -------
    tuple of Interval
        One for each of the C values, or for the only one. `value` is that of all slices.
        Resamples without a value are left out, which `reason` then says.

    Raises
    ------
    InputError
        If `confusions` are not matrices of counts, or `score` does not return as many values
        as it got matrices.
    ParameterError
        If `confidence` or `n_resamples` is out of range.

    References
    ----------
    Efron 1979, Bootstrap methods: another look at the jackknife,
    doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> slices = [[[9, 1], [0, 5]], [[8, 0], [2, 5]], [[7, 1], [1, 6]]]
    >>> def accuracy(tables):
    ...     return tables.trace(axis1=1, axis2=2) / tables.sum(axis=(1, 2))
    >>> (interval,) = bootstrap_slices(slices, accuracy)
    >>> round(interval.value, 3), round(interval.low, 3), round(interval.high, 3)
    (0.889, 0.867, 0.933)
    """
    ends = _ends(confidence, n_resamples)
    tables = _checked_tables(confusions)
    counted = tables[tables.any(axis=(1, 2))]
    values = _scored(score, counted.sum(axis=0)[np.newaxis])[0]
    n, n_left_out = len(counted), len(tables) - len(counted)
    if n < 2:
        reason = f"{n or 'no'} slice with counted voxels: an interval takes two at least"
        return tuple(Interval(v, math.nan, math.nan, n, n_left_out, reason) for v in values)
    generator = np.random.default_rng(rng)
    found = np.concatenate(
        [
            _scored(score, _pooled(counted, size, generator))
            for size in _pieces(n_resamples, max(n, tables[0].size))
        ]
    )
    return tuple(
        _interval(float(value), column, ends, n, n_left_out)
        for value, column in zip(values, found.T, strict=True)
    )


def _pooled(tables: Values, size: int, generator: np.random.Generator) -> Values:
    """Sums of as many tables as there are, drawn with replacement: (size, K, K)."""
    n = len(tables)
    times = generator.multinomial(n, np.full(n, 1 / n), size).astype(np.float64)
    # Sums of whole numbers below 2⁵³ are exact, in whatever order they are added up.
    pooled: Values = times @ tables.reshape(n, -1)
    return pooled.reshape(size, *tables.shape[1:])


def _interval(
    value: float, resampled: Values, ends: tuple[float, float], n: int, n_left_out: int
) -> Interval:
    with_value = resampled[~np.isnan(resampled)]
    if math.isnan(value) or not with_value.size:
        reason = f"no value in {'all slices together' if math.isnan(value) else 'any resample'}"
        return Interval(value, math.nan, math.nan, n, n_left_out, reason)
    low, high = np.quantile(with_value, ends).tolist()
    missing = resampled.size - with_value.size
    reason = f"no value in {missing} of {resampled.size} resamples, left out" if missing else ""
    return Interval(value, low, high, n, n_left_out, reason)


def _scored(score: TableScore, tables: Values) -> Values:
    """What `score` says of each table, (B, C)."""
    values = np.asarray(score(tables), dtype=np.float64)
    if values.ndim not in (1, 2) or len(values) != len(tables):
        raise InputError(
            f"expected a score for each of {len(tables)} tables, got shape {values.shape}; "
            "return one row per table"
        )
    return values.reshape(len(tables), -1)


def _pieces(n_resamples: int, width: int) -> Iterator[int]:
    """How many resamples to make at a time, `width` numbers each."""
    size = max(1, _PIECE // max(width, 1))
    for start in range(0, n_resamples, size):
        yield min(size, n_resamples - start)


def _ends(confidence: float, n_resamples: int) -> tuple[float, float]:
    """Quantiles that bound the interval."""
    if not 0 < confidence < 1:
        raise ParameterError(
            f"expected a confidence between 0 and 1, got {confidence!r}; give for instance 0.95",
            name="confidence",
        )
    if not isinstance(n_resamples, int | np.integer) or n_resamples < _FEWEST_RESAMPLES:
        raise ParameterError(
            f"expected a whole number of resamples from {_FEWEST_RESAMPLES} up, got "
            f"{n_resamples!r}; give for instance 2000",
            name="n_resamples",
        )
    return (1 - confidence) / 2, (1 + confidence) / 2


def _checked_tables(confusions: ArrayLike) -> Values:
    tables = as_array(confusions)
    square = tables.ndim == 3 and tables.shape[1] == tables.shape[2]
    if not square or not tables.size or tables.dtype.kind not in "iu" or tables.min() < 0:
        raise InputError(
            "expected confusion matrices of slices as whole numbers from 0 up in the shape "
            f"(S, K, K), got {tables.dtype} in the shape {tables.shape}; count the voxels per slice"
        )
    return tables.astype(np.float64)
