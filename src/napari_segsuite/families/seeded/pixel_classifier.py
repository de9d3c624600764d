"""Voxels labelled by a classifier that the strokes teach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...label_values import compact_labels
from ...method import Extras, method
from ...progress import SILENT, Progress
from ...typing import ImageArray, LabelArray, MaskArray, Spacing
from .guide import GuideSource, learn_strokes
from .pixel_classifier_model import BYTES_PER_CHANNEL, BYTES_PER_VOXEL, most_probable
from .seeds import check_seeds

_TITLE = "Pixel classifier"


@method(
    title="Pixel classifier",
    family="seeded",
    channels="any",
    extras=("probabilities", "uncertainty"),
    bytes_per_voxel=BYTES_PER_VOXEL,
    bytes_per_channel=BYTES_PER_CHANNEL,
    requires=("numba",),
    references=("10.1007/s10994-006-6226-1", "10.1109/ISBI.2011.5872394"),
)
def pixel_classifier(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    position: bool = True,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    rng: int = 0,
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Label every voxel by what it looks like, as learned from the painted ones.

    A forest of randomised trees judges intensity, edges, texture and curvature at four
    scales. Every voxel is judged by itself: what is labelled need not be connected with a
    stroke. Painted voxels keep their class.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels stay
        unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; two to 255 classes.
    mask : (M, N[, P]) bool array, optional
        Voxels outside stay 0, and strokes there teach nothing.
    position : bool
        Let the place of a voxel count too: keeps far regions that look alike apart.
    spacing : tuple of float, optional
        Voxel size per axis, for the scales.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int
        Seed of the forest.
    extras : Extras, optional
        "probabilities": (K, M, N[, P]) float32, classes in ascending order of their ids;
        "uncertainty": one minus the lead of the most probable class over the next, float32.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        The most probable class, the lower id where two are as probable.

    Raises
    ------
    InputError
        If seeds and image do not match, or fewer than two or more than 255 classes are
        painted.

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
    >>> nss.pixel_classifier(image, seeds)[0, ::6]
    array([1, 1, 2, 2], dtype=uint8)
    """
    check_seeds(seeds, mask, _TITLE)
    painted = compact_labels(seeds)
    source = GuideSource(image, spacing, channel_axis, mask, _TITLE, position=position)
    check_seeds(painted, source.allowed, _TITLE)
    guide = learn_strokes(source, painted, rng, progress)
    assert guide is not None  # two classes at least, as just checked
    shares, ids = guide.probabilities, np.array(guide.classifier.classes, painted.dtype)
    labels: LabelArray = ids[most_probable(shares)]
    kept = painted != 0
    labels[kept] = painted[kept]
    outside = None if source.allowed is None else ~source.allowed
    if outside is not None:
        labels[outside] = 0
    if extras is not None:
        _add_extras(extras, shares, outside)
    return labels


def _add_extras(extras: Extras, shares: NDArray[np.uint8], outside: MaskArray | None) -> None:
    if "probabilities" in extras.wanted:
        probabilities = shares * np.float32(1 / 255)
        if outside is not None:
            probabilities[:, outside] = 0
        extras["probabilities"] = probabilities
    if "uncertainty" in extras.wanted:
        highest = shares.max(axis=0)
        # The second best: what is largest once one of the best is taken away.
        best = most_probable(shares)
        second = np.zeros_like(highest)
        for number, plane in enumerate(shares):
            np.maximum(second, plane, out=second, where=best != number)
        uncertainty = 1 - (highest - second).astype(np.float32) / 255
        if outside is not None:
            uncertainty[outside] = 0
        extras["uncertainty"] = uncertainty
