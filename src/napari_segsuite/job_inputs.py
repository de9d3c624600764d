"""What a job is given: brought to one form, and refused where a method cannot take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import InputError, SpaceMismatchError
from .image import Image, LabelClass, Segmentation
from .inputs import as_array, check_channel_axis, check_image_shape, check_same_shape
from .job_frames import Frames, at_one_time, check_frames
from .method import Method
from .space import Space
from .typing import ImageArray

Source = ImageArray | Image | Segmentation | str | Path


class LabelInput(NamedTuple):
    """Seeds, labels, a mask or a reference, and where they lie, as far as that is known."""

    data: ImageArray
    space: Space | None = None
    classes: tuple[LabelClass, ...] = ()


def opened(method: Method, source: Source) -> Source:
    """Labels for `method` read from their file; anything else as it is."""
    if method.takes_labels and isinstance(source, str | Path):
        from .io import read

        return read(source, kind="labels")
    return source


def as_image(
    source: Source, spacing: tuple[float, ...] | None = None, channel_axis: int | None = None
) -> Image:
    """Bring whatever holds an image to an `Image`."""
    if isinstance(source, str | Path):
        from .io import read

        source = read(source, kind="image")
    if isinstance(source, Segmentation):
        source = Image(source.labels, source.space, source.name)
    if isinstance(source, Image):
        if channel_axis is None or source.space.channel_axis is not None:
            return source
        check_channel_axis(channel_axis, source.data.shape)
        return replace(source, space=source.space.with_channel_axis(channel_axis))
    return Image.from_array(as_array(source, "image: "), spacing=spacing, channel_axis=channel_axis)


def check_inputs(
    method: Method, image: Image, labels: Mapping[str, LabelInput], frames: Frames = "each"
) -> None:
    """Refuse what the method cannot work on, as far as a look at shapes and places tells.

    Raises
    ------
    InputError, SpaceMismatchError
    """
    if image.space.channel_axis is not None and method.channels == "single":
        raise InputError(
            f"{method.title} takes one channel, got an image with "
            f"{image.data.shape[image.space.channel_axis]}; pick one channel or convert to grey."
        )
    check_frames(method, image.space, frames)
    once, space = at_one_time(image.data.shape, image.space)
    check_image_shape(method.title, once, method.ndim, space.channel_axis)
    known = {entry.name: entry for entry in method.inputs}
    for name, entry in known.items():
        if entry.required and name != "image" and name not in labels:
            raise InputError(f"{method.title} needs {name}; give {name}= an array like the image.")
    for name, given in labels.items():
        if name not in known:
            raise InputError(f"{method.title} takes no {name}; leave it out.")
        _check_label_input(method, image, name, given)


def _check_label_input(method: Method, image: Image, name: str, labels: LabelInput) -> None:
    """Refuse labels that lie elsewhere than the image, or than each of its time points."""
    shape, space = image.data.shape, image.space
    is_for_all_times = np.ndim(labels.data) < len(image.spatial_shape)
    if is_for_all_times:
        shape, space = at_one_time(shape, space)
    check_same_shape(method.title, name, np.shape(labels.data), shape, space.channel_axis)
    grid = space.without("channel")
    place = labels.space
    if place is not None and place.ndim == grid.ndim and not place.is_close(grid):
        raise SpaceMismatchError(
            f"expected the {name} on the grid of the image, but they lie at different places "
            f"in the world: the image has {grid}, the {name} {place}; "
            f"resample the {name} onto the image's grid first."
        )


def label_input(source: Source) -> LabelInput:
    """Bring whatever holds seeds, labels, a mask or a reference to its parts."""
    if isinstance(source, str | Path):
        from .io import read

        source = read(source, kind="labels")
    if isinstance(source, Segmentation):
        return LabelInput(source.labels, source.space, tuple(source.classes))
    if isinstance(source, Image):
        return LabelInput(source.data, source.space)
    return LabelInput(np.asarray(source))
