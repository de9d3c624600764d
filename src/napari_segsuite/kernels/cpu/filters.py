"""Filters that describe the surroundings of a voxel, at scales given in voxels.

A filter is called with an image (M, N, P), the corner and the shape of a box, and answers
with float32 planes of that box. It reads what it needs around the box; beyond the image
lies its mirror image (d c b a | a b c d | d c b a), as in `scipy.ndimage`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .boxes import Ints, grown, slices
from .eigenvalues import symmetric_eigenvalues
from .growcut_lanes import RUN
from .separable import correlate

Planes = NDArray[np.float32]

# Kernels end at this many standard deviations.
TRUNCATE = 3.0


class Filter(Protocol):
    """Something that makes planes of features from an image."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of the box of `shape` at `low`, (features, *shape)."""


@dataclass(frozen=True)
class Intensity:
    """The image as it is."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""
        return ("intensity",)

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of a box."""
        return image[np.newaxis, *slices(low, shape)]


@dataclass(frozen=True)
class Scale:
    """What an image looks like under a Gaussian: value, contrast and shape.

    Planes are the smoothed image, its gradient magnitude, the standard deviation of
    intensities in the window, and the eigenvalues of the Hessian, the largest first.
    Derivatives are multiplied by sigma for each order, so that axes of different spacing
    count alike.

    Parameters
    ----------
    sigma : tuple of 2 or 3 floats
        Standard deviation along each axis, in voxels; 0 leaves an axis alone.
    planar : bool
        Derivatives within the planes of the last two axes only, as in a 2D image.
    """

    sigma: tuple[float, ...]
    planar: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""
        bends = (f"bend {i + 1}" for i in range(len(_axes(self))))
        return ("smooth", "gradient", "deviation", *bends)

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of a box."""
        sigma, axes = _solid(self.sigma), _axes(self)
        smooth = gaussian_box(image, sigma, (), low, shape)
        outer, size = grown(low, shape, [_reach(s) for s in sigma], image.shape)
        around = image[slices(outer, size)]
        squares = gaussian_box(around * around, sigma, (), _inside(low, outer), shape)
        slopes = [gaussian_box(image, sigma, (axis,), low, shape) for axis in axes]
        bends = [
            gaussian_box(image, sigma, pair, low, shape)
            for pair in combinations_with_replacement(axes, 2)
        ]
        planes = np.empty((len(self.names), *shape), dtype=np.float32)
        planes[0] = smooth
        planes[1] = np.sqrt(sum(slope * slope for slope in slopes))
        planes[2] = np.sqrt(np.maximum(squares - smooth * smooth, 0))
        planes[3:] = symmetric_eigenvalues(np.stack(bends))
        return planes


@dataclass(frozen=True)
class Structure:
    """Eigenvalues of the structure tensor, the largest first: edges, lines and blobs apart.

    Parameters
    ----------
    sigma : tuple of 2 or 3 floats
        Standard deviation, in voxels, of the Gaussian that the gradient is taken under.
    window : tuple of 2 or 3 floats
        Standard deviation of the window in which gradients are gathered.
    planar : bool
        Gradients within the planes of the last two axes only.
    """

    sigma: tuple[float, ...]
    window: tuple[float, ...]
    planar: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What its planes are."""
        return tuple(f"structure {i + 1}" for i in range(len(_axes(self))))

    def __call__(self, image: Planes, low: Ints, shape: Ints) -> Planes:
        """Compute the planes of a box."""
        sigma, window, axes = _solid(self.sigma), _solid(self.window), _axes(self)
        outer, size = grown(low, shape, [_reach(s) for s in window], image.shape)
        slopes = {axis: gaussian_box(image, sigma, (axis,), outer, size) for axis in axes}
        tensor = [
            gaussian_box(slopes[a] * slopes[b], window, (), _inside(low, outer), shape)
            for a, b in combinations_with_replacement(axes, 2)
        ]
        return symmetric_eigenvalues(np.stack(tensor))


def gaussian_box(
    image: Planes,
    sigma: Iterable[float],
    along: tuple[int, ...],
    low: Ints,
    shape: Ints,
) -> Planes:
    """Smooth a box of an image, or take derivatives under a Gaussian.

    Parameters
    ----------
    image : (M, N, P) float32 array
        Any width; 16 voxels or more are read in place.
    sigma : 3 floats
        Standard deviation along each axis, in voxels.
    along : tuple of up to two axes
        Axes to take a derivative along, in units of sigma; (0, 0) is a second one.
    low, shape : 3 ints
        The box.

    Returns
    -------
    float32 array of the shape of the box
        Smoothed values and first derivatives are those of
        `scipy.ndimage.gaussian_filter` with ``truncate=3``; second derivatives also
        forget the small share of the mean that cutting the kernel off leaves in those.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(20, dtype=np.float32), (1, 1, 1))
    >>> gaussian_box(ramp, (0, 0, 1), (), (0, 0, 8), (1, 1, 3)).round(3)
    array([[[ 8.,  9., 10.]]], dtype=float32)
    """
    orders = [along.count(axis) for axis in range(3)]
    weights = tuple(_weights(s, order) for s, order in zip(sigma, orders, strict=True))
    signs = tuple(np.float32(-1 if order == 1 else 1) for order in orders)
    out = np.empty(shape, dtype=np.float32)
    if image.shape[2] < RUN:
        # What lies beyond both borders, written out: it mirrors itself at its own ones.
        times = -(-RUN // image.shape[2])
        image = np.pad(image, ((0, 0), (0, 0), (0, (times - 1) * image.shape[2])), "symmetric")
    correlate(np.ascontiguousarray(image), low, weights, signs, out)
    return out


def _weights(sigma: float, order: int) -> Planes:
    """Weights at distances 0, 1, 2 … of a Gaussian or its derivative times sigma^order."""
    steps = np.arange(_reach(sigma) + 1)
    if len(steps) == 1:
        return np.array([order == 0], dtype=np.float32)
    bell = np.exp(-0.5 * (steps / sigma) ** 2)
    bell /= 2 * bell.sum() - bell[0]
    if order == 1:
        bell *= steps / sigma
    elif order == 2:
        square = (steps / sigma) ** 2
        bell *= square - 2 * (bell * square).sum()
    return bell.astype(np.float32)


def _reach(sigma: float) -> int:
    return int(TRUNCATE * sigma + 0.5)


def _inside(low: Ints, outer: Ints) -> Ints:
    return tuple(a - b for a, b in zip(low, outer, strict=True))


def _axes(of: Scale | Structure) -> range:
    return range(1 if of.planar or len(of.sigma) == 2 else 0, 3)


def _solid(sigma: tuple[float, ...]) -> tuple[float, ...]:
    return (0.0,) * (3 - len(sigma)) + sigma
