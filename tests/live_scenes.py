"""Small plans for growth, with known content, and a screen that shows what grows."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import boxes
from napari_segsuite.families.postprocessing.smoothing import smooth_labels
from napari_segsuite.growing.live import Growth, GrowthPlan, LiveGrowth
from napari_segsuite.image import Image
from napari_segsuite.label_values import label_counts
from napari_segsuite.space import Space

SHAPE = (7, 20, 22)
SPACING = (2.0, 1.0, 1.0)
REGION = (slice(1, 6), slice(2, 18), slice(0, 22))
PLAIN = {"connectivity": 1}


def plan_for(region: Any = None, **changes: Any) -> GrowthPlan:
    """GrowCut, or another method, in a region of two halves."""
    box = boxes.whole(SHAPE) if region is None else region
    space = Space.regular(3, SPACING, "mm").crop(box)
    image = Image(two_halves(SHAPE)[box], space, "halves")
    return GrowthPlan(image, box, **({"settings": PLAIN} | changes))


def seeds() -> np.ndarray:
    return two_strokes(SHAPE)


class Screen:
    """Shows what grows, as a window does."""

    def __init__(self, plan: GrowthPlan) -> None:
        self.shown = np.zeros(SHAPE, np.uint32)
        self.live = LiveGrowth(plan, self.shown)

    def follow(self, painted: np.ndarray) -> Growth | None:
        """Put on display what the seeds grow to."""
        return self._show(self.live.follow(painted))

    def learn(self) -> Growth | None:
        """Put on display what was learned from them."""
        return self._show(self.live.adopt(self.live.study()))

    def blank(self) -> None:
        """Forget everything that is on display."""
        self.shown[...] = 0
        self.live.forget_shown()

    def _show(self, growth: Growth | None) -> Growth | None:
        if growth is not None:
            n_changed = np.count_nonzero(self.shown[growth.box] != growth.labels)
            assert growth.n_changed == n_changed
            self.shown[growth.box] = growth.labels
            self.live.confirm(growth)
            assert growth.counts == label_counts(self.shown[self.live.plan.region])
        return growth


def fresh(plan: GrowthPlan, painted: np.ndarray) -> np.ndarray:
    """The labels on the whole grid, grown from scratch by plain GrowCut."""
    labels = np.zeros(SHAPE, np.uint32)
    inner = painted[plan.region]
    session = nss.GrowSession(
        plan.image.data, inner, spacing=SPACING, mask=plan.allowed, **plan.settings
    )
    grown = session.labels
    if plan.smoothing:
        grown = smooth_labels(np.ascontiguousarray(grown), SPACING, plan.smoothing)
        grown = np.where(inner != 0, inner, grown)
    labels[plan.region] = np.where(grown == plan.background, 0, grown)
    return labels
