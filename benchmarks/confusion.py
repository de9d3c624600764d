"""Confusion matrices against numpy and SimpleITK, per slice, and of a lazy volume.

Times are taken in turns; the ratios are medians within one run. Run
``python benchmarks/confusion.py [SIZE] [REPEATS]``. SimpleITK and dask are left out where
they are not installed.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from napari_segsuite.metrics import confusion_matrix
from napari_segsuite.metrics.slices import slice_confusions

Labels = NDArray[np.uint8]


def labels_with_runs(size: int, n: int) -> Labels:
    """Cells of a few dozen voxels across, as anatomy has them."""
    rng = np.random.default_rng(0)
    coarse = size // 4
    centres = cKDTree(rng.uniform(0, coarse, (3 * n, 3)))
    grid = np.stack(np.indices((coarse,) * 3), axis=-1)
    cells = (centres.query(grid)[1] % n).astype(np.uint8)
    return cells.repeat(4, 0).repeat(4, 1).repeat(4, 2)


def blocks_of_eight(size: int, n: int) -> Labels:
    """Runs of eight voxels only: many edges."""
    coarse = np.random.default_rng(0).integers(0, n, (size // 8,) * 3, dtype=np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1).repeat(8, 2)


def noise(size: int, n: int) -> Labels:
    """No runs at all."""
    return np.random.default_rng(0).integers(0, n, (size,) * 3, dtype=np.uint8)


def by_bincount(prediction: Labels, reference: Labels, n: int) -> NDArray[np.int64]:
    """The fastest way in numpy: a 16-bit index of the pair."""
    pair = reference.astype(np.uint16) * np.uint16(n) + prediction
    return np.bincount(pair.ravel(), minlength=n * n).reshape(n, n)


def by_simple_itk(prediction: Labels, reference: Labels) -> Callable[[], list[float]] | None:
    """Dice of all classes but the background; None without SimpleITK."""
    if importlib.util.find_spec("SimpleITK") is None:
        return None
    import SimpleITK as sitk

    images = [sitk.GetImageFromArray(labels) for labels in (reference, prediction)]
    classes = range(1, int(reference.max()) + 1)

    def dice() -> list[float]:
        measures = sitk.LabelOverlapMeasuresImageFilter()
        measures.Execute(*images)
        return [measures.GetDiceCoefficient(label) for label in classes]

    return dice


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(works: list[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Milliseconds of each, taken one after the other over and over."""
    return [[seconds(work) * 1e3 for work in works] for _ in range(repeats)]


def peak_megabytes(work: Callable[[], object]) -> float:
    """Most memory that Python and numpy held beyond what there was."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def against_peers(kind: Callable[[int, int], Labels], size: int, n: int, repeats: int) -> None:
    """One line: times, ratios and extra memory."""
    reference = kind(size, n)
    prediction = np.roll(reference, 2, axis=(0, 1, 2))
    ours = partial(confusion_matrix, prediction, reference)
    works = [ours, partial(by_bincount, prediction, reference, n)]
    counts = ours().counts
    assert np.array_equal(counts, works[1]())
    peer = by_simple_itk(prediction, reference)
    if peer is not None:
        dice = 2 * counts.diagonal() / (counts.sum(axis=0) + counts.sum(axis=1))
        assert np.allclose(dice[1:], peer(), rtol=0, atol=1e-15)
        works.append(peer)
    rounds = in_turns(works, repeats)
    medians = [f"{statistics.median(times):.1f}" for times in zip(*rounds, strict=True)]
    ratios = [
        f"{statistics.median(times[i] / times[0] for times in rounds):.1f}"
        for i in range(1, len(works))
    ]
    columns = [*medians, *[""] * (3 - len(works)), *ratios, *[""] * (3 - len(works))]
    print(
        f"{kind.__name__:>16} {n:>6}",
        *(f"{column:>10}" for column in columns),
        f"{peak_megabytes(ours):>9.2f}",
    )


def per_slice(size: int, repeats: int) -> None:
    """One line per number of labels: milliseconds along each axis."""
    print(f"\nper slice, ms    {'labels':>6} {'axis 0':>10} {'axis 1':>10} {'axis 2':>10}")
    for n in (4, 35):
        reference = labels_with_runs(size, n)
        prediction = np.roll(reference, 2, axis=(0, 1, 2))
        whole = confusion_matrix(prediction, reference).counts
        works = [partial(slice_confusions, prediction, reference, axis) for axis in range(3)]
        for work in works:
            assert np.array_equal(work().counts.sum(axis=0), whole)
        times = zip(*in_turns(works, repeats), strict=True)
        print(f"{'':>16} {n:>6}", *(f"{statistics.median(each):>10.1f}" for each in times))


def lazy(size: int, chunk: int) -> None:
    """Peak of a dask volume whose blocks are made when asked for, in blocks.

    With small blocks it is also the graph of dask that counts.
    """
    if importlib.util.find_spec("dask") is None:
        return
    import dask
    import dask.array as da

    def made(block_info: dict[None, dict[str, tuple[int, ...]]]) -> Labels:
        start = sum(block_info[None]["chunk-location"])
        return np.full((chunk,) * 3, start, np.uint8)

    chunks = ((chunk,) * (size // chunk),) * 3
    volume = da.map_blocks(made, chunks=chunks, dtype=np.uint8)
    with dask.config.set(scheduler="synchronous"):
        work = partial(confusion_matrix, volume, volume)
        work()
        elapsed, peak = seconds(work) * 1e3, peak_megabytes(work)
    print(f"dask, blocks of {chunk}^3 uint8: {elapsed:.0f} ms, peak {peak:.2f} MB", end=" = ")
    print(f"{peak * 2**20 / chunk**3:.1f} blocks")


def main(size: int = 256, repeats: int = 5) -> None:
    """Print three small tables."""
    print(
        f"{'volume':>16} {'labels':>6} {'ours ms':>10} {'bincount':>10} {'SimpleITK':>10} "
        f"{'bincount x':>10} {'SITK x':>10} {'extra MB':>9}"
    )
    for kind in (labels_with_runs, blocks_of_eight, noise):
        for n in (4, 35):
            against_peers(kind, size, n, repeats)
    per_slice(size, repeats)
    print()
    for chunk in (64, 128):
        lazy(size, chunk)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
