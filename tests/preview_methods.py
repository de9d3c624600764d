"""Methods with little to them whose forms show previews, and lines or colours to choose."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.method import method
from napari_segsuite.params import PickedOn, Unit
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray, MaskArray

# How many calls are under way, the most there were, and how many there have been.
calls = {"now": 0, "most": 0, "all": 0}
_lock = threading.Lock()


def declare_cut() -> None:
    """A threshold that looks at the whole image."""

    @method(title="Cut", family="threshold", bytes_per_voxel=4, preview="volume")
    def cut(
        image: ImageArray,
        mask: MaskArray | None = None,
        *,
        algorithm: Literal["mean", "manual"] = "mean",
        value: Annotated[float | None, Unit("intensity"), PickedOn("histogram")] = None,
        seconds: Annotated[float, Ge(0)] = 0.0,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Mark what is above the mean, or above a value.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        mask : (M, N[, P]) bool array, optional
            Voxels that count.
        algorithm : {"mean", "manual"}
            Where to cut.
        value : float, optional
            The threshold for "manual".
        seconds : float
            How long to take.
        """
        if (algorithm == "manual") != (value is not None):
            raise ParameterError("Cut: 'value' goes with 'manual'.", name="value")
        if value is not None and value > 1000:
            raise InputError("Cut: expected a value up to 1000; take less.")
        with _lock:
            calls["now"] += 1
            calls["all"] += 1
            calls["most"] = max(calls["most"], calls["now"])
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                progress(0.5, "waiting …")
                time.sleep(0.005)
        finally:
            calls["now"] -= 1
        above = np.asarray(image > (image.mean() if value is None else value))
        return (above if mask is None else above & mask).astype(np.uint8)


def declare_nearest_colour() -> None:
    """A method of colours that are picked on the image; it previews the slice alone."""

    @method(
        title="Near colours",
        family="color",
        channels="any",
        bytes_per_voxel=9,
        is_pixelwise=True,
        preview="slice",
    )
    def near_colours(
        image: ImageArray,
        *,
        colours: Annotated[tuple[float, ...], PickedOn("image")] = (),
        channel_axis: int | None = None,
    ) -> LabelArray:
        """Mark the pixels that have one of the colours.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        colours : tuple of float
            One value per channel and colour.
        """
        pixels = image[..., None] if channel_axis is None else np.moveaxis(image, channel_axis, -1)
        found = np.zeros(pixels.shape[:-1], np.uint8)
        for colour in np.reshape(colours, (-1, pixels.shape[-1])):
            found |= (pixels == colour).all(axis=-1)
        return found


def declare_invert() -> None:
    """A method that makes an image."""

    @method(
        title="Invert",
        family="effects",
        channels="any",
        output="image",
        bytes_per_voxel=4,
        bytes_per_channel=1,
        is_pixelwise=True,
        preview="slice",
    )
    def invert(
        image: ImageArray,
        *,
        highest: Annotated[int, Ge(0)] = 255,
        channel_axis: int | None = None,
    ) -> ImageArray:
        """Turn bright into dark.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        highest : int
            What becomes 0.
        """
        inverted = (highest - image.astype(np.int32)).clip(0, 255).astype(np.uint8)
        return inverted if channel_axis is None else np.moveaxis(inverted, channel_axis, -1)


def declare_seeds() -> None:
    """A method that finds seeds."""

    @method(title="Two ends", family="seeds", bytes_per_voxel=2)
    def two_ends(
        image: ImageArray,
        *,
        seconds: Annotated[float, Ge(0)] = 0.0,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Seed the darkest and the brightest voxel.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seconds : float
            How long to take.
        """
        if not np.isfinite(image).all():
            raise InputError("Two ends: expected finite intensities.")
        end = time.monotonic() + (30 if image.flat[0] == 99 else seconds)
        while time.monotonic() < end:
            progress(0.5, "waiting …")
            time.sleep(0.005)
        seeds = np.zeros(image.shape, np.uint8)
        seeds.flat[image.argmin()], seeds.flat[image.argmax()] = 1, 2
        return seeds
