"""What a metric's name leaves open, fixed once for a report and printed with its numbers."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import ParameterError
from .metric import Metric

Surface = Literal["marching", "voxel"]
Pooling = Literal["max", "pooled"]
Objects = Literal["labels", "components"]

_SURFACE_WORDS = {
    "marching": "marching-cubes surface, weighted by area",
    "voxel": "centres of border voxels, each counted once",
}
_POOLING_WORDS = {
    "max": "larger of the two directions",
    "pooled": "both directions pooled",
}
_OBJECT_WORDS = {
    "labels": "an object is a label",
    "components": "an object is a connected component",
}
_USUAL_TOLERANCE = "the largest step of the grid"
_USUAL_BAND = "2 % of the image's diagonal, the largest step of the grid at least"


@dataclass(frozen=True)
class Definitions:
    """Choices behind the metrics of a report.

    Attributes
    ----------
    surface : {"marching", "voxel"}
        What distances are measured between: the marching-cubes surface, each element of it
        weighted by its area, or the centres of border voxels, each counted once, as many
        challenges do.
    hd_pooling : {"max", "pooled"}
        Whether HD95 is the larger of the two directed 95th percentiles, or the percentile
        of the distances of both directions together.
    tolerance : float or None
        How far apart surfaces may lie for NSD, in the unit of the spacing; None for the
        largest step of the grid.
    boundary_width : float or None
        Width of the band that boundary IoU compares, in the unit of the spacing; None for
        2 % of the image's diagonal, and the largest step of the grid at least.
    beta : float
        How many times as much recall counts as precision in F-beta.
    objects : {"labels", "components"}
        Whether each label is an object, or each connected component of a label.

    Raises
    ------
    ParameterError
        If a value is none of these.
    """

    surface: Surface = "marching"
    hd_pooling: Pooling = "max"
    tolerance: float | None = None
    boundary_width: float | None = None
    beta: float = 2.0
    objects: Objects = "labels"

    def __post_init__(self) -> None:
        for name, choices in (
            ("surface", get_args(Surface)),
            ("hd_pooling", get_args(Pooling)),
            ("objects", get_args(Objects)),
        ):
            check_word(name, getattr(self, name), choices)
        for name in ("tolerance", "boundary_width", "beta"):
            if getattr(self, name) is not None:
                _check_positive(name, getattr(self, name))

    def of(self, metric: Metric, length_unit: str = "") -> str:
        """The formula of a metric with the choices that matter to it.

        Examples
        --------
        >>> from napari_segsuite.metrics import METRICS
        >>> Definitions(tolerance=2).of(METRICS["nsd"], "mm").rpartition("; ")[2]
        'tolerance 2 mm'
        """
        said = [metric.formula]
        if metric.group == "surface" and metric.name != "boundary_iou":
            said.append(_SURFACE_WORDS[self.surface])
        if metric.name == "hd95":
            said.append(_POOLING_WORDS[self.hd_pooling])
        if metric.name == "nsd":
            said.append(f"tolerance {_length(self.tolerance, length_unit, _USUAL_TOLERANCE)}")
        if metric.name == "boundary_iou":
            said.append(f"band {_length(self.boundary_width, length_unit, _USUAL_BAND)}")
        if metric.name == "f_beta":
            said.append(f"beta {self.beta:g}")
        if metric.group == "instances":
            said.append(_OBJECT_WORDS[self.objects])
        return "; ".join(said)


def _length(value: float | None, unit: str, usual: str) -> str:
    return usual if value is None else f"{value:.6g} {unit}".rstrip()


def check_word(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse a choice that there is not.

    Raises
    ------
    ParameterError
    """
    if value not in choices:
        raise ParameterError(
            f"expected '{name}' among {', '.join(choices)}; got {value!r}; choose one", name=name
        )


def _check_positive(name: str, value: Any) -> None:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value > 0):
        raise ParameterError(f"expected '{name}' above 0, got {value!r}; give a number", name=name)
