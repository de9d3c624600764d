"""Boxes of an image: where they begin and how large they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

Ints = tuple[int, ...]


def slices(low: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    """Index that takes the box of `shape` at `low` out of an array."""
    return tuple(slice(a, a + n) for a, n in zip(low, shape, strict=True))


def cut(shape: Sequence[int], lengths: Sequence[int]) -> Iterator[tuple[Ints, Ints]]:
    """Corners and shapes of the pieces, of `lengths` at most, that make up a shape.

    Examples
    --------
    >>> list(cut((1, 5), (1, 3)))
    [((0, 0), (1, 3)), ((0, 3), (1, 2))]
    """
    for low in product(*(range(0, n, step) for n, step in zip(shape, lengths, strict=True))):
        ends = zip(low, shape, lengths, strict=True)
        yield low, tuple(min(step, n - a) for a, n, step in ends)


def grown(
    low: Sequence[int], shape: Sequence[int], reach: Sequence[int], within: Sequence[int]
) -> tuple[Ints, Ints]:
    """Corner and shape of a box with a margin of `reach`, as far as the image goes.

    Examples
    --------
    >>> grown((0, 4, 1), (1, 2, 3), (0, 3, 2), (1, 9, 9))
    ((0, 1, 0), (1, 8, 6))
    """
    begin = tuple(max(0, a - r) for a, r in zip(low, reach, strict=True))
    end = [min(m, a + n + r) for a, n, r, m in zip(low, shape, reach, within, strict=True)]
    return begin, tuple(b - a for a, b in zip(begin, end, strict=True))
