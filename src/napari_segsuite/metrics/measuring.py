"""What each group of metrics is computed from, and why some of them have no value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..progress import SILENT, Progress
from .confusion import Confusion
from .counts import Counts
from .definitions import Definitions
from .label_pairs import as_unsigned, checked_labels
from .mapping import map_labels
from .metric import Metric
from .objects.rows import ObjectRow

ABSENT = "absent from both prediction and reference"
NOT_IN_REFERENCE = "absent from the reference"
NOT_PREDICTED = "absent from the prediction"
_NOTHING_ELSE = "the reference has no other class"
_NOTHING_ELSE_PREDICTED = "the prediction has no other class"
_NOTHING_TO_COMPARE = "no voxel is counted"
_NO_VARIATION = {
    "kappa": "all voxels have one label, the same in prediction and reference",
    "multiclass_mcc": "all voxels have one label, in the prediction or the reference or both",
}


@dataclass(frozen=True, eq=False)
class Pair:
    """Two label arrays on one grid, and how they are to be compared.

    Attributes
    ----------
    prediction, reference : (M, N[, P]) array_like
    classes : tuple of int
        Those reported on.
    ignore : tuple of int
    mapping : mapping of int to int
    spacing : tuple of float
        Per spatial axis; ones where nothing is known.
    confusion : Confusion or None
        Mapped; None if no metric of classes is wanted.
    occurring : tuple of int
        All labels but ignored ones.
    definitions : Definitions
    """

    prediction: Any
    reference: Any
    classes: tuple[int, ...]
    ignore: tuple[int, ...]
    mapping: Mapping[int, int]
    spacing: tuple[float, ...]
    confusion: Confusion | None
    occurring: tuple[int, ...]
    definitions: Definitions

    def arrays(self, group: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Both label arrays in memory and unsigned, predicted labels mapped.

        Nothing is copied but a prediction that is mapped.

        Raises
        ------
        InputError
            If one is lazy.
        """
        from .blocks import is_lazy

        for array in (self.prediction, self.reference):
            # A mapped file is an array: only what is used of it takes memory.
            if is_lazy(array) and not isinstance(array, np.ndarray):
                raise InputError(
                    f"expected labels in memory for {group} metrics, got a lazy array of shape "
                    f"{array.shape}; compute it first (numpy.asarray), or ask for overlap alone"
                )
        prediction = as_unsigned(checked_labels(self.prediction, "prediction"))
        reference = as_unsigned(checked_labels(self.reference, "reference"))
        return map_labels(prediction, self.mapping), reference


@dataclass(frozen=True, eq=False)
class Measured:
    """What the metrics of a group take, and the reasons of values they lack.

    Attributes
    ----------
    of_classes, of_image : object
        What metrics per class, and of the whole image, are called with.
    why : callable
        Metric without a value and place of the class (-1 for the whole image) to a reason.
    objects : tuple of ObjectRow
        Where objects were matched.
    """

    of_classes: Any
    of_image: Any
    why: Callable[[Metric, int], str]
    objects: tuple[ObjectRow, ...] = ()


def measure_counts(pair: Pair, progress: Progress = SILENT) -> Measured:
    """Overlap and volumes: voxel counts of the classes."""
    progress(0.0)
    assert pair.confusion is not None
    voxel, beta = math.prod(pair.spacing), pair.definitions.beta
    counts = Counts.of(pair.confusion, pair.classes, voxel, beta)
    whole = Counts.of(pair.confusion, pair.occurring, voxel, beta)
    return Measured(counts, whole, lambda metric, i: why_no_overlap(metric, counts, i))


def measure_distances(pair: Pair, progress: Progress = SILENT) -> Measured:
    """Surface metrics: distances between the borders of each class."""
    from .surfaces.surface_metrics import measure_surfaces

    chosen = pair.definitions
    surfaces = measure_surfaces(
        *pair.arrays("surface"),
        pair.classes,
        pair.spacing,
        surface=chosen.surface,
        pooling=chosen.hd_pooling,
        tolerance=max(pair.spacing) if chosen.tolerance is None else chosen.tolerance,
        boundary_width=chosen.boundary_width,
        ignore=pair.ignore,
        progress=progress,
    )
    return Measured(surfaces, None, lambda _metric, i: surfaces.reasons[i])


def measure_objects(pair: Pair, progress: Progress = SILENT) -> Measured:
    """Instance metrics: objects matched by their IoU."""
    from .contingency import contingency_table
    from .objects.centroids import with_centroids
    from .objects.components import components_of_pair
    from .objects.instances import match_instances

    prediction, reference = pair.arrays("instance")
    ignore = pair.ignore
    if pair.definitions.objects == "components":
        prediction, reference = components_of_pair(prediction, reference, ignore)
        ignore = ()
    found = match_instances(
        contingency_table(prediction, reference, ignore=ignore, progress=progress)
    )
    rows = found.objects
    if reference.ndim in (2, 3):
        rows = with_centroids(rows, prediction, reference)
    return Measured(None, found, lambda _metric, _i: found.reason, rows)


def measure_regions(pair: Pair, progress: Progress = SILENT) -> Measured:
    """Partition metrics: how regions were split and merged."""
    from .contingency import contingency_table
    from .partition import measure_partition as measure

    table = contingency_table(*pair.arrays("partition"), ignore=pair.ignore, progress=progress)
    found = measure(table)
    return Measured(None, found, lambda metric, _i: found.why(metric.name))


def measure_topology(pair: Pair, progress: Progress = SILENT) -> Measured:
    """Pixel and warping error of what is labelled at all."""
    from .warping import measure_warping

    found = measure_warping(*pair.arrays("warping"), ignore=pair.ignore, progress=progress)
    return Measured(None, found, lambda _metric, _i: found.reason)


MEASURES: dict[str, Callable[..., Measured]] = {
    "overlap": measure_counts,
    "volume": measure_counts,
    "surface": measure_distances,
    "instances": measure_objects,
    "partition": measure_regions,
    "warping": measure_topology,
}
OF_CLASSES = ("overlap", "volume", "surface")


def why_no_overlap(metric: Metric, counts: Counts, i: int) -> str:
    """Why a metric of counts has no value: of the class at a place, or (-1) of the image."""
    if i < 0:
        return _NO_VARIATION[metric.name] if counts.total else _NOTHING_TO_COMPARE
    expected, predicted = counts.tp[i] + counts.fn[i], counts.tp[i] + counts.fp[i]
    if not expected and not predicted:
        return ABSENT
    lacking = {
        "reference": (not expected, NOT_IN_REFERENCE),
        "prediction": (not predicted, NOT_PREDICTED),
        "rest of reference": (expected == counts.total, _NOTHING_ELSE),
        "rest of prediction": (predicted == counts.total, _NOTHING_ELSE_PREDICTED),
    }
    return next(reason for need in metric.needs for lacks, reason in [lacking[need]] if lacks)
