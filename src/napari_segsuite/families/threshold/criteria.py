"""Where to cut a histogram: criteria for one threshold, and Otsu's for several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...progress import SILENT, Progress
from ...typing import ImageArray, MaskArray
from ..histogram import Histogram, histogram_of

Floats: TypeAlias = NDArray[np.float64]

_N_BINS = 256  # of equal width, where the values are not whole
_MOST_WHOLE = 1 << 16
_MOST_SMOOTHING = 10_000


def find_threshold(histogram: Histogram, algorithm: str, progress: Progress = SILENT) -> float:
    """The intensity above which a voxel is bright.

    Parameters
    ----------
    histogram : Histogram
        Of at least two values.
    algorithm : {"otsu", "li", "yen", "triangle", "isodata", "mean", "minimum"}
        "otsu", "li" and "mean" take the values as they are; the others take whole numbers
        as they are, if they span no more than 16 bits, and other values in 256 bins.
    progress : callable
        Called with (fraction, message) while "minimum" smooths.

    Raises
    ------
    InputError
        If "minimum" finds no valley between two peaks.

    Examples
    --------
    >>> from napari_segsuite.families.histogram import histogram_of
    >>> image = np.array([[1, 1, 1, 2, 8, 9]], dtype=np.uint8)
    >>> find_threshold(histogram_of(image, None, "Example"), "otsu")
    5.0
    """
    values, counts = histogram.values, histogram.counts
    if algorithm == "otsu":
        return otsu_thresholds(values, counts, 2)[0]
    if algorithm == "mean":
        return float(np.average(values, weights=counts))
    if algorithm == "li":
        return _li(values, counts)
    bins, heights = _evenly_spaced(values, counts)
    if algorithm == "minimum":
        return _minimum(bins, heights, progress)
    return float(bins[_INDEX_BY[algorithm](bins, heights)])


def brighter_side(image: ImageArray, usable: MaskArray | None, title: str) -> MaskArray:
    """Voxels above Otsu's threshold; none where all are equal.

    Parameters
    ----------
    image : (M, N[, P]) array
    usable : (M, N[, P]) bool array, optional
        Voxels that count; others are on neither side.
    title : str
        The method's, for errors.

    Examples
    --------
    >>> brighter_side(np.array([[1, 2, 8, 9]], dtype=np.uint8), None, "Example").tolist()
    [[False, False, True, True]]
    """
    histogram = histogram_of(image, usable, title)
    thresholds = otsu_thresholds(histogram.values, histogram.counts, 2)
    is_bright = histogram.values > (thresholds[0] if thresholds else np.inf)
    return histogram.label(is_bright.view(np.uint8)).view(np.bool_)


def otsu_thresholds(values: Floats, counts: NDArray[np.int64], n_classes: int) -> tuple[float, ...]:
    """Thresholds with the least variance within the classes, halfway between two values.

    Parameters
    ----------
    values : (B,) float64 array
        Ascending, each once.
    counts : (B,) int64 array
        How often each occurs.
    n_classes : int
        K; of fewer than K values each is a class.

    Returns
    -------
    tuple of min(K, B) - 1 floats
        Ascending.

    Examples
    --------
    >>> otsu_thresholds(np.array([1.0, 2, 8, 20]), np.array([5, 5, 5, 5]), 3)
    (5.0, 14.0)
    """
    from ...kernels.cpu.optimal_segments import optimal_segments

    starts = optimal_segments(values, counts, n_classes)[1:]
    below = values[starts - 1]
    return tuple((below + (values[starts] - below) / 2).tolist())


def _evenly_spaced(values: Floats, counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Bins of equal width, empty ones included, and how many voxels are in each."""
    low, span = values[0], values[-1] - values[0]
    if span < _MOST_WHOLE and (values == np.floor(values)).all():
        n_bins, index = int(span) + 1, (values - low).astype(np.int64)
        bins = low + np.arange(n_bins)
    else:
        n_bins = _N_BINS
        index = np.minimum((values - low) / span * n_bins, n_bins - 1).astype(np.int64)
        bins = low + (np.arange(n_bins) + 0.5) / n_bins * span
    heights = np.bincount(index, weights=counts, minlength=n_bins)
    return bins, heights.astype(np.float64, copy=False)


def _li(values: Floats, counts: NDArray[np.int64]) -> float:
    """Fixed point of the cross entropy's slope, from the mean on."""
    above = values - values[0]
    weights, sums = np.cumsum(counts), np.cumsum(above * counts)
    tolerance = np.diff(values).min() / 2
    threshold, before = sums[-1] / weights[-1], -np.inf
    while abs(threshold - before) > tolerance:
        before = threshold
        last = np.searchsorted(above, threshold, side="right") - 1
        dark = sums[last] / weights[last]
        if dark == 0:  # its logarithm has no value
            break
        bright = (sums[-1] - sums[last]) / (weights[-1] - weights[last])
        threshold = (dark - bright) / (np.log(dark) - np.log(bright))
    return float(threshold + values[0])


def _yen(_bins: Floats, heights: Floats) -> int:
    """Largest sum of the two classes' correlations."""
    share = heights / heights.sum()
    dark = np.cumsum(share)[:-1]
    dark_squares = np.cumsum(share**2)[:-1]
    bright_squares = np.cumsum(share[::-1] ** 2)[-2::-1]
    odds = dark * (1 - dark)
    # The logarithm of the criterion rises with it.
    return int(np.argmax(odds**2 / (dark_squares * bright_squares)))


def _triangle(_bins: Floats, heights: Floats) -> int:
    """Farthest below the line from the peak to the end of the longer tail."""
    peak, last = int(heights.argmax()), len(heights) - 1
    is_flipped = peak < last - peak
    if is_flipped:
        heights, peak = heights[::-1], last - peak
    along = np.arange(peak)
    farthest = int(np.argmax(heights[peak] * along - peak * heights[:peak]))
    return last - farthest if is_flipped else farthest


def _isodata(bins: Floats, heights: Floats) -> int:
    """First bin that lies within a bin's width of the middle between the classes' means."""
    weights, sums = np.cumsum(heights), np.cumsum(heights * bins)
    dark = sums[:-1] / weights[:-1]
    bright = (sums[-1] - sums[:-1]) / (weights[-1] - weights[:-1])
    return int(np.argmax((dark + bright) / 2 - bins[:-1] < bins[1] - bins[0]))


_INDEX_BY: Mapping[str, Callable[[Floats, Floats], int]] = {
    "yen": _yen,
    "triangle": _triangle,
    "isodata": _isodata,
}


def _minimum(bins: Floats, heights: Floats, progress: Progress) -> float:
    """Valley between the two peaks that are left when the histogram is smoothed."""
    from scipy import ndimage

    smooth: NDArray[Any] = heights.astype(np.float32)
    for i in range(_MOST_SMOOTHING):
        progress(i / _MOST_SMOOTHING, "smoothing the histogram")
        smooth = ndimage.uniform_filter1d(smooth, 3)
        peaks = _peaks(smooth)
        if len(peaks) < 3:
            break
    if len(peaks) != 2:
        raise InputError(
            "Global threshold: expected a histogram with two peaks for 'minimum', got one "
            "without; choose another algorithm, such as 'otsu'."
        )
    return float(bins[peaks[0] + np.argmin(smooth[peaks[0] : peaks[1] + 1])])


def _peaks(heights: NDArray[Any]) -> NDArray[np.int64]:
    """Where a rise, or the start, is followed by a fall; the end of a plateau."""
    steps = np.diff(heights)
    turns = np.flatnonzero(steps)
    rises = steps[turns] > 0
    return turns[np.append(True, rises[:-1])[: len(rises)] & ~rises]
