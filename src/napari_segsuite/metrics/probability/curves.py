"""A probability map against a reference, at all thresholds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError, ParameterError
from ...image import Image, Segmentation
from ...inputs import as_array
from ...label_values import integer_labels
from ...progress import SILENT, Progress, part_of
from ..catalogue import as_tuple
from ..grids import Labels, labels_of, load_labels, on_one_grid
from ..label_numbers import class_number, is_among, label_number
from ..overlap import ratio
from .report import DEFINITIONS, ProbabilityReport, ReliabilityBins

Probability = ArrayLike | Image | str | os.PathLike[str]

_MOST_POINTS = 2000
_SLAB = 1 << 20
_SCALED = (np.dtype(np.uint8), np.dtype(np.uint16))
# Softmax and averages in single precision reach a little beyond 0 and 1.
_ROUNDING = 1e-6
_NO_POSITIVE = "no voxel of the reference is of the class"
_NO_NEGATIVE = "every voxel of the reference is of the class"
_NO_VOXEL = "no voxel has a probability and a label that counts"


class _Kinds:
    """Which voxels are of the class, of another one, or left out."""

    def __init__(self, labels: NDArray[Any], label: int, ignore: list[int]) -> None:
        self._labels, self._label, self._ignore = labels, label, ignore

    def of(self, part: slice) -> NDArray[np.uint8]:
        """Codes of the kernels, of some rows, flat."""
        labels = self._labels[part].reshape(-1)
        kinds: NDArray[np.uint8] = (labels == self._label).view(np.uint8)
        if self._ignore:
            kinds[is_among(labels, self._ignore)] = 2
        return kinds


class _Sorted(NamedTuple):
    """Ascending values of positives and of negatives, with the voxels that have each."""

    positives: NDArray[Any]
    n_of_positive: NDArray[np.int64]
    negatives: NDArray[Any]
    n_of_negative: NDArray[np.int64]


def evaluate_probabilities(
    probability: Probability,
    reference: Labels,
    *,
    label: int = 1,
    ignore: int | Iterable[int] = (),
    n_bins: int = 15,
    progress: Progress = SILENT,
) -> ProbabilityReport:
    """Measure a probability map of one class against a reference, at all thresholds.

    Parameters
    ----------
    probability : (M, N[, P]) array_like, Image, or path
        From 0 to 1, and a millionth beyond at most; NaN where there is none. Of types uint8
        and uint16, values are divided by the largest one of the type, 255 or 65535.
    reference : (M, N[, P]) array_like, Segmentation, Image, or path
        Labels on the grid of `probability`. Grids that differ only in the order and
        direction of their axes are matched up first.
    label : int
        The class the probabilities are of.
    ignore : int or iterable of int
        Voxels that the reference gives one of these labels are left out.
    n_bins : int
        Bins of the calibration error.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    ProbabilityReport

    Raises
    ------
    InputError
        If shapes differ, or values are no probabilities or no labels.
    SpaceMismatchError
        If the two do not lie on one grid.
    ParameterError
        If `n_bins`, `label` or `ignore` does not fit.

    Notes
    -----
    Between two points, precision is not linear in recall: the area under straight lines
    would be too large, and the average precision is a sum of steps instead (Davis &
    Goadrich 2006). The calibration error is that of a binary map, by the probability of
    the class; for one of many classes it is often taken of the most probable class alone,
    which is another number.

    References
    ----------
    Davis & Goadrich 2006, The relationship between precision-recall and ROC curves,
    doi:10.1145/1143844.1143874.
    Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks,
    arXiv:1706.04599.
    Brier 1950, Verification of forecasts expressed in terms of probability,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> report = evaluate_probabilities([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> round(report.average_precision, 4), report.auc, report.best_threshold
    (0.8333, 0.75, 0.35)
    """
    if not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ParameterError(
            f"expected a whole number of bins from 1 up, got {n_bins!r}; give for instance 15",
            name="n_bins",
        )
    values, labels = _on_one_grid(probability, reference)
    kinds = _Kinds(
        labels,
        class_number(label, "label"),
        [label_number(entry, "ignore") for entry in as_tuple(ignore)],
    )
    scale = float(np.iinfo(values.dtype).max) if values.dtype in _SCALED else 1.0
    told = part_of(progress, 0, 0.8)
    if scale == 1:
        walk, n_left_out = _floats(values, kinds, told)
    else:
        walk, n_left_out = _integers(values, kinds, scale, told), 0
    progress(0.8, "walking the thresholds")
    n = int(walk.n_of_positive.sum() + walk.n_of_negative.sum())
    return _report(walk, n_bins, (n_left_out, values.size - n - n_left_out), scale, label)


def _on_one_grid(
    probability: Probability, reference: Labels
) -> tuple[NDArray[Any], NDArray[np.integer[Any] | np.bool_]]:
    """The two as arrays of one shape."""
    if isinstance(probability, str | os.PathLike):
        from ...io import read

        probability = read(probability, kind="image")  # type: ignore[assignment]
    if isinstance(probability, Segmentation):
        raise InputError(
            "expected a map of probabilities, got a segmentation; to compare labels, use evaluate"
        )
    # Only its place in the world counts here, not that its values are no labels.
    placed = (
        Segmentation(probability.data, probability.space)
        if isinstance(probability, Image)
        else as_array(probability, "probability: ")
    )
    expected = load_labels(reference)
    if np.ndim(labels_of(placed)) == np.ndim(labels_of(expected)):
        placed, expected = on_one_grid(placed, expected)
    try:
        labels = integer_labels(labels_of(expected))
    except InputError as error:
        raise InputError(f"reference: {error}") from error
    values = np.atleast_1d(labels_of(placed))
    labels = np.atleast_1d(labels)
    _check(values, labels.shape)
    return values.astype(values.dtype.newbyteorder("="), copy=False), labels


def _check(values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.ndim == len(shape) + 1 and shape in (values.shape[1:], values.shape[:-1]):
        index = "k" if shape == values.shape[1:] else "..., k"
        raise InputError(
            f"expected probabilities of one class in the shape {shape}, got a stack of the shape "
            f"{values.shape}; give those of one class, probability[{index}], and its label"
        )
    if values.shape != shape:
        raise InputError(
            f"expected probability and reference of one shape, got {values.shape} and {shape}; "
            "resample one onto the grid of the other"
        )
    if values.dtype.kind not in "buif":
        raise InputError(f"expected probabilities from 0 to 1, got values of type {values.dtype}")


def _slabs(values: NDArray[Any], progress: Progress) -> Iterator[slice]:
    """Rows or planes, about a million voxels at a time."""
    depth = max(1, _SLAB * len(values) // values.size)
    for start in range(0, len(values), depth):
        progress(start / len(values), "reading probabilities")
        yield slice(start, start + depth)


def _integers(values: NDArray[Any], kinds: _Kinds, scale: float, progress: Progress) -> _Sorted:
    from ...kernels.cpu.threshold_sweep import count_values

    counts = np.zeros((3, int(scale) + 1), np.int64)
    for part in _slabs(values, progress):
        count_values(values[part].reshape(-1), kinds.of(part), counts)
    found: list[NDArray[Any]] = []
    for number in counts[1], counts[0]:
        occurring = np.flatnonzero(number)
        found += [occurring / scale, number[occurring]]
    return _Sorted(*found)


def _floats(values: NDArray[Any], kinds: _Kinds, progress: Progress) -> tuple[_Sorted, int]:
    """Values sorted, of positives and negatives apart; and the number of NaN."""
    from ...kernels.cpu.threshold_sweep import part_values

    both = np.empty(values.size, np.float64 if values.dtype.itemsize > 4 else np.float32)
    n_positive = n_negative = n_nan = 0
    for part in _slabs(values, part_of(progress, 0, 0.4)):
        slab = np.ascontiguousarray(values[part], both.dtype).reshape(-1)
        n_positive, n_negative, more = part_values(
            slab, kinds.of(part), both, n_positive, n_negative
        )
        n_nan += more
    positives, negatives = both[:n_positive], both[both.size - n_negative :]
    progress(0.4, "sorting positives")
    positives.sort()
    progress(0.6, "sorting negatives")
    negatives.sort()
    for ordered in (positives, negatives):
        _check_range(ordered)
    once = (np.broadcast_to(np.int64(1), part.size) for part in (positives, negatives))
    n_of_positive, n_of_negative = once  # a single number each, however many values there are
    return _Sorted(positives, n_of_positive, negatives, n_of_negative), n_nan


def _check_range(ordered: NDArray[Any]) -> None:
    if ordered.size and not (ordered[0] >= -_ROUNDING and ordered[-1] <= 1 + _ROUNDING):
        wrong = ordered[0] if ordered[0] < -_ROUNDING else ordered[-1]
        raise InputError(
            f"expected probabilities from 0 to 1, got {wrong:.8g}; apply the sigmoid or softmax to "
            "a network's raw output, or divide by the largest value"
        )


def _report(
    walk: _Sorted, n_bins: int, n_left_out: tuple[int, int], scale: float, label: int
) -> ProbabilityReport:
    from ...kernels.cpu.threshold_sweep import sweep

    n_positive, n_negative = int(walk.n_of_positive.sum()), int(walk.n_of_negative.sum())
    n = n_positive + n_negative
    edges, bins = np.linspace(0, 1, n_bins + 1), np.zeros((n_bins, 3))
    n_thresholds, gained, doubled_wins, dice, threshold, squares = sweep(*walk, edges, bins)
    points = _points(walk, n_thresholds, n_positive, n_negative)
    tp, fp = points[:, 1], points[:, 2]
    reliability = ReliabilityBins(
        edges, ratio(bins[:, 0], bins[:, 2]), ratio(bins[:, 1], bins[:, 2]), bins[:, 2].astype(int)
    )
    return ProbabilityReport(
        thresholds=points[:, 0],
        precision=ratio(tp, tp + fp),
        recall=ratio(tp, np.full_like(tp, n_positive)),
        false_positive_rate=ratio(fp, np.full_like(fp, n_negative)),
        average_precision=_share(gained, n_positive),
        auc=_share(doubled_wins, 2 * n_positive * n_negative),
        best_threshold=threshold,
        best_dice=dice,
        ece=_share(float(np.abs(bins[:, 0] - bins[:, 1]).sum()), n),
        brier=_share(squares, n),
        bins=reliability,
        n=n,
        n_positive=n_positive,
        n_left_out=n_left_out[0],
        n_ignored=n_left_out[1],
        scale=scale,
        label=label,
        reasons=_reasons(n_positive, n_negative),
    )


def _points(
    walk: _Sorted, n_thresholds: int, n_positive: int, n_negative: int
) -> NDArray[np.float64]:
    """Thresholds with true and false positives: all, or as many as curves need."""
    from ...kernels.cpu.threshold_sweep import trace

    share = _MOST_POINTS // 2 - 1
    steps = (0, 0) if n_thresholds <= _MOST_POINTS else (n_positive // share, n_negative // share)
    points = np.empty((_MOST_POINTS, 3))
    # Steps are rounded up, so that there are never more points than there is room for.
    return points[: trace(*walk, (steps[0] + 1, steps[1] + 1), points)]


def _reasons(n_positive: int, n_negative: int) -> dict[str, str]:
    if n_positive + n_negative == 0:
        return dict.fromkeys(DEFINITIONS, _NO_VOXEL)
    if n_positive == 0:
        names = ("average_precision", "auc", "best_dice", "best_threshold")
        return dict.fromkeys(names, _NO_POSITIVE)
    return {"auc": _NO_NEGATIVE} if n_negative == 0 else {}


def _share(part: float, whole: int) -> float:
    return part / whole if whole else math.nan
