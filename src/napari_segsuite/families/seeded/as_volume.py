"""Images as volumes, for kernels that know three axes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_volume(array: NDArray[Any]) -> NDArray[Any]:
    """View or copy an array as a contiguous one of three axes.

    The rows of an image become the planes of a volume, which threads share.

    Examples
    --------
    >>> as_volume(np.zeros((4, 5))).shape
    (4, 1, 5)
    """
    return np.ascontiguousarray(array if array.ndim == 3 else array[:, np.newaxis])


def steps_of(spacing: Sequence[float] | None, ndim: int) -> tuple[float, float, float]:
    """Voxel size along the axes of `as_volume`, in units of the smallest.

    Examples
    --------
    >>> steps_of((3.0, 0.5), 2)
    (6.0, 1.0, 1.0)
    """
    sizes = list(spacing or (1.0,) * ndim)
    least = min(sizes)
    if ndim == 2:
        sizes.insert(1, least)
    first, second, third = (size / least for size in sizes)
    return first, second, third
