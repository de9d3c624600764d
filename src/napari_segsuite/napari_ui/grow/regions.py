"""Boxes that the viewer shows or that the user drew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...boxes import bounding_box
from ...errors import InputError
from ...growing.limits import box_from_points
from ...typing import Box
from .inputs_panel import check_grid
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def step_of(viewer: ViewerModel, layer: Layer) -> tuple[int, ...]:
    """Index of what is on display, along the hidden axes of a layer's array."""
    return tuple(round(float(index)) for index in layer.world_to_data(_hidden_point(viewer, layer)))


def go_to(viewer: ViewerModel, layer: Layer, axis: int, index: int) -> None:
    """Move the slider of one hidden axis of a layer to a slice of its array."""
    point = _hidden_point(viewer, layer)
    here = layer.world_to_data(point)[axis]
    further = point + np.eye(layer.ndim)[axis]
    slices_per_unit = layer.world_to_data(further)[axis] - here
    target = point[axis] + (index - here) / slices_per_unit
    viewer.dims.set_point(axis + viewer.dims.ndim - layer.ndim, target)


def _hidden_point(viewer: ViewerModel, layer: Layer) -> NDArray[np.float64]:
    """What the sliders name, in a layer's own axes; the others are 0.

    napari leaves them out, too, when it looks for the slice of an oblique layer.
    """
    point = np.array(viewer.dims.point[-layer.ndim :], dtype=np.float64)
    offset = viewer.dims.ndim - layer.ndim
    point[[axis - offset for axis in viewer.dims.displayed if axis >= offset]] = 0
    return point


def box_of_layer(layer: Any, source: ImageSource, time: int | None) -> Box:
    """Box around what is drawn in a Shapes layer, or labelled in a Labels layer.

    Raises
    ------
    InputError
        If nothing is, or it lies elsewhere.
    """
    if hasattr(layer, "shape_type"):
        corners = [layer.data_to_world(corner) for shape in layer.data for corner in shape]
        if not corners:
            raise InputError(f"Draw a box in the layer '{layer.name}' first.")
        points = np.asarray(corners)[:, -source.grid.ndim :]
        return box_from_points(points, source.grid, source.grid_shape)
    check_grid(layer, "box", source)
    box = bounding_box(frame_of(np.asarray(layer.data), source, time))
    if box is None:
        raise InputError(f"Label something in '{layer.name}' first, to work on the box around it.")
    return box
