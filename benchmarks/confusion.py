"""Confusion matrix against ``numpy.bincount``: times taken in turns, median of the ratios.

Run ``python benchmarks/confusion.py [SIZE] [REPEATS]``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_segsuite.metrics import confusion_matrix

Labels = NDArray[np.uint8]


def labels_with_runs(size: int, n: int) -> Labels:
    """Blocks of equal labels, as anatomy has them, from a coarse random grid."""
    coarse = np.random.default_rng(0).integers(0, n, (size // 8,) * 3, dtype=np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1).repeat(8, 2)


def by_bincount(prediction: Labels, reference: Labels, n: int) -> NDArray[np.int64]:
    """The fastest way in numpy: a 16-bit index of the pair."""
    pair = reference.astype(np.uint16) * np.uint16(n) + prediction
    return np.bincount(pair.ravel(), minlength=n * n).reshape(n, n)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def main(size: int = 256, repeats: int = 3) -> None:
    """Print one line per number of labels."""
    print(f"{'labels':>7} {'ours ms':>9} {'bincount ms':>12} {'ratio':>7}")
    for n in (4, 35):
        reference = labels_with_runs(size, n)
        prediction = np.roll(reference, 2, axis=(0, 1, 2))
        counts = confusion_matrix(prediction, reference).counts
        assert np.array_equal(counts, by_bincount(prediction, reference, n))
        pairs = [
            (
                seconds(confusion_matrix, prediction, reference),
                seconds(by_bincount, prediction, reference, n),
            )
            for _ in range(repeats)
        ]
        ours, theirs = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
        ratio = statistics.median(slow / fast for fast, slow in pairs)
        print(f"{n:>7} {ours:>9.1f} {theirs:>12.1f} {ratio:>7.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
