"""What two label arrays must be to be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..label_values import integer_labels


def checked_labels(values: ArrayLike, role: str) -> NDArray[Any]:
    """Labels as integers; of integers without a copy.

    Parameters
    ----------
    values : (M, N[, P]) array_like
    role : str
        "prediction" or "reference", for the message.

    Raises
    ------
    InputError
        If values are no labels, or there are none.

    Examples
    --------
    >>> checked_labels([0.0, 2.0], "prediction")
    array([0, 2], dtype=uint8)
    """
    try:
        return integer_labels(values)
    except InputError as error:
        raise InputError(f"{role}: {error}") from error


def as_unsigned(labels: NDArray[Any]) -> NDArray[np.unsignedinteger[Any]]:
    """Booleans, or integers from 0 up, seen as unsigned ones of the same size: no copy.

    Examples
    --------
    >>> as_unsigned(np.array([0, 3], np.int16))
    array([0, 3], dtype=uint16)
    """
    return labels.view(f"{labels.dtype.byteorder}u{labels.dtype.itemsize}")


def refuse_other_shape(prediction: NDArray[Any], reference: NDArray[Any]) -> None:
    """Check that two arrays have one shape.

    Raises
    ------
    InputError
        If they do not.
    """
    if prediction.shape != reference.shape:
        raise InputError(
            f"expected prediction and reference of one shape, got {prediction.shape} and "
            f"{reference.shape}; resample one onto the grid of the other"
        )
