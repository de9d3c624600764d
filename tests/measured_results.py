"""Results of small labels, as the views of the dock that measures are given them."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.metrics import evaluate
from napari_segsuite.napari_ui.measure.results import Result, Results
from napari_segsuite.space import Space

SPACE = Space.regular(3, (3.0, 0.5, 0.5), "mm")
CLASSES = (
    LabelClass(1, "grey", (0.5, 0.5, 0.5)),
    LabelClass(2, "white", (0.0, 0.6, 0.4)),
)


def reference_labels() -> np.ndarray:
    """Two boxes of classes 1 and 2 in planes 2 to 5 of eight."""
    labels = np.zeros((8, 12, 14), np.uint8)
    labels[2:6, 2:6, 2:10] = 1
    labels[2:6, 6:10, 2:10] = 2
    return labels


def shifted_labels() -> np.ndarray:
    """As the reference, a column further right; plane 3 has a patch of 2 inside class 1."""
    labels = np.roll(reference_labels(), 1, axis=2)
    labels[3, 3:5, 4:7] = 2
    return labels


def results_of(
    reference: np.ndarray,
    *predictions: np.ndarray,
    space: Space | None = None,
    classes: tuple[LabelClass, ...] = (),
    **options: Any,
) -> Results:
    """Predictions "first", "second", … against a reference called "truth"."""
    space = Space.regular(reference.ndim) if space is None else space
    truth = Segmentation(reference, space, classes, name="truth")
    names = ("first", "second", "third")
    found = []
    for name, labels in zip(names, predictions, strict=False):
        prediction = Segmentation(labels, space, classes, name=name)
        found.append(Result(name, prediction, evaluate(prediction, truth, **options)))
    return Results(truth, tuple(found), options)


def brain_like(*predictions: np.ndarray, **options: Any) -> Results:
    """Results against the two boxes, with names, colours and geometry."""
    chosen = predictions or (shifted_labels(),)
    return results_of(reference_labels(), *chosen, space=SPACE, classes=CLASSES, **options)
