"""A threshold for each voxel, from the voxels around it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...errors import InputError
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress, part_of
from ...typing import ImageArray, LabelArray, MaskArray, Spacing
from ..histogram import histogram_of
from ..voxels import check_any_usable, usable_voxels
from .local_means import Window, local_mean

_TITLE = "Local threshold"
_N_LEVELS = 256
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
    offset: Annotated[float, Unit("intensity")] = 0.0,
    k: Annotated[float, Ge(-5), Le(5)] = 0.2,
    foreground: Literal["bright", "dark"] = "bright",
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Compare each voxel with a threshold from its surroundings, against uneven light.

    With m and s the mean and standard deviation of the usable voxels in a box around it, the
    threshold of a voxel is

    - "gaussian": the mean weighted by a Gaussian of a third of `radius`, less `offset`;
    - "mean": m less `offset`;
    - "median": the median of the box less `offset`, exact for images of up to 256 values and
      to a 256th of the voxels otherwise;
    - "niblack": m − k s less `offset`;
    - "sauvola": l + (m − l) (1 + k (s / R − 1)) less `offset`, with l the lowest intensity of
      the image and R half of what its intensities span, which for a page from black to white
      in 8 bits is the original with R = 128.

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
    offset : float
        What is taken off the threshold, in the image's intensities.
    k : float
        Weight of the standard deviation in "niblack" and "sauvola".
    foreground : {"bright", "dark"}
        Whether voxels above the threshold are the foreground, or those at and below it.
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
    >>> nss.local_threshold(image, algorithm="mean", radius=1, offset=-3)
    array([[0, 1, 0, 0, 1, 0, 0, 1, 0]], dtype=uint8)
    """
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    low, span = _range(image, usable)
    if span == 0:
        return np.zeros(image.shape, np.uint8)
    values = _between_0_and_1(image, usable, low, span)
    window = Window(radius, spacing or (1.0,) * image.ndim, is_gaussian=algorithm == "gaussian")
    if algorithm == "median":
        threshold = _median(image, usable, window, part_of(progress, 0.1, 1))
        threshold -= low
        threshold /= span
    else:
        threshold = _from_mean(values, usable, window, algorithm, k, progress)
    threshold += _ROUNDING - offset / span
    above = np.asarray(values > threshold)
    if foreground == "dark":
        np.logical_not(above, out=above)
    if usable is not None:
        above &= usable
    return above.view(np.uint8)


def _range(image: ImageArray, usable: MaskArray | None) -> tuple[float, float]:
    """Lowest intensity, and what the intensities span."""
    values = image if usable is None else image[usable]
    low = float(values.min())
    span = float(values.max()) - low
    if not math.isfinite(span):
        raise InputError(
            f"{_TITLE}: expected intensities that span less than {np.finfo(np.float64).max:.0e}, "
            "got more; scale the image down, for instance by its largest value."
        )
    return low, span


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
    progress(0.1, "local mean")
    mean = local_mean(values, usable, window)
    if algorithm in ("gaussian", "mean"):
        return mean
    progress(0.5, "local standard deviation")
    deviation = local_mean(np.square(values), usable, window)
    deviation -= np.square(mean)
    deviation[deviation < _ROUNDING_OF_SQUARES] = 0
    np.sqrt(deviation, out=deviation)
    if algorithm == "niblack":
        deviation *= k
        mean -= deviation
        return mean
    # R is half of the span, which is 1 here.
    deviation *= 2 * k
    deviation += 1 - k
    mean *= deviation
    return mean


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
