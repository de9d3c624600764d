"""By how much each voxel is held more firmly than any other class would hold it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...label_values import present_labels
from ...progress import Progress, part_of
from ...typing import FloatArray, LabelArray


def margin_of(
    labels: LabelArray,
    strength: FloatArray,
    seeds: LabelArray,
    grow: Callable[[LabelArray, Progress], FloatArray],
    progress: Progress,
) -> FloatArray:
    """Grow again without each class in turn: so strong is the runner-up where that class won.

    Parameters
    ----------
    labels, strength : (M, N[, P]) arrays
        What the seeds grew to.
    seeds : (M, N[, P]) unsigned integer array
    grow : callable
        Given seeds and progress, returns the strengths they grow to.
    progress : callable

    Returns
    -------
    (M, N[, P]) float32 array
        In [0, 1]; the strength itself where no other class gets.
    """
    margin = np.array(strength)
    classes = present_labels(seeds)
    for turn, label in enumerate(classes):
        others = np.where(seeds == label, seeds.dtype.type(0), seeds)
        share = part_of(progress, turn / len(classes), (turn + 1) / len(classes))
        np.subtract(margin, grow(others, share), out=margin, where=labels == label)
    return margin
