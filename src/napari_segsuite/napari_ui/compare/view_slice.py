"""The slice that the viewer shows, as an image of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...comparing import Scene
from ...errors import InputError
from ...image import Image, Segmentation
from ...space import Space
from ..grow.regions import step_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


@dataclass(frozen=True)
class ViewSlice:
    """Indices along the axes of an image that the viewer does not show.

    Attributes
    ----------
    indices : mapping of int to int
        By axis of the array without channels.
    grid : Space
        Of the whole image without channels.
    """

    indices: Mapping[int, int]
    grid: Space

    def of_scene(self, scene: Scene) -> Scene:
        """What is compared, on the slice alone."""
        reference = None if scene.reference is None else self.of_labels(scene.reference)
        inputs = {name: self.of_labels(labels) for name, labels in scene.inputs.items()}
        return replace(scene, image=self.of_image(scene.image), inputs=inputs, reference=reference)

    def of_image(self, image: Image) -> Image:
        """The slice of an image, a view of its data."""
        world = [i for i, axis in enumerate(image.space.axes) if axis.kind != "channel"]
        index: list[Any] = [slice(None)] * image.data.ndim
        for axis, step in self.indices.items():
            index[world[axis]] = step
        hidden = {world[axis] for axis in self.indices}
        return replace(image, data=image.data[tuple(index)], space=_without(image.space, hidden))

    def of_labels(self, labels: Segmentation) -> Segmentation:
        """The slice of labels on the same grid."""
        index = tuple(self.indices.get(axis, slice(None)) for axis in range(labels.labels.ndim))
        space = _without(labels.space, set(self.indices))
        return replace(labels, labels=labels.labels[index], space=space)

    def put_back(self, result: Segmentation) -> Segmentation:
        """Labels of the slice where it lies in the whole image, one voxel thick."""
        box = [slice(None)] * self.grid.ndim
        for axis, step in self.indices.items():
            box[axis] = slice(step, step + 1)
        labels = np.expand_dims(result.labels, tuple(sorted(self.indices)))
        return replace(result, labels=labels, space=self.grid.crop(box))


def slice_in_view(viewer: ViewerModel, layer: Layer, image: Image) -> ViewSlice:
    """The slice of a layer that the viewer shows.

    Raises
    ------
    InputError
        If it shows the volume, or no slice of this layer.
    """
    grid = image.space.without("channel")
    offset = viewer.dims.ndim - layer.ndim
    hidden = [axis for axis in range(layer.ndim) if axis + offset not in viewer.dims.displayed]
    if layer.ndim - len(hidden) > 2:
        raise InputError(
            "The viewer shows the volume; switch to 2D to choose a slice, or run on the whole "
            "image."
        )
    steps = step_of(viewer, layer)
    indices = {axis: steps[axis] for axis in hidden}
    if any(not 0 <= step < image.spatial_shape[axis] for axis, step in indices.items()):
        raise InputError(f"No slice of '{layer.name}' is in view; move the slider onto it.")
    return ViewSlice(indices, grid)


def _without(space: Space, hidden: set[int]) -> Space:
    """The space without some of its axes."""
    axes = tuple(
        replace(axis, kind="time") if i in hidden else axis for i, axis in enumerate(space.axes)
    )
    return replace(space, axes=axes).without("time")
