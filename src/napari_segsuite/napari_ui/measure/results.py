"""What the windows that measure show, and where in the image they point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...image import Segmentation
from ...metrics import Report


@dataclass(frozen=True, eq=False)
class Result:
    """One measured prediction.

    Attributes
    ----------
    name : str
        Of the layer, when it was measured.
    prediction : Segmentation
    report : Report or None
        None if it could not be measured.
    error : str
        Why not, in a sentence.
    """

    name: str
    prediction: Segmentation
    report: Report | None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Results:
    """Predictions measured against one reference.

    Attributes
    ----------
    reference : Segmentation
    results : tuple of Result
    options : mapping
        Keywords that `evaluate` was called with.
    """

    reference: Segmentation
    results: tuple[Result, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def named(self, name: str) -> Result | None:
        """The result of that name, if there is one."""
        return next((result for result in self.results if result.name == name), None)


@dataclass(frozen=True)
class Place:
    """Where somebody wants to look.

    Attributes
    ----------
    result : str
        Name of the `Result`.
    label : int or None
        Class of the reference; None for all.
    predicted : int or None
        Predicted class, of a pair of classes that are confused.
    axis, index : int or None
        A slice.
    centre : tuple of float or None
        Voxel coordinates of an object.
    objects : (int, int) or None
        Labels of the matched objects in reference and prediction; 0 for none.
    """

    result: str
    label: int | None = None
    predicted: int | None = None
    axis: int | None = None
    index: int | None = None
    centre: tuple[float, ...] | None = None
    objects: tuple[int, int] | None = None
