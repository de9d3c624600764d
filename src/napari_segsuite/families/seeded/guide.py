"""A second feature space for growth: what a classifier learned from the strokes."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from .feature_bank import FeatureBank, build_bank, distinct_channels, robust_scale
from .growcut_inputs import channels_first
from .pixel_classifier_model import ChannelChoice, PixelClassifier, usable
from .strokes import find_strokes

GuideKind = Literal["none", "learned", "auto"]

# Weight of a probability of one against the span from the 1st to the 99th percentile of
# the intensities.
WEIGHT = 0.5
# Classes are told apart in at most this many feature planes.
_MAX_PLANES = 7


class GuideSource:
    """What an image brings along: made once, used each time something is learned.

    Holds 4 bytes per voxel and channel, and, once the bank is made, 28 per voxel and
    channel and 3 more (2 in 2D).

    Parameters
    ----------
    image : (M, N[, P]) array
        Not kept.
    spacing : tuple of float, optional
        Voxel size per axis.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    mask : (M, N[, P]) bool array, optional
        Where strokes count and growth may go.
    title : str
        Named by errors.
    position : bool
        Let the place of a voxel be a feature.

    Attributes
    ----------
    channels : (C, M, N[, P]) float32 array
        Intensities on the robust scale, finite everywhere.
    used : ChannelChoice
        Which of the image's channels these are.
    finite, allowed : (M, N[, P]) bool array or None
        Voxels with an intensity, and those of them inside the mask; None where all are.
    """

    def __init__(
        self,
        image: ImageArray,
        spacing: Spacing | None,
        channel_axis: int | None,
        mask: MaskArray | None,
        title: str,
        *,
        position: bool = True,
    ) -> None:
        self.finite = usable(image, channel_axis)
        self.allowed = mask
        if self.finite is not None:
            self.allowed = self.finite if mask is None else self.finite & mask
        planes = channels_first(image, channel_axis)
        self.used = ChannelChoice(len(planes), distinct_channels(planes))
        self.channels = robust_scale([planes[c] for c in self.used.kept], self.allowed, title)
        self.position = position
        self._spacing = spacing
        self._bank: FeatureBank | None = None

    def bank(self, progress: Progress = SILENT) -> FeatureBank:
        """The features, computed when they are first asked for."""
        if self._bank is None:
            self._bank = build_bank(
                self.channels, self._spacing, position=self.position, progress=progress
            )
        return self._bank


class Guide(NamedTuple):
    """What was learned from strokes.

    Attributes
    ----------
    classifier : PixelClassifier
    probabilities : (K, M, N[, P]) uint8 array
        0 to 255 for each of the classifier's classes.
    """

    classifier: PixelClassifier
    probabilities: NDArray[np.uint8]


def learn(
    source: GuideSource, seeds: LabelArray, rng: int, progress: Progress = SILENT
) -> Guide | None:
    """Learn from the seeds; None where fewer than two classes teach anything."""
    strokes = find_strokes(seeds, source.allowed)
    if len(np.unique(strokes.labels)) < 2:
        return None
    bank = source.bank(part_of(progress, 0, 0.7))
    classifier = PixelClassifier(position=source.position, rng=rng)
    classifier.learn(bank, strokes, source.used, part_of(progress, 0.7, 0.75))
    return Guide(classifier, classifier.judge(bank.planes, part_of(progress, 0.75, 1)))


def features(source: GuideSource, guide: Guide | None, weight: float) -> FloatArray:
    """The planes that guided growth runs in: intensities, then weighted probabilities.

    Probabilities are laid out so that any two classes lie one apart, or about that where
    there are more than eight: (C + 1, …) planes for two classes, at most (C + 7, …).
    """
    corners = np.zeros((0, 0), dtype=np.float32)
    if guide is not None and weight > 0:
        corners = _corners(len(guide.probabilities)) * np.float32(weight / 255)
    count = len(source.channels)
    planes = np.zeros((count + corners.shape[1], *source.channels.shape[1:]), np.float32)
    planes[:count] = source.channels
    for plane, column in zip(planes[count:], corners.T, strict=True):
        assert guide is not None
        for probability, coordinate in zip(guide.probabilities, column, strict=True):
            if coordinate:
                plane += coordinate * probability
    if source.finite is not None:
        planes[0][~source.finite] = np.nan
    return planes


@cache
def _corners(n_classes: int) -> FloatArray:
    """Corners of a simplex of edge length one: (classes, planes)."""
    if n_classes > _MAX_PLANES + 1:
        directions = np.random.default_rng(0).standard_normal((n_classes, _MAX_PLANES))
        directions /= np.sqrt(2) * np.linalg.norm(directions, axis=1, keepdims=True)
        return directions.astype(np.float32)
    edges = np.full((n_classes - 1, n_classes - 1), 0.5) + 0.5 * np.eye(n_classes - 1)
    corners: NDArray[Any] = np.zeros((n_classes, n_classes - 1), dtype=np.float32)
    corners[1:] = np.linalg.cholesky(edges)
    return corners


def weigh(kind: GuideKind, source: GuideSource, guide: Guide | None, seeds: LabelArray) -> float:
    """How much the change of probability should count beside that of intensity."""
    return 0.0 if guide is None else WEIGHT
