"""Label numbers that callers name: classes, ignored labels, and what a label counts as."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError

_LARGEST = np.iinfo(np.uint64).max


def label_number(label: Any, name: str) -> int:
    """A whole number, whether labels can have it or not.

    Parameters
    ----------
    label : object
    name : str
        Of the parameter, for the message.

    Raises
    ------
    ParameterError
        If it is no whole number.

    Examples
    --------
    >>> label_number(2.0, "ignore")
    2
    """
    is_float = isinstance(label, float | np.floating)
    if isinstance(label, numbers.Integral) or (is_float and label.is_integer()):
        return int(label)
    raise ParameterError(
        f"expected label numbers for '{name}', got {label!r}; give integers such as (1, 2)",
        name=name,
    )


def class_number(label: Any, name: str) -> int:
    """A number that a label can have.

    Raises
    ------
    ParameterError
        If it is no whole number from 0 to 2**64 - 1.

    Examples
    --------
    >>> class_number(2, "classes")
    2
    """
    number = label_number(label, name)
    if 0 <= number <= _LARGEST:
        return number
    raise ParameterError(
        f"expected label numbers for '{name}' from 0 up, got {number}; "
        "labels are integers of 64 bits at most",
        name=name,
    )


def is_among(labels: NDArray[Any], some: Iterable[int]) -> NDArray[np.bool_]:
    """Where an array has one of some labels; those that no label can have are nowhere.

    Examples
    --------
    >>> is_among(np.array([0, 2**63], np.uint64), (-1, 2**63)).tolist()
    [False, True]
    """
    # numpy would make floating-point numbers of large labels beside small ones.
    possible = np.array([label for label in some if 0 <= label <= _LARGEST], np.uint64)
    return np.isin(labels, possible)
