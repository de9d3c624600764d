"""A threshold for each voxel, from the voxels around it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import ImageArray, LabelArray, MaskArray, Spacing
from ..histogram import histogram_of
from ..intensities import lowest_and_highest
from ..voxels import check_any_usable, usable_voxels
from .local_means import Window, local_mean

_TITLE = "Local threshold"
_N_LEVELS = 256
# Share of the usual range of intensities that noise in flat areas seldom exceeds.
_CLEARLY = 0.05
# Sums along a line leave such traces where all values are equal; shares of the span.
_ROUNDING = 1e-12
_ROUNDING_OF_SQUARES = 1e-13


@method(
    title=_TITLE,
    family="threshold",
    requires=("numba",),
    bytes_per_voxel=25,
    bytes_by_setting={"algorithm": {"niblack": (16, 0), "sauvola": (16, 0)}},
    preview="slice",
    references=(
        "10.1016/S0031-3203(99)00055-2",
        "10.1109/TIP.2007.902329",
    ),
)
def local_threshold(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    algorithm: Literal["gaussian", "mean", "median", "niblack", "sauvola"] = "gaussian",
    radius: Annotated[float, Gt(0), Le(10_000), Unit("physical")] = 25.0,
    offset: Annotated[float | None, Unit("intensity")] = None,
    k: Annotated[float, Ge(-5), Le(5)] = 0.2,
    foreground: Literal["bright", "dark"] = "bright",
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Compare each voxel with a threshold from its surroundings, against uneven light.

    With m and s the mean and standard deviation of the usable voxels in a box around it, the
    threshold of a voxel for a dark foreground, such as writing, is `offset` below

    - "gaussian": the mean weighted by a Gaussian of a third of `radius`;
    - "mean": m;
    - "median": the median of the box, exact for images of up to 256 values and to a 256th of
      the voxels otherwise;
    - "niblack": m − k s;
    - "sauvola": l + (m − l) (1 + k (s / R − 1)), with l the lowest intensity of the image and
      R half of what its intensities span, which for a page from black to white in 8 bits is
      the original with R = 128.

    A bright foreground is the dark foreground of the negative: its threshold is `offset`
    above the mean, and so on.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels take no part and become background.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become background.
    algorithm : {"gaussian", "mean", "median", "niblack", "sauvola"}
        How the threshold follows from the surroundings.
    radius : float
        How far the box reaches from its centre along each axis, in the image's unit or in
        pixels, rounded to whole voxels; somewhat more than the size of the objects.
    offset : float, optional
        How much brighter (or darker, for a dark foreground) a voxel has to be, in the image's
        intensities. None is 0 for "niblack" and "sauvola"; for the others it is a twentieth
        of the range that all intensities lie in but a thousandth at either end, so that
        noise in flat areas stays background.
    k : float
        Weight of the standard deviation in "niblack" and "sauvola"; the higher, the less
        is foreground.
    foreground : {"bright", "dark"}
        Whether voxels above the threshold are the foreground, or those below it.
    spacing : tuple of float, optional
        Voxel size per axis, for `radius`.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        1 = foreground, 0 = background. A constant image has no foreground.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than a float64 holds.

    References
    ----------
    .. [1] W. Niblack, "An introduction to digital image processing", Prentice Hall, 1986.
    .. [2] J. Sauvola, M. Pietikäinen, "Adaptive document image binarization", Pattern
       Recognition 33(2), 2000, 10.1016/S0031-3203(99)00055-2.
    .. [3] S. Perreault, P. Hébert, "Median filtering in constant time", IEEE TIP 16(9),
       2007, 10.1109/TIP.2007.902329.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[0, 9, 0, 10, 19, 10, 20, 29, 20]], dtype=np.uint8)
    >>> nss.local_threshold(image, algorithm="mean", radius=1, offset=3)
    array([[0, 1, 0, 0, 1, 0, 0, 1, 0]], dtype=uint8)
    """
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    low, high = lowest_and_highest((image,), usable, _TITLE)
    span = high - low
    if span == 0:
        return np.zeros(image.shape, np.uint8)
    if offset is None:
        offset = 0.0 if algorithm in ("niblack", "sauvola") else _clear_of_noise(image, usable)
    is_dark = foreground == "dark"
    values = _between_0_and_1(image, usable, low, span)
    if is_dark:
        np.subtract(1, values, out=values, where=True if usable is None else usable)
    window = Window(radius, spacing or (1.0,) * image.ndim, is_gaussian=algorithm == "gaussian")
    if algorithm == "median":
        threshold = _median(image, usable, window, part_of(progress, 0.1, 1))
        threshold -= high if is_dark else low
        threshold /= -span if is_dark else span
    else:
        threshold = _from_mean(values, usable, window, algorithm, k, progress)
    threshold += _ROUNDING + offset / span
    above = np.asarray(values > threshold)
    if usable is not None:
        above &= usable
    return above.view(np.uint8)


def _clear_of_noise(image: ImageArray, usable: MaskArray | None) -> float:
    low, high = histogram_of(image, usable, _TITLE).usual_range()
    return _CLEARLY * (high - low)


def _between_0_and_1(
    image: ImageArray, usable: MaskArray | None, low: float, span: float
) -> NDArray[np.float64]:
    """A scaled copy: squares can neither overflow nor drown in an offset; 0 if not usable."""
    values = image.astype(np.float64)
    if usable is not None:
        values[~usable] = low
    values -= low
    values /= span
    return values


def _from_mean(
    values: NDArray[np.float64],
    usable: MaskArray | None,
    window: Window,
    algorithm: str,
    k: float,
    progress: Progress,
) -> NDArray[np.float64]:
    has_deviation = algorithm in ("niblack", "sauvola")
    part = part_of(progress, 0.1, 0.5 if has_deviation else 1)
    mean = local_mean(values, usable, window, part)
    if not has_deviation:
        return mean
    deviation = local_mean(np.square(values), usable, window, part_of(progress, 0.5, 1))
    deviation -= np.square(mean)
    deviation[deviation < _ROUNDING_OF_SQUARES] = 0
    np.sqrt(deviation, out=deviation)
    if algorithm == "niblack":
        deviation *= k
        mean += deviation
        return mean
    # R is half of the span, which is 1 here; bright is as far from 1 as dark from 0.
    deviation *= 2 * k
    deviation += 1 - k
    np.subtract(1, mean, out=mean)
    mean *= deviation
    return np.subtract(1, mean, out=mean)


def _median(
    image: ImageArray, usable: MaskArray | None, window: Window, progress: Progress
) -> NDArray[np.float64]:
    from ...kernels.cpu.local_median import local_median

    histogram = histogram_of(image, usable, _TITLE)
    n = len(histogram.values)
    # Groups of about as many voxels each: the median of their numbers is the median's number.
    before = np.cumsum(histogram.counts) - histogram.counts
    groups = np.arange(n) if n <= _N_LEVELS else before * _N_LEVELS // histogram.counts.sum()
    sizes = np.bincount(groups, histogram.counts, _N_LEVELS)
    sums = np.bincount(groups, histogram.values * histogram.counts, _N_LEVELS)
    levels = histogram.label(groups.astype(np.uint8))
    medians = local_median(levels, usable, window.half_widths, progress)
    of_group: NDArray[np.float64] = sums / np.maximum(sizes, 1)
    return of_group[medians]
