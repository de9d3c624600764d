"""Sums over vote patterns: what raters' performance and the consensus come from.

`codes` (N, R) holds the class each rater voted for, a row per pattern; `counts` (N,) the
voxels with the pattern. Confusions are (R, K, K): rater, class voted for, true class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNDECIDED = -1
# Products of many raters' probabilities are brought back to a sum of 1 below this.
_SMALL = 1e-100
# Shares of two classes that differ by no more than rounding are a tie.
_TIE = 1e-9


@njit(nogil=True, cache=True)
def add_shares(
    codes: NDArray[np.uint8], counts: NDArray[np.int64], sums: NDArray[np.float64]
) -> None:
    """Add each pattern to `sums`, its true class taken to be spread as its votes are."""
    shares = np.empty(sums.shape[2])
    for row in range(len(counts)):
        _share(codes[row], shares)
        _add(codes[row], counts[row], shares, sums)


@njit(nogil=True, cache=True)
def add_posteriors(
    codes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    prior: NDArray[np.float64],
    confusions: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add each pattern to `sums`, its true class spread by its posterior probability."""
    posterior = np.empty(len(prior))
    for row in range(len(counts)):
        _weigh(codes[row], prior, confusions, posterior)
        _add(codes[row], counts[row], posterior, sums)


@njit(nogil=True, cache=True)
def add_winners(
    codes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    winners: NDArray[np.int64],
    sums: NDArray[np.float64],
) -> None:
    """Add each pattern to `sums` for its winner; patterns without one are left out."""
    for row in range(len(counts)):
        if winners[row] != UNDECIDED:
            for rater in range(codes.shape[1]):
                sums[rater, codes[row, rater], winners[row]] += counts[row]


@njit(nogil=True, cache=True)
def most_voted(codes: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
    """The class with most votes for each pattern, UNDECIDED where several have."""
    winners = np.empty(len(codes), np.int64)
    shares = np.empty(n_classes)
    for row in range(len(codes)):
        _share(codes[row], shares)
        winners[row] = _winner(shares)
    return winners


@njit(nogil=True, cache=True)
def most_probable(
    codes: NDArray[np.uint8], prior: NDArray[np.float64], confusions: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The class of largest posterior for each pattern, UNDECIDED where several have it."""
    winners = np.empty(len(codes), np.int64)
    posterior = np.empty(len(prior))
    for row in range(len(codes)):
        _weigh(codes[row], prior, confusions, posterior)
        winners[row] = _winner(posterior)
    return winners


@njit(nogil=True, cache=True)
def _share(votes: Any, shares: Any) -> None:
    shares[:] = 0
    for rater in range(len(votes)):
        shares[votes[rater]] += 1
    shares /= len(votes)


@njit(nogil=True, cache=True)
def _weigh(votes: Any, prior: Any, confusions: Any, posterior: Any) -> None:
    """Posterior probability of each class, given the votes."""
    posterior[:] = prior
    for rater in range(len(votes)):
        total = 0.0
        for k in range(len(posterior)):
            posterior[k] *= confusions[rater, votes[rater], k]
            total += posterior[k]
        if 0 < total < _SMALL:
            posterior /= total
    total = posterior.sum()
    if total > 0:
        posterior /= total


@njit(nogil=True, cache=True)
def _add(votes: Any, count: Any, shares: Any, sums: Any) -> None:
    for rater in range(len(votes)):
        for k in range(len(shares)):
            sums[rater, votes[rater], k] += count * shares[k]


@njit(nogil=True, cache=True)
def _winner(shares: Any) -> int:
    best = 0
    for k in range(1, len(shares)):
        if shares[k] > shares[best]:
            best = k
    for k in range(len(shares)):
        if k != best and shares[k] >= shares[best] - _TIE:
            return UNDECIDED
    return best
