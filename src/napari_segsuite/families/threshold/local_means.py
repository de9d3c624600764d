"""Means over the voxels around each voxel, as far as they are usable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import SILENT, Progress
from ...typing import MaskArray, Spacing

# A Gaussian is cut off there, in standard deviations.
_TRUNCATE = 4.0


@dataclass(frozen=True)
class Window:
    """What lies around a voxel.

    Attributes
    ----------
    radius : float
        How far it reaches along each axis, in the unit of `spacing`.
    spacing : tuple of float
    is_gaussian : bool
        Whether voxels weigh by a Gaussian with a third of `radius` as standard deviation;
        else all within a box weigh the same.
    """

    radius: float
    spacing: Spacing
    is_gaussian: bool

    @property
    def half_widths(self) -> tuple[int, ...]:
        """Whole voxels that a box reaches from its centre along each axis.

        Examples
        --------
        >>> Window(5.0, (3.0, 1.0), False).half_widths
        (2, 5)
        """
        return tuple(int(self.radius / size + 0.5) for size in self.spacing)

    def sum_along(self, array: NDArray[np.float64], axis: int, line_axis: int) -> None:
        """Weighted sums along one axis, in place; beyond the border there is nothing.

        Parameters
        ----------
        array : array
        axis : int
            Axis of the image whose width is taken.
        line_axis : int
            Axis of `array` that stands for it.
        """
        from scipy import ndimage

        if self.is_gaussian:
            sigma = self.radius / self.spacing[axis] / 3
            ndimage.gaussian_filter1d(
                array, sigma, line_axis, output=array, mode="constant", truncate=_TRUNCATE
            )
        else:
            width = 2 * self.half_widths[axis] + 1
            ndimage.uniform_filter1d(array, width, line_axis, output=array, mode="constant")


def local_mean(
    values: NDArray[np.float64],
    usable: MaskArray | None,
    window: Window,
    progress: Progress = SILENT,
) -> NDArray[np.float64]:
    """Mean of the usable voxels in the window around each voxel.

    Parameters
    ----------
    values : (M, N[, P]) float64 array
        0 where a voxel is not usable.
    usable : (M, N[, P]) bool array, optional
        All by default.
    window : Window
    progress : Progress
        Called for each axis; raises `Cancelled` to stop.

    Returns
    -------
    (M, N[, P]) float64 array
        Without meaning where a voxel is not usable itself.

    Examples
    --------
    >>> local_mean(np.array([[0.0, 3, 6]]), None, Window(1, (1, 1), False)).tolist()
    [[1.5, 3.0, 4.5]]
    """
    mean = values.copy()
    for axis in range(values.ndim):
        progress(axis / (2 * values.ndim), "means of the surroundings")
        window.sum_along(mean, axis, axis)
    if usable is None:
        # Of a full grid the weights are products of the axes'.
        for axis, length in enumerate(values.shape):
            weights = np.ones(length)
            window.sum_along(weights, axis, 0)
            mean /= weights.reshape((-1,) + (1,) * (values.ndim - axis - 1))
        return mean
    weights = usable.astype(np.float64)
    for axis in range(values.ndim):
        progress(0.5 + axis / (2 * values.ndim), "weights of the surroundings")
        window.sum_along(weights, axis, axis)
    np.divide(mean, weights, out=mean, where=usable)
    return mean
