"""Two thresholds: one to be found, one to grow to."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le

from ...errors import ParameterError
from ...method import method
from ...params import PickedOn, Unit
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray
from ..histogram import histogram_of
from ..voxels import check_any_usable, usable_voxels
from .connected import connected_to
from .criteria import otsu_thresholds

_TITLE = "Hysteresis threshold"


@method(
    title=_TITLE,
    family="threshold",
    requires=("numba",),
    bytes_per_voxel=8,
    preview="slice",
    references=("10.1109/TPAMI.1986.4767851",),
)
def hysteresis_threshold(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    low: Annotated[float | None, Unit("intensity"), PickedOn("histogram")] = None,
    high: Annotated[float | None, Unit("intensity"), PickedOn("histogram")] = None,
    connectivity: Annotated[int, Ge(1), Le(3)] = 1,
    foreground: Literal["bright", "dark"] = "bright",
    progress: Progress = SILENT,
) -> LabelArray:
    """Mark what is clearly foreground, and all that is likely and connected to it.

    Bright foreground: voxels above `low`, in parts where some voxel is above `high`. Dark
    foreground: voxels at and below `high`, in parts where some voxel is at or below `low`.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels take no part and become background.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others become background.
    low : float, optional
        Lower threshold, in the image's intensities; None for the lower of Otsu's two for
        three classes, or `high` if that is less.
    high : float, optional
        Upper threshold; None for the upper of Otsu's two, or `low` if that is more.
    connectivity : int
        Neighbours differ in at most this many axes; 3 counts as 2 in a 2D image.
    foreground : {"bright", "dark"}
        Which end of the intensities is the foreground.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) uint8 array
        1 = foreground, 0 = background. Of a constant image, and no threshold given, all is
        background.

    Raises
    ------
    ParameterError
        If `low` is above `high`.
    InputError
        If no voxel counts.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE TPAMI 8(6), 1986,
       10.1109/TPAMI.1986.4767851.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[0, 4, 9, 4, 0, 4, 0]], dtype=np.uint8)
    >>> nss.hysteresis_threshold(image, low=3, high=8)
    array([[0, 1, 1, 1, 0, 0, 0]], dtype=uint8)
    """
    if low is not None and high is not None and low > high:
        raise ParameterError(
            f"{_TITLE}: 'low' must be at most 'high', got {low!r} and {high!r}; swap them.",
            name="low",
        )
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    limits = _limits(image, usable, low, high)
    if limits is None:
        return np.zeros(image.shape, np.uint8)
    progress(0.3, "connecting")
    # Finding the parts is one step of compiled code that cannot be stopped.
    is_dark = foreground == "dark"
    weak, strong = (_side(image, usable, limit, is_dark) for limit in limits[:: 1 - 2 * is_dark])
    return connected_to(strong, weak, connectivity).view(np.uint8)


def _limits(
    image: ImageArray, usable: MaskArray | None, low: float | None, high: float | None
) -> tuple[float, float] | None:
    """Both thresholds, ascending; None where a constant image has none."""
    if low is not None and high is not None:
        return low, high
    histogram = histogram_of(image, usable, _TITLE)
    found = otsu_thresholds(histogram.values, histogram.counts, 3)
    if low is not None:
        return low, max((low, *found[-1:]))
    if high is not None:
        return min((high, *found[:1])), high
    return (found[0], found[-1]) if found else None


def _side(image: ImageArray, usable: MaskArray | None, limit: float, is_dark: bool) -> MaskArray:
    """Usable voxels above a limit, or at and below it."""
    side = np.asarray(image <= limit if is_dark else image > limit)
    if usable is not None:
        side &= usable
    return side
