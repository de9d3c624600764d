"""Two label arrays read together, block by block, whether they lie in memory or not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, product
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..label_values import integer_labels
from ..progress import SILENT, Progress
from ..typing import Box

# Voxels of a block where the arrays prefer none: small enough for the caches.
_USUAL = 1 << 20
Labels = NDArray[np.integer[Any]]


def is_lazy(value: Any) -> bool:
    """Whether an array is better read in parts: it has chunks, or is a mapped file.

    Parameters
    ----------
    value : object
        A dask or zarr array, an HDF5 dataset, a numpy.memmap, or anything else.

    Examples
    --------
    >>> is_lazy(np.zeros((2, 3))), is_lazy([[0, 1]])
    (False, False)
    """
    has_chunks = all(hasattr(value, name) for name in ("chunks", "shape", "dtype"))
    return has_chunks or isinstance(value, np.memmap)


def lies_reversed(array: Any) -> bool:
    """Whether an array in memory has its first axis as the fastest one (Fortran order).

    Examples
    --------
    >>> lies_reversed(np.zeros((2, 3))), lies_reversed(np.zeros((2, 3)).T)
    (False, True)
    """
    return isinstance(array, np.ndarray) and bool(
        array.flags.f_contiguous and not array.flags.c_contiguous
    )


def block_pairs(prediction: Any, reference: Any) -> Iterator[Box]:
    """Boxes that together cover two arrays of one shape, each read once.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array or lazy array
        With `shape`; where they have `chunks`, the boxes are the larger chunks of the two,
        otherwise slabs of about a million voxels.

    Yields
    ------
    tuple of slice
        In C order of the chunks.

    Raises
    ------
    InputError
        If the shapes differ, or are not known.

    Examples
    --------
    >>> [box[0] for box in block_pairs(np.zeros((2, 1 << 20)), np.zeros((2, 1 << 20)))]
    [slice(0, 1, None), slice(1, 2, None)]
    """
    return product(*_grid(prediction, reference))


def read_blocks(
    prediction: Any, reference: Any, progress: Progress = SILENT
) -> Iterator[tuple[Box, Labels, Labels]]:
    """Read two arrays box by box and check that they hold labels.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like or lazy array
        Labels of one shape: integers, booleans, or whole floating-point numbers. Of lazy
        arrays only one block each is held in memory.
    progress : Progress
        Told "block 3 of 40"; raises `Cancelled` to stop.

    Yields
    ------
    (box, predicted, expected)
        The labels of both in that box; arrays in memory are not copied. Whoever asks for
        the next box should have let go of these.

    Raises
    ------
    InputError
        If the shapes differ, the arrays are empty, or a value is no label.
    """
    given = {"prediction": prediction, "reference": reference}
    arrays = {role: array_or_lazy(value, role) for role, value in given.items()}
    for role, array in arrays.items():
        if 0 in array.shape:
            raise InputError(f"{role}: expected labels, got an empty array of shape {array.shape}")
    grid = _grid(*arrays.values())
    n_blocks = math.prod(map(len, grid))
    for done, box in enumerate(product(*grid)):
        progress(done / n_blocks, f"block {done + 1} of {n_blocks}")
        predicted, expected = (_labels(array, box, role) for role, array in arrays.items())
        yield box, predicted, expected
        # Names that outlive their use would hold this block while the next one is read.
        del predicted, expected
    progress(1.0, f"block {n_blocks} of {n_blocks}")


def array_or_lazy(value: Any, role: str) -> Any:
    """The value itself where it is lazy, otherwise as an array.

    Parameters
    ----------
    value : (M, N[, P]) array_like or lazy array
    role : str
        "prediction" or "reference", for the message.

    Raises
    ------
    InputError
        If it is no array.

    Examples
    --------
    >>> array_or_lazy([[0, 1]], "prediction").shape
    (1, 2)
    """
    if is_lazy(value):
        return value
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(
            f"{role}: expected an array, got lists of unequal length; make all rows equally long"
        ) from error


def _labels(array: Any, box: Box, role: str) -> Labels:
    try:
        labels = integer_labels(np.asarray(array[box]))
    except InputError as error:
        raise InputError(f"{role}{_place(box) if is_lazy(array) else ''}: {error}") from error
    return labels.view(np.uint8) if labels.dtype == np.bool_ else cast("Labels", labels)


def _place(box: Box) -> str:
    return f" in [{', '.join(f'{part.start}:{part.stop}' for part in box)}]"


def _grid(prediction: Any, reference: Any) -> tuple[tuple[slice, ...], ...]:
    """Consecutive slices per axis."""
    shape, other = tuple(prediction.shape), tuple(reference.shape)
    if any(math.isnan(n) for n in (*shape, *other)):
        raise InputError(
            f"expected arrays of known shape, got {shape} and {other}; let dask find it with "
            "compute_chunk_sizes()"
        )
    if shape != other:
        raise InputError(
            f"expected prediction and reference of one shape, got {shape} and {other}; "
            "resample one onto the grid of the other"
        )
    chunked = [sizes for array in (prediction, reference) if (sizes := _chunk_sizes(array))]
    if chunked:
        sizes = max(chunked, key=_largest)
    elif lies_reversed(prediction):
        sizes = _uniform(shape, _slab(shape[::-1])[::-1])
    else:
        sizes = _uniform(shape, _slab(shape))
    return tuple(tuple(_slices(axis)) for axis in sizes)


def _chunk_sizes(array: Any) -> tuple[tuple[int, ...], ...]:
    """Lengths of the chunks along each axis; empty where there are none."""
    chunks = getattr(array, "chunks", None)
    if not chunks:
        return ()
    if isinstance(chunks[0], int | np.integer):
        return _uniform(array.shape, chunks)
    return tuple(tuple(axis) for axis in chunks)


def _uniform(shape: tuple[int, ...], chunk: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(min(step, n - start) for start in range(0, n, step))
        for n, step in zip(shape, chunk, strict=True)
    )


def _slab(shape: tuple[int, ...]) -> tuple[int, ...]:
    """As many leading rows or planes as a block of the usual size has room for."""
    chunk = list(shape)
    for axis, n in enumerate(shape):
        rest = math.prod(shape[axis + 1 :])
        chunk[axis] = min(n, max(1, _USUAL // rest))
        if rest <= _USUAL:
            break
    return tuple(chunk)


def _largest(sizes: tuple[tuple[int, ...], ...]) -> int:
    return math.prod(max(axis) for axis in sizes)


def _slices(sizes: tuple[int, ...]) -> Iterator[slice]:
    for stop, size in zip(accumulate(sizes), sizes, strict=True):
        yield slice(stop - size, stop)
