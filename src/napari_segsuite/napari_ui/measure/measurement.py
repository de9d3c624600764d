"""Measuring layers in the background: what is taken along, and the work itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SegSuiteError
from ...image import LabelClass, Segmentation
from ...metrics import evaluate
from ...metrics.blocks import is_lazy
from ...progress import Progress, part_of
from ..adapters import ColoursOf, classes_in, names_classes, space_of
from .results import Result, Results

if TYPE_CHECKING:
    from napari.layers import Labels

# Each takes a fifth of a millisecond, and nobody tells more apart by their colours.
_MOST_COLOURED = 256


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The labels of a layer as they were, and how the viewer colours them.

    Attributes
    ----------
    labels : Segmentation
        Copied, unless lazy: no painting reaches them any more.
    colours : ColoursOf
    """

    labels: Segmentation
    colours: ColoursOf

    @classmethod
    def of(cls, layer: Labels) -> Snapshot:
        """Take one; of several resolutions the finest."""
        data = layer.data[0] if layer.multiscale else layer.data
        labels = data if is_lazy(data) else np.array(data)
        # What a colormap lists without a name is no class of the user's.
        classes = classes_in(layer.features, None) if names_classes(layer.features) else ()
        found = Segmentation(labels, space_of(layer), classes, name=str(layer.name))
        return cls(found, ColoursOf(layer.colormap))

    def coloured(self, classes: Collection[int]) -> Segmentation:
        """The labels with a class table that has the colours of these classes.

        Of hundreds of classes, objects for instance, the table stays as it is.
        """
        if len(classes) > _MOST_COLOURED:
            return self.labels
        known = {entry.id: entry for entry in self.labels.classes}
        for label in classes:
            if label != 0:
                entry = known.get(label, LabelClass(label, f"class {label}"))
                known[label] = replace(entry, colour=self.colours[label])
        return replace(self.labels, classes=tuple(known[label] for label in sorted(known)))


def measure(
    reference: Snapshot,
    predictions: Sequence[Snapshot],
    options: Mapping[str, Any],
    progress: Progress,
) -> Results:
    """Measure each prediction; one that fails says why and stops no other.

    Parameters
    ----------
    reference : Snapshot
    predictions : sequence of Snapshot
    options : mapping
        Keywords of `evaluate`.
    progress : Progress
        Raises `Cancelled` to stop.
    """
    results: list[Result] = []
    labels: set[int] = set()
    for i, prediction in enumerate(predictions):
        part = part_of(progress, i / len(predictions), (i + 1) / len(predictions))
        name = prediction.labels.name
        part(0.0, f"measuring {name} …")
        result = _result(prediction, reference, options, _named(part, name))
        if result.report is not None:
            labels.update(result.report.classes)
        results.append(result)
    return Results(reference.coloured(labels), tuple(results), options)


def _result(
    prediction: Snapshot, reference: Snapshot, options: Mapping[str, Any], progress: Progress
) -> Result:
    labels = prediction.labels
    try:
        report = evaluate(labels, reference.labels, **options, progress=progress)
    except SegSuiteError as error:
        return Result(labels.name, labels, None, str(error))
    return Result(labels.name, prediction.coloured(report.classes), report)


def _named(progress: Progress, name: str) -> Progress:
    """Progress whose messages say which prediction they are about."""

    def report(fraction: float, message: str = "") -> None:
        progress(fraction, f"{name}: {message}" if message else f"measuring {name} …")

    return report
