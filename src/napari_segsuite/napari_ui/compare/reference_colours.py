"""Labels of a layer with the colours that the viewer shows them in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...image import LabelClass, Segmentation
from ...label_values import present_labels
from ..adapters import ColoursOf, segmentation_from_layer

if TYPE_CHECKING:
    from napari.layers import Labels

_MOST_CLASSES = 64


def coloured_labels(layer: Labels, *, snapshot: bool) -> Segmentation:
    """The labels of a layer, each class with a colour.

    Parameters
    ----------
    layer : Labels
    snapshot : bool
        Copy the labels, and look which ones there are.

    Raises
    ------
    InputError
        If the layer cannot be used.
    """
    labels = segmentation_from_layer(layer, snapshot=snapshot)
    if not snapshot or labels.classes:
        return labels
    present = present_labels(labels.labels)
    if len(present) > _MOST_CLASSES:
        return labels
    colours = ColoursOf(layer.colormap)
    classes = tuple(LabelClass(label, f"class {label}", colours[label]) for label in present)
    return replace(labels, classes=classes)
