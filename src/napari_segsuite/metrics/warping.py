"""Errors that remain when borders may move: split, merged, added and lost objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import SILENT, Progress
from .label_numbers import is_among
from .label_pairs import checked_labels, refuse_other_shape
from .metric import Metric


@dataclass(frozen=True)
class Warping:
    """How many pixels differ before and after the reference is warped onto the prediction.

    Attributes
    ----------
    n_pixels, n_different, n_left : int
        Compared; different in the two maps; and different still after warping.
    """

    n_pixels: int
    n_different: int
    n_left: int

    @property
    def reason(self) -> str:
        """Why metrics have no value; empty where all have one."""
        return "" if self.n_pixels else "no pixel is compared"


def measure_warping(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> Warping:
    """Warp the reference onto the prediction, keeping its topology.

    Labels above 0 are foreground, which is connected across edges of pixels; background is
    connected across corners as well, so that a diagonal line of it parts two objects.
    Around the image is background. Pixels of the reference that differ from the prediction
    are flipped where that changes no object and no hole, until none can be: first all in
    scan order, then the neighbours of flipped ones in the order they were met.
    Another order may leave a few other pixels. Volumes are warped slice by slice.

    Parameters
    ----------
    prediction, reference : (M, N) or (P, M, N) array_like
        Labels of equal shape.
    ignore : tuple of int
        Pixels that the reference gives one of these labels are background in both maps and
        not counted.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    Warping

    Raises
    ------
    InputError
        If the shapes differ, are not 2D or 3D, or values are no labels.

    References
    ----------
    Jain et al. 2010, Boundary learning by optimization with topological constraints,
    doi:10.1109/CVPR.2010.5539950.

    Examples
    --------
    Moving a border is free, joining two objects is not:

    >>> found = measure_warping([[1, 1, 1, 1, 0]], [[1, 0, 1, 1, 1]])
    >>> found.n_different, found.n_left
    (2, 1)
    """
    from ..kernels.cpu.warping import warp

    predicted, expected = _stack(prediction, "prediction"), _stack(reference, "reference")
    refuse_other_shape(predicted, expected)
    n_pixels = n_different = n_left = 0
    for number, (image, other) in enumerate(zip(predicted, expected, strict=True), 1):
        counted = ~is_among(other, ignore)
        target, warped = (image > 0) & counted, (other > 0) & counted
        n_pixels += int(counted.sum())
        n_different += int((target != warped).sum())
        n_left += int((warp(warped, target) != target).sum())
        progress(number / len(predicted), "warping")
    return Warping(n_pixels, n_different, n_left)


def _stack(labels: ArrayLike, role: str) -> NDArray[np.generic]:
    array = checked_labels(labels, role)
    if array.ndim not in (2, 3):
        raise InputError(
            f"{role}: expected labels of shape (M, N) or (P, M, N), got {array.shape}; "
            "pick one image of a series"
        )
    return array[np.newaxis] if array.ndim == 2 else array


def pixel_error(w: Warping) -> float:
    """Pixels that differ / all pixels."""
    return w.n_different / w.n_pixels if w.n_pixels else float("nan")


def warping_error(w: Warping) -> float:
    """Pixels that differ after warping / all pixels."""
    return w.n_left / w.n_pixels if w.n_pixels else float("nan")


WARPING = (
    Metric(
        "pixel_error",
        "Pixel error",
        "pixels that differ / all pixels, foreground: labels > 0",
        pixel_error,
        "Share of wrong pixels. Borders off by a pixel can outweigh the merger of two objects.",
        group="warping",
        per_class=False,
        better="lower",
    ),
    Metric(
        "warping_error",
        "Warping error",
        "pixels that differ after flipping simple points of the reference / all pixels, "
        "foreground (labels > 0) 4-connected, slice by slice",
        warping_error,
        "Pixels of splits, mergers, added and lost objects and holes (Jain et al. 2010, "
        "doi:10.1109/CVPR.2010.5539950). How far borders are off does not matter, however much.",
        group="warping",
        per_class=False,
        better="lower",
    ),
)
