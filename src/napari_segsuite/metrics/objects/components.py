"""Objects that labels do not number: connected parts of a class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def components(labels: NDArray[Any]) -> NDArray[np.uint32]:
    """Number the connected components of equal labels; neighbours by corners belong together.

    Parameters
    ----------
    labels : (M, N[, P]) array of integers
        0 is background, and stays so.

    Examples
    --------
    >>> components(np.array([[1, 0, 1, 2]]))
    array([[1, 0, 2, 3]], dtype=uint32)
    """
    from skimage.measure import label

    return np.asarray(label(labels, connectivity=labels.ndim), np.uint32)
