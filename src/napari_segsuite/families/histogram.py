"""The values of one channel and how often they occur: all that a pixelwise method needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..typing import ImageArray, LabelArray, MaskArray
from .intensities import lowest_and_highest
from .voxels import check_any_usable, usable_voxels

_N_BINS = 1 << 16
# Of every thousand voxels, the darkest and the brightest do not count for the usual range.
_TAIL = 0.001
# Of the whole range; where the usual one is no larger, bins are too wide to tell its ends.
_COARSE = 1 / 256


@dataclass(frozen=True, eq=False)
class Histogram:
    """The values that occur in an image.

    Attributes
    ----------
    values : (B,) float64 array
        In ascending order, each once. Integers of up to 16 bits, and wider ones that span
        no more, are exact; of other images these are means of up to 65536 bins of equal
        width.
    counts : (B,) int64 array
        Voxels of each, at least 1.
    usable : (M, N[, P]) bool array or None
        Voxels that were counted; None for all.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    usable: MaskArray | None
    _image: ImageArray
    _low: float
    _scale: float
    _codes: NDArray[np.int64]

    def quantile(self, share: float) -> float:
        """The lowest value that at least this share of the voxels do not exceed.

        Examples
        --------
        >>> histogram = histogram_of(np.array([[5, 5, 90]], dtype=np.uint8), None, "Example")
        >>> histogram.quantile(0.5), histogram.quantile(1)
        (5.0, 90.0)
        """
        up_to = np.cumsum(self.counts)
        place = np.searchsorted(up_to, share * up_to[-1])
        return float(self.values[min(place, len(up_to) - 1)])

    def usual_range(self) -> tuple[float, float]:
        """Values between which all voxels lie but a thousandth at either end.

        Where these two are equal, the lowest and the highest value.

        Examples
        --------
        >>> image = np.append(np.zeros(1999, np.uint16), 700)[np.newaxis]
        >>> histogram_of(image, None, "Example").usual_range()
        (0.0, 700.0)
        """
        low, high = self.quantile(_TAIL), self.quantile(1 - _TAIL)
        lowest, highest = float(self.values[0]), float(self.values[-1])
        if high - low <= _COARSE * (highest - lowest) and not _is_narrow(self._image):
            # Outliers far away have left the others a few bins.
            counted = self._image if self.usable is None else self._image[self.usable]
            shares = (_TAIL, 1 - _TAIL)
            low, high = np.quantile(counted, shares, method="inverted_cdf").tolist()
        return (low, high) if low < high else (lowest, highest)

    def label(self, of_value: NDArray[Any]) -> LabelArray:
        """Give each voxel the label of its value.

        Parameters
        ----------
        of_value : (B,) array of unsigned integers
            Label of each of `values`.

        Returns
        -------
        (M, N[, P]) array, dtype of `of_value`
            0 where a voxel was not counted.

        Examples
        --------
        >>> histogram = histogram_of(np.array([[5, 5, 90]], dtype=np.uint8), None, "Example")
        >>> histogram.label(np.array([1, 2], dtype=np.uint8))
        array([[1, 1, 2]], dtype=uint8)
        """
        from ..kernels.cpu.histogram import labels_of_codes

        table = np.zeros(_N_BINS, of_value.dtype)
        table[self._codes] = of_value
        return labels_of_codes(self._image, self.usable, self._low, self._scale, table)


def histogram_of(image: ImageArray, mask: MaskArray | None, title: str) -> Histogram:
    """Count the values of an image: 1 byte per voxel where some are not finite, else none.

    Parameters
    ----------
    image : (M, N[, P]) array
        NaN and infinite voxels are not counted.
    mask : (M, N[, P]) bool array, optional
        Voxels that count.
    title : str
        The method's, for the sentence about an image without a value.

    Raises
    ------
    InputError
        If no voxel counts, or the values span more than a float64 holds.

    Examples
    --------
    >>> histogram = histogram_of(np.array([[5, 5, 90]], dtype=np.uint8), None, "Example")
    >>> histogram.values.tolist(), histogram.counts.tolist()
    ([5.0, 90.0], [2, 1])
    """
    from ..kernels.cpu.histogram import count_codes

    if image.dtype == np.float16:  # a type that compiled code does not know
        image = image.astype(np.float32)
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, title)
    is_narrow = _is_narrow(image)
    low, scale = (_lowest(image), 1.0) if is_narrow else _binning(image, usable, title)
    counts, means = count_codes(image, usable, low, scale)
    codes = np.flatnonzero(counts)
    values = np.add(codes, low) if is_narrow else means[codes]
    return Histogram(values, counts[codes], usable, image, low, scale, codes)


def _is_narrow(image: ImageArray) -> bool:
    return bool(image.dtype.kind in "bui" and image.dtype.itemsize <= 2)


def _lowest(image: ImageArray) -> float:
    return 0.0 if image.dtype == bool else float(np.iinfo(image.dtype).min)


def _binning(image: ImageArray, usable: MaskArray | None, title: str) -> tuple[float, float]:
    """Lowest value, and bins per unit of intensity."""
    low, high = lowest_and_highest((image,), usable, title)
    if low == high or (image.dtype.kind in "iu" and high - low < _N_BINS):
        return low, 1.0
    # Of the smallest numbers there are, the share would be infinite.
    return low, min((_N_BINS - 1) / (high - low), np.finfo(np.float64).max)
