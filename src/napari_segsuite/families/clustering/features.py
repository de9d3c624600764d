"""Voxels or regions as weighted points whose coordinates are channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...typing import FloatArray, ImageArray, MaskArray
from ..voxels import check_any_usable, usable_voxels
from .region_means import RegionMeans, means_of_regions

if TYPE_CHECKING:
    from ...kernels.cpu.crew import Crew

_SLAB = 1 << 15
_CONSTANT = 1e-9


@dataclass(frozen=True, eq=False)
class Features:
    """Points on a grid, or a list of them, brought to a common range slab by slab.

    Attributes
    ----------
    channels : sequence of (...) array
        Values as they are, views of the image where these are voxels.
    usable : (...) bool array or None
        Points that count; None for all.
    weights : (...) float64 array or None
        How much each counts; None for 1.
    offset, scale : (C,) float64 array
        Coordinates are ``(channel - offset) * scale``.
    regions : RegionMeans or None
        What the points stand for, if not for themselves.
    """

    channels: Sequence[ImageArray]
    usable: MaskArray | None
    weights: NDArray[np.float64] | None
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    regions: RegionMeans | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid."""
        return self.channels[0].shape

    def slabs(self) -> list[slice]:
        """Rows or planes with some ten thousand points each."""
        n = max(1, self.channels[0].size)
        depth = max(1, _SLAB * self.shape[0] // n)
        return [slice(start, start + depth) for start in range(0, self.shape[0], depth)]

    def points(self, rows: slice) -> FloatArray:
        """Coordinates, (C, n), of the points of a slab that count."""
        return self._coordinates([self._kept(channel, rows) for channel in self.channels])

    def weights_of(self, rows: slice) -> NDArray[np.float64]:
        """Weights, (n,), of the points of a slab that count; empty where all are 1."""
        return np.empty(0) if self.weights is None else self._kept(self.weights, rows)

    def place(self, values: NDArray[Any], rows: slice, out: NDArray[Any]) -> None:
        """Write values, (n,), of the points of a slab that count to their place in `out`."""
        if self.usable is None:
            out[rows] = values.reshape(out[rows].shape)
        else:
            out[rows][self.usable[rows]] = values

    def on_grid(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Give labels of the points to the voxels they stand for."""
        return labels if self.regions is None else self.regions.label(labels)

    def sample(self, n: int, rng: np.random.Generator) -> Features:
        """Draw `n` points that count, with replacement; all of them where there are no more."""
        sizes = [self._n_kept(rows) for rows in self.slabs()]
        ends = np.cumsum(sizes)
        total = int(ends[-1])
        drawn = np.arange(total) if total <= n else np.sort(rng.integers(0, total, n))
        points = np.empty((len(self.channels), len(drawn)), np.float32)
        weights = np.ones(len(drawn))
        bounds = np.searchsorted(drawn, [0, *ends])
        for i, rows in enumerate(self.slabs()):
            part = slice(bounds[i], bounds[i + 1])
            chosen = drawn[part] - (ends[i] - sizes[i])
            picked = [self._kept(channel, rows)[chosen] for channel in self.channels]
            points[:, part] = self._coordinates(picked)
            if self.weights is not None:
                weights[part] = self.weights_of(rows)[chosen]
        return point_list(points, weights)

    def _n_kept(self, rows: slice) -> int:
        counted = self.channels[0][rows] if self.usable is None else self.usable[rows]
        return int(counted.size if self.usable is None else np.count_nonzero(counted))

    def _kept(self, values: NDArray[Any], rows: slice) -> NDArray[Any]:
        part = values[rows]
        return part.reshape(-1) if self.usable is None else part[self.usable[rows]]

    def _coordinates(self, values: list[NDArray[Any]]) -> FloatArray:
        """Values of each channel, shifted before they are rounded to float32."""
        points = np.empty((len(values), len(values[0])), np.float32)
        for channel, offset, scale, out in zip(
            values, self.offset, self.scale, points, strict=True
        ):
            # float32 holds integers of up to 16 bits.
            exact = np.float32 if channel.dtype.itemsize <= 2 else np.float64
            shifted = np.subtract(channel, exact(offset), dtype=exact)
            np.multiply(shifted, exact(scale), out=out, casting="same_kind")
        return points


def point_list(points: FloatArray, weights: NDArray[np.float64]) -> Features:
    """Points, (C, n), whose coordinates are taken as they are.

    Examples
    --------
    >>> listed = point_list(np.zeros((3, 5), dtype=np.float32), np.ones(5))
    >>> listed.points(slice(0, 2)).shape
    (3, 2)
    """
    n = len(points)
    return Features(tuple(points), None, weights, np.zeros(n), np.ones(n))


def features_of(
    channels: Sequence[ImageArray],
    labels: ImageArray | None,
    mask: MaskArray | None,
    standardize: bool,
    title: str,
) -> Features:
    """Take each voxel as a point, or each region's mean, weighted by its size.

    Parameters
    ----------
    channels : sequence of (M, N[, P]) array
        Voxels that are not finite in all of them do not count.
    labels : (M, N[, P]) array of integers, optional
        Regions, 0 = none.
    mask : (M, N[, P]) bool array, optional
        Voxels that count.
    standardize : bool
        Whether each channel is given a standard deviation of 1. If not, all are scaled
        alike, which changes no method's result.
    title : str
        The method's, for its errors.

    Raises
    ------
    InputError
        If no voxel counts, or the values span more than float64 holds.

    Examples
    --------
    >>> image = np.array([[[0, 4]], [[8, 8]]], dtype=np.uint8)
    >>> features_of(tuple(image), None, None, False, "Example").points(slice(None))
    array([[-0.5,  0.5], [ 0. ,  0. ]], dtype=float32)
    """
    neutral = np.zeros(len(channels)), np.ones(len(channels))
    if labels is not None:
        regions = means_of_regions(tuple(channels), labels, mask, title)
        sizes = regions.sizes.astype(np.float64)
        points = Features(tuple(regions.means.T), None, sizes, *neutral, regions)
        return _ranged(points, standardize, title)
    usable = usable_voxels(channels, mask)
    check_any_usable(usable, title)
    numbers = [c.view(np.uint8) if c.dtype == bool else c for c in channels]
    return _ranged(Features(numbers, usable, None, *neutral), standardize, title)


def _ranged(features: Features, standardize: bool, title: str) -> Features:
    """Move each channel's range around 0 and bring the widest, or each, to a common scale."""
    where: Any = True if features.usable is None else features.usable
    low, high = np.transpose([_range(channel, where) for channel in features.channels])
    with np.errstate(over="ignore"):
        span = high - low
    if not np.isfinite(span).all():
        raise InputError(
            f"{title}: expected intensities that span less than {np.finfo(np.float64).max:.0e}, "
            "got more; scale the image down, for instance by its largest value."
        )
    # Of the smallest numbers there are, the scale would be infinite.
    least = np.finfo(np.float64).tiny
    # A power of two keeps whole numbers, and ties between them, exact.
    widest = np.ldexp(1.0, np.frexp(max(span.max(), 2 * least))[1] - 1)
    own = np.where(span > least, span, widest)
    scale = 1 / (own if standardize else np.full(len(span), widest))
    ranged = replace(features, offset=low + span / 2, scale=scale)
    if not standardize:
        return ranged
    deviation = _deviation(ranged)
    # A range of 1 has a deviation far above that of rounding: the rest are constant.
    return replace(ranged, scale=scale / np.where(deviation > _CONSTANT, deviation, 1))


def _range(channel: ImageArray, where: Any) -> tuple[float, float]:
    info = np.iinfo(channel.dtype) if channel.dtype.kind in "iu" else np.finfo(channel.dtype)
    low = channel.min(where=where, initial=info.max)
    return float(low), float(channel.max(where=where, initial=info.min))


def _deviation(features: Features) -> NDArray[np.float64]:
    """Standard deviation of each coordinate over all points that count."""
    total, sums, squares = 0.0, np.zeros(len(features.scale)), np.zeros(len(features.scale))
    for rows in features.slabs():
        points = features.points(rows).astype(np.float64)
        weights = features.weights_of(rows)
        weights = weights if weights.size else np.ones(points.shape[1])
        total += weights.sum()
        sums += points @ weights
        squares += np.square(points) @ weights
    mean = sums / total
    deviation: NDArray[np.float64] = np.sqrt(np.maximum(squares / total - mean**2, 0))
    return deviation


def full_crew() -> Crew:
    """As many threads as numba may use."""
    from numba import config

    from ...kernels.cpu.crew import Crew

    return Crew(int(config.NUMBA_NUM_THREADS))
