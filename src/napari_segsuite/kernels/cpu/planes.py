"""Images cut along their first axis, for kernels written for three axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...boxes import slabs, whole

_VOXELS_PER_PIECE = 1 << 18


def pieces(shape: tuple[int, ...]) -> list[slice]:
    """Rows or planes, about a quarter of a million voxels at a time.

    Examples
    --------
    >>> pieces((3, 512, 512))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    return [box[0] for box in slabs(whole(shape), _VOXELS_PER_PIECE)]


def with_next(rows: slice) -> slice:
    """The piece and one more plane, for neighbours across its end."""
    return slice(rows.start, rows.stop + 1)


def three_axes(array: NDArray[Any]) -> NDArray[Any]:
    """A 2D image as planes of a single row each, so that both are cut along the first axis.

    Examples
    --------
    >>> three_axes(np.zeros((4, 5))).shape
    (4, 1, 5)
    """
    return array[:, np.newaxis] if array.ndim == 2 else array
