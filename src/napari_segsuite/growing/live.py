"""Labels that follow the seeds, stroke by stroke: what a window shows, without the window."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..image import Image
from ..label_values import label_counts
from ..progress import SILENT, Progress
from ..typing import Box, FloatArray, LabelArray, MaskArray
from . import boxes
from .engines import LIVE_METHOD, Engine, make_engine


@dataclass(frozen=True, eq=False)
class GrowthPlan:
    """On what, where and how seeds are to grow.

    Attributes
    ----------
    image : Image
        What of one time point lies in the region; further channels widen what the engine
        sees.
    region : tuple of slice
        Where that is on the grid of the seeds; everything else stays 0.
    method : str
        Id of a seeded method; GrowCut follows strokes, others are run anew.
    settings : mapping
        Of the method.
    allowed : (M, N[, P]) bool array or None
        Where in the region growth may go.
    smoothing : float
        Length over which borders are smoothed, in the unit of the image; 0 for none.
    """

    image: Image
    region: Box
    method: str = LIVE_METHOD
    settings: Mapping[str, Any] = field(default_factory=dict)
    allowed: MaskArray | None = None
    smoothing: float = 0.0


@dataclass(frozen=True, eq=False)
class Growth:
    """What one step changed.

    Attributes
    ----------
    box : tuple of slice
        Where, on the grid of the seeds.
    labels : array
        The labels inside the box.
    n_changed : int
        Voxels whose label differs from what was shown.
    counts : mapping of int to int
        Voxels of each class in the region, after this step.
    seconds : float
        What the step took.
    """

    box: Box
    labels: LabelArray
    n_changed: int
    counts: Mapping[int, int]
    seconds: float


class LiveGrowth:
    """An engine at work on a region of an image, and what of it is shown.

    Any thread may call it, one at a time. It never writes into `shown`: whoever shows the
    labels copies each `Growth` there, in a thread of its choice, before the next step.

    Parameters
    ----------
    plan : GrowthPlan
    shown : (M, N[, P]) unsigned integer array
        The labels on display, on the grid of the seeds.
    """

    def __init__(self, plan: GrowthPlan, shown: LabelArray) -> None:
        self.plan = plan
        self.shown = shown
        self._spacing = plan.image.space.spacing
        self._engine: Engine | None = None
        self._is_shown = False
        self._counts: Counter[int] = Counter()

    @property
    def engine(self) -> Engine | None:
        """What grows the labels; None before the first step."""
        return self._engine

    @property
    def is_stale(self) -> bool:
        """Whether `learn` has something to learn."""
        return self._engine is not None and self._engine.is_stale

    @property
    def strength(self) -> FloatArray | None:
        """How firmly each voxel of the region is held, where the engine knows."""
        return None if self._engine is None else self._engine.strength

    def follow(self, seeds: LabelArray, progress: Progress = SILENT) -> Growth | None:
        """Bring the labels in line with the seeds as they are now.

        Parameters
        ----------
        seeds : (M, N[, P]) integer array
            It may be painted on while it is read: what
            is missed comes with the next call.
        progress : callable
            May raise `Cancelled`; the next call then takes the step again.

        Returns
        -------
        Growth or None
            None where nothing on display changes.

        Raises
        ------
        SegSuiteError
            If the engine cannot work on these seeds; what is shown stays.
        """
        started = time.perf_counter()
        inner = seeds[self.plan.region]
        if self._engine is None:
            plan = self.plan
            self._engine = make_engine(
                plan.method,
                plan.image,
                inner,
                plan.settings,
                plan.allowed,
                progress,
            )
            changed: Box | None = boxes.whole(inner.shape)
        else:
            changed = self._engine.follow(inner, progress)
        return self._growth(changed, inner, started)

    def learn(
        self, seeds: LabelArray, progress: Progress = SILENT, first: Box | None = None
    ) -> Growth | None:
        """Follow the seeds, learn from them, and grow anew.

        Parameters
        ----------
        seeds : (M, N[, P]) integer array
        progress : callable
            May raise `Cancelled`: the engine then keeps what it knew.
        first : tuple of slice, optional
            What the user looks at, on the grid of the seeds.
        """
        started = time.perf_counter()
        inner = seeds[self.plan.region]
        if self._engine is None:
            self.follow(seeds, progress)
        assert self._engine is not None
        changed = self._engine.follow(inner)
        looked_at = None if first is None else self._within(first)
        changed = boxes.union(changed, self._engine.learn(progress, looked_at))
        return self._growth(changed, inner, started)

    def forget_shown(self) -> None:
        """Have the next step bring the labels of the whole region."""
        self._is_shown = False

    # --- parts ------------------------------------------------------------------------
    def _within(self, box: Box) -> Box | None:
        """The part of a box in the region, counted from the region's corner."""
        clipped = boxes.intersection(box, self.plan.region)
        return None if clipped is None else boxes.inside(clipped, self.plan.region)

    def _growth(self, changed: Box | None, seeds: LabelArray, started: float) -> Growth | None:
        assert self._engine is not None
        labels = self._engine.labels
        is_first, self._is_shown = not self._is_shown, True
        if is_first:
            changed = boxes.whole(labels.shape)
        if changed is None:
            return None
        changed, inside = self._smoothed(labels, seeds, changed)
        box = boxes.outside(changed, self.plan.region)
        before = self.shown[box]
        n_changed = int(np.count_nonzero(inside != before))
        if is_first:
            self._counts = Counter(label_counts(inside))
        elif n_changed:
            self._counts.update(label_counts(inside))
            self._counts.subtract(label_counts(before))
        else:
            return None
        return Growth(box, inside, n_changed, +self._counts, time.perf_counter() - started)

    def _smoothed(
        self, labels: LabelArray, seeds: LabelArray, changed: Box
    ) -> tuple[Box, LabelArray]:
        """What is to be shown of the labels, where a change in `changed` can be seen."""
        if not self.plan.smoothing:
            return changed, labels[changed].copy()
        from ..families.postprocessing.smoothing import reach, smooth_labels

        margin = reach(self.plan.smoothing, self._spacing)
        seen = boxes.grown(changed, margin, labels.shape)
        source = boxes.grown(seen, margin, labels.shape)
        smooth = smooth_labels(labels[source], self._spacing, self.plan.smoothing)
        inside = smooth[boxes.inside(seen, source)].copy()
        painted = seeds[seen]
        np.copyto(inside, painted, where=painted != 0, casting="unsafe")
        return seen, inside
