"""Small plans for growth, with known content."""

from __future__ import annotations

from typing import Any

import numpy as np

from builders import two_halves, two_strokes
from napari_segsuite.growing import boxes
from napari_segsuite.growing.live import GrowthPlan
from napari_segsuite.image import Image
from napari_segsuite.space import Space

SHAPE = (7, 20, 22)
SPACING = (2.0, 1.0, 1.0)
PLAIN = {"connectivity": 1}


def plan_for(region: Any = None, **changes: Any) -> GrowthPlan:
    """GrowCut, or another method, in a region of two halves."""
    box = boxes.whole(SHAPE) if region is None else region
    space = Space.regular(3, SPACING, "mm").crop(box)
    image = Image(two_halves(SHAPE)[box], space, "halves")
    return GrowthPlan(image, box, **({"settings": PLAIN} | changes))


def seeds() -> np.ndarray:
    return two_strokes(SHAPE)
