"""Simultaneous truth and performance level estimation, on the table of vote patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT, Progress
from ..overlap import ratio

# Largest change of a probability in an iteration that still counts as none.
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Estimate:
    """What is inferred of R raters and K classes from N vote patterns.

    Attributes
    ----------
    sums : (R, K, K) float64 array
        Voxels by rater, class voted for, and inferred class.
    winners : (N,) int64 array
        Inferred class of each pattern; -1 where several are equally likely.
    n_iterations : int
    has_converged : bool
        Whether the last iteration changed no probability by more than 1e-10.
    """

    sums: NDArray[np.float64]
    winners: NDArray[np.int64]
    n_iterations: int = 0
    has_converged: bool = True

    @property
    def sensitivity(self) -> NDArray[np.float64]:
        """Share of the voxels of a class that a rater gives it, (R, K)."""
        return ratio(np.diagonal(self.sums, axis1=1, axis2=2), self.sums.sum(axis=1))

    @property
    def specificity(self) -> NDArray[np.float64]:
        """Share of the voxels of other classes that a rater does not give the class, (R, K)."""
        columns = []
        for k in range(self.sums.shape[1]):
            others = np.delete(self.sums, k, axis=2)  # subtracted, small shares would be lost
            columns.append(ratio(np.delete(others, k, axis=1).sum((1, 2)), others.sum((1, 2))))
        return np.stack(columns, axis=1)


def staple(
    codes: NDArray[np.uint8],
    counts: NDArray[np.int64],
    n_classes: int,
    max_iterations: int = 10_000,
    progress: Progress = SILENT,
) -> Estimate:
    """Infer classes and raters' confusion matrices by expectation maximisation.

    The prior probability of a class is its share of all votes and stays so. The iterations
    start from the classes spread as the votes are, and stop once no probability changes by
    more than 1e-10. ITK's filter for masks has the same prior and start, but stops once no
    sensitivity and no specificity changes by more than 1e-5.

    Parameters
    ----------
    codes : (N, R) uint8 array
        Class each rater voted for, below `n_classes`, per pattern.
    counts : (N,) int64 array
        Voxels with the pattern.
    n_classes : int
    max_iterations : int
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    Estimate

    References
    ----------
    Warfield, Zou & Wells 2004, Simultaneous truth and performance level estimation
    (STAPLE), doi:10.1109/TMI.2004.828354.

    Examples
    --------
    >>> votes = np.array([[0, 0, 0], [1, 1, 1], [1, 1, 0]], np.uint8)
    >>> found = staple(votes, np.array([90, 8, 2]), 2)
    >>> found.winners.tolist(), found.sensitivity[:, 1].round(2).tolist()
    ([0, 1, 1], [1.0, 1.0, 0.8])
    """
    from ...kernels.cpu.staple import add_posteriors, add_shares, most_probable

    sums = np.zeros((codes.shape[1], n_classes, n_classes))
    add_shares(codes, counts, sums)
    prior = sums[0].sum(axis=0) / counts.sum()
    confusions = _confusions(sums)
    n_iterations, change = 1, np.inf
    while n_iterations < max_iterations and change > TOLERANCE:
        progress(n_iterations / max_iterations, f"iteration {n_iterations}")
        sums[:] = 0
        add_posteriors(codes, counts, prior, confusions, sums)
        last, confusions = confusions, _confusions(sums)
        change = float(np.abs(confusions - last).max())
        n_iterations += 1
    winners = most_probable(codes, prior, confusions)
    return Estimate(sums, winners, n_iterations, change <= TOLERANCE)


def majority(codes: NDArray[np.uint8], counts: NDArray[np.int64], n_classes: int) -> Estimate:
    """Take the class with most votes for the true one; ties are left out of the sums.

    Parameters
    ----------
    codes : (N, R) uint8 array
        Class each rater voted for, below `n_classes`, per pattern.
    counts : (N,) int64 array
        Voxels with the pattern.
    n_classes : int

    Returns
    -------
    Estimate

    Examples
    --------
    >>> majority(np.array([[0, 1], [1, 1]], np.uint8), np.array([1, 3]), 2).winners
    array([-1,  1])
    """
    from ...kernels.cpu.staple import add_winners, most_voted

    winners = most_voted(codes, n_classes)
    sums = np.zeros((codes.shape[1], n_classes, n_classes))
    add_winners(codes, counts, winners, sums)
    return Estimate(sums, winners)


def _confusions(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each vote, given the class; 0 for a class that died out."""
    mass = sums.sum(axis=1, keepdims=True)
    out = np.zeros_like(sums)
    np.divide(sums, mass, out=out, where=mass > 0)
    return out
