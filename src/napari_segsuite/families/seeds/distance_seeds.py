"""A seed in each of many objects, also where they touch."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...label_values import smallest_label_dtype
from ...method import method
from ...params import Unit
from ...progress import SILENT, Progress
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..threshold.criteria import brighter_side
from ..voxels import check_any_usable, usable_voxels

_TITLE = "Distance seeds"
# Background seeds keep this many voxels away from the objects, whose borders are uncertain.
_CLEARANCE = 2.0


@method(
    title=_TITLE,
    family="seeds",
    bytes_per_voxel=50,
    requires=("numba",),
    references=("10.1109/34.87344", "10.4086/toc.2012.v008a019", "10.1109/TSMC.1979.4310076"),
)
def distance_seeds(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    threshold: Annotated[float | None, Unit("intensity")] = None,
    foreground: Literal["bright", "dark"] = "bright",
    min_distance: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    neck: Annotated[float, Ge(0), Le(1)] = 0.85,
    smoothing: Annotated[float, Ge(0), Unit("physical")] = 0.0,
    min_volume: Annotated[float, Ge(0), Unit("physical³")] = 0.0,
    background: bool = True,
    spacing: Spacing | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Paint a seed inside each object, and one class around them, to grow objects from.

    The distance to the background makes a landscape with a hill for every rounded object.
    Hills that meet are one object if the neck between them is nearly as wide as the
    narrower one, or if their summits are close. The seed of an object is what is at least
    `neck` times as deep as its deepest voxel, so that seeds never touch.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities. NaN and infinite voxels are left unpainted.
    labels : (M, N[, P]) unsigned integer array, optional
        Objects are looked for where this is not 0, whatever the intensities.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others are no object and are left unpainted.
    threshold : float, optional
        Intensity between background and objects where no labels are given; None finds it
        by Otsu's method.
    foreground : {"bright", "dark"}
        Whether objects are brighter than the threshold, or not.
    min_distance : float
        Two parts that touch are one object if their centres are nearer than this, in the
        image's unit or in pixels.
    neck : float
        Two parts are one object if the neck between them is at least this share of the
        narrower part's width: 0 separates nothing that touches, 1 at every narrowing.
    smoothing : float
        Standard deviation of the Gaussian that evens out the distances, in the image's unit
        or in pixels; helps where rough borders make several hills in an object.
    min_volume : float
        Objects smaller than this get no seed: a volume in 3D, such as mm³, an area in 2D,
        in the image's unit or in voxels.
    background : bool
        Paint the background too, two voxels and more away from the objects.
    spacing : tuple of float, optional
        Voxel size per axis.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        With background: 1 = background, objects from 2; else objects from 1; in the order
        of their first voxels. 0 = unpainted. The smallest type that holds them.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than float64 holds.

    References
    ----------
    .. [1] L. Vincent, P. Soille, "Watersheds in digital spaces: an efficient algorithm
       based on immersion simulations", IEEE TPAMI 13(6), 1991, 10.1109/34.87344.
    .. [2] P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions",
       Theory of Computing 8, 2012, 10.4086/toc.2012.v008a019.
    .. [3] N. Otsu, "A threshold selection method from gray-level histograms", IEEE TSMC
       9(1), 1979, 10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> y, x = np.mgrid[:23, :40]
    >>> disks = np.minimum((x - 10) ** 2, (x - 28) ** 2) + (y - 11) ** 2 < 100
    >>> nss.distance_seeds(disks)[11, [10, 19, 28]]
    array([2, 0, 3], dtype=uint8)
    """
    from ...kernels.cpu.basins import Rule, hills

    usable = usable_voxels((image,), mask)
    check_any_usable(usable, _TITLE)
    inside = labels != 0 if labels is not None else _bright(image, usable, threshold)
    if labels is None and foreground == "dark":
        np.logical_not(inside, out=inside)
    if usable is not None:
        inside &= usable
    steps = spacing or (1.0,) * image.ndim
    depth = _depth(inside, smoothing, steps, partial(progress, 0.2, "measuring depths"))
    # Distances on a grid are uncertain by half a voxel: no neck is made out of that.
    rule = Rule(neck, 0.5 * min(steps), min_distance)
    objects = hills(depth, rule, steps, partial(progress, 0.4, "finding objects"))
    smallest = min_volume / math.prod(steps) * (1 - 1e-9)
    seeds = _cores(objects, depth, neck, smallest, 2 if background else 1)
    del objects, depth
    if background:
        progress(0.8, "painting the background")
        outside = np.logical_not(inside, out=inside)
        far = _far_outside(outside, steps, partial(progress, 0.8, "painting the background"))
        if usable is not None:
            far &= usable
        seeds[far] = 1
    return seeds


def _bright(image: ImageArray, usable: MaskArray | None, threshold: float | None) -> MaskArray:
    if threshold is None:
        return brighter_side(image, usable, _TITLE)
    bright: MaskArray = image > threshold
    return bright


def _depth(inside: MaskArray, smoothing: float, steps: Spacing, done: partial[None]) -> FloatArray:
    """Distance to the outside; equal everywhere if there is none."""
    from scipy import ndimage

    from ...kernels.cpu.distance import squared_distance

    depth = squared_distance(inside, steps, done)
    np.sqrt(depth, out=depth)
    if np.isinf(depth[(0,) * depth.ndim]):
        return np.ones_like(depth)
    if smoothing > 0:
        ndimage.gaussian_filter(depth, [smoothing / step for step in steps], output=depth)
        depth[~inside] = 0
    return depth


def _cores(
    objects: NDArray[np.int32], depth: FloatArray, share: float, smallest: float, first: int
) -> LabelArray:
    """What is deep enough of each object that is large enough, numbered from `first` on."""
    sizes = np.bincount(objects.reshape(-1))
    kept = np.flatnonzero(sizes[1:] >= smallest) + 1
    summits = np.zeros(len(sizes), dtype=np.float32)
    np.maximum.at(summits, objects, depth)
    seed_of = np.zeros(len(sizes), dtype=smallest_label_dtype(first + len(kept) - 1))
    seed_of[kept] = np.arange(first, first + len(kept))
    seeds = seed_of[objects]
    summits *= np.float32(share)
    seeds[depth < summits[objects]] = 0
    return seeds


def _far_outside(outside: MaskArray, steps: Spacing, done: partial[None]) -> MaskArray:
    from ...kernels.cpu.distance import squared_distance

    far: MaskArray = squared_distance(outside, steps, done) >= (_CLEARANCE * min(steps)) ** 2
    return far
