"""Surface distances and boundary IoU of two masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from ...inputs import as_array
from ...progress import SILENT, Progress
from ..definitions import Surface, check_word
from .distances import SurfaceDistances, check_length
from .label_grid import LabelGrid, Mask
from .surfel_areas import surfel_areas

_DIAGONAL_SHARE = 0.02


def surface_distances(
    prediction: ArrayLike,
    reference: ArrayLike,
    spacing: Sequence[float] | None = None,
    *,
    surface: Surface = "marching",
) -> SurfaceDistances:
    """Distances of each element of two masks' surfaces to the other surface.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like
        Masks of equal shape: inside is what is not 0.
    spacing : sequence of float, optional
        Voxel size per axis; ones by default.
    surface : {"marching", "voxel"}
        Elements of the marching-cubes surface, weighted by area, or border voxels.

    Returns
    -------
    SurfaceDistances
        Empty arrays for an empty mask, and NaN for distances to it.

    Raises
    ------
    InputError
        If shapes differ, are not 2D or 3D, or the spacing does not fit.
    ParameterError
        If `surface` is not known.

    Examples
    --------
    >>> mask = np.zeros((5, 8), bool)
    >>> mask[1:4, 1:4] = True
    >>> found = surface_distances(mask, np.roll(mask, 2, axis=1), spacing=(1, 0.5))
    >>> float(found.to_reference.max()), round(float(found.areas_prediction.sum()), 3)
    (1.0, 8.236)
    """
    check_word("surface", surface, get_args(Surface))
    grid = _grid_of_masks(prediction, reference, spacing)
    box = grid.boxes((1,))[0]
    elements = elements_of(*grid.masks(1, box), surface)
    return distances_between(*elements, grid.spacing, surface)


def boundary_iou(
    prediction: ArrayLike,
    reference: ArrayLike,
    spacing: Sequence[float] | None = None,
    *,
    boundary_width: float | None = None,
) -> float:
    """IoU of the bands along the inner side of two masks' borders.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like
        Masks of equal shape: inside is what is not 0.
    spacing : sequence of float, optional
        Voxel size per axis; ones by default.
    boundary_width : float, optional
        A voxel belongs to the band if the centre of a voxel outside lies within this distance
        of its own, in the unit of the spacing. By default 2 % of the image's diagonal, and
        the largest step of the grid at least.

    Returns
    -------
    float
        Between 0 and 1; 0 where one mask is empty, NaN where both are.

    Raises
    ------
    InputError
        If shapes differ, are not 2D or 3D, or the spacing does not fit.
    ParameterError
        If `boundary_width` is less than the smallest step of the grid.

    References
    ----------
    B. Cheng et al., "Boundary IoU: improving object-centric image segmentation evaluation",
    CVPR 2021, doi:10.1109/CVPR46437.2021.01508.

    Examples
    --------
    >>> mask = np.zeros((6, 9), bool)
    >>> mask[1:5, 1:5] = True
    >>> boundary_iou(mask, np.roll(mask, 1, axis=1), boundary_width=1)
    0.3333333333333333
    """
    grid = _grid_of_masks(prediction, reference, spacing)
    box = grid.boxes((1,))[0]
    return iou_of_bands(*grid.masks(1, box), grid.spacing, band_width(grid, boundary_width))


def elements_of(prediction: Mask, reference: Mask, surface: Surface) -> tuple[Mask, Mask]:
    """Surface elements of two masks of a `LabelGrid`: not 0 where there is one."""
    from ...kernels.cpu.surface_elements import border_voxels, neighbour_codes

    of_mask = neighbour_codes if surface == "marching" else border_voxels
    return of_mask(prediction), of_mask(reference)


def distances_between(
    prediction: Mask,
    reference: Mask,
    spacing: tuple[float, ...],
    surface: Surface,
    progress: Progress = SILENT,
) -> SurfaceDistances:
    """`surface_distances` of what `elements_of` found."""
    from ...kernels.cpu.surface_search import distances_both_ways

    weights = surfel_areas(spacing) if surface == "marching" else np.ones(256)
    there, back = distances_both_ways(
        prediction, reference, weights, spacing, lambda: progress(0.5)
    )
    return SurfaceDistances(there[0], back[0], there[1], back[1], surface)


def iou_of_bands(
    prediction: Mask, reference: Mask, spacing: tuple[float, ...], width: float
) -> float:
    """`boundary_iou` of two masks of a `LabelGrid`."""
    from ...kernels.cpu.surface_bands import count_bands

    n_predicted, n_expected, n_both = count_bands(prediction, reference, spacing, width)
    n_either = n_predicted + n_expected - n_both
    return n_both / n_either if n_either else math.nan


def _grid_of_masks(
    prediction: ArrayLike, reference: ArrayLike, spacing: Sequence[float] | None
) -> LabelGrid:
    first, second = as_array(prediction) != 0, as_array(reference) != 0
    return LabelGrid.of(first, second, (1.0,) * first.ndim if spacing is None else spacing)


def band_width(grid: LabelGrid, width: float | None) -> float:
    """The width asked for, checked, or the usual one of an image of this size.

    Raises
    ------
    ParameterError
        If the band would be empty.
    """
    steps = grid.spacing[grid.is_flat :]
    if width is None:
        return max(_DIAGONAL_SHARE * grid.diagonal, *steps)
    check_length("boundary_width", width, min(steps))
    return width
