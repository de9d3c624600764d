"""One segmentation out of several, and how far each rater is from it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...image import Segmentation
from ...label_values import smallest_label_dtype
from ...progress import SILENT, Progress, part_of
from ..grids import Labels
from ..tables import markdown_table, shown, write_rows
from .agreement import RaterAgreement, agreement_of, csv_row
from .ballots import Ballot, Votes
from .staple import Estimate, majority, staple

Rule = Literal["staple", "majority"]

DEFINITIONS = {
    "sensitivity": "share of the voxels inferred to be of the class that the rater gives it",
    "specificity": "share of the voxels inferred to be of other classes that the rater does not "
    "give the class",
}
_REASONS = {
    "sensitivity": "no voxel is inferred to be of the class",
    "specificity": "no voxel is inferred to be of another class",
}


@dataclass(frozen=True, eq=False)
class Performance:
    """How far each of R raters is from the consensus, for each of C classes.

    Attributes
    ----------
    classes : tuple of int
        Background included where any rater has it.
    sensitivity, specificity : (R, C) float64 array
        With STAPLE, the estimated probabilities that a rater gives a voxel of the class
        the class, and a voxel of another class another one. With the majority, shares of
        the voxels that have one. NaN where there is no such voxel.
    """

    classes: tuple[int, ...]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]

    def values(self) -> Iterator[tuple[str, int, int, float, str]]:
        """Measure, rater, class, value and the reason where there is none."""
        for measure in DEFINITIONS:
            table: NDArray[np.float64] = getattr(self, measure)
            for (rater, column), value in np.ndenumerate(table):
                reason = _REASONS[measure] if math.isnan(value) else ""
                yield measure, rater, self.classes[column], float(value), reason


@dataclass(frozen=True, eq=False)
class Consensus:
    """One segmentation out of several.

    Attributes
    ----------
    segmentation : Segmentation
        On the grid of the first rater; voxels without a decision are background.
    agreement : RaterAgreement
    performance : Performance
    rule : {"staple", "majority"}
    n_iterations : int
        Of STAPLE.
    has_converged : bool
        False if STAPLE was stopped by `max_iterations`.
    n_undecided : int
        Voxels for which several classes are equally likely, or have as many votes.
    """

    segmentation: Segmentation
    agreement: RaterAgreement
    performance: Performance
    rule: Rule
    n_iterations: int
    has_converged: bool
    n_undecided: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the voxels: NaN becomes None, with its reason."""
        values = [
            {
                "metric": measure,
                "rater": self.agreement.names[rater],
                "class": label,
                "value": None if math.isnan(value) else value,
                "reason": reason,
            }
            for measure, rater, label, value, reason in self.performance.values()
        ]
        return {
            "rule": self.rule,
            "n_iterations": self.n_iterations,
            "has_converged": self.has_converged,
            "n_undecided": self.n_undecided,
            "names": {str(entry.id): entry.name for entry in self.segmentation.classes},
            "definitions": dict(DEFINITIONS),
            "performance": values,
            "agreement": self.agreement.to_dict(),
        }

    def to_markdown(self) -> str:
        """Table of raters by class, then their agreement with each other."""
        heads = ["Rater", "Class", "Sensitivity", "Specificity"]
        known = {entry.id: entry.name for entry in self.segmentation.classes}
        both = (self.performance.sensitivity, self.performance.specificity)
        rows = [
            [name, f"{label} {known.get(label, '')}".strip(), *(shown(v[r, c]) for v in both)]
            for r, name in enumerate(self.agreement.names)
            for c, label in enumerate(self.performance.classes)
        ]
        facts = f"- Undecided voxels: {self.n_undecided}\n"
        if self.rule == "staple":
            state = "" if self.has_converged else ", not converged"
            facts += f"- Iterations: {self.n_iterations}{state}\n"
        return f"{markdown_table(heads, rows)}\n{facts}\n{self.agreement.to_markdown()}"

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one row per value, with its definition; the file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        names = self.agreement.names
        rows = [
            csv_row(measure, DEFINITIONS[measure], (names[rater], ""), value, reason, str(label))
            for measure, rater, label, value, reason in self.performance.values()
        ]
        write_rows(path, [*rows, *self.agreement.rows()])


def consensus(
    raters: Sequence[Labels],
    *,
    rule: Rule = "staple",
    names: Sequence[str] = (),
    max_iterations: int = 10_000,
    progress: Progress = SILENT,
) -> Consensus:
    """Merge segmentations of one image into the one they most likely stem from.

    Parameters
    ----------
    raters : sequence of (M, N[, P]) array_like, Segmentation, Image, or path
        At least two, on one grid. Grids that differ only in the order and direction of
        their axes are matched up first; bare arrays are taken to lie where the first
        rater with a place in the world does.
    rule : {"staple", "majority"}
        STAPLE weighs each rater by how reliable the others make them look; it may trust a
        rater who is alone. The majority counts heads. In both, a tie is background.
    names : sequence of str, optional
        One per rater. By default those of the segmentations if all differ, else numbers.
    max_iterations : int
        Of STAPLE, which stops by itself once no probability changes by more than 1e-10.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    Consensus

    Raises
    ------
    InputError
        If there are fewer than two raters, shapes differ, values are no labels, or there
        are more than 256 classes.
    SpaceMismatchError
        If they do not lie on one grid.
    ParameterError
        If `rule`, `names` or `max_iterations` does not fit.

    Notes
    -----
    The prior probability of a class is its share of all votes, and the first estimate of
    the classes is the share of votes in each voxel, both as in ITK. ITK's filter for masks
    stops earlier, once no sensitivity and no specificity changes by more than 1e-5. Where
    most votes are wrong, that prior is far off, and STAPLE may settle on the wrong raters.

    References
    ----------
    Warfield, Zou & Wells 2004, Simultaneous truth and performance level estimation
    (STAPLE), doi:10.1109/TMI.2004.828354.

    Examples
    --------
    >>> found = consensus([[0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]])
    >>> found.segmentation.labels, found.performance.sensitivity[:, 1].round(3)
    (array([0, 1, 1, 0], dtype=uint8), array([1. , 1. , 0.5]))
    """
    if rule not in get_args(Rule):
        raise ParameterError(
            f"expected rule 'staple' or 'majority', got {rule!r}; choose one", name="rule"
        )
    if max_iterations < 1:
        raise ParameterError(
            f"expected at least 1 iteration, got {max_iterations}", name="max_iterations"
        )
    ballot = Ballot(raters, names)
    votes = ballot.count(part_of(progress, 0, 0.5))
    found = _infer(rule, votes, max_iterations, part_of(progress, 0.5, 0.6))
    dtype = smallest_label_dtype(int(votes.labels.max()))
    values = np.append(votes.labels, 0).astype(dtype)[found.winners]  # -1 takes the last
    return Consensus(
        ballot.write(votes, values, part_of(progress, 0.6, 1)),
        _agreement(ballot, votes),
        _performance(found, votes, ballot),
        rule,
        found.n_iterations,
        found.has_converged,
        int(votes.counts[found.winners < 0].sum()),
    )


def rater_agreement(
    raters: Sequence[Labels], *, names: Sequence[str] = (), progress: Progress = SILENT
) -> RaterAgreement:
    """Measure how well raters agree with each other.

    Parameters
    ----------
    raters : sequence of (M, N[, P]) array_like, Segmentation, Image, or path
        At least two, on one grid, as in `consensus`.
    names : sequence of str, optional
        One per rater.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    RaterAgreement

    Raises
    ------
    InputError, SpaceMismatchError, ParameterError
        As in `consensus`.

    Examples
    --------
    >>> found = rater_agreement([[0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]])
    >>> found.dice.round(3).tolist()[0], round(found.fleiss_kappa, 4)
    ([1.0, 1.0, 0.667], 0.6571)
    """
    ballot = Ballot(raters, names)
    return _agreement(ballot, ballot.count(progress))


def _infer(rule: Rule, votes: Votes, max_iterations: int, progress: Progress) -> Estimate:
    n_classes = len(votes.labels)
    if rule == "majority":
        return majority(votes.codes, votes.counts, n_classes)
    return staple(votes.codes, votes.counts, n_classes, max_iterations, progress)


def _agreement(ballot: Ballot, votes: Votes) -> RaterAgreement:
    labels = tuple(votes.labels.tolist())
    return agreement_of(votes.codes, votes.counts, labels, ballot.names)


def _performance(found: Estimate, votes: Votes, ballot: Ballot) -> Performance:
    """Of the classes that occur, and of those named that nobody painted."""
    unpainted = [entry.id for entry in ballot.classes if entry.id not in votes.labels]
    classes = np.append(votes.labels, unpainted).astype(int)
    order = np.argsort(classes)
    shape = len(ballot.names), len(unpainted)
    sensitivity = np.hstack([found.sensitivity, np.full(shape, np.nan)])[:, order]
    specificity = np.hstack([found.specificity, np.ones(shape)])[:, order]
    return Performance(tuple(classes[order].tolist()), sensitivity, specificity)
