"""Time series: what a method is given in one call, and results back in their order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, ParameterError
from .method import Method
from .space import Space
from .typing import ImageArray

Frames = Literal["each", "together", "channels"]
Arrays = Mapping[str, ImageArray]


def frame_choices(method: Method, space: Space) -> tuple[Frames, ...]:
    """How a method can take the time points of an image; none where it has no time axis.

    Parameters
    ----------
    method : Method
    space : Space
        Of the image.

    Returns
    -------
    tuple of {"each", "together", "channels"}
        Each time point by itself; all as one image, where neighbourhood plays no part; the
        course over time as channels, where the method takes several and there are none yet.
    """
    if time_axis(space) is None:
        return ()
    choices: list[Frames] = ["each"]
    if method.is_pixelwise and 3 in method.ndim:
        choices.append("together")
    if method.channels == "any" and space.channel_axis is None:
        choices.append("channels")
    return tuple(choices)


def time_axis(space: Space) -> int | None:
    """Index of the time axis."""
    kinds = [axis.kind for axis in space.axes]
    return kinds.index("time") if "time" in kinds else None


def at_one_time(shape: Sequence[int], space: Space) -> tuple[tuple[int, ...], Space]:
    """Shape and space of a single time point."""
    sizes = zip(shape, space.axes, strict=True)
    return tuple(n for n, axis in sizes if axis.kind != "time"), space.without("time")


def check_frames(method: Method, space: Space, frames: Frames) -> None:
    """Refuse a way to take time points that a method has not.

    Raises
    ------
    ParameterError
        If it is none of the ways there are.
    InputError
        If the method cannot take this image so.
    """
    if frames not in get_args(Frames):
        raise ParameterError(
            f"{method.title}: 'frames' must be one of 'each', 'together', 'channels', "
            f"got {frames!r}.",
            name="frames",
        )
    choices = frame_choices(method, space)
    if not choices and frames != "each":
        raise InputError(
            f"{method.title}: expected an image with a time axis for frames={frames!r}, got one "
            "without; name an axis 't', or leave 'frames' out."
        )
    if choices and frames not in choices:
        raise InputError(
            f"{method.title} takes the time points of this image as "
            f"{' or '.join(map(repr, choices))}, got frames={frames!r}; choose another."
        )


@dataclass(frozen=True)
class Calls:
    """The calls of a method that one job takes.

    Parameters
    ----------
    space : Space
        Of the image.
    frames : {"each", "together", "channels"}
    """

    space: Space
    frames: Frames

    @property
    def channel_axis(self) -> int | None:
        """Which axis holds channels in what `split` gives."""
        axis = time_axis(self.space)
        if axis is not None and self.frames == "channels":
            return axis
        if axis is not None and self.frames == "together":
            return None if self.space.channel_axis is None else -1
        return self.space.without("time").channel_axis

    @property
    def is_series(self) -> bool:
        """Whether the result has a time axis."""
        return self.frames != "channels" and time_axis(self.space) is not None

    @property
    def result_space(self) -> Space:
        """Where the labels lie."""
        grid = self.space.without("channel")
        return grid.without("time") if self.frames == "channels" else grid

    def result_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Shape of the labels, of an image of this shape."""
        left_out = {"channel"} | ({"time"} if self.frames == "channels" else set())
        sizes = zip(shape, self.space.axes, strict=True)
        return tuple(n for n, axis in sizes if axis.kind not in left_out)

    def voxels_at_once(self, shape: Sequence[int]) -> int:
        """Voxels in one call, of an image of this shape; channels are not counted."""
        left_out = {"channel"} | ({"time"} if self.frames != "together" else set())
        sizes = zip(shape, self.space.axes, strict=True)
        return math.prod(n for n, axis in sizes if axis.kind not in left_out)

    def split(self, image: ImageArray, inputs: Arrays) -> list[tuple[ImageArray, Arrays]]:
        """The image and the further inputs of each call, as views where they can be.

        Parameters
        ----------
        image : array
            With the axes of `space`.
        inputs : mapping of str to array
            Seeds, labels, …: for each time point, or one for all of them.
        """
        if not self.is_series:
            return [(image, inputs)]
        axis = time_axis(self.space)
        assert axis is not None
        series = np.moveaxis(image, axis, 0)
        along = {name: self._series(array, len(series)) for name, array in inputs.items()}
        if self.frames == "together":
            return [(self._joined(image), {name: _chain(a, 0) for name, a in along.items()})]
        return [
            (frame, {name: array[index] for name, array in along.items()})
            for index, frame in enumerate(series)
        ]

    def put_together(
        self,
        results: Sequence[NDArray[Any]],
        shape: Sequence[int],
        *,
        channels_last: bool = False,
    ) -> NDArray[Any]:
        """The labels, or a further output, of the whole job.

        Parameters
        ----------
        results : sequence of (M, N[, P]) or (K, M, N[, P]) array
            One per call. Missing planes of those with fewer leading ones are filled with 0.
        shape : sequence of int
            Of the labels of the whole job.
        channels_last : bool
            Whether an axis beyond those of the labels comes last, not first.
        """
        if not self.is_series:
            return results[0]
        place = self._place
        if self.frames == "together":
            (result,) = results
            leading = result.shape[: result.ndim - 3]
            sizes = (shape[place], *shape[:place], *shape[place + 1 :])
            return np.moveaxis(result.reshape(*leading, *sizes), len(leading), len(leading) + place)
        n_leading = 0 if channels_last else results[0].ndim - (len(shape) - 1)
        if n_leading:
            most = max(len(result) for result in results)
            results = [_padded(result, most) for result in results]
        return np.stack(results, axis=place + n_leading)

    @property
    def _place(self) -> int:
        """Index of the time axis among those that are not channels."""
        axis = time_axis(self.space.without("channel"))
        assert axis is not None
        return axis

    def _series(self, array: ImageArray, n_frames: int) -> ImageArray:
        """Time first; an array without time is the same at all times."""
        if array.ndim < self.space.without("channel").ndim:
            return np.broadcast_to(array, (n_frames, *array.shape))
        return np.moveaxis(array, self._place, 0)

    def _joined(self, image: ImageArray) -> ImageArray:
        channel = self.space.channel_axis
        planes = image if channel is None else np.moveaxis(image, channel, -1)
        return _chain(np.moveaxis(planes, self._place, 0), 0 if channel is None else 1)


def _chain(series: ImageArray, n_channel_axes: int) -> ImageArray:
    """A series as one volume: frames become its planes, the planes of volumes follow on."""
    is_flat = series.ndim - n_channel_axes == 3
    return series if is_flat else series.reshape(-1, *series.shape[2:])


def _padded(planes: NDArray[Any], n: int) -> NDArray[Any]:
    return np.pad(planes, [(0, n - len(planes))] + [(0, 0)] * (planes.ndim - 1))
