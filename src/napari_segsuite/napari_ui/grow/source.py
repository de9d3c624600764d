"""An image layer as the engines see it: one level, one time point, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...image import Image
from ...space import Space
from ...typing import Box, LabelArray
from ..adapters import space_of

if TYPE_CHECKING:
    import napari.layers

_CHANNEL_NAMES = ("c", "channel", "channels")


class ImageSource:
    """What an image layer offers.

    Nothing is loaded before `load` is called, which may take long for a lazy array.

    Parameters
    ----------
    layer : Image
    level : int
        Of a multiscale layer, 0 = the finest.

    Attributes
    ----------
    layer : Image
    space : Space
        Of the array at this level, channels and time included.
    """

    def __init__(self, layer: napari.layers.Image, level: int = 0) -> None:
        self.layer = layer
        self.name = str(layer.name)
        self.level = level
        arrays = list(layer.data) if layer.multiscale else [layer.data]
        self._array: Any = arrays[level]
        space = _with_channels(space_of(layer))
        if level:
            factors = np.divide(self._array.shape, arrays[0].shape)
            space = space.resample([float(factor) for factor in factors])
        self.space = space
        if self.grid.ndim not in (2, 3):
            raise InputError(
                f"expected an image with 2 or 3 axes of space, perhaps with time, got "
                f"'{self.name}' of shape {tuple(self._array.shape)}; "
                f"take a part of it as a layer of its own."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array at this level."""
        return tuple(int(n) for n in self._array.shape)

    @property
    def grid(self) -> Space:
        """Space of one time point, without channels."""
        return self.space.without("channel").without("time")

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """Shape of one time point, without channels."""
        return self._shape_of("space")

    @property
    def labels_space(self) -> Space:
        """Space of labels for all time points."""
        return self.space.without("channel")

    @property
    def labels_shape(self) -> tuple[int, ...]:
        """Shape of labels for all time points."""
        return self._shape_of("time", "space")

    @property
    def time_axis(self) -> int | None:
        """Axis of time among those of the labels."""
        kinds = [axis.kind for axis in self.labels_space.axes]
        return kinds.index("time") if "time" in kinds else None

    @property
    def layer_time_axis(self) -> int | None:
        """Axis of time among those that the layer has in the viewer, channels included."""
        kinds = [axis.kind for axis in self.space.axes]
        return kinds.index("time") if "time" in kinds else None

    @property
    def n_channels(self) -> int:
        """How many channels there are; 1 without an axis for them."""
        axis = self.space.channel_axis
        return 1 if axis is None else self.shape[axis]

    @property
    def n_levels(self) -> int:
        """How many resolutions the layer has."""
        return len(self.layer.data) if self.layer.multiscale else 1

    def load(
        self,
        time: int | None = None,
        channels: tuple[int, ...] = (),
        box: Box | None = None,
    ) -> Image:
        """The image of one time point, with the given channels, inside a box.

        Parameters
        ----------
        time : int or None
            Needed where there is a time axis.
        channels : tuple of int
            Empty for all.
        box : tuple of slice, optional
            On the grid of one time point; only this part is fetched.
        """
        index: list[Any] = []
        parts = iter(box) if box is not None else None
        for axis in self.space.axes:
            if axis.kind == "time":
                index.append(time)
            elif axis.kind == "channel":
                # A list of indices does not work for every lazy array.
                index.append(slice(min(channels), max(channels) + 1) if channels else slice(None))
            elif parts is None:
                index.append(slice(None))
            else:
                index.append(next(parts))
        data = np.asarray(self._array[tuple(index)])
        space = self.space.without("time")
        if box is not None:
            whole = [slice(None)] * space.ndim
            places = [i for i, axis in enumerate(space.axes) if axis.kind == "space"]
            for place, part in zip(places, box, strict=True):
                whole[place] = part
            space = space.crop(whole)
        axis_of_channels = space.channel_axis
        if axis_of_channels is not None and channels:
            data = np.take(data, np.subtract(channels, min(channels)), axis_of_channels)
        return Image(data, space, self.name)

    def places_in(self, labels: Any, places: tuple[Any, ...], time: int | None) -> tuple[Any, ...]:
        """Indices of one time point as indices into labels that may hold all of them."""
        if self.time_axis is None or labels.ndim == self.grid.ndim:
            return places
        indices = list(places)
        indices.insert(self.time_axis, np.full(len(places[0]), time))
        return tuple(indices)

    def _shape_of(self, *kinds: str) -> tuple[int, ...]:
        return tuple(
            n for n, axis in zip(self.shape, self.space.axes, strict=True) if axis.kind in kinds
        )


def frame_of(labels: LabelArray, source: ImageSource, time: int | None) -> LabelArray:
    """View of the labels of one time point."""
    axis = source.time_axis
    if axis is None or labels.ndim == source.grid.ndim:
        return labels
    index: list[Any] = [slice(None)] * labels.ndim
    index[axis] = time
    view: LabelArray = labels[tuple(index)]
    return view


def finest_level(layer: napari.layers.Image, bytes_per_voxel: float, allowed: int) -> int:
    """The finest level of a layer whose labels can be grown within so many bytes."""
    if not layer.multiscale:
        return 0
    levels = range(len(layer.data))
    for level in levels:
        if np.prod(ImageSource(layer, level).grid_shape) * bytes_per_voxel <= allowed:
            return level
    return levels[-1]


def _with_channels(space: Space) -> Space:
    """Take an axis that is named so for one of channels."""
    if space.channel_axis is not None:
        return space
    names = [axis.name.lower() for axis in space.axes]
    for name in _CHANNEL_NAMES:
        if name in names:
            return space.with_channel_axis(names.index(name))
    return space
