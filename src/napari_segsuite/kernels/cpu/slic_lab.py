"""Colours as CIE L*a*b*, in which distances are about those that people see."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from .crew import Crew

# Steps of the tables in which the two curves of the conversion are looked up; between them
# the straight line is off by less than 0.005 in the result.
_STEPS = 1 << 13
# X, Y and Z of linear red, green and blue, as shares of those of white (D65).
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169],
                 [0.019334, 0.119193, 0.950227]])  # fmt: skip
_SHARES = (_XYZ / _XYZ.sum(axis=1, keepdims=True)).astype(np.float32)


def to_lab(rgb: NDArray[np.float32]) -> None:
    """Convert sRGB to L*a*b* in place.

    Parameters
    ----------
    rgb : (3, L, M, N) float32 array
        Contiguous, from 0 to 1; becomes L* (0 … 100), a* and b*.

    References
    ----------
    IEC 61966-2-1:1999; CIE 15:2004, "Colorimetry".

    Examples
    --------
    >>> white = np.ones((3, 1, 1, 1), dtype=np.float32)
    >>> to_lab(white)
    >>> np.abs(white.ravel()).round(2)
    array([100.,   0.,   0.], dtype=float32)
    """
    position = np.arange(_STEPS + 2) / _STEPS
    linear = np.where(position > 0.04045, ((position + 0.055) / 1.055) ** 2.4, position / 12.92)
    delta = 6 / 29
    seen = np.where(position > delta**3, np.cbrt(position), position / (3 * delta**2) + 4 / 29)
    flat = rgb.reshape(3, -1)
    pieces = [(flat[:, i : i + (1 << 17)],) for i in range(0, flat.shape[1], 1 << 17)]
    tables = linear.astype(np.float32), seen.astype(np.float32)
    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        crew.run(lambda piece: _convert(piece, *tables, _SHARES), pieces)


@njit(nogil=True, cache=True)
def _look_up(table: Any, value: Any) -> Any:
    place = min(max(value, np.float32(0)), np.float32(1)) * np.float32(_STEPS)
    i = int(place)
    return table[i] + (place - np.float32(i)) * (table[i + 1] - table[i])


@njit(nogil=True, cache=True)
def _convert(rgb: Any, linear: Any, seen: Any, shares: Any) -> None:
    white = np.empty(3, np.float32)
    for i in range(rgb.shape[1]):
        red, green, blue = (
            _look_up(linear, rgb[0, i]), _look_up(linear, rgb[1, i]), _look_up(linear, rgb[2, i])
        )  # fmt: skip
        for j in range(3):
            amount = shares[j, 0] * red + shares[j, 1] * green + shares[j, 2] * blue
            white[j] = _look_up(seen, amount)
        rgb[0, i] = np.float32(116) * white[1] - np.float32(16)
        rgb[1, i] = np.float32(500) * (white[0] - white[1])
        rgb[2, i] = np.float32(200) * (white[1] - white[2])
