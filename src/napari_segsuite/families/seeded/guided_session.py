"""GrowCut for live editing, guided by what the strokes teach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ParameterError
from ...inputs import check_image, check_on_grid
from ...progress import SILENT, Progress, part_of
from ...typing import Box, FloatArray, LabelArray
from .grow_session import GrowSession, Regrowth
from .guide import WEIGHT, Guide, GuideKind, GuideSource, features, learn
from .pixel_classifier_model import PixelClassifier

_TITLE = "GuidedSession"


class Study(NamedTuple):
    """What was learned from the seeds as they were after so many edits."""

    guide: Guide | None
    weight: float
    regrowth: Regrowth
    n_edits: int


class GuidedSession:
    """GrowCut that stays up to date while seeds are edited, and learns from them when asked.

    Edits act at once and exactly, as in `GrowSession`, in the features that the guide has
    at the time; before the first `learn` these are the intensities. `learn` takes the seeds
    as they are, trains the guide, and grows anew: `labels` are then bit for bit what
    `growcut` gives for the same seeds and settings. `is_stale` tells when that is due.

    Beside what `GrowSession` holds, with 4 bytes per voxel for each class but one, up to
    seven, a guided session holds 32 bytes per voxel and channel, 3 more, and one for each
    class. While it learns, the former growth is kept until the new one is done.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels stay
        unlabelled.
    seeds : (M, N[, P]) integer array
        Painted classes, 0 = unpainted; may still be empty.
    connectivity : int
        Neighbours differ in at most this many axes; at most the number of axes counts.
    guide : {"none", "learned", "auto"}
        As in `growcut`; with "none" there is nothing to learn.
    cost : {"growcut", "slicer"}
        Force of an attack, as in `growcut`.
    spacing : tuple of float, optional
        Voxel size per axis, as in `growcut`.
    locality : float
        Loss of strength per unit of path length.
    mask : (M, N[, P]) bool array, optional
        Where growth may go. Seeds outside are kept but do not grow.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    undo_bytes : int
        Memory for undo and redo; the oldest edits are forgotten beyond it.
    rng : int
        Seed of the forest.
    progress : callable
        Called with (fraction, message) while the session is made; may raise `Cancelled`.

    Raises
    ------
    InputError
        If an array cannot be used as it is.
    ParameterError
        If a setting is out of range.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 11, 12, 80, 81, 82]], dtype=np.uint8).repeat(4, axis=0)
    >>> seeds = np.zeros_like(image)
    >>> seeds[:, 0], seeds[:, 5] = 1, 2
    >>> session = nss.GuidedSession(image, seeds)
    >>> session.is_stale
    True
    >>> session.learn()
    >>> session.is_stale, session.labels[0].tolist()
    (False, [1, 1, 1, 2, 2, 2])
    """

    def __init__(
        self,
        image: ArrayLike,
        seeds: ArrayLike,
        connectivity: int = 1,
        *,
        guide: GuideKind = "auto",
        cost: Literal["growcut", "slicer"] = "growcut",
        spacing: Sequence[float] | None = None,
        locality: float = 0.0,
        mask: ArrayLike | None = None,
        channel_axis: int | None = None,
        undo_bytes: int = 64 << 20,
        rng: int = 0,
        progress: Progress = SILENT,
    ) -> None:
        if guide not in ("none", "learned", "auto"):
            raise ParameterError(
                f'{_TITLE}: expected the guide "none", "learned" or "auto", got {guide!r}; '
                f"pick one of them.",
                name="guide",
            )
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
        self._rng = rng
        self._guide: Guide | None = None
        self._weight = 0.0
        self._learned_at = -1
        self._source: GuideSource | None = None
        if guide != "none":
            array = check_image(_TITLE, image, (2, 3), channel_axis)
            allowed = None
            if mask is not None:
                allowed = check_on_grid(_TITLE, "mask", mask, array, channel_axis)
            sizes = None if spacing is None else tuple(spacing)
            self._source = GuideSource(array, sizes, channel_axis, allowed, _TITLE)

    @property
    def seeds(self) -> LabelArray:
        """(M, N[, P]) read-only view of the seeds as they are now."""
        return self._growth.seeds

    @property
    def labels(self) -> LabelArray:
        """(M, N[, P]) read-only view of the labels, 0 where no seed reaches.

        It follows later edits until the guide is learned anew.
        """
        return self._growth.labels

    @property
    def strength(self) -> FloatArray:
        """(M, N[, P]) read-only view of the strengths, 1 at seeds, 0 where none reaches."""
        return self._growth.strength

    @property
    def probabilities(self) -> NDArray[np.uint8] | None:
        """(K, M, N[, P]) shares of 255 that the guide gives each class; None before `learn`.

        Classes are in the order of ``classifier.classes``.
        """
        return None if self._guide is None else self._guide.probabilities

    @property
    def classifier(self) -> PixelClassifier | None:
        """What was learned, to be saved or used elsewhere; None before `learn`."""
        return None if self._guide is None else self._guide.classifier

    @property
    def weight(self) -> float:
        """How much probability counts against intensity; 0 where growth is plain."""
        return self._weight

    @property
    def is_stale(self) -> bool:
        """Whether the seeds changed since the guide was learned."""
        return self._source is not None and self._learned_at != self._growth.n_edits

    def paint(self, index_arrays: Sequence[ArrayLike], label: int) -> Box | None:
        """Paint voxels with a class; see `GrowSession.paint`."""
        return self._growth.paint(index_arrays, label)

    def set_seeds(self, seeds: ArrayLike) -> Box | None:
        """Take over a whole seed array as one edit; see `GrowSession.set_seeds`."""
        return self._growth.set_seeds(seeds)

    def undo(self) -> Box | None:
        """Take the last edit of the seeds back; None where nothing changes."""
        return self._growth.undo()

    def redo(self) -> Box | None:
        """Make an edit again that was taken back; None where nothing changes."""
        return self._growth.redo()

    def learn(self, progress: Progress = SILENT) -> Box | None:
        """Learn the guide from the seeds as they are, and grow anew.

        With fewer than two classes painted there is nothing to learn, and growth follows
        the intensities.

        Parameters
        ----------
        progress : callable
            Called with (fraction, message); may raise `Cancelled`, and all is then as it
            was before.

        Returns
        -------
        tuple of slice or None
            Bounding box of the voxels whose label changed.
        """
        return self.adopt(self.study(progress))

    def study(self, progress: Progress = SILENT) -> Study | None:
        """The first half of `learn`: everything that takes long, and changes nothing.

        Another thread may paint meanwhile.

        Returns
        -------
        Study or None
            For `adopt`; None where there is nothing to learn.
        """
        if self._source is None:
            return None
        n_edits, seeds = self._growth.n_edits, self.seeds.copy()
        guide = learn(self._source, seeds, self._rng, part_of(progress, 0, 0.5))
        weight = 0.0 if guide is None else WEIGHT
        planes = features(self._source, guide)
        regrowth = self._growth.regrown(planes, part_of(progress, 0.5, 1))
        return Study(guide, weight, regrowth, n_edits)

    def adopt(self, study: Study | None) -> Box | None:
        """The second half of `learn`: grow by what was learned, from the seeds as they are now.

        Returns
        -------
        tuple of slice or None
            Bounding box of the voxels whose label changed.
        """
        if study is None:
            return None
        self._guide, self._weight = study.guide, study.weight
        self._learned_at = study.n_edits
        return self._growth.take_over(study.regrowth)

    def margin(self, progress: Progress = SILENT) -> FloatArray:
        """How much more firmly each voxel is held than by the runner-up; see `GrowSession`."""
        return self._growth.margin(progress)
