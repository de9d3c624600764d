"""Regions that edges enclose."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from ...errors import InputError
from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..histogram import histogram_of
from ..intensities import in_float32
from ..threshold.connected import connected_to
from ..threshold.criteria import otsu_thresholds
from ..voxels import check_any_usable, usable_voxels
from .operators import gradient, magnitude, ridges, smoothed, zero_crossings

_TITLE = "Edge regions"
# Squares of differences stay finite in float32.
_LARGEST = 1e18
_WEAK = 0.5


@method(
    title=_TITLE,
    family="edges",
    requires=("numba",),
    bytes_per_voxel=40,
    bytes_by_setting={"edges": {"canny": (13, 0)}},
    references=(
        "10.1109/TPAMI.1986.4767851",
        "10.1098/rspb.1980.0020",
        "10.1109/34.87344",
    ),
)
def edge_regions(
    image: ImageArray,
    mask: MaskArray | None = None,
    *,
    edges: Literal["sobel", "scharr", "prewitt", "canny", "log"] = "canny",
    scale: Annotated[float, Ge(0), Le(100), Unit("physical")] = 1.0,
    strength: Annotated[float | None, Gt(0), Le(1)] = None,
    min_volume: Annotated[float, Ge(0), Unit("physical³")] = 0.0,
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Divide the image into the regions that its edges enclose.

    Edges are voxels with a gradient above a threshold: all of them with "sobel", "scharr" and
    "prewitt"; those at ridges of the gradient with "canny", where half the threshold is
    enough for voxels that continue an edge; those at zero crossings of the Laplacian with
    "log". These thin lines are thickened by a voxel on each side, which closes gaps of up to
    two voxels, above all where lines meet. What edges leave falls into parts connected by
    faces, and from these a watershed on the gradient divides the edges themselves. An edge
    with a wider gap encloses nothing: raise `scale` or lower `strength` to close it.

    In 3D all operators are three-dimensional; the ridges of "canny" are found among whole
    voxels, without interpolating between them.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels stay 0; for the gradient beside them the
        nearest other voxel stands in.
    mask : (M, N[, P]) bool array, optional
        Voxels to divide; the others stay 0.
    edges : {"sobel", "scharr", "prewitt", "canny", "log"}
        How edges are found; "canny" and "log" take their gradient by Sobel.
    scale : float
        Standard deviation of the Gaussian before it, in the image's unit or in pixels; for
        the Laplacian at least half a voxel along each axis.
    strength : float, optional
        Share of voxels whose gradient is at or below the threshold, such as 0.9; None for
        Otsu's threshold of the gradients.
    min_volume : float
        Parts smaller than this are given to their neighbours: a volume in 3D, an area in
        2D, in the image's unit or in voxels.
    spacing : tuple of float, optional
        Voxel size per axis, for `scale`, `min_volume` and the gradient.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        1 to K in scan order; 0 only outside the mask, and in islands of it without a part
        that is large enough. All is one region if no part is.

    Raises
    ------
    InputError
        If no voxel counts, or intensities are beyond 1e18.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE TPAMI 8(6), 1986,
       10.1109/TPAMI.1986.4767851.
    .. [2] D. Marr, E. Hildreth, "Theory of edge detection", Proc R Soc Lond B 207, 1980,
       10.1098/rspb.1980.0020.
    .. [3] L. Vincent, P. Soille, "Watersheds in digital spaces: an efficient algorithm
       based on immersion simulations", IEEE TPAMI 13(6), 1991, 10.1109/34.87344.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 10, 10, 10, 80, 80, 80, 80]], dtype=np.uint8).repeat(4, axis=0)
    >>> nss.edge_regions(image, scale=0)[0]
    array([1, 1, 1, 1, 2, 2, 2, 2], dtype=uint8)
    """
    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    step = spacing or (1.0,) * image.ndim
    values = _filled(image)
    progress(0.1, "gradient")
    smooth = smoothed(values, scale, step)
    derivatives = gradient(smooth, step, "sobel" if edges == "canny" or edges == "log" else edges)
    slope = magnitude(derivatives)
    limit = _limit(slope, usable, strength)
    progress(0.4, "edges")
    is_edge = slope > limit
    if edges == "canny":
        steps = [d * np.float32(size) for d, size in zip(derivatives, step, strict=True)]
        is_ridge = ridges(slope, steps)
        is_edge = connected_to(is_edge & is_ridge, is_ridge & (slope > _WEAK * limit), image.ndim)
    elif edges == "log":
        is_edge &= zero_crossings(values, scale, step)
    if edges in ("canny", "log"):
        is_edge = _thick(is_edge)
    del values, smooth, derivatives
    progress(0.5, "parts")
    parts = _parts(is_edge, usable, min_volume / math.prod(step))
    progress(0.7, "flooding")
    return _flooded(slope, parts, usable)


def _filled(image: ImageArray) -> FloatArray:
    """As float32, with the nearest finite value where there is none."""
    from scipy import ndimage

    values = in_float32(image, _TITLE)
    is_finite = np.isfinite(values)
    if not is_finite.all():
        nearest = ndimage.distance_transform_edt(
            ~is_finite, return_distances=False, return_indices=True
        )
        values = values[tuple(nearest)]
    if max(-float(values.min()), float(values.max())) > _LARGEST:
        raise InputError(
            f"{_TITLE}: expected intensities up to {_LARGEST:.0e}, got some beyond; scale the "
            "image down, for instance by its largest value."
        )
    return values


def _thick(lines: MaskArray) -> MaskArray:
    """Lines three voxels wide, closed where they have gaps of up to two."""
    from scipy import ndimage

    around = ndimage.generate_binary_structure(lines.ndim, lines.ndim)
    thick: MaskArray = ndimage.binary_dilation(lines, around)
    return thick


def _limit(slope: FloatArray, usable: MaskArray | None, strength: float | None) -> float:
    histogram = histogram_of(slope, usable, _TITLE)
    if strength is None:
        found = otsu_thresholds(histogram.values, histogram.counts, 2)
        return found[0] if found else math.inf
    return histogram.quantile(strength)


def _parts(is_edge: MaskArray, usable: MaskArray | None, smallest: float) -> NDArray[np.int32]:
    """Number what edges leave, without what is too small."""
    from scipy import ndimage

    free = ~is_edge if usable is None else usable & ~is_edge
    parts, n_parts = ndimage.label(free)
    sizes = np.bincount(parts.reshape(-1), minlength=n_parts + 1)
    sizes[0] = 0
    # Rounding must not make a part of exactly this volume too small.
    is_kept = (sizes > 0) & (sizes >= smallest * (1 - 1e-9))
    if not is_kept.any():
        return np.ones(free.shape, np.int32) if usable is None else usable.astype(np.int32)
    numbers = np.where(is_kept, np.cumsum(is_kept), 0).astype(np.int32)
    kept: NDArray[np.int32] = numbers[parts]
    return kept


def _flooded(slope: FloatArray, parts: NDArray[np.int32], usable: MaskArray | None) -> LabelArray:
    """The parts, grown over what is left from the weakest slope to the steepest."""
    # Compiled code runs on from here and cannot be stopped half-way.
    from scipy import ndimage
    from skimage.segmentation import watershed

    # The flood comes from the parts' rims alone; the rest of them would only cost time.
    faces = ndimage.generate_binary_structure(parts.ndim, 1)
    flooded = parts == 0 if usable is None else usable & (parts == 0)
    flooded = ndimage.binary_dilation(flooded, faces)
    if usable is not None:
        flooded &= usable
    dtype = smallest_label_dtype(int(parts.max()))
    labels = parts.astype(dtype)
    np.copyto(labels, watershed(slope, parts, mask=flooded), casting="unsafe", where=flooded)
    return labels
