"""Simple linear iterative clustering: k-means in position and intensity, near each centre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew
from .slic_assign import assign_rows
from .slic_seeds import Seeds

# Rows handed to a thread at once make up about this many voxels. The pieces do not depend on
# the number of threads, and so neither do the sums over them.
_VOXELS_PER_PIECE = 1 << 17
# A centre looks for voxels no farther than this many steps along each axis.
_REACH = 1.0
# In voxels; centres that move less than this along every axis are at rest.
_REST = 1e-2


class Metric(NamedTuple):
    """How far a voxel is from a centre.

    Attributes
    ----------
    spacing : tuple of float
        Voxel size per axis.
    compactness : float
        Difference of intensity that weighs as much as a distance of one step.
    adaptive : bool
        Whether each centre has its own compactness: the largest difference of intensity
        between it and a voxel of it.
    """

    spacing: tuple[float, float, float]
    compactness: float
    adaptive: bool


def cluster(
    features: NDArray[np.float32],
    usable: NDArray[np.bool_],
    seeds: Seeds,
    metric: Metric,
    iterations: int,
    done: Callable[[], None] = lambda: None,
    threads: int | None = None,
) -> None:
    """Move the borders between superpixels, in `seeds.labels`, until their centres rest.

    Each voxel goes to the centre with the least squared distance
    ``(intensity / compactness)² + (position / step)²`` among those within one step of it
    along every axis; equally near ones in a fixed order. The labels are the same for any
    number of threads.

    Parameters
    ----------
    features : (C, L, M, N) float32 array
        Finite everywhere.
    usable : (L, M, N) bool array
        Voxels that count.
    seeds : Seeds
        The partition to start from; its labels change. Voxels that do not count or that no
        centre reaches get -1.
    metric : Metric
    iterations : int
        At most so many.
    done : callable
        Called after each piece of an iteration; may raise `Cancelled`.
    threads : int, optional
        All that numba uses, if not given.

    References
    ----------
    R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods",
    IEEE TPAMI 34(11), 2012, doi:10.1109/TPAMI.2012.120.
    """
    job = _Clustering(features, usable, seeds, metric)
    pieces = row_pieces(usable.shape)
    with Crew(int(config.NUMBA_NUM_THREADS) if threads is None else threads) as crew:
        crew.run(job.add, pieces)
        job.move()
        for _ in range(iterations):
            job.sort_centres()
            crew.run(job.assign, pieces, done)
            job.adapt()
            if job.move() < _REST:
                break


def row_pieces(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """First row of each piece of a volume, counted through its planes, and the one after its last.

    Examples
    --------
    >>> row_pieces((2, 3, 1 << 16))
    [(0, 2), (2, 4), (4, 6)]
    """
    rows = shape[0] * shape[1]
    length = max(1, _VOXELS_PER_PIECE // shape[2])
    return [(first, min(first + length, rows)) for first in range(0, rows, length)]


class _Clustering:
    """What the iterations share. A centre is (z, y, x, intensities …)."""

    def __init__(
        self,
        features: NDArray[np.float32],
        usable: NDArray[np.bool_],
        seeds: Seeds,
        metric: Metric,
    ) -> None:
        spacing = np.array(metric.spacing)
        self._image = (features, usable, seeds.labels)
        self._centres = np.zeros((seeds.number, 3 + len(features)), np.float32)
        self._weights = np.full(seeds.number, metric.compactness**-2, np.float32)
        self._reach = _REACH * seeds.step / spacing
        self._pull = ((spacing / seeds.step) ** 2).astype(np.float32)
        # What adapts stays within a factor of ten, so that flat regions do not fall apart.
        self._heaviest = 100 * metric.compactness**-2 if metric.adaptive else None
        self._parts: dict[int, tuple[int, Any, Any]] = {}

    def add(self, first: int, last: int) -> None:
        """Sum up the voxels of each label in some rows."""
        features, _, labels = self._image
        low, sums = _sums(features, labels, first, last)
        spread = np.zeros(len(sums))
        if self._heaviest is not None:
            _spread(features, labels, self._centres, low, first, last, spread)
        self._parts[first] = low, sums, spread

    def assign(self, first: int, last: int) -> None:
        """Label some rows anew and sum up."""
        assign_rows(
            *self._image, self._centres, self._weights, self._pull, self._reach,
            *self._cells, first, last,
        )  # fmt: skip
        self.add(first, last)

    def sort_centres(self) -> None:
        """Note which centres lie in which cell of planes and rows, as wide as their reach."""
        planes, rows = self._image[1].shape[:2]
        depth, height = np.maximum(self._reach[:2], 1)
        n_cells = int((planes - 1) // depth) + 1, int((rows - 1) // height) + 1
        z, y = (
            (self._centres[:, 0] // depth).astype(int),
            (self._centres[:, 1] // height).astype(int),
        )
        cell = z * n_cells[1] + y
        begins = np.searchsorted(np.sort(cell), np.arange(n_cells[0] * n_cells[1] + 1))
        self._cells = np.argsort(cell, kind="stable"), begins.reshape(-1), n_cells, (depth, height)

    def adapt(self) -> None:
        """Let the largest difference of intensity within each label weigh 1, if so asked."""
        if self._heaviest is None:
            return
        spread = np.zeros(len(self._weights))
        for low, sums, farthest in self._parts.values():
            part = spread[low : low + len(sums)]
            np.maximum(part, farthest, out=part)
        self._weights[:] = 1 / np.maximum(spread, 1 / self._heaviest)

    def move(self) -> float:
        """Move the centres to the means of their voxels; returns the farthest move, in voxels."""
        total = np.zeros((len(self._centres), 1 + self._centres.shape[1]))
        # In the order of the pieces, whichever thread was first.
        for first in sorted(self._parts):
            low, sums, _ = self._parts[first]
            total[low : low + len(sums)] += sums
        filled = total[:, 0] > 0
        before = self._centres.copy()
        self._centres[filled] = total[filled, 1:] / total[filled, :1]
        return float(np.abs(self._centres - before)[:, :3].max())


@njit(nogil=True, cache=True)
def _sums(features: Any, labels: Any, first: Any, last: Any) -> Any:
    """Lowest label in some rows, and from it on: count, sums of position and intensities."""
    n_channels, _, n_rows, n_columns = features.shape
    low, high = _range(labels, first, last)
    sums = np.zeros((high - low + 1, 4 + n_channels))
    for row in range(first, last):
        z, y = row // n_rows, row % n_rows
        for x in range(n_columns):
            if labels[z, y, x] >= 0:
                total = sums[labels[z, y, x] - low]
                total[0] += 1
                total[1] += z
                total[2] += y
                total[3] += x
                for c in range(n_channels):
                    total[4 + c] += features[c, z, y, x]
    return low, sums


@njit(nogil=True, cache=True)
def _spread(
    features: Any, labels: Any, centres: Any, low: Any, first: Any, last: Any, spread: Any
) -> None:
    """Largest squared difference of intensity from the centre, of labels from `low` on."""
    n_channels, _, n_rows, n_columns = features.shape
    for row in range(first, last):
        z, y = row // n_rows, row % n_rows
        for x in range(n_columns):
            k = labels[z, y, x]
            if k >= 0:
                squares = 0.0
                for c in range(n_channels):
                    squares += (features[c, z, y, x] - centres[k, 3 + c]) ** 2
                spread[k - low] = max(spread[k - low], squares)


@njit(nogil=True, cache=True)
def _range(labels: Any, first: Any, last: Any) -> Any:
    """Lowest and highest label in some rows; (0, -1) where there is none."""
    n_rows = labels.shape[1]
    low, high = np.int32(2147483647), np.int32(-1)
    for row in range(first, last):
        for label in labels[row // n_rows, row % n_rows]:
            low = min(low, label if label >= 0 else low)
            high = max(high, label)
    return (low, high) if high >= 0 else (np.int32(0), high)
