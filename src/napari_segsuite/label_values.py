"""What may stand in a label array: integers from zero up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .progress import SILENT, Progress
from .typing import LabelArray

_CHUNK = 1 << 20


def smallest_label_dtype(largest: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest of uint8, uint16 and uint32 that holds `largest`.

    Raises
    ------
    InputError
        If none does.

    Examples
    --------
    >>> smallest_label_dtype(256)
    dtype('uint16')
    """
    for dtype in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    raise InputError(
        f"expected labels up to {np.iinfo(np.uint32).max}, got {largest}; "
        "renumber the labels, e.g. with skimage.segmentation.relabel_sequential"
    )


def integer_labels(values: ArrayLike) -> NDArray[np.integer[Any] | np.bool_]:
    """Check that `values` can be labels; integers come back as they are, without a copy.

    Parameters
    ----------
    values : (M, N[, P]) array_like
        Integers, booleans, or floating-point numbers that are all whole.

    Returns
    -------
    (M, N[, P]) array of integers
        Floating-point input is converted to the smallest of uint8, uint16 and uint32.

    Raises
    ------
    InputError
        If there is a negative value, a fraction, a NaN, or no value at all.

    Examples
    --------
    >>> integer_labels([0.0, 2.0])
    array([0, 2], dtype=uint8)
    """
    array = np.asarray(values)
    if array.size == 0:
        raise InputError(f"expected labels, got an empty array of shape {array.shape}")
    if array.dtype.kind in "bu":
        return array
    if array.dtype.kind not in "if":
        raise InputError(f"expected labels as integers, got values of type {array.dtype}")
    if array.dtype.kind == "f":
        _refuse_fractions(array)
    lowest = array.min()
    if lowest < 0:
        raise InputError(
            f"expected labels from 0 up, got {int(lowest)}; "
            "renumber the labels so that the background is 0"
        )
    if array.dtype.kind == "i":
        return array
    return array.astype(smallest_label_dtype(int(array.max())))


def compact_labels(values: ArrayLike) -> LabelArray:
    """Labels in the smallest of uint8, uint16 and uint32; uint8 comes back without a copy.

    Raises
    ------
    InputError
        As `integer_labels`, and if a label is beyond uint32.
    """
    array = integer_labels(values)
    if array.dtype in (np.bool_, np.uint8):
        return array.view(np.uint8)
    return array.astype(smallest_label_dtype(int(array.max())), copy=False)


def unsigned_labels(values: ArrayLike) -> LabelArray:
    """Labels of an unsigned type; of one already, they come back without a copy.

    Raises
    ------
    InputError
        As `integer_labels`, and if signed labels are beyond uint32.

    Examples
    --------
    >>> unsigned_labels(np.array([0, 300]))
    array([  0, 300], dtype=uint16)
    """
    array: NDArray[Any] = integer_labels(values)
    return array if array.dtype.kind == "u" else compact_labels(array)


def _refuse_fractions(array: NDArray[np.floating[Any]]) -> None:
    flat = array.reshape(-1, order="A") if _is_contiguous(array) else array.ravel()
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        whole = np.isfinite(part) & (np.floor(part) == part)
        if not whole.all():
            raise InputError(
                f"expected whole numbers as labels, got {float(part[~whole][0])!r}; "
                "this looks like an intensity or probability image: threshold it first"
            )


def _is_contiguous(array: NDArray[Any]) -> bool:
    return bool(array.flags.c_contiguous or array.flags.f_contiguous)


def present_labels(labels: NDArray[np.integer[Any]]) -> list[int]:
    """Values that occur in `labels`, zero excluded, in ascending order.

    Reads in pieces: no temporary of the volume's size.
    """
    flat = labels.reshape(-1, order="A") if _is_contiguous(labels) else labels.ravel()
    found: set[int] = set()
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        small = part.dtype.itemsize <= 2 and part.dtype.kind == "u"
        values = np.flatnonzero(np.bincount(part)) if small else np.unique(part)
        found.update(values.tolist())
    return sorted(found - {0})


def label_counts(labels: NDArray[Any], progress: Progress = SILENT) -> dict[int, int]:
    """Count the voxels of each label but 0.

    Reads in pieces, whatever the layout: no temporary of the volume's size.

    Parameters
    ----------
    labels : (M, N[, P]) array of integers
    progress : Progress
        Raises `Cancelled` to stop.
    """
    counts: dict[int, int] = {}
    if labels.size == 0:
        return counts
    is_small = labels.dtype.itemsize <= 2 and labels.dtype.kind == "u"
    total = np.zeros(np.iinfo(labels.dtype).max + 1 if is_small else 0, np.int64)
    pieces = np.nditer(labels, ["external_loop", "buffered"], order="K", buffersize=_CHUNK)
    for piece in pieces:
        progress(0.0)
        if is_small:
            part = np.bincount(piece)
            total[: len(part)] += part
        else:
            for value, n in zip(*np.unique(piece, return_counts=True), strict=True):
                counts[int(value)] = counts.get(int(value), 0) + int(n)
    counts |= {int(value): int(total[value]) for value in np.flatnonzero(total)}
    counts.pop(0, None)
    return counts
