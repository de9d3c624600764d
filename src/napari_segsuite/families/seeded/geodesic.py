"""Geodesic distance: each voxel goes to the seed with the shortest path along the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from ...label_values import smallest_label_dtype
from ...method import Extras, method
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..voxels import channels_of, usable_voxels
from .as_volume import as_volume, steps_of
from .intensity_scale import measure, scaled
from .seeds import check_seeds

_PREPARED = 0.1


@method(
    title="Geodesic distance",
    family="seeded",
    channels="any",
    extras=("distance",),
    requires=("numba",),
    bytes_per_voxel=20,
    bytes_per_channel=4,
    references=("10.1007/978-3-540-88690-7_8", "10.1109/ICCV.2007.4408931"),
)
def geodesic(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    intensity_weight: Annotated[float, Ge(0), Le(1e6)] = 30.0,
    connectivity: Annotated[int, Ge(1), Le(3)] = 3,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Give each voxel to the class with the shortest path to it, over hill and dale.

    A step between neighbours at distance d, whose intensities differ by D standard deviations
    of the image, is ``sqrt(d**2 + (intensity_weight * D)**2)`` long. The shortest paths are
    exact on this graph.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; of several channels, D is the root mean square, and the standard
        deviation is over all. NaN and infinite voxels stay unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; at least two classes.
    mask : (M, N[, P]) bool array, optional
        Where paths may go; voxels outside stay 0.
    intensity_weight : float
        How long a change of intensity by a standard deviation is, in steps along the
        shortest axis: 0 goes by distance alone, higher values follow the image's edges.
    connectivity : int
        Neighbours differ in at most this many axes: 1 = faces, 2 = edges, 3 = corners;
        3 counts as 2 in a 2D image.
    spacing : tuple of float, optional
        Voxel size per axis.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    extras : Extras, optional
        "distance": length of the path to each voxel (float32), in the unit of `spacing` or
        in pixels; infinite where no seed reaches.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        Class of every voxel, 0 where no seed reaches. Of classes at equal distances the
        lowest wins.

    Raises
    ------
    InputError
        If seeds and image do not match, or fewer than two classes are painted.

    References
    ----------
    .. [1] A. Criminisi, T. Sharp, A. Blake, "GeoS: Geodesic image segmentation", ECCV 2008,
       10.1007/978-3-540-88690-7_8.
    .. [2] X. Bai, G. Sapiro, "A geodesic framework for fast interactive image and video
       segmentation and matting", ICCV 2007, 10.1109/ICCV.2007.4408931.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 10, 10, 80, 80]], dtype=np.uint8)
    >>> seeds = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8)
    >>> nss.geodesic(image, seeds, intensity_weight=2)
    array([[1, 1, 1, 1, 2, 2]], dtype=uint8)
    """
    from ...kernels.cpu.geodesic import shortest_paths

    channels = channels_of(image, channel_axis)
    allowed = usable_voxels(channels, mask)
    check_seeds(seeds, allowed, "Geodesic distance")
    progress(0.0, "intensities")
    unit = min(spacing) if spacing else 1.0
    features = _features(channels, allowed, intensity_weight)
    progress(_PREPARED, "finding paths")
    report = part_of(progress, _PREPARED, 1.0)
    paths = shortest_paths(
        features,
        as_volume(seeds.astype(smallest_label_dtype(int(seeds.max())), copy=False)),
        np.ones(features.shape[1:], np.bool_) if allowed is None else as_volume(allowed),
        steps_of(spacing, seeds.ndim),
        connectivity,
        lambda share: report(share, "finding paths"),
    )
    if extras is not None and "distance" in extras.wanted:
        distance = paths.distance.reshape(seeds.shape)
        distance *= np.float32(unit)
        extras["distance"] = distance
    progress(1.0)
    labels: LabelArray = paths.labels.reshape(seeds.shape)
    return labels


def _features(
    channels: Sequence[ImageArray], allowed: MaskArray | None, intensity_weight: float
) -> FloatArray:
    """Intensities in which a difference is as long as a step of that length."""
    scale = measure(channels, allowed, "Geodesic distance")
    weight = intensity_weight / scale.deviation / np.sqrt(len(channels)) if scale.deviation else 0.0
    features = np.empty((len(channels), *as_volume(channels[0]).shape), dtype=np.float32)
    for feature, channel in zip(features, channels, strict=True):
        np.multiply(as_volume(scaled(channel, allowed, scale)), np.float32(weight), out=feature)
    return features
