"""Labels that follow the seeds, stroke by stroke: what a window shows, without the window."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import boxes
from ..image import Image
from ..label_values import label_counts
from ..progress import SILENT, Progress
from ..typing import Box, FloatArray, LabelArray, MaskArray
from .engines import LIVE_METHOD, Engine, make_engine

# Beyond what anybody paints; a wider type of label holds it.
BORDER = 65535


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
    background : int or None
        Class that holds the others back without being shown; `BORDER` is one that need not
        be painted, as it grows from the edges of the slices.
    """

    image: Image
    region: Box
    method: str = LIVE_METHOD
    settings: Mapping[str, Any] = field(default_factory=dict)
    allowed: MaskArray | None = None
    smoothing: float = 0.0
    background: int | None = None


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

    Any thread may call it, one at a time, but for `study`, which may run beside the rest.
    It never writes into `shown`: whoever shows the labels copies each `Growth` there, in a
    thread of its choice, and says so with `confirm` before the next step. What was not
    confirmed comes again.

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
        self._pending: Box | None = None
        self._is_shown = False
        self._counts: Counter[int] = Counter()

    @property
    def engine(self) -> Engine | None:
        """What grows the labels; None before the first step."""
        return self._engine

    @property
    def is_stale(self) -> bool:
        """Whether `study` has something to learn."""
        return self._engine is not None and self._engine.is_stale

    @property
    def painted(self) -> LabelArray:
        """Copy of the seeds that were followed last, without those of the border."""
        assert self._engine is not None
        seeds = self._engine.seeds.copy()
        if self.plan.background == BORDER:
            seeds[seeds == BORDER] = 0
        return seeds

    @property
    def strength(self) -> FloatArray | None:
        """How firmly each voxel of the region is held, where the engine knows."""
        return None if self._engine is None else self._engine.strength

    def follow(self, seeds: LabelArray, progress: Progress = SILENT) -> Growth | None:
        """Bring the labels in line with the seeds as they are now.

        Parameters
        ----------
        seeds : (M, N[, P]) integer array
            It may be painted on while it is read: what is missed comes with the next call.
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
        inner = self._planted(seeds[self.plan.region])
        if self._engine is None:
            plan = self.plan
            self._engine = make_engine(
                plan.method, plan.image, inner, plan.settings, plan.allowed, progress
            )
            changed: Box | None = boxes.whole(inner.shape)
        else:
            changed = self._followed(self._engine, inner, progress)
        return self._growth(changed, started)

    def study(self, progress: Progress = SILENT) -> Any:
        """Learn from the seeds that were followed last; what for is up to `adopt`.

        Parameters
        ----------
        progress : callable
            May raise `Cancelled`.
        """
        assert self._engine is not None
        return self._engine.study(progress)

    def adopt(self, study: Any) -> Growth | None:
        """Grow by what was learned, from the seeds that were followed last."""
        started = time.perf_counter()
        assert self._engine is not None
        return self._growth(self._engine.adopt(study), started)

    def confirm(self, growth: Growth) -> None:
        """Take note that a step is on display."""
        self._pending = None
        self._is_shown = True
        self._counts = Counter(growth.counts)

    def forget_shown(self) -> None:
        """Have the next step bring the labels of the whole region."""
        assert self._engine is not None
        self._pending = boxes.whole(self._engine.labels.shape)
        self._is_shown = False
        self._counts.clear()

    # --- parts ------------------------------------------------------------------------
    def _followed(self, engine: Engine, seeds: LabelArray, progress: Progress) -> Box | None:
        """Where labels changed or, as smoothing spares what is painted, seeds did."""
        if not self.plan.smoothing:
            return engine.follow(seeds, progress)
        seeds = seeds.copy()
        painted = boxes.bounding_box(seeds != engine.seeds)
        return boxes.union(painted, engine.follow(seeds, progress))

    def _growth(self, changed: Box | None, started: float) -> Growth | None:
        assert self._engine is not None
        self._pending = boxes.union(self._pending, changed)
        if self._pending is None:
            return None
        seen, inside = self._smoothed(self._engine.labels, self._engine.seeds, self._pending)
        if self.plan.background is not None:
            inside[inside == self.plan.background] = 0
        box = boxes.outside(seen, self.plan.region)
        before = self.shown[box]
        n_changed = int(np.count_nonzero(inside != before))
        counts = self._counts + Counter(label_counts(inside))
        if self._is_shown:
            if not n_changed:
                self._pending = None
                return None
            counts.subtract(label_counts(before))
        return Growth(box, inside, n_changed, +counts, time.perf_counter() - started)

    def _planted(self, seeds: LabelArray) -> LabelArray:
        """The seeds, with those of the border where they are wanted."""
        if self.plan.background != BORDER:
            return seeds
        planted = seeds.astype(np.promote_types(seeds.dtype, np.uint16))
        for axis in (-2, -1):
            edges = np.moveaxis(planted, axis, 0)
            for edge in (edges[0], edges[-1]):
                edge[edge == 0] = BORDER
        return planted

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
