"""One threshold for the whole image."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from ...errors import InputError, ParameterError
from ...method import method
from ...params import PickedOn, Unit
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray
from ..histogram import histogram_of
from ..voxels import check_any_usable, usable_voxels
from .criteria import find_threshold

# Statistics square and sum the values.
_LARGEST_SQUARED = 1e140


@method(
    title="Global threshold",
    family="threshold",
    requires=("numba",),
    bytes_per_voxel=8,  # of a small image, on which the tables of the histogram weigh
    is_pixelwise=True,
    preview="volume",
    references=(
        "10.1109/TSMC.1979.4310076",
        "10.1016/0031-3203(93)90115-D",
        "10.1109/83.366472",
        "10.1177/25.7.70454",
        "10.1109/TSMC.1978.4310039",
        "10.1111/j.1749-6632.1965.tb11715.x",
    ),
)
def global_threshold(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    algorithm: Literal[
        "otsu", "li", "yen", "triangle", "isodata", "mean", "minimum", "manual"
    ] = "otsu",
    value: Annotated[float | None, Unit("intensity"), PickedOn("histogram")] = None,
    foreground: Literal["bright", "dark"] = "bright",
    progress: Progress = SILENT,
) -> LabelArray:
    """Split the image in two at one intensity, found from the histogram or given.

    Integers of up to 16 bits are counted one by one. Of other images 65536 steps between
    the lowest and the highest value are told apart; "yen", "triangle", "isodata" and
    "minimum", which need a histogram without gaps, take 256.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels take no part and become background.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become background.
    algorithm : {"otsu", "li", "yen", "triangle", "isodata", "mean", "minimum", "manual"}
        How the threshold is found; "manual" takes `value`.
    value : float, optional
        Threshold for "manual", in the image's intensities.
    foreground : {"bright", "dark"}
        Whether voxels above the threshold are the foreground, or those at and below it.
    progress : callable
        Called with (fraction, message) while "minimum" smooths the histogram.

    Returns
    -------
    (M, N[, P]) uint8 array
        1 = foreground, 0 = background. A constant image has no foreground.

    Raises
    ------
    ParameterError
        If "manual" comes without a value, or another algorithm with one.
    InputError
        If no voxel counts, or "minimum" finds no valley between two peaks.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE TSMC
       9(1), 1979, 10.1109/TSMC.1979.4310076.
    .. [2] C. H. Li, C. K. Lee, "Minimum cross entropy thresholding", Pattern Recognition
       26(4), 1993, 10.1016/0031-3203(93)90115-D.
    .. [3] J. C. Yen, F. J. Chang, S. Chang, "A new criterion for automatic multilevel
       thresholding", IEEE TIP 4(3), 1995, 10.1109/83.366472.
    .. [4] G. W. Zack, W. E. Rogers, S. A. Latt, "Automatic measurement of sister chromatid
       exchange frequency", J Histochem Cytochem 25(7), 1977, 10.1177/25.7.70454.
    .. [5] T. W. Ridler, S. Calvard, "Picture thresholding using an iterative selection
       method", IEEE TSMC 8(8), 1978, 10.1109/TSMC.1978.4310039.
    .. [6] J. M. S. Prewitt, M. L. Mendelsohn, "The analysis of cell images", Ann NY Acad
       Sci 128, 1966, 10.1111/j.1749-6632.1965.tb11715.x.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> nss.global_threshold(np.array([[1, 2, 1, 8, 9, 9]], dtype=np.uint8))
    array([[0, 0, 0, 1, 1, 1]], dtype=uint8)
    """
    if (algorithm == "manual") != (value is not None):
        raise ParameterError(
            "Global threshold: 'value' must be a number when algorithm is 'manual' and None "
            f"otherwise, got {value!r} with {algorithm!r}.",
            name="value",
        )
    if value is not None:
        return _cut(image, mask, value, foreground == "dark")
    histogram = histogram_of(image, mask, "Global threshold")
    values = histogram.values
    if len(values) == 1 and algorithm != "minimum":
        return np.zeros(image.shape, np.uint8)
    if max(abs(values[0]), abs(values[-1])) > _LARGEST_SQUARED:
        raise InputError(
            f"Global threshold: expected intensities up to {_LARGEST_SQUARED:.0e}, got some "
            f"beyond; scale the image down, for instance by its largest value."
        )
    is_bright = values > find_threshold(histogram, algorithm, progress)
    is_foreground = is_bright if foreground == "bright" else ~is_bright
    return histogram.label(is_foreground.view(np.uint8))


def _cut(image: ImageArray, mask: MaskArray | None, value: float, is_dark: bool) -> LabelArray:
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, "Global threshold")
    above = np.asarray(image > value)
    if is_dark:
        np.logical_not(above, out=above)
    if usable is not None:
        above &= usable
    return above.view(np.uint8)
