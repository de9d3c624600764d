"""From what a user chose to what an engine is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import boxes
from ..device import available_memory
from ..errors import InputError, OutOfMemoryError
from ..image import Image
from ..progress import SILENT, Progress
from ..registry import get_method
from ..space import Space
from ..typing import Box, LabelArray, MaskArray
from .channels import first_channel, stack
from .engines import LIVE_METHOD
from .limits import Limits, allowed, region
from .live import GrowthPlan


@dataclass(frozen=True, eq=False)
class Planner:
    """What a user chose for one time point.

    Attributes
    ----------
    load : callable
        Given a box of the grid, returns the image there; it may take long.
    grid : Space
        Of the seeds.
    shape : tuple of int
    n_channels : int
        Of what `load` returns.
    method : str
    settings : mapping
    limits : Limits
    mask : (M, N[, P]) array or None
        Growth stays where it is not 0. May be lazy.
    result : (M, N[, P]) integer array or None
        Where the locked classes lie. May be lazy.
    others : sequence of callable
        Each returns a further image to look at, wherever it lies; it may take long.
    smoothing : float
        In the unit of the grid.
    background : int or None
        As in `GrowthPlan`.
    memory_limit : int or None
        Bytes that growing may take; by default what the machine has free.
    """

    load: Callable[[Box], Image]
    grid: Space
    shape: tuple[int, ...]
    n_channels: int = 1
    method: str = LIVE_METHOD
    settings: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    mask: MaskArray | LabelArray | None = None
    result: LabelArray | None = None
    others: Sequence[Callable[[], Image]] = ()
    smoothing: float = 0.0
    background: int | None = None
    memory_limit: int | None = None

    def plan(self, seeds: LabelArray, progress: Progress = SILENT) -> GrowthPlan:
        """Fetch what is needed for these seeds.

        Raises
        ------
        OutOfMemoryError
            If the region is too large to grow in.
        SegSuiteError
            If limits, mask or image cannot be used.
        """
        box = self.region(seeds)
        self._check_memory(box)
        progress(0.0, "Reading the image")
        image = self.load(box)
        free = allowed(
            first_channel(image),
            self.limits,
            mask=None if self.mask is None else np.asarray(self.mask[box]) != 0,
            result=None if self.result is None else np.asarray(self.result[box]),
        )
        return GrowthPlan(
            image=stack(image, [load() for load in self.others]),
            region=box,
            method=self.method,
            settings=self.settings,
            allowed=free,
            smoothing=self.smoothing,
            background=self.background,
        )

    def region(self, seeds: LabelArray, keep: Box | None = None) -> Box:
        """Where to work for these seeds; `keep` is where that was until now.

        Raises
        ------
        InputError
            If that is to be around the seeds, and there are none.
        """
        limits = self.limits
        frame = limits.box or boxes.whole(self.shape)
        if limits.margin is None:
            return frame
        found = region(seeds, self.grid.spacing, limits.margin, keep, frame)
        if found is None:
            raise InputError("expected seeds to work around, got none; paint at least two classes.")
        return found

    def still_fits(self, plan: GrowthPlan, seeds: LabelArray) -> bool:
        """Whether seeds that were edited still lie in the region of a plan."""
        if self.limits.margin is None:
            return True
        return self.region(seeds, plan.region) == plan.region

    def need(self, box: Box) -> int:
        """Bytes that growing in a box takes, about."""
        method = get_method(self.method)
        n_channels = self.n_channels + len(self.others)
        stacked = 4 * n_channels if self.others else 0
        per_voxel = method.memory_per_voxel(n_channels, self.settings) + stacked
        return int(math.prod(boxes.shape_of(box)) * per_voxel)

    def _check_memory(self, box: Box) -> None:
        need, n_voxels = self.need(box), math.prod(boxes.shape_of(box))
        have = min(available_memory(), self.memory_limit or available_memory())
        if need > have:
            raise OutOfMemoryError(
                f"{get_method(self.method).title} needs about {need / 2**20:.0f} MiB for "
                f"{n_voxels / 1e6:.1f} million voxels, {have / 2**20:.0f} MiB are allowed or free; "
                f"work on the seeds and a margin or on a drawn box, or choose a coarser level."
            )
