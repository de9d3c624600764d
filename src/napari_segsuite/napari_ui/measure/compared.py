"""The two label arrays of a result as its report compared them, voxel by voxel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from ...image import Segmentation
from ...label_values import unsigned_labels
from ...metrics.mapping import map_labels
from ...metrics.objects.components import components_of_pair
from ...metrics.resampling import nearest_on
from .results import Result, Results


@dataclass(frozen=True, eq=False)
class Compared:
    """A prediction and the reference on the reference's own grid.

    Attributes
    ----------
    prediction, reference : Segmentation
    ignore : tuple of int
        Labels of the reference whose voxels do not count.
    """

    prediction: Segmentation
    reference: Segmentation
    ignore: tuple[int, ...] = ()


def compared(results: Results, result: Result) -> Compared:
    """The labels that the voxels of a result were counted with."""
    options = results.options
    reference, prediction = results.reference, result.prediction
    # What is measured although the grids differ lies turned, or was allowed to.
    if prediction.labels.shape != reference.labels.shape or not prediction.space.is_close(
        reference.space
    ):
        prediction = nearest_on(prediction, reference.labels.shape, reference.space)
    if options.get("mapping"):
        labels = map_labels(unsigned_labels(prediction.labels), options["mapping"])
        prediction = replace(prediction, labels=labels)
    return Compared(prediction, reference, ignored(results))


def ignored(results: Results | None) -> tuple[int, ...]:
    """Labels of the reference whose voxels do not count."""
    return () if results is None else tuple(results.options.get("ignore", ()))


def compared_objects(results: Results, result: Result) -> Compared:
    """The labels that the objects of a result go by."""
    both = compared(results, result)
    if result.report is None or result.report.definitions.objects == "labels":
        return both
    # As the metrics number them.
    arrays = components_of_pair(
        np.asarray(both.prediction.labels), np.asarray(both.reference.labels), both.ignore
    )
    prediction, reference = (
        replace(segmentation, labels=labels, classes=())
        for segmentation, labels in zip((both.prediction, both.reference), arrays, strict=True)
    )
    return Compared(prediction, reference)


def has_only_objects(result: Result) -> bool:
    """Whether labels of a result number objects, and classes were not measured."""
    report = result.report
    return report is not None and report.instances is not None and not report.confusion.size


def matches(result: Result) -> dict[int, int]:
    """By label of a predicted object that of its match; unmatched ones get labels of no other."""
    assert result.report is not None
    assert result.report.instances is not None
    objects = result.report.instances.objects
    free = count(1 + max((row.label for row in objects), default=0))
    return {row.label: row.match or next(free) for row in objects if row.role == "prediction"}
