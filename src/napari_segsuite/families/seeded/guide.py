"""A second feature space for growth: what a classifier learned from the strokes."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels.growcut_cost import build_steps
from ...label_values import present_labels
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from .feature_bank import FeatureBank, build_bank, distinct_channels, robust_scale
from .growcut_inputs import channels_first, largest_difference
from .pixel_classifier_model import ChannelChoice, PixelClassifier, most_probable, usable
from .strokes import Strokes, find_strokes

GuideKind = Literal["none", "learned", "auto"]

# Weight of a probability of one against the span from the 1st to the 99th percentile of
# the intensities.
WEIGHT = 0.5
# Voxels of each class that are believed where growth and forest agree.
_BELIEVED = 2000
# Classes are told apart in at most this many feature planes.
_MAX_PLANES = 7


class GuideSource:
    """What an image brings along: made once, used each time something is learned.

    Holds 4 bytes per voxel and channel, and, once the bank is made, 32 per voxel and
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
        Learned from the painted voxels alone.
    probabilities : (K, M, N[, P]) uint8 array
        0 to 255 for each of the classifier's classes.
    """

    classifier: PixelClassifier
    probabilities: NDArray[np.uint8]


def learn_strokes(
    source: GuideSource, seeds: LabelArray, rng: int, progress: Progress = SILENT
) -> Guide | None:
    """Learn from the painted voxels alone; None where fewer than two classes are painted."""
    strokes = find_strokes(seeds, source.allowed)
    if len(np.unique(strokes.labels)) < 2:
        return None
    bank = source.bank(part_of(progress, 0, 0.7))
    classifier = PixelClassifier(position=source.position, rng=rng)
    classifier.learn(bank, strokes, source.used, progress=part_of(progress, 0.7, 0.75))
    return Guide(classifier, classifier.judge(bank.planes, part_of(progress, 0.75, 1)))


def learn(
    source: GuideSource, seeds: LabelArray, rng: int, progress: Progress = SILENT
) -> Guide | None:
    """Learn from the painted voxels, and from others that are likely right as well.

    Where seeds grown under the first guide and that guide itself agree, some voxels of each
    class are taken as painted, and a second forest is trained. From few strokes that makes
    up for much of what they do not show, such as slices in which nothing is painted; later
    it can mislead, which the mean of both forests evens out.
    """
    first = learn_strokes(source, seeds, rng, part_of(progress, 0, 0.6))
    if first is None:
        return None
    grown = _rough_growth(features(source, first), seeds, part_of(progress, 0.6, 0.75))
    ids = np.array(first.classifier.classes, dtype=grown.dtype)
    grown[ids[most_probable(first.probabilities)] != grown] = 0
    grown[seeds != 0] = 0
    second = PixelClassifier(position=source.position, rng=rng)
    second.learn(
        source.bank(),
        find_strokes(seeds, source.allowed),
        source.used,
        _some_of_each(grown, rng),
        part_of(progress, 0.75, 0.8),
    )
    shares = second.judge(source.bank().planes, part_of(progress, 0.8, 1))
    for plane, former in zip(shares, first.probabilities, strict=True):
        # The mean of two bytes without room for their sum.
        np.add(plane >> 1, former >> 1, out=plane)
    return Guide(first.classifier, shares)


def _rough_growth(planes: FloatArray, seeds: LabelArray, progress: Progress) -> LabelArray:
    """Growth to the nearest neighbours only, which takes the least time."""
    from ...kernels.cpu.growcut import grow

    steps = build_steps(seeds.ndim, 1, largest_difference(planes, None))
    return grow(planes, seeds, steps, progress=progress)[0]


def _some_of_each(labels: LabelArray, rng: int) -> Strokes:
    """A fair sample of the voxels of each class."""
    draw = np.random.default_rng(rng)
    places = []
    for label in present_labels(labels):
        found = np.flatnonzero(labels == label)
        some = draw.choice(len(found), min(len(found), _BELIEVED), replace=False)
        places.append(np.sort(found[some]))
    flat = np.concatenate([np.empty(0, dtype=np.int64), *places])
    indices = np.unravel_index(flat, labels.shape)
    return Strokes(indices, labels[indices], np.zeros(len(flat), dtype=np.int64))


def features(source: GuideSource, guide: Guide | None) -> FloatArray:
    """The planes that guided growth runs in: intensities, then weighted probabilities.

    Probabilities are laid out so that any two classes lie one apart, or about that where
    there are more than eight: (C + 1, …) planes for two classes, at most (C + 7, …).
    """
    corners = np.zeros((0, 0), dtype=np.float32)
    if guide is not None:
        corners = _corners(len(guide.probabilities)) * np.float32(WEIGHT / 255)
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
