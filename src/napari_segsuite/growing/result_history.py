"""Undo and redo of results: what each step changed, compressed, within a budget."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..boxes import bounding_box, outside, shape_of, slabs, union, whole
from ..errors import InputError
from ..typing import Box

# Higher levels shrink label images by little more and take several times as long.
_LEVEL = 1


@dataclass(frozen=True)
class _Step:
    """Values before and after one step in a box, 0 in both where nothing changed.

    `labels` are the smallest and the largest value that occurs.
    """

    name: str
    shape: tuple[int, ...]
    box: Box
    labels: tuple[int, int]
    before: bytes
    after: bytes

    @property
    def dtype(self) -> np.dtype[Any]:
        return _smallest_dtype(self.labels)

    @property
    def nbytes(self) -> int:
        return len(self.before) + len(self.after)


class ResultHistory:
    """Steps of a result that can be taken back and made again.

    A step keeps the values before and after in the bounding box of what it changed,
    deflated: some 0.03 bytes per voxel of the box for a smooth object, 0.1 for a ragged
    one. It writes back only voxels that still hold what it left there, so what was painted
    into the result since then stays. The array may have been converted to another integer
    type in between.

    Parameters
    ----------
    byte_budget : int
        Memory for all steps together; beyond it the oldest are forgotten, and a single
        step that needs more cannot be taken back.
    steps : int
        Number of steps to remember at most.

    Examples
    --------
    >>> result = np.zeros((4, 4), np.uint8)
    >>> history = ResultHistory(byte_budget=1 << 20, steps=10)
    >>> history.commit(result, np.eye(4, dtype=np.uint8), "Apply")
    (slice(0, 4, None), slice(0, 4, None))
    >>> history.undo_name
    'Apply'
    >>> _ = history.undo(result)
    >>> bool(result.any()), history.can_redo
    (False, True)
    """

    def __init__(self, byte_budget: int, steps: int) -> None:
        self._budget = byte_budget
        self._limit = steps
        self._steps: list[_Step] = []
        self._done = 0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._done > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to make again."""
        return self._done < len(self._steps)

    @property
    def undo_name(self) -> str | None:
        """Name of the step that `undo` takes back."""
        return self._steps[self._done - 1].name if self.can_undo else None

    @property
    def redo_name(self) -> str | None:
        """Name of the step that `redo` makes again."""
        return self._steps[self._done].name if self.can_redo else None

    @property
    def nbytes(self) -> int:
        """Memory that the steps take."""
        return sum(step.nbytes for step in self._steps)

    def clear(self) -> None:
        """Forget all steps."""
        self._steps.clear()
        self._done = 0

    def commit(self, array: NDArray[Any], new: NDArray[Any], name: str) -> Box | None:
        """Write `new` into `array` and remember how to take that back.

        Steps that were taken back are forgotten. Temporaries have the size of a slab of
        a million voxels.

        Parameters
        ----------
        array : (M, N[, P, …]) integer array
            The result, changed in place.
        new : integer array of the same shape
        name : str
            What the step is called in menus, e.g. "Apply".

        Returns
        -------
        tuple of slice or None
            Bounding box of what changed; None where nothing did, and nothing is
            remembered then.

        Raises
        ------
        InputError
            If the shapes differ, or if a label does not fit into the type of `array`;
            nothing is changed then.
        """
        if array.shape != new.shape:
            raise InputError(
                f"expected new labels of the result's shape {array.shape}, got {new.shape}; "
                f"put them on the grid of the result"
            )
        box, labels = _difference(array, new)
        if box is None:
            return None
        _require_room(array.dtype, labels)
        packed = _compressed(array, new, box, _smallest_dtype(labels))
        step = _Step(name, array.shape, box, labels, *packed)
        self._exchange(array, step, step.before, step.after)
        self._remember(step)
        return box

    def undo(self, array: NDArray[Any]) -> Box | None:
        """Take the last step back, in place.

        Returns
        -------
        tuple of slice or None
            Bounding box of what changed; None where nothing did.

        Raises
        ------
        InputError
            If `array` has not the shape of the step, or cannot hold its labels.
        """
        if not self.can_undo:
            return None
        step = self._steps[self._done - 1]
        box = self._exchange(array, step, step.after, step.before)
        self._done -= 1
        return box

    def redo(self, array: NDArray[Any]) -> Box | None:
        """Make the step again that was taken back last; as `undo`."""
        if not self.can_redo:
            return None
        step = self._steps[self._done]
        box = self._exchange(array, step, step.before, step.after)
        self._done += 1
        return box

    def _remember(self, step: _Step) -> None:
        self._steps[self._done :] = [step]
        while self._steps and (len(self._steps) > self._limit or self.nbytes > self._budget):
            del self._steps[0]
        self._done = len(self._steps)

    @staticmethod
    def _exchange(array: NDArray[Any], step: _Step, expected: bytes, wanted: bytes) -> Box | None:
        """Write `wanted` where `array` holds what is `expected`; the box of what changed."""
        if array.shape != step.shape:
            raise InputError(
                f"expected a result of shape {step.shape}, as it was at the step "
                f"{step.name!r}, got {array.shape}; choose that result again"
            )
        _require_room(array.dtype, step.labels)
        changed: Box | None = None
        pairs = zip(_values(expected, step), _values(wanted, step), strict=True)
        for slab, (before, after) in zip(slabs(step.box), pairs, strict=True):
            part = np.array(array[slab])
            written = (before != after) & (part == before)
            part[written] = after[written].astype(part.dtype)
            array[slab] = part
            found = bounding_box(written)
            if found is not None:
                changed = union(changed, outside(found, slab))
        return changed


def _difference(array: NDArray[Any], new: NDArray[Any]) -> tuple[Box | None, tuple[int, int]]:
    """Box of the voxels that differ, and the extremes of their labels before and after."""
    box: Box | None = None
    lowest, largest = 0, 0
    for slab in slabs(whole(array.shape)):
        before, after = np.asarray(array[slab]), np.asarray(new[slab])
        differs = before != after
        found = bounding_box(differs)
        if found is None:
            continue
        box = union(box, outside(found, slab))
        for values in (before[differs], after[differs]):
            lowest, largest = min(lowest, int(values.min())), max(largest, int(values.max()))
    return box, (lowest, largest)


def _compressed(
    array: NDArray[Any], new: NDArray[Any], box: Box, dtype: np.dtype[Any]
) -> tuple[bytes, bytes]:
    streams = zlib.compressobj(_LEVEL), zlib.compressobj(_LEVEL)
    chunks: tuple[list[bytes], list[bytes]] = [], []
    for slab in slabs(box):
        parts = np.asarray(array[slab]), np.asarray(new[slab])
        differs = parts[0] != parts[1]
        for part, stream, pieces in zip(parts, streams, chunks, strict=True):
            values = np.where(differs, part, 0).astype(dtype)
            pieces.append(stream.compress(values.tobytes()))
    before, after = (
        b"".join([*pieces, stream.flush()]) for stream, pieces in zip(streams, chunks, strict=True)
    )
    return before, after


def _values(packed: bytes, step: _Step) -> Iterator[NDArray[Any]]:
    """What was compressed, slab by slab."""
    stream = zlib.decompressobj()
    rest = packed
    for slab in slabs(step.box):
        shape = shape_of(slab)
        missing = int(np.prod(shape)) * step.dtype.itemsize
        pieces = []
        while missing:
            pieces.append(stream.decompress(rest, missing))
            rest = stream.unconsumed_tail
            missing -= len(pieces[-1])
        yield np.frombuffer(b"".join(pieces), step.dtype).reshape(shape)


def _require_room(dtype: np.dtype[Any], labels: tuple[int, int]) -> None:
    lowest, largest = labels
    limits = np.iinfo(dtype)
    if lowest < limits.min or largest > limits.max:
        raise InputError(
            f"expected a result that can hold labels from {lowest} to {largest}, got {dtype}; "
            f"convert it to {_smallest_dtype(labels)} first"
        )


def _smallest_dtype(labels: tuple[int, int]) -> np.dtype[Any]:
    return np.result_type(*(np.min_scalar_type(label) for label in labels))
