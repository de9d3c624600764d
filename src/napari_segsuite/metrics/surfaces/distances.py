"""Distances between two surfaces, and the numbers that sum them up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ..definitions import Pooling, Surface, check_word

_SHARE = 0.95
# Distances are held in float32: 3 steps of 0.7 would lie beyond a tolerance of 2.1.
_SLACK = 1 + 1e-6
_ROUNDING = 1e-12
_N_BINS = 1 << 12

Distances = NDArray[np.float32]
Areas = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distances of each element of two surfaces to the other surface, in any order.

    Attributes
    ----------
    to_reference : (n,) float32 array
        From each element of the prediction's surface to the nearest of the reference's, in
        the unit of the spacing. NaN where the reference is empty, and there is none.
    to_prediction : (m,) float32 array
        The other way.
    areas_prediction : (n,) float64 array
        Weights of the elements: their area, in 2D their length; ones for "voxel".
    areas_reference : (m,) float64 array
    surface : {"marching", "voxel"}
        What elements are.
    """

    to_reference: Distances
    to_prediction: Distances
    areas_prediction: Areas
    areas_reference: Areas
    surface: Surface = "marching"


def hausdorff(distances: SurfaceDistances) -> float:
    """The largest distance of any element to the other surface.

    Returns
    -------
    float
        NaN where a mask is empty, as for all distances.

    References
    ----------
    D. P. Huttenlocher et al., "Comparing images using the Hausdorff distance", IEEE TPAMI
    15(9), 1993, doi:10.1109/34.232073.

    Examples
    --------
    >>> from napari_segsuite.metrics.surfaces.surface_metrics import surface_distances
    >>> square, longer = np.ones((4, 9)), np.ones((4, 9))
    >>> square[:, 4:] = 0
    >>> hausdorff(surface_distances(square, longer, spacing=(1, 0.5)))
    2.5
    """
    if _is_undefined(distances):
        return math.nan
    return float(max(distances.to_reference.max(), distances.to_prediction.max()))


def hd95(distances: SurfaceDistances, pooling: Pooling = "max") -> float:
    """The distance within which 95 % of the surface lie.

    Parameters
    ----------
    distances : SurfaceDistances
        Of "marching" surfaces: the smallest distance within which elements have 95 % of the
        area. Of "voxel" surfaces: the percentile of the distances, interpolated linearly
        between neighbouring ranks, as `numpy.percentile` does.
    pooling : {"max", "pooled"}
        The larger of the two directed percentiles, or that of both directions together.

    Raises
    ------
    ParameterError
        If `pooling` is another word.

    Examples
    --------
    >>> from napari_segsuite.metrics.surfaces.surface_metrics import surface_distances
    >>> square, longer = np.ones((4, 9)), np.ones((4, 9))
    >>> square[:, 4:] = 0
    >>> found = surface_distances(square, longer, spacing=(1, 0.5), surface="voxel")
    >>> hd95(found), round(hd95(found, "pooled"), 3)
    (2.5, 2.5)
    """
    check_word("pooling", pooling, get_args(Pooling))
    if _is_undefined(distances):
        return math.nan
    percentile = _percentile_of_area if distances.surface == "marching" else _percentile
    values = distances.to_reference, distances.to_prediction
    areas = distances.areas_prediction, distances.areas_reference
    if pooling == "pooled":
        return percentile(np.concatenate(values), np.concatenate(areas))
    return max(percentile(values[0], areas[0]), percentile(values[1], areas[1]))


def assd(distances: SurfaceDistances) -> float:
    """Mean distance over the area of both surfaces together.

    Examples
    --------
    >>> from napari_segsuite.metrics.surfaces.surface_metrics import surface_distances
    >>> square, longer = np.ones((4, 9)), np.ones((4, 9))
    >>> square[:, 4:] = 0
    >>> round(assd(surface_distances(square, longer)), 3)
    1.162
    """
    if _is_undefined(distances):
        return math.nan
    n_prediction, n_reference = _totals(distances)
    return sum(_sums(distances)) / (n_prediction + n_reference)


def masd(distances: SurfaceDistances) -> float:
    """Mean of the two directed mean distances.

    Examples
    --------
    >>> from napari_segsuite.metrics.surfaces.surface_metrics import surface_distances
    >>> square, longer = np.ones((4, 9)), np.ones((4, 9))
    >>> square[:, 4:] = 0
    >>> round(masd(surface_distances(square, longer)), 3)
    0.982
    """
    if _is_undefined(distances):
        return math.nan
    means = [a / b for a, b in zip(_sums(distances), _totals(distances), strict=True)]
    return sum(means) / 2


def nsd(distances: SurfaceDistances, tolerance: float) -> float:
    """Share of both surfaces' area that lies within a tolerance of the other surface.

    Parameters
    ----------
    distances : SurfaceDistances
    tolerance : float
        From 0, in the unit of the spacing; distances a millionth longer still count.

    Returns
    -------
    float
        Between 0 and 1; 0 where one mask is empty, NaN where both are.

    Raises
    ------
    ParameterError
        If the tolerance is negative, infinite or NaN.

    References
    ----------
    S. Nikolov et al., "Clinically applicable segmentation of head and neck anatomy for
    radiotherapy", J. Med. Internet Res. 23(7), 2021, doi:10.2196/26151.

    Examples
    --------
    >>> from napari_segsuite.metrics.surfaces.surface_metrics import surface_distances
    >>> square, longer = np.ones((4, 9)), np.ones((4, 9))
    >>> square[:, 4:] = 0
    >>> round(nsd(surface_distances(square, longer), tolerance=1), 3)
    0.712
    """
    check_length("tolerance", tolerance, 0.0)
    total = sum(_totals(distances))
    if total == 0:
        return math.nan
    most = tolerance * _SLACK
    near = distances.areas_prediction[distances.to_reference <= most].sum()
    near += distances.areas_reference[distances.to_prediction <= most].sum()
    return float(near / total)


def _is_undefined(distances: SurfaceDistances) -> bool:
    return not (distances.to_reference.size and distances.to_prediction.size)


def _totals(distances: SurfaceDistances) -> tuple[float, float]:
    return float(distances.areas_prediction.sum()), float(distances.areas_reference.sum())


def _sums(distances: SurfaceDistances) -> tuple[float, float]:
    """Distances times areas, summed up in each direction."""
    return (
        float((distances.to_reference * distances.areas_prediction).sum()),
        float((distances.to_prediction * distances.areas_reference).sum()),
    )


def _percentile(values: Distances, _areas: Areas) -> float:
    return float(np.percentile(values.astype(np.float64), 100 * _SHARE))


def _percentile_of_area(values: Distances, areas: Areas) -> float:
    """The smallest distance within which elements have 95 % of the area."""
    # Only the one bin in which that distance falls has to be sorted.
    largest = float(values.max()) or 1.0
    bins = (values * np.float32(_N_BINS / largest)).astype(np.intp)
    reached = np.cumsum(np.bincount(bins, areas))
    least = (_SHARE - _ROUNDING) * reached[-1]
    place = int(np.searchsorted(reached, least))
    inside = np.flatnonzero(bins == place)
    order = inside[np.argsort(values[inside])]
    before = reached[place - 1] if place else 0.0
    last = int(np.searchsorted(before + np.cumsum(areas[order]), least))
    return float(values[order[min(last, len(order) - 1)]])


def check_length(name: str, value: float, least: float) -> None:
    """Refuse a setting below `least`, NaN or infinite.

    Raises
    ------
    ParameterError
    """
    if not (math.isfinite(value) and value >= least):
        raise ParameterError(
            f"expected '{name}' from {least:g} up, got {value!r}; give a length in the unit of "
            "the spacing",
            name=name,
        )
