"""Boxes that the viewer shows or that the user drew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...growing.boxes import bounding_box
from ...growing.limits import box_from_points
from ...typing import Box
from .inputs_panel import check_grid
from .source import ImageSource, frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


def box_in_view(viewer: ViewerModel, layer: Layer, source: ImageSource) -> Box | None:
    """The slice on display, on the grid of one time point; None where all of it is."""
    place = step_of(viewer, layer)
    hidden = viewer.dims.not_displayed
    offset = viewer.dims.ndim - layer.ndim
    box = [slice(0, n) for n in source.labels_shape]
    for axis in hidden:
        own = axis - offset
        if 0 <= own < len(box):
            index = int(np.clip(place[own], 0, box[own].stop - 1))
            box[own] = slice(index, index + 1)
    if source.time_axis is not None:
        del box[source.time_axis]
    whole = all(part == slice(0, n) for part, n in zip(box, source.grid_shape, strict=True))
    return None if whole else tuple(box)


def step_of(viewer: ViewerModel, layer: Layer) -> tuple[int, ...]:
    """Index in a layer's array of the point that the sliders name."""
    point = viewer.dims.point[-layer.ndim :]
    return tuple(round(float(index)) for index in layer.world_to_data(point))


def go_to(viewer: ViewerModel, layer: Layer, axis: int, index: int) -> None:
    """Move the slider of one axis of a layer to a slice of its array."""
    place = list(step_of(viewer, layer))
    place[axis] = index
    world = layer.data_to_world(place)
    viewer.dims.set_point(axis + viewer.dims.ndim - layer.ndim, world[axis])


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
