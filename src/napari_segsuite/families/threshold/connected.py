"""Weak voxels that hang together with strong ones."""

from __future__ import annotations

import numpy as np

from ...typing import MaskArray


def connected_to(strong: MaskArray, weak: MaskArray, connectivity: int) -> MaskArray:
    """The parts of `weak` in which some voxel is `strong`.

    Parameters
    ----------
    strong, weak : (M, N[, P]) bool array
    connectivity : int
        Neighbours differ in at most this many axes; 3 counts as 2 in a 2D image.

    Examples
    --------
    >>> weak = np.array([[1, 1, 0, 1]], dtype=bool)
    >>> strong = np.array([[0, 1, 0, 0]], dtype=bool)
    >>> connected_to(strong, weak, 1).tolist()
    [[True, True, False, False]]
    """
    from scipy import ndimage

    steps = ndimage.generate_binary_structure(weak.ndim, min(connectivity, weak.ndim))
    parts, n_parts = ndimage.label(weak, steps)
    is_kept = np.zeros(n_parts + 1, dtype=bool)
    for part, peaks in zip(parts, strong, strict=True):  # planes: no copy of the volume
        is_kept[part[peaks]] = True
    is_kept[0] = False
    kept: MaskArray = is_kept[parts]
    return kept
