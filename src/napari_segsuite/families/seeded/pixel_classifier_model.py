"""A classifier of voxels that is learned from strokes, kept in a file, used on other images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import FormatError, InputError
from ...inputs import check_image, check_on_grid, check_spacing
from ...io.atomic import atomic_path
from ...label_values import compact_labels, smallest_label_dtype
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from .feature_bank import FeatureBank, build_bank, distinct_channels, robust_scale
from .growcut_inputs import channels_first
from .saved_forest import UNREADABLE, forest_arrays, forest_depth, read_forest
from .seeds import check_seeds
from .strokes import Strokes, find_strokes

EXTENSION = ".guide.npz"
# Bytes per voxel beyond the image: features and probabilities of two classes; and what
# each further channel adds to that.
BYTES_PER_VOXEL, BYTES_PER_CHANNEL = 76.0, 44.0

_TITLE = "Pixel classifier"
_FORMAT = 1
_TREES = 80
_FOLDS = 5
_MAX_CLASSES = 255


class ChannelChoice(NamedTuple):
    """How many channels an image has, and which of them count: repetitions do not."""

    total: int
    kept: tuple[int, ...]


class PixelClassifier:
    """A forest of randomised trees on local features, learned from painted voxels alone.

    Features are intensity, local extremes, smoothed intensity, gradient, deviation and
    curvature at four physical scales, for each channel; intensities count relative to the
    1st and 99th percentile of each image. The same strokes give the same classifier,
    whatever the number of threads.

    Parameters
    ----------
    position : bool
        Let the place of a voxel in the image count too: better for the image that was
        painted on, as a rule, and for others that are cut alike; leave it off for the rest.
    rng : int
        Seed of the forest.

    Attributes
    ----------
    classes : tuple of int
        Ids of the classes, ascending; empty before `fit`.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63, 2006, 10.1007/s10994-006-6226-1.
    .. [2] C. Sommer et al., "ilastik: Interactive learning and segmentation toolkit",
       ISBI 2011, 10.1109/ISBI.2011.5872394.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.repeat([[10, 12, 80, 81]], 6, axis=1).repeat(4, axis=0)
    >>> seeds = np.zeros(image.shape, dtype=np.uint8)
    >>> seeds[:, :3], seeds[:, -3:] = 1, 2
    >>> classifier = nss.PixelClassifier().fit(image, seeds)
    >>> classifier.predict(image)[0, ::6]
    array([1, 1, 2, 2], dtype=uint8)
    """

    def __init__(self, *, position: bool = False, rng: int = 0) -> None:
        self.position = position
        self.rng = rng
        self.classes: tuple[int, ...] = ()
        self._forest: Any = None
        self._edges: FloatArray = np.empty((0, 0, 0), dtype=np.float32)
        self._ndim = 0
        self._used = ChannelChoice(0, ())

    def fit(
        self,
        image: ArrayLike,
        seeds: ArrayLike,
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        mask: ArrayLike | None = None,
        progress: Progress = SILENT,
    ) -> PixelClassifier:
        """Learn from strokes.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities; with `channel_axis` several channels.
        seeds : (M, N[, P]) integer array
            Painted classes, 0 = unpainted; two to 255 classes.
        spacing : tuple of float, optional
            Voxel size per axis.
        channel_axis : int, optional
            Axis of `image` that holds channels.
        mask : (M, N[, P]) bool array, optional
            Where strokes count.
        progress : callable
            Called with (fraction, message); may raise `Cancelled`.

        Returns
        -------
        PixelClassifier
            Itself.

        Raises
        ------
        InputError
            If arrays do not match, or fewer than two or more than 255 classes are painted.
        """
        array = check_image(_TITLE, image, (2, 3), channel_axis)
        painted = compact_labels(check_on_grid(_TITLE, "seeds", seeds, array, channel_axis))
        allowed = usable(array, channel_axis)
        if mask is not None:
            inside = check_on_grid(_TITLE, "mask", mask, array, channel_axis)
            allowed = inside if allowed is None else allowed & inside
        check_seeds(painted, allowed, _TITLE)
        strokes = find_strokes(painted, allowed)
        planes = channels_first(array, channel_axis)
        used = ChannelChoice(len(planes), distinct_channels(planes))
        bank = self._bank(planes, used, spacing, None, part_of(progress, 0, 0.9))
        return self.learn(bank, strokes, used, progress=part_of(progress, 0.9, 1))

    def learn(
        self,
        bank: FeatureBank,
        strokes: Strokes,
        used: ChannelChoice,
        believed: Strokes | None = None,
        progress: Progress = SILENT,
    ) -> PixelClassifier:
        """Learn from strokes in an image whose features are known already.

        Parameters
        ----------
        bank : FeatureBank
            Of the used channels.
        strokes : Strokes
        used : ChannelChoice
        believed : Strokes, optional
            Further voxels that are likely right, of classes that are painted too; all those
            of a class weigh as much as all the painted ones.
        progress : callable

        Raises
        ------
        InputError
            If more than 255 classes are painted.
        """
        from ...kernels.cpu.forest import train
        from ...kernels.cpu.forest_folds import stratified_folds

        classes, numbers = np.unique(strokes.labels, return_inverse=True)
        if len(classes) > _MAX_CLASSES:
            raise InputError(
                f"{_TITLE}: expected up to {_MAX_CLASSES} painted classes, got {len(classes)}; "
                f"learn from fewer of them."
            )
        folds = stratified_folds(numbers, strokes.strokes, _FOLDS)
        counts = np.bincount(numbers)
        weights = 1 / counts[numbers]
        samples = _at(bank, strokes)
        if believed is not None and len(believed.labels):
            more = np.searchsorted(classes, believed.labels)
            share = 1 / np.bincount(more).clip(1)
            samples = np.hstack([samples, _at(bank, believed)])
            weights = np.concatenate([weights, share[more]])
            numbers = np.concatenate([numbers, more])
            folds = np.concatenate([folds, np.full(len(more), -1)])
        self._forest = train(
            np.ascontiguousarray(samples),
            numbers.astype(np.uint8),
            len(classes),
            n_trees=_TREES,
            weights=weights,
            folds=folds,
            seed=self.rng,
            progress=progress,
        )
        self.classes = tuple(classes.tolist())
        self._edges, self._used = bank.edges, used
        self._ndim = len(strokes.indices)
        return self

    def judge(self, planes: NDArray[np.uint8], progress: Progress = SILENT) -> NDArray[np.uint8]:
        """Probabilities, 0 to 255, where features are known already: (K, …) for (F, …)."""
        from ...kernels.cpu.forest import predict

        return predict(self._forest, planes, progress=progress)

    def probabilities(
        self,
        image: ArrayLike,
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        progress: Progress = SILENT,
    ) -> FloatArray:
        """Tell the probability of each class.

        Parameters
        ----------
        image : (M, N[, P]) array
            As many channels as were learned from.
        spacing : tuple of float, optional
            Voxel size per axis.
        channel_axis : int, optional
            Axis of `image` that holds channels.
        progress : callable
            Called with (fraction, message); may raise `Cancelled`.

        Returns
        -------
        (K, M, N[, P]) float32 array
            In the order of `classes`, adding up to 1; all 0 where the image is NaN or
            infinite.

        Raises
        ------
        InputError
            If the image has other channels or axes than the one learned from, or nothing
            was learned yet.
        """
        array = check_image(_TITLE, image, (2, 3), channel_axis)
        self._check_fits(array, channel_axis)
        planes = channels_first(array, channel_axis)
        bank = self._bank(planes, self._used, spacing, self._edges, part_of(progress, 0, 0.7))
        shares = self.judge(bank.planes, part_of(progress, 0.7, 1)) * np.float32(1 / 255)
        allowed = usable(array, channel_axis)
        if allowed is not None:
            shares[:, ~allowed] = 0
        return shares

    def labels(self, probabilities: FloatArray) -> LabelArray:
        """The most probable class of each voxel, 0 where none has a probability.

        Parameters
        ----------
        probabilities : (K, M, N[, P]) array
            From `probabilities`.

        Returns
        -------
        (M, N[, P]) unsigned integer array
            The lower id where two are as probable.
        """
        ids = np.array(self.classes, dtype=smallest_label_dtype(max(self.classes)))
        labels: LabelArray = ids[most_probable(probabilities)]
        labels[~probabilities.any(axis=0)] = 0
        return labels

    def predict(
        self,
        image: ArrayLike,
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Label an image; see `probabilities` and `labels`, which this joins."""
        return self.labels(self.probabilities(image, spacing, channel_axis, progress=progress))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier to a file; "\N{HORIZONTAL ELLIPSIS}.guide.npz" is its usual name.

        Raises
        ------
        InputError
            If nothing was learned yet.
        FormatError
            If the file cannot be written.
        """
        self._check_learned()
        arrays = forest_arrays(self._forest)
        facts = [_FORMAT, self._ndim, self.position, self.rng, self._used.total]
        with atomic_path(path) as scratch, scratch.open("wb") as file:
            np.savez_compressed(
                file,
                facts=np.array(facts, dtype=np.int64),
                classes=np.array(self.classes, dtype=np.uint32),
                edges=self._edges,
                channels=np.array(self._used.kept, dtype=np.int64),
                **arrays,
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PixelClassifier:
        """Read a classifier that `save` wrote.

        Raises
        ------
        FormatError
            If the file is not there, is none of these, or is damaged.
        """
        try:
            # Opened here: numpy leaves a file that is no sound archive open.
            with Path(path).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                version, ndim, position, rng, count = file["facts"].tolist()
                if version != _FORMAT:
                    raise ValueError(f"format {version}")
                read = cls(position=bool(position), rng=rng)
                read._forest = read_forest(file)
                read.classes = tuple(file["classes"].tolist())
                read._edges, read._ndim = file["edges"], ndim
                read._used = ChannelChoice(count, tuple(file["channels"].tolist()))
        except UNREADABLE as error:
            raise FormatError(
                f"{path}: expected a classifier saved by this program ({EXTENSION}), got a file "
                f"that cannot be read as one ({error}); save it again or choose another."
            ) from error
        read._check_sound(path)
        return read

    def _bank(
        self,
        planes: NDArray[Any],
        used: ChannelChoice,
        spacing: Sequence[float] | None,
        edges: FloatArray | None,
        progress: Progress,
    ) -> FeatureBank:
        sizes = None if spacing is None else check_spacing(spacing, planes.ndim - 1)
        channels = robust_scale([planes[c] for c in used.kept], None, _TITLE)
        return build_bank(channels, sizes, position=self.position, edges=edges, progress=progress)

    def _check_learned(self) -> None:
        if self._forest is None:
            raise InputError(f"{_TITLE}: expected strokes to learn from first; call fit.")

    def _check_fits(self, array: ImageArray, channel_axis: int | None) -> None:
        self._check_learned()
        ndim = array.ndim - (channel_axis is not None)
        count = 1 if channel_axis is None else array.shape[channel_axis]
        if (ndim, count) != (self._ndim, self._used.total):
            raise InputError(
                f"{_TITLE}: expected a {self._ndim}D image with {self._used.total} channels, got "
                f"a {ndim}D one with {count}; give an image like the one learned from."
            )

    def _check_sound(self, path: str | os.PathLike[str]) -> None:
        """Find the depth of a forest read, and refuse one that would lead nowhere."""
        n_features = int(np.prod(self._edges.shape[:2])) + self.position * self._ndim
        edges_fit = (
            self._edges.dtype == np.float32
            and self._edges.ndim == 3
            and len(self._edges) == len(self._used.kept)
            and all(0 <= c < self._used.total for c in self._used.kept)
        )
        depth = forest_depth(self._forest, n_features, len(self.classes)) if edges_fit else None
        if depth is None:
            raise FormatError(
                f"{path}: expected a classifier saved by this program ({EXTENSION}), got one "
                f"whose parts do not fit together; save it again or choose another."
            )
        self._forest = self._forest._replace(depth=depth)


def _at(bank: FeatureBank, voxels: Strokes) -> NDArray[np.uint8]:
    """Features of some voxels, (F, n)."""
    places = np.ravel_multi_index(voxels.indices, bank.planes.shape[1:])
    return bank.planes.reshape(len(bank.planes), -1)[:, places]


def most_probable(shares: NDArray[Any]) -> NDArray[np.uint8]:
    """Number of the largest of (K, …) shares at each voxel, the first among equals."""
    best = np.zeros(shares.shape[1:], dtype=np.uint8)
    highest = shares[0].copy()
    for number, plane in enumerate(shares[1:], 1):
        higher = plane > highest
        best[higher] = number
        np.copyto(highest, plane, where=higher)
    return best


def usable(array: ImageArray, channel_axis: int | None) -> MaskArray | None:
    """Voxels that are finite in every channel; None where all are."""
    if array.dtype.kind != "f":
        return None
    finite: MaskArray = np.isfinite(channels_first(array, channel_axis)).all(axis=0)
    return None if finite.all() else finite
