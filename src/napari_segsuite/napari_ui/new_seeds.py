"""A new layer to paint seeds into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..image import CLASS_COLOURS, Image, LabelClass
from .adapters import class_colormap, class_features

if TYPE_CHECKING:
    from napari.components import ViewerModel

_N_NAMED = 2


def add_seeds_layer(viewer: ViewerModel, image: Image) -> Any:
    """Add an empty labels layer on the grid of `image`, ready for painting."""
    classes = tuple(
        LabelClass(index, f"class {index}", colour)
        for index, colour in enumerate(CLASS_COLOURS, start=1)
    )
    layer = viewer.add_labels(
        np.zeros(image.spatial_shape, dtype=np.uint8),
        name=f"{image.name} seeds",
        features=class_features(classes[:_N_NAMED]),
        colormap=class_colormap(classes),
        **image.space.without("channel").to_layer_kwargs(),
    )
    viewer.layers.selection.active = layer
    layer.mode = "paint"
    return layer
