"""The order in which clusters are numbered, so that runs and methods compare."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def ascending(centres: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Order centres by their first channel; where it is equal, by the next.

    Parameters
    ----------
    centres : (K, C) array
        Mean, medoid or the like of each cluster.

    Returns
    -------
    (K,) array of integers
        ``centres[ascending(centres)]`` is in order.

    Examples
    --------
    >>> ascending(np.array([[5.0, 1.0], [2.0, 9.0], [5.0, 0.0]])).tolist()
    [1, 2, 0]
    """
    return np.lexsort(centres.T[::-1])
