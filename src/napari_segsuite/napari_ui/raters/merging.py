"""Merging raters in the background: the work itself, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...image import Segmentation
from ...metrics.raters.agreement import RaterAgreement
from ...metrics.raters.consensus import Consensus, Rule, consensus, rater_agreement
from ...metrics.tables import markdown_table, shown
from ...progress import Progress, part_of
from ...provenance import Provenance, current_versions, describe_input
from ..measure.measurement import Snapshot

RULES: dict[Rule, str] = {"staple": "STAPLE", "majority": "majority vote"}
CONSENSUS = "consensus"


@dataclass(frozen=True, eq=False)
class Merged:
    """What became of some raters.

    Attributes
    ----------
    consensus : Consensus
        Its segmentation has the raters' colours, and tells how it was made.
    agreement : RaterAgreement
        Of the raters, and of the consensus as if it were one more.
    """

    consensus: Consensus
    agreement: RaterAgreement

    @cached_property
    def dice(self) -> NDArray[np.float64]:
        """Mean Dice of each rater with the consensus, (R,)."""
        values: NDArray[np.float64] = self.agreement.dice[-1, :-1]
        return values

    def to_markdown(self) -> str:
        """What the consensus says of itself, and how much each rater overlaps with it."""
        rows = [
            [name, shown(float(value))]
            for name, value in zip(self.consensus.agreement.names, self.dice, strict=True)
        ]
        table = markdown_table(["Rater", "Mean Dice with the consensus"], rows)
        return f"{self.consensus.to_markdown()}\n{table}"


def merge(raters: Sequence[Snapshot], rule: Rule, progress: Progress) -> Merged:
    """Merge the labels of layers, and compare each with what comes out.

    Parameters
    ----------
    raters : sequence of Snapshot
    rule : {"staple", "majority"}
    progress : Progress
        Raises `Cancelled` to stop.
    """
    labels = [rater.labels for rater in raters]
    names = [segmentation.name for segmentation in labels]
    found = consensus(labels, rule=rule, names=names, progress=part_of(progress, 0, 0.5))
    agreement = rater_agreement(
        [*labels, found.segmentation],
        names=[*names, CONSENSUS],
        progress=part_of(progress, 0.5, 0.9),
    )
    coloured = Snapshot(found.segmentation, raters[0].colours).coloured(found.performance.classes)
    result = replace(
        coloured, name=f"{CONSENSUS} ({RULES[rule]})", provenance=_record(labels, rule)
    )
    return Merged(replace(found, segmentation=result), agreement)


def _record(labels: Sequence[Segmentation], rule: Rule) -> Provenance:
    inputs = {
        f"rater {i}": describe_input(rater.name, np.asarray(rater.labels), are_labels=True)
        for i, rater in enumerate(labels, 1)
    }
    return Provenance(CONSENSUS, {"rule": rule}, inputs=inputs, versions=current_versions())
