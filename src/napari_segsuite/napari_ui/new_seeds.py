"""A new layer to paint seeds into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..image import Image, LabelClass
from .adapters import class_colormap, class_features

if TYPE_CHECKING:
    from napari.components import ViewerModel

# Okabe and Ito's colours, which also the colour-blind tell apart.
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
_N_NAMED = 2


def add_seeds_layer(viewer: ViewerModel, image: Image) -> Any:
    """Add an empty labels layer on the grid of `image`, ready for painting."""
    classes = tuple(
        LabelClass(index, f"class {index}", _rgba(colour))
        for index, colour in enumerate(_COLOURS, start=1)
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


def _rgba(colour: str) -> tuple[float, float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0
