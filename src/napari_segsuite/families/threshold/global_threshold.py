"""One threshold for the whole image."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from ...errors import InputError, ParameterError
from ...method import method
from ...params import Unit
from ...typing import ImageArray, LabelArray, MaskArray

_MOST_BINS = 2**16
# Statistics square and sum the values.
_LARGEST_SQUARED = 1e140


@method(
    title="Global threshold",
    family="threshold",
    bytes_per_voxel=10,
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
    value: Annotated[float | None, Unit("intensity")] = None,
    foreground: Literal["bright", "dark"] = "bright",
) -> LabelArray:
    """Split the image in two at one intensity, found from the histogram or given.

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
    counted = _counted(image, mask)
    values = image.ravel() if counted is None else image[counted]
    if values.size == 0:
        raise InputError(
            "Global threshold: expected at least one finite voxel inside the mask, got none; "
            "widen the mask."
        )
    if values.dtype == bool:
        values = values.view(np.uint8)
    threshold = _find(values, algorithm) if value is None else value
    above = image > threshold
    if values.min() == values.max() and algorithm != "manual":
        above = np.zeros(image.shape, dtype=bool)
    elif foreground == "dark":
        np.logical_not(above, out=above)
    if counted is not None:
        above &= counted
    return above.view(np.uint8)


def _counted(image: ImageArray, mask: MaskArray | None) -> MaskArray | None:
    """Voxels that count; None where all do."""
    if image.dtype.kind != "f":
        return mask
    finite = np.isfinite(image)
    if mask is not None:
        finite &= mask
    return None if finite.all() else finite


def _find(values: ImageArray, algorithm: str) -> float:
    from skimage import filters

    if algorithm == "minimum":
        try:
            return float(filters.threshold_minimum(values))
        except RuntimeError as error:
            raise InputError(
                "Global threshold: 'minimum' needs a histogram with two peaks, this image has "
                "none; choose another algorithm, such as 'otsu'."
            ) from error
    if values.min() == values.max():
        return float(values.flat[0])
    if values.dtype.kind in "iu" and int(values.max()) - int(values.min()) > _MOST_BINS:
        # Of integers the histogram has a bin for each value; of floats it has 256.
        values = values.astype(np.float64)
    if values.dtype == np.float64 and max(abs(values.min()), abs(values.max())) > _LARGEST_SQUARED:
        raise InputError(
            f"Global threshold: expected intensities up to {_LARGEST_SQUARED:.0e}, got some "
            f"beyond; scale the image down, for instance by its largest value."
        )
    return float(getattr(filters, f"threshold_{algorithm}")(values))
