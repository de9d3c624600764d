"""How strong the edges of an image are, and where they are thin lines."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from ...typing import FloatArray, MaskArray, Spacing

Derivative: TypeAlias = Literal["sobel", "scharr", "prewitt"]


def smoothed(image: FloatArray, scale: float, spacing: Spacing) -> FloatArray:
    """Gaussian of a physical standard deviation; the image itself where it is 0.

    Parameters
    ----------
    image : (M, N[, P]) float32 array
    scale : float
        In the unit of `spacing`.
    spacing : tuple of float
    """
    from scipy import ndimage

    if scale == 0:
        return image
    result: FloatArray = ndimage.gaussian_filter(image, [scale / size for size in spacing])
    return result


def gradient(image: FloatArray, spacing: Spacing, operator: Derivative) -> list[FloatArray]:
    """Derivatives along the axes, per unit of `spacing`.

    Parameters
    ----------
    image : (M, N[, P]) float32 array
    spacing : tuple of float
    operator : {"sobel", "scharr", "prewitt"}
        Weights across the derivative: 1 2 1, 3 10 3 or 1 1 1.

    Examples
    --------
    >>> ramp = np.tile(np.arange(0, 8, 2, dtype=np.float32), (3, 1))
    >>> down, across = gradient(ramp, (1.0, 0.5), "sobel")
    >>> float(down[1, 1]), float(across[1, 1])
    (0.0, 4.0)
    """
    from skimage import filters

    # The library's differences are over two voxels.
    along = getattr(filters, operator)
    return [
        along(image, axis=axis, mode="nearest") / np.float32(2 * size)
        if image.shape[axis] > 1
        else np.zeros_like(image)
        for axis, size in enumerate(spacing)
    ]


def magnitude(derivatives: list[FloatArray]) -> FloatArray:
    """Length of the gradient.

    Parameters
    ----------
    derivatives : list of (M, N[, P]) float32 array
    """
    total = np.zeros_like(derivatives[0])
    for derivative in derivatives:
        total += np.square(derivative)
    return np.sqrt(total, out=total)


def ridges(strength: FloatArray, derivatives: list[FloatArray]) -> MaskArray:
    """Voxels no weaker than their two neighbours across the edge.

    The neighbours are those nearest to the direction of the gradient, of 8 in 2D and 26 in
    3D; nothing is interpolated between them.

    Parameters
    ----------
    strength : (M, N[, P]) float32 array
        Length of the gradient.
    derivatives : list of (M, N[, P]) float32 array
        In steps of voxels.
    """
    padded = np.pad(strength, 1)
    is_ridge = np.zeros(strength.shape, dtype=bool)
    for plane in range(len(strength)):  # one at a time, for the memory
        here = [derivative[plane] for derivative in derivatives]
        steepest = np.maximum.reduce([np.abs(derivative) for derivative in here])
        steps = [np.rint(d / np.maximum(steepest, 1e-30)).astype(np.int64) for d in here]
        at = np.meshgrid(*map(np.arange, strength.shape[1:]), indexing="ij")
        where = [np.full(steepest.shape, plane), *at]
        ahead = padded[tuple(i + 1 + step for i, step in zip(where, steps, strict=True))]
        behind = padded[tuple(i + 1 - step for i, step in zip(where, steps, strict=True))]
        # Of two equal neighbours one is kept, so that the line stays thin.
        is_ridge[plane] = (strength[plane] > ahead) & (strength[plane] >= behind)
    return is_ridge


def zero_crossings(image: FloatArray, scale: float, spacing: Spacing) -> MaskArray:
    """Voxels where the Laplacian of a Gaussian is positive and a face's neighbour is not.

    Parameters
    ----------
    image : (M, N[, P]) float32 array
    scale : float
        Standard deviation in the unit of `spacing`; along each axis at least half a voxel.
    spacing : tuple of float
    """
    from scipy import ndimage

    sigmas = [max(scale / size, 0.5) for size in spacing]
    laplacian = np.zeros_like(image)
    for axis, size in enumerate(spacing):
        order = [2 if other == axis else 0 for other in range(image.ndim)]
        laplacian += ndimage.gaussian_filter(image, sigmas, order) / np.float32(size**2)
    positive = laplacian > 0
    faces = ndimage.generate_binary_structure(image.ndim, 1)
    inside = ndimage.binary_erosion(positive, faces, border_value=1)
    crossings: MaskArray = positive & ~inside
    return crossings
