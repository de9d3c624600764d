"""Objects that labels do not number: connected parts of a class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..label_numbers import is_among


def components(labels: NDArray[Any]) -> NDArray[np.uint32]:
    """Number the connected components of equal labels; neighbours by corners belong together.

    Parameters
    ----------
    labels : (M, N[, P]) array of integers
        0 is background, and stays so.

    Raises
    ------
    InputError
        If there are more axes.

    Examples
    --------
    >>> components(np.array([[1, 0, 1, 2]]))
    array([[1, 0, 2, 3]], dtype=uint32)
    """
    from skimage.measure import label

    if not 1 <= labels.ndim <= 3:
        raise InputError(
            f"expected labels with 1 to 3 axes to find connected components, got the shape "
            f"{labels.shape}; measure one time point at a time"
        )

    return np.asarray(label(labels, connectivity=labels.ndim), np.uint32)


def components_of_pair(
    prediction: NDArray[Any], reference: NDArray[Any], ignore: tuple[int, ...] = ()
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The components of two label arrays over the voxels that count.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array of integers
    ignore : tuple of int
        Voxels that the reference gives one of these labels are background in both, so that
        they can cut a component in two.

    Examples
    --------
    >>> components_of_pair(np.array([[1, 1, 1]]), np.array([[1, 9, 1]]), ignore=(9,))[0]
    array([[1, 0, 2]], dtype=uint32)
    """
    if not ignore:
        return components(prediction), components(reference)
    counted = ~is_among(reference, ignore)
    # One after the other: only one masked copy at a time.
    return components(prediction * counted), components(reference * counted)
