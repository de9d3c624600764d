"""Labels by several raters, brought to one grid and counted as patterns of votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, ParameterError, SpaceMismatchError
from ...image import LabelClass, Segmentation
from ...label_values import compact_labels, present_labels
from ...orientation import closest_canonical
from ...progress import Progress
from ...space import Space
from ...typing import LabelArray
from ..grids import Labels, lies_turned, load_labels

if TYPE_CHECKING:
    from ...kernels.cpu.vote_patterns import VotePatterns

MAX_CLASSES = 256


@dataclass(frozen=True, eq=False)
class Votes:
    """What N different patterns of votes occur in the voxels, and how often.

    In the order of their codes, so that sums over them round alike however voxels are read.

    Attributes
    ----------
    codes : (N, R) uint8 array
        Place in `labels` of the label by each rater.
    counts : (N,) int64 array
        Voxels with the pattern.
    labels : (K,) int array
        All that occur, ascending.
    patterns : VotePatterns
        Finds the pattern of each voxel again.
    order : (N,) int array
        Number of each pattern among those.
    """

    codes: NDArray[np.uint8]
    counts: NDArray[np.int64]
    labels: NDArray[np.int64]
    patterns: VotePatterns
    order: NDArray[np.intp]


class Ballot:
    """Segmentations by several raters on one grid.

    Parameters
    ----------
    raters : sequence of (M, N[, P]) array_like, Segmentation, Image, or path
        At least two. Bare arrays are taken to lie where the first rater with a place in
        the world does.
    names : sequence of str
        One per rater; none for those of the segmentations, or numbers where these are alike.

    Attributes
    ----------
    names : tuple of str
    first : Segmentation
        Labels by the first rater.
    classes : tuple of LabelClass
        The class tables of all, the first to name a class deciding.

    Raises
    ------
    InputError, SpaceMismatchError, ParameterError
        As `consensus`.
    """

    def __init__(self, raters: Sequence[Labels], names: Sequence[str] = ()) -> None:
        loaded = [load_labels(rater) for rater in _listed(raters)]
        self.names = _names(loaded, names)
        placed = _placed(loaded, self.names)
        self.first = placed[0]
        self.classes = _merged(placed)
        self._is_turned = _check_grids(placed, self.names)
        self._labels = [self._turn(segmentation) for segmentation in placed]

    def count(self, progress: Progress) -> Votes:
        """Count the patterns of votes in one pass."""
        from ...kernels.cpu.vote_patterns import VotePatterns

        patterns = VotePatterns(self._labels, self._possible())
        patterns.count(told(progress, "counting votes"))
        codes, labels = _renumbered(patterns.codes, patterns.labels)
        order = np.lexsort(codes.T[::-1])
        return Votes(codes[order], patterns.counts[order], labels, patterns, order)

    def write(self, votes: Votes, values: LabelArray, progress: Progress) -> Segmentation:
        """Give each voxel the value of its pattern, on the grid of the first rater."""
        out = np.empty_like(self.first.labels, values.dtype, subok=False)
        segmentation = Segmentation(out, self.first.space, self.classes, name="consensus")
        as_found = np.empty_like(values)
        as_found[votes.order] = values
        votes.patterns.write(as_found, self._turn(segmentation), told(progress, "writing"))
        return segmentation

    def _turn(self, segmentation: Segmentation) -> LabelArray:
        """A view of the labels in the order and direction of axes that all share."""
        return closest_canonical(segmentation).labels if self._is_turned else segmentation.labels

    def _possible(self) -> NDArray[np.integer[Any]]:
        """Labels that may occur: all bytes, or those that do occur."""
        if all(labels.dtype == np.uint8 for labels in self._labels):
            return np.arange(256)
        found = sorted({0}.union(*(present_labels(labels) for labels in self._labels)))
        if len(found) > MAX_CLASSES:
            raise InputError(
                f"expected at most {MAX_CLASSES} classes, got {len(found)}; "
                "these look like instances: merge them as one class, for instance labels > 0"
            )
        return np.array(found)


def _renumbered(
    codes: NDArray[np.uint8], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Codes as places among the labels that occur, and these."""
    occurs = np.zeros(MAX_CLASSES, np.bool_)
    for column in codes.T:  # one by one: as indices they take eight bytes each
        occurs[column] = True
    found = np.flatnonzero(occurs)
    if len(found) <= found[-1]:
        places = np.cumsum(occurs, dtype=np.uint8) - np.uint8(1)
        codes = np.stack([places[column] for column in codes.T], axis=1)
    return codes, labels[found].astype(np.int64)


def told(progress: Progress, message: str) -> Callable[[float], None]:
    """A progress with its message, for kernels."""
    return lambda fraction: progress(fraction, message)


def _listed(raters: Sequence[Labels]) -> list[Labels]:
    try:
        several = not isinstance(raters, str) and list(raters)
    except TypeError:
        several = False
    if several is False:
        raise InputError(f"expected a list of segmentations, got {raters!r}; give one per rater")
    if len(several) < 2:
        raise InputError(f"expected at least 2 raters, got {len(several)}; add another one")
    return several


def _names(loaded: list[Any], names: Sequence[str]) -> tuple[str, ...]:
    if names:
        if isinstance(names, str) or len(names) != len(loaded):
            raise ParameterError(
                f"expected {len(loaded)} names, one per rater, got {names!r}", name="names"
            )
        return tuple(names)
    known = [value.name for value in loaded if isinstance(value, Segmentation)]
    if len(set(known)) == len(loaded):
        return tuple(known)
    return tuple(f"rater {i}" for i in range(1, len(loaded) + 1))


def _placed(loaded: list[Any], names: tuple[str, ...]) -> list[Segmentation]:
    """All as segmentations with compact labels; bare arrays lie where the others do."""
    spaces = [value.space for value in loaded if isinstance(value, Segmentation)]
    placed = []
    for value, name in zip(loaded, names, strict=True):
        try:
            if isinstance(value, Segmentation):
                labels, space = compact_labels(value.labels), value.space
            else:
                labels = compact_labels(value)
                space = spaces[0] if spaces else Space.regular(labels.ndim)
            classes = value.classes if isinstance(value, Segmentation) else ()
            placed.append(Segmentation(labels, space, classes))
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
    return placed


def _check_grids(placed: list[Segmentation], names: tuple[str, ...]) -> bool:
    """Whether axes have to be turned for all to lie on one grid.

    Raises
    ------
    SpaceMismatchError
        If the raters do not lie on one grid even then.
    """
    first, *others = placed
    is_turned = False
    for other, name in zip(others, names[1:], strict=True):
        if other.labels.ndim != first.labels.ndim:
            raise SpaceMismatchError(
                f"expected all raters on one grid, got the shape {first.labels.shape} for "
                f"{names[0]} and {other.labels.shape} for {name}; resample one onto the other"
            )
        try:
            is_turned |= lies_turned(other, first)
        except SpaceMismatchError as error:
            raise SpaceMismatchError(f"{name} and {names[0]}: {error}") from error
    return is_turned


def _merged(placed: list[Segmentation]) -> tuple[LabelClass, ...]:
    known: dict[int, LabelClass] = {}
    for segmentation in placed:
        for entry in segmentation.classes:
            known.setdefault(entry.id, entry)
    return tuple(known[i] for i in sorted(known))
