"""What was painted when, for undo and redo, within a budget of memory."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...typing import LabelArray


class SeedEdit(NamedTuple):
    """Seeds before and after one edit, at flat positions."""

    positions: NDArray[np.int64]
    before: LabelArray
    after: LabelArray

    @property
    def nbytes(self) -> int:
        """Memory that the edit takes."""
        return self.positions.nbytes + self.before.nbytes + self.after.nbytes


class SeedHistory:
    """Edits that can be taken back or made again; the oldest go when `budget` is used up."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._bytes = 0
        self._done: deque[SeedEdit] = deque()
        self._undone: list[SeedEdit] = []

    def add(self, edit: SeedEdit) -> None:
        """Remember an edit; those that were taken back are forgotten."""
        self._bytes += edit.nbytes - sum(old.nbytes for old in self._undone)
        self._undone.clear()
        self._done.append(edit)
        while self._bytes > self._budget and self._done:
            self._bytes -= self._done.popleft().nbytes

    def step_back(self) -> SeedEdit | None:
        """The last edit, to be taken back."""
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def step_forward(self) -> SeedEdit | None:
        """The edit taken back last, to be made again."""
        if not self._undone:
            return None
        self._done.append(self._undone.pop())
        return self._done[-1]


def differing(one: NDArray[Any], other: LabelArray) -> tuple[NDArray[np.int64], ...]:
    """Indices where two arrays differ; little more than reading both where few planes do."""
    pairs = zip(one, other, strict=True)
    planes = [index for index, (a, b) in enumerate(pairs) if not np.array_equal(a, b)]
    if not planes:
        return (np.empty(0, np.int64),) * one.ndim
    part = slice(planes[0], planes[-1] + 1)
    first, *rest = np.nonzero(one[part] != other[part])
    return (first + part.start, *rest)
