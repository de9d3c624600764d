"""Two regions of even intensity with a smooth contour between them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le

from ...method import method
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from ..intensities import in_float32
from ..threshold.criteria import brighter_side
from ..voxels import channels_of, check_any_usable, usable_voxels
from .evolution import as_volume, evolve

_TITLE = "Chan–Vese contour"
# Fields of the checkerboard, in voxels.
_FIELD = 5
# Standard deviation of the Gaussian before Otsu's threshold, in voxels.
_SMOOTHED = 1.0


@method(
    title=_TITLE,
    family="contours",
    channels="any",
    bytes_per_voxel=20,
    bytes_per_channel=4,
    stacked_by="watch",
    requires=("numba",),
    references=("10.1109/83.902291", "10.1109/TPAMI.2013.106"),
)
def chan_vese(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    start: Literal["otsu", "checkerboard", "disk"] = "otsu",
    iterations: Annotated[int, Ge(1), Le(10000)] = 100,
    smoothing: Annotated[int, Ge(0), Le(10)] = 1,
    inside_weight: Annotated[float, Ge(0), Le(1000)] = 1.0,
    outside_weight: Annotated[float, Ge(0), Le(1000)] = 1.0,
    watch: Annotated[tuple[int, ...], Ge(0), Le(10000)] = (),
    channel_axis: int | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Move a contour until the intensities inside and outside are each as even as can be.

    Each iteration gives voxels on the contour to the side whose mean they are nearer to,
    then smooths the contour by morphology. It needs no edges: the mean intensities decide.
    It ends early once nothing changes. Beyond the border of the image lies what is at it.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` squared differences are summed over the channels.
        NaN and infinite voxels stay 0.
    labels : (M, N[, P]) unsigned integer array, optional
        Contour to start with: around all that is not 0. Without it `start` says.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others stay 0.
    start : {"otsu", "checkerboard", "disk"}
        Region to start with: what is brighter than Otsu's threshold, on the mean of the
        channels under a Gaussian of one voxel; the brighter half of a checkerboard with
        fields of 5 voxels, which finds objects everywhere; or a disk or ball in the middle,
        3/8 of the shortest side in radius.
    iterations : int
        Iterations at most.
    smoothing : int
        How often the contour is smoothed in each iteration: 0 leaves it rough.
    inside_weight : float
        Weight of differences to the mean inside: a higher one makes the inside smaller and
        more even.
    outside_weight : float
        Weight of differences to the mean outside.
    watch : tuple of int
        Iterations to keep, 0 for the start: the labels then come as a time stack, one frame
        per entry, for watching the contour move, and `iterations` plays no part; empty for
        the end result alone.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        1 inside the contour, 0 outside.

    Raises
    ------
    InputError
        If no voxel counts, or intensities are beyond the range of float32.

    References
    ----------
    .. [1] T. F. Chan, L. A. Vese, "Active contours without edges", IEEE TIP 10(2), 2001,
       10.1109/83.902291.
    .. [2] P. Márquez-Neila, L. Baumela, L. Alvarez, "A morphological approach to
       curvature-based evolution of curves and surfaces", IEEE TPAMI 36(1), 2014,
       10.1109/TPAMI.2013.106.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> y, x = np.mgrid[:20, :20]
    >>> image = 100 + 50 * (np.hypot(x - 12, y - 9) < 5)
    >>> nss.chan_vese(image)[9, ::2]
    array([0, 0, 0, 0, 1, 1, 1, 1, 1, 0], dtype=uint8)
    """
    from numba import config

    from ...kernels.cpu.contours import Contour
    from ...kernels.cpu.crew import Crew

    channels = channels_of(image, channel_axis)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, _TITLE)
    features = _features(channels)
    inside = labels != 0 if labels is not None else _start(start, features, usable)
    if usable is not None:
        inside &= usable
    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        contour = Contour(as_volume(inside), None if usable is None else as_volume(usable), crew)
        volumes = features if inside.ndim == 3 else features[:, np.newaxis]

        def current() -> LabelArray:
            now = contour.inside.reshape(inside.shape)
            return now.copy() if usable is None else now * usable

        def step(number: int) -> None:
            contour.follow_means(volumes, inside_weight, outside_weight)
            contour.smooth(range(number * smoothing, (number + 1) * smoothing))

        return evolve(current, step, iterations, watch, progress)


def _features(channels: tuple[ImageArray, ...]) -> FloatArray:
    features = np.empty((len(channels), *channels[0].shape), dtype=np.float32)
    for feature, channel in zip(features, channels, strict=True):
        feature[...] = in_float32(channel, _TITLE)
    return features


def _start(start: str, features: FloatArray, usable: MaskArray | None) -> MaskArray:
    if start == "disk":
        return _disk(features.shape[1:])
    grey = features.mean(axis=0)
    if start == "otsu":
        return _bright(grey, usable)
    board = _checkerboard(grey.shape)
    where = np.True_ if usable is None else usable
    halves = [grey[half & where] for half in (board, ~board)]
    if all(half.size for half in halves) and halves[0].mean() < halves[1].mean():
        np.logical_not(board, out=board)
    return board


def _bright(grey: FloatArray, usable: MaskArray | None) -> MaskArray:
    """What is brighter than Otsu's threshold once noise is smoothed; in place."""
    from scipy import ndimage

    if usable is not None:
        grey[~usable] = grey[usable].mean(dtype=np.float64)
    # Smoothing of the contour would fill a start that is speckled by noise.
    ndimage.gaussian_filter(grey, _SMOOTHED, output=grey)
    return brighter_side(grey, usable, _TITLE)


def _disk(shape: tuple[int, ...]) -> MaskArray:
    middle, radius = [n // 2 for n in shape], 3 / 8 * min(shape)
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    squares: Any = sum((x - m) ** 2 for x, m in zip(axes, middle, strict=True))
    return np.asarray(squares <= radius**2)


def _checkerboard(shape: tuple[int, ...]) -> MaskArray:
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    fields: Any = sum(axis // _FIELD for axis in axes)
    return np.asarray(fields % 2 == 0)
