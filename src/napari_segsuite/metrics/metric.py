"""What a row of the table of metrics says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Unit = Literal["", "volume", "length"]
Better = Literal["higher", "lower", "zero", ""]
Need = Literal["reference", "prediction", "rest of reference", "rest of prediction"]


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics.

    Attributes
    ----------
    name, title : str
        As in code, and as in a table.
    formula : str
        Definition, printed with every result.
    function : callable
        From what was measured for its group to one value per class, (C,), or to a single
        number; NaN where there is no value.
    help : str
        Two sentences: what the metric tells, and where it misleads.
    group : str
        Name under which metrics are asked for together.
    per_class : bool
        Whether there is a value per class; else one for the whole image.
    unit : {"", "volume", "length"}
        What values are measured in; "" for plain numbers.
    better : {"higher", "lower", "zero", ""}
        Which values are good; "" where none is.
    limits : (float, float) or None
        Lowest and highest value there can be, for metrics that have both.
    needs : tuple of {"reference", "prediction", "rest of reference", "rest of prediction"}
        What must have voxels for a class that occurs to have a value: the class itself, or
        all other classes together.
    """

    name: str
    title: str
    formula: str
    function: Callable[[Any], Values | float]
    help: str
    group: str = "overlap"
    per_class: bool = True
    unit: Unit = ""
    better: Better = "higher"
    limits: tuple[float, float] | None = (0.0, 1.0)
    needs: tuple[Need, ...] = ()
