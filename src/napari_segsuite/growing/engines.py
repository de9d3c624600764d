"""What makes labels of seeds: a session that follows every stroke, or a method run anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from .. import jobs
from ..boxes import bounding_box
from ..errors import InputError
from ..families.seeded.guided_session import GuidedSession, Study
from ..image import Image, Segmentation
from ..method import Method
from ..progress import SILENT, Progress
from ..registry import get_method, methods
from ..typing import Box, FloatArray, LabelArray, MaskArray

LIVE_METHOD = "growcut"
# Settings of the live method that make sense for a single run only.
NOT_LIVE = ("evolution",)
_MARGIN = "margin"


class Engine(Protocol):
    """Keeps labels in line with seeds.

    Attributes
    ----------
    seeds : (M, N[, P]) integer array
        The seeds that the labels belong to, as they were followed last.
    labels : (M, N[, P]) unsigned integer array
        What the seeds have grown to.
    strength : (M, N[, P]) float32 array or None
        How firmly each voxel is held, where the engine knows.
    is_stale : bool
        Whether the seeds are others than those that were studied last.
    """

    @property
    def seeds(self) -> LabelArray:
        """The seeds that the labels belong to."""

    @property
    def labels(self) -> LabelArray:
        """What the seeds have grown to."""

    @property
    def strength(self) -> FloatArray | None:
        """How firmly each voxel is held."""

    @property
    def is_stale(self) -> bool:
        """Whether there is something to learn."""

    def follow(self, seeds: LabelArray, progress: Progress = SILENT) -> Box | None:
        """Bring the labels in line with these seeds; the box of what changed."""

    def study(self, progress: Progress = SILENT) -> Any:
        """Learn from the seeds as they are; may run beside `follow`, and changes nothing."""

    def adopt(self, study: Any) -> Box | None:
        """Grow by what was learned, from the seeds as they are now; the box of what changed."""

    def margin(self, progress: Progress = SILENT) -> FloatArray:
        """How much more firmly each voxel is held than by the runner-up among the classes."""


class SessionEngine:
    """GrowCut that computes only what a stroke changes.

    Parameters
    ----------
    image : Image
    seeds : (M, N[, P]) integer array
    settings : mapping
        Of the method "growcut".
    allowed : (M, N[, P]) bool array, optional
    progress : callable
    """

    def __init__(
        self,
        image: Image,
        seeds: LabelArray,
        settings: Mapping[str, Any],
        allowed: MaskArray | None = None,
        progress: Progress = SILENT,
    ) -> None:
        space = image.space
        self._session = GuidedSession(
            image.data,
            seeds,
            spacing=space.spacing if space.is_physical else None,
            channel_axis=space.channel_axis,
            mask=allowed,
            undo_bytes=0,  # the seeds layer keeps its own history
            progress=progress,
            **{name: value for name, value in settings.items() if name not in NOT_LIVE},
        )

    @property
    def seeds(self) -> LabelArray:
        """The seeds that the labels belong to."""
        return self._session.seeds

    @property
    def labels(self) -> LabelArray:
        """What the seeds have grown to."""
        return self._session.labels

    @property
    def strength(self) -> FloatArray | None:
        """How firmly each voxel is held."""
        return self._session.strength

    @property
    def is_stale(self) -> bool:
        """Whether the guide was learned from other seeds."""
        return self._session.is_stale

    @property
    def session(self) -> GuidedSession:
        """The session itself, for what it learned."""
        return self._session

    def follow(self, seeds: LabelArray, progress: Progress = SILENT) -> Box | None:
        """Bring the labels in line with these seeds; the box of what changed."""
        return self._session.set_seeds(seeds)

    def study(self, progress: Progress = SILENT) -> Study | None:
        """Learn from the seeds as they are; may run beside `follow`, and changes nothing."""
        return self._session.study(progress)

    def adopt(self, study: Study | None) -> Box | None:
        """Grow by what was learned, from the seeds as they are now; the box of what changed."""
        return self._session.adopt(study)

    def margin(self, progress: Progress = SILENT) -> FloatArray:
        """How much more firmly each voxel is held than by the runner-up among the classes."""
        return self._session.margin(progress)


class MethodEngine:
    """Any seeded method, run anew for every change of the seeds.

    Parameters
    ----------
    method : Method
    image : Image
    settings : mapping
    allowed : (M, N[, P]) bool array, optional
        Handed to the method where it takes a mask, else cut out of its result.
    """

    is_stale = False

    def __init__(
        self,
        method: Method,
        image: Image,
        settings: Mapping[str, Any],
        allowed: MaskArray | None = None,
    ) -> None:
        self._method = method
        self._image = image
        self._settings = dict(settings)
        self._allowed = allowed
        self._seeds: LabelArray | None = None
        self._labels: LabelArray = np.zeros(image.spatial_shape, np.uint8)
        self._strength: FloatArray | None = None

    @property
    def seeds(self) -> LabelArray:
        """The seeds that the labels belong to; none before the first step."""
        return np.zeros_like(self._labels) if self._seeds is None else self._seeds

    @property
    def labels(self) -> LabelArray:
        """What the method made of the latest seeds it could work on."""
        return self._labels

    @property
    def strength(self) -> FloatArray | None:
        """Of methods that know it."""
        return self._strength

    def follow(self, seeds: LabelArray, progress: Progress = SILENT) -> Box | None:
        """Bring the labels in line with these seeds; the box of what changed."""
        if self._seeds is not None and np.array_equal(seeds, self._seeds):
            return None
        seeds = seeds.copy()
        result = self._result(seeds, {"strength"} & set(self._method.extras), progress)
        labels = result.labels
        if self._allowed is not None:
            labels = np.where(self._allowed, labels, labels.dtype.type(0))
        changed = bounding_box(labels != self._labels)
        self._seeds, self._labels = seeds, labels
        self._strength = result.extras.get("strength")
        return changed

    def study(self, progress: Progress = SILENT) -> None:
        """Nothing: the method takes everything from the seeds each time."""

    def adopt(self, study: None) -> None:
        """Nothing changes."""

    def margin(self, progress: Progress = SILENT) -> FloatArray:
        """How much more firmly each voxel is held than by the runner-up among the classes.

        Raises
        ------
        InputError
            If the method does not say.
        """
        if _MARGIN not in self._method.extras:
            able = ", ".join(other.title for other in methods() if _MARGIN in other.extras)
            raise InputError(f"{self._method.title} does not say how sure it is; choose {able}.")
        found: FloatArray = self._result(self.seeds, {_MARGIN}, progress).extras[_MARGIN]
        return found

    def _result(self, seeds: LabelArray, extras: set[str], progress: Progress) -> Segmentation:
        takes_mask = any(entry.name == "mask" for entry in self._method.inputs)
        return jobs.segment(
            self._method,
            self._image,
            seeds=seeds,
            mask=self._allowed if takes_mask else None,
            extras=tuple(extras),
            device="cpu",
            progress=progress,
            **self._settings,
        )


def is_offered(method: Method) -> bool:
    """Whether a method can be an engine: labels from an image and seeds, without torch."""
    required = {entry.name for entry in method.inputs if entry.required}
    return (
        method.family == "seeded"
        and method.output == "labels"
        and required == {"image", "seeds"}
        and "torch" not in method.requires
    )


def make_engine(
    method_id: str,
    image: Image,
    seeds: LabelArray,
    settings: Mapping[str, Any],
    allowed: MaskArray | None = None,
    progress: Progress = SILENT,
) -> Engine:
    """Make the engine of a method, grown from `seeds` already.

    Raises
    ------
    SegSuiteError
        If the image or a setting cannot be used; seeds that are still missing are no error.
    """
    if method_id == LIVE_METHOD:
        return SessionEngine(image, seeds, settings, allowed, progress)
    engine = MethodEngine(get_method(method_id), image, settings, allowed)
    engine.follow(seeds, progress)
    return engine
