"""Overlap of two label arrays slice by slice, for curves along an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError, ParameterError
from ..progress import SILENT, Progress
from .blocks import Labels, array_or_lazy, lies_reversed, read_blocks
from .confusion import Confusion, grown, numbered
from .counts import Counts
from .label_numbers import is_among
from .metric import Metric
from .overlap import OVERLAP

MAX_BYTES = 512 << 20
# A table per slice with a row for every number up to 255 would be mostly empty.
_N_DIRECT = 64


@dataclass(frozen=True, eq=False)
class SliceConfusions:
    """How often each pair of labels meets in each slice.

    Attributes
    ----------
    counts : (S, K, K) int64 array
        Voxels by slice, reference label (rows) and predicted label (columns).
    labels : tuple of int
        The label of each row and column, ascending.
    axis : int
        Along which the slices follow one another, from 0.
    """

    counts: NDArray[np.int64]
    labels: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True, eq=False)
class SliceScores:
    """A metric per class and slice.

    Attributes
    ----------
    axis : int
        Along which the slices follow one another, from 0.
    values : dict of int to (S,) float64 array
        By label; NaN in slices where the metric has no value, such as Dice where a class is
        in neither array.
    labels : tuple of int
        The classes reported on.
    metric : str
        Name of the metric.
    """

    axis: int
    values: dict[int, NDArray[np.float64]]
    labels: tuple[int, ...]
    metric: str


def slice_confusions(
    prediction: ArrayLike,
    reference: ArrayLike,
    axis: int = 0,
    *,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> SliceConfusions:
    """Count every pair of labels in every slice along an axis, in one pass.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like or lazy array
        Labels of equal shape. Of an image, a slice is a row or a column.
    axis : int
        Along which the slices follow one another; negative ones count from the last.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are left out.
    progress : Progress
        Told "block 3 of 40"; raises `Cancelled` to stop.

    Returns
    -------
    SliceConfusions
        Over all labels that occur in any slice; their sum over the slices is the table of
        `confusion_matrix`.

    Raises
    ------
    InputError
        If the arrays cannot be compared, or the tables would take more than 512 MB.
    ParameterError
        If there is no such axis.

    Examples
    --------
    >>> tables = slice_confusions([[0, 0], [1, 1]], [[0, 0], [0, 1]])
    >>> tables.counts.tolist(), tables.labels
    ([[[2, 0], [0, 0]], [[0, 1], [0, 1]]], (0, 1))
    """
    prediction = array_or_lazy(prediction, "prediction")
    shape = np.shape(prediction)
    along = _axis_from_0(axis, len(shape))
    counts, labels = np.zeros((shape[along], 0, 0), np.int64), np.empty(0, np.uint64)
    for box, predicted, expected in read_blocks(prediction, reference, progress):
        part, found = _block_tables(predicted, expected, along)
        del predicted, expected  # before the next are read
        if n_new := len(np.setdiff1d(found, labels)):
            _check_size(shape[along], len(labels) + n_new)
        counts, labels = grown(counts, labels, found)
        places = np.searchsorted(labels, found)
        # A view of these slices: the assignment adds in place.
        counts[box[along]][:, places[:, None], places] += part
    counts[:, is_among(labels, ignore)] = 0
    keep = np.flatnonzero(counts.any(axis=(0, 1)) | counts.any(axis=(0, 2)))
    if len(keep) < len(labels):
        counts = counts[:, keep[:, None], keep]
    return SliceConfusions(counts, tuple(labels[keep].tolist()), along)


def slice_scores(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    axis: int = 0,
    metric: str = "dice",
    classes: Iterable[int] | None = None,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> SliceScores:
    """Score every slice along an axis on its own, as if it were an image.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like or lazy array
        Labels of equal shape.
    axis : int
        Along which the slices follow one another; negative ones count from the last.
    metric : str
        Name of an overlap metric that has a value per class.
    classes : iterable of int, optional
        Labels to report on; by default all that occur, except ignored ones.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are left out.
    progress : Progress
        Told "block 3 of 40"; raises `Cancelled` to stop.

    Returns
    -------
    SliceScores
        A class in neither array of a slice has no value there (NaN).

    Raises
    ------
    InputError
        If the arrays cannot be compared.
    ParameterError
        If the metric or the axis is not known.

    Examples
    --------
    >>> scores = slice_scores([[0, 0], [1, 1]], [[0, 0], [0, 1]], classes=[1])
    >>> scores.values[1].round(4)
    array([   nan, 0.6667])
    """
    row = _per_class(metric)
    tables = slice_confusions(prediction, reference, axis, ignore=ignore, progress=progress)
    occurring = (label for label in tables.labels if label not in ignore)
    labels = tuple(dict.fromkeys(occurring if classes is None else classes))
    values = np.array(
        [
            row.function(Counts.of(Confusion(table, tables.labels), labels))
            for table in tables.counts
        ]
    )
    return SliceScores(tables.axis, dict(zip(labels, values.T, strict=True)), labels, metric)


def _axis_from_0(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ParameterError(
            f"expected an axis from {-ndim} to {ndim - 1}, got {axis}; the arrays have {ndim} axes",
            name="axis",
        )
    return axis % ndim


def _per_class(name: str) -> Metric:
    rows = {metric.name: metric for metric in OVERLAP if metric.per_class}
    if name not in rows:
        raise ParameterError(
            f"expected a metric among {', '.join(rows)}; got {name!r}; choose one of these",
            name="metric",
        )
    return rows[name]


def _block_tables(
    prediction: Labels, reference: Labels, axis: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Tables of the slices of one block, and the labels of their rows."""
    from ..kernels.cpu.confusion import slice_tables

    if lies_reversed(prediction):
        return _block_tables(prediction.T, reference.T, prediction.ndim - 1 - axis)
    n_slices = prediction.shape[axis]
    predicted, expected, labels = numbered(prediction, reference, _N_DIRECT)
    _check_size(n_slices, len(labels))
    outer = math.prod(prediction.shape[:axis])
    blocks = (numbers.reshape(outer, n_slices, -1) for numbers in (predicted, expected))
    return slice_tables(*blocks, len(labels)), labels


def _check_size(n_slices: int, n_labels: int) -> None:
    n_bytes = 8 * n_slices * n_labels**2
    if n_bytes > MAX_BYTES:
        raise InputError(
            f"expected tables of at most {MAX_BYTES >> 20} MB, got {n_labels} labels in "
            f"{n_slices} slices, {math.ceil(n_bytes / 2**20)} MB; compare fewer labels at once, "
            "for instance with the others set to 0"
        )
