"""Surface metrics: how far apart the borders of prediction and reference lie.

Distances are measured between surface elements, in the unit of the spacing. Of a "marching"
surface an element is a corner point of the voxel grid with voxels inside and outside around
it, and weighs as much as the marching-cubes surface there has area; in 2D as much as the
contour there has length. Of a "voxel" surface an element is the centre of a voxel of the mask
with a neighbour outside across a face, and all weigh the same. What lies beyond the border of
the image is outside. A flat mask is measured by its contour; the same mask as the only slice
of a volume is bounded above and below as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from ...progress import SILENT, Progress, part_of
from ...typing import Box
from ..definitions import Pooling, Surface, check_word
from ..measuring import ABSENT, NOT_IN_REFERENCE, NOT_PREDICTED
from ..metric import Metric, Values
from .distances import SurfaceDistances, assd, check_length, hausdorff, hd95, masd, nsd
from .label_grid import LabelGrid
from .mask_surfaces import (
    band_width,
    boundary_iou,
    distances_between,
    elements_of,
    iou_of_bands,
    surface_distances,
)

__all__ = [
    "SURFACE",
    "SurfaceDistances",
    "Surfaces",
    "assd",
    "boundary_iou",
    "hausdorff",
    "hd95",
    "masd",
    "measure_surfaces",
    "nsd",
    "surface_distances",
]

_BACKGROUND = "background has no surface of interest"
_VALUES = ("hausdorff", "hd95", "assd", "masd", "nsd", "boundary_iou")
_NOTHING = (math.nan,) * 6
_ONE_EMPTY = (*_NOTHING[:4], 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Surface metrics of all classes reported on.

    Attributes
    ----------
    hausdorff, hd95, assd, masd : (C,) float64 array
        In the unit of the spacing; NaN where a class lacks a surface.
    nsd, boundary_iou : (C,) float64 array
        Between 0 and 1: 0 where only one has the class, NaN where neither has.
    reasons : tuple of C str
        Why the distances of a class are NaN; "" where they are not.
    """

    hausdorff: Values
    hd95: Values
    assd: Values
    masd: Values
    nsd: Values
    boundary_iou: Values
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Settings:
    surface: Surface
    pooling: Pooling
    tolerance: float
    boundary_width: float
    ignore: tuple[int, ...]


def measure_surfaces(
    prediction: ArrayLike,
    reference: ArrayLike,
    classes: tuple[int, ...],
    spacing: tuple[float, ...],
    *,
    surface: Surface = "marching",
    pooling: Pooling = "max",
    tolerance: float,
    boundary_width: float | None = None,
    ignore: tuple[int, ...] = (),
    progress: Progress = SILENT,
) -> Surfaces:
    """Measure the surfaces of several classes.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) unsigned integer array
        Labels of equal shape.
    classes : tuple of C int
        Labels reported on. Background (0) has no values.
    spacing : tuple of float
        Voxel size per axis.
    surface : {"marching", "voxel"}
        Elements of the marching-cubes surface, weighted by area, or border voxels.
    pooling : {"max", "pooled"}
        See `hd95`.
    tolerance : float
        Of NSD, in the unit of the spacing, from 0.
    boundary_width : float, optional
        Of `boundary_iou`, in the unit of the spacing.
    ignore : tuple of int
        Voxels that the reference gives one of these labels are background in both.
    progress : Progress
        Called for each class.

    Returns
    -------
    Surfaces

    Raises
    ------
    InputError
        If shapes differ, are not 2D or 3D, values are not unsigned integers, or the spacing
        does not fit.
    ParameterError
        If a setting is outside its range.

    Examples
    --------
    >>> labels = np.zeros((5, 8), np.uint8)
    >>> labels[1:4, 1:4] = 1
    >>> found = measure_surfaces(np.roll(labels, 2, 1), labels, (1, 2), (1, 0.5), tolerance=1)
    >>> found.hausdorff, found.nsd, found.reasons[1]
    (array([ 1., nan]), array([ 1., nan]), 'absent from both prediction and reference')
    """
    check_word("surface", surface, get_args(Surface))
    check_word("pooling", pooling, get_args(Pooling))
    check_length("tolerance", tolerance, 0.0)
    grid = LabelGrid.of(prediction, reference, spacing)
    settings = _Settings(surface, pooling, tolerance, band_width(grid, boundary_width), ignore)
    boxes = grid.boxes(classes)
    found = [
        _of_class(grid, label, box, settings, part)
        for label, box, part in zip(classes, boxes, _parts(progress, boxes), strict=True)
    ]
    rows = np.array([values for values, _ in found], np.float64).reshape(-1, len(_VALUES))
    columns: dict[str, Any] = dict(zip(_VALUES, rows.T, strict=True))
    return Surfaces(**columns, reasons=tuple(reason for _, reason in found))


def _parts(progress: Progress, boxes: list[Box]) -> list[Progress]:
    """What to report each class to, the share of the whole being that of its box."""
    sizes = [math.prod(axis.stop - axis.start for axis in box) for box in boxes]
    ends = [0.0, *(np.cumsum(sizes) / max(sum(sizes), 1)).tolist()]
    return [part_of(progress, start, stop) for start, stop in pairwise(ends)]


def _of_class(
    grid: LabelGrid, label: int, box: Box, settings: _Settings, progress: Progress
) -> tuple[tuple[float, ...], str]:
    """The values of one class, and why its distances are NaN."""
    progress(0.0, f"Surface of label {label}")
    if label == 0:
        return _NOTHING, _BACKGROUND
    masks = grid.masks(label, box, settings.ignore)
    predicted, expected = (mask.any() for mask in masks)
    if not (predicted or expected):
        return _NOTHING, ABSENT
    if not (predicted and expected):
        return _ONE_EMPTY, NOT_IN_REFERENCE if predicted else NOT_PREDICTED
    band = iou_of_bands(*masks, grid.spacing, settings.boundary_width)
    elements = elements_of(*masks, settings.surface)
    del masks  # the search needs memory of its own
    rest = part_of(progress, 0.3, 0.9)
    found = distances_between(*elements, grid.spacing, settings.surface, rest)
    worst = hausdorff(found), hd95(found, settings.pooling)
    return (*worst, assd(found), masd(found), nsd(found, settings.tolerance), band), ""


_LENGTH: dict[str, Any] = {
    "group": "surface",
    "unit": "length",
    "better": "lower",
    "limits": None,
}
SURFACE: tuple[Metric, ...] = (
    Metric(
        "hausdorff",
        "Hausdorff distance",
        "largest distance of any surface element to the other surface",
        attrgetter("hausdorff"),
        "The worst error anywhere on either surface. A single stray voxel decides it.",
        **_LENGTH,
    ),
    Metric(
        "hd95",
        "HD95",
        "95th percentile of the distances to the other surface",
        attrgetter("hd95"),
        "The worst error once the worst 5 % of the surface are set aside. Programs differ in "
        "how they weigh elements and join the two directions: compare only values of one "
        "definition.",
        **_LENGTH,
    ),
    Metric(
        "assd",
        "ASSD",
        "sum of distances x areas, both directions / area of both surfaces",
        attrgetter("assd"),
        "The typical error along both surfaces. The larger surface has more say, and a local "
        "error drowns in a large organ.",
        **_LENGTH,
    ),
    Metric(
        "masd",
        "MASD",
        "mean of the two directed mean distances",
        attrgetter("masd"),
        "The typical error, with both directions worth the same. A few false voxels far away "
        "count as much as a large surface if they are all of one mask.",
        **_LENGTH,
    ),
    Metric(
        "nsd",
        "NSD",
        "area within the tolerance of the other surface / area of both surfaces",
        attrgetter("nsd"),
        "The share of the surface that is right to within the tolerance. It says nothing of "
        "how far off the rest is, and depends on the tolerance chosen.",
        group="surface",
    ),
    Metric(
        "boundary_iou",
        "Boundary IoU",
        "IoU of the bands along the inner side of the borders",
        attrgetter("boundary_iou"),
        "Overlap near the border, where Dice of a large object hardly sees errors. Where the "
        "band is wider than half the object it is plain IoU.",
        group="surface",
    ),
)
