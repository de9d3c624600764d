"""Eigenvalues of symmetric 2×2 and 3×3 matrices, one for each voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

# cos(2/3 acos(s)) for s from 0 to 1 as a polynomial, lowest power first: smooth there, so
# that twelve powers are exact to 1e-9, and no slow trigonometry is needed for each voxel.
_THIRD = tuple(
    Chebyshev.interpolate(lambda s: np.cos(2 / 3 * np.arccos(np.clip(s, -1, 1))), 12, domain=[0, 1])
    .convert(kind=Polynomial)
    .coef[::-1]
    .tolist()
)


def symmetric_eigenvalues(entries: NDArray[np.float32]) -> NDArray[np.float32]:
    """Eigenvalues of symmetric matrices, the largest first.

    Parameters
    ----------
    entries : (3 or 6, ...) float32 array
        Upper triangle, row by row: yy, yx, xx or zz, zy, zx, yy, yx, xx.

    Returns
    -------
    (2 or 3, ...) float32 array
        Exact to about 1e-7 of the largest absolute value; 1e-4 where eigenvalues of a
        3×3 matrix all but coincide.

    References
    ----------
    Smith (1961), Eigenvalues of a symmetric 3 × 3 matrix, doi:10.1145/355578.366316.

    Examples
    --------
    >>> import numpy as np
    >>> symmetric_eigenvalues(np.array([2, 1, 2], dtype=np.float32))
    array([3., 1.], dtype=float32)
    """
    if len(entries) == 3:
        a, b, c = entries
        mean, half = (a + c) / 2, (a - c) / 2
        radius = np.sqrt(half * half + b * b)
        return np.stack([mean + radius, mean - radius])
    flat = np.ascontiguousarray(entries).reshape(6, -1)
    values = np.empty((3, flat.shape[1]), dtype=np.float32)
    _eigenvalues_3x3(*flat, *values)
    return values.reshape(3, *entries.shape[1:])


@njit(inline="always")
def _cosine_of_third(s: Any) -> Any:
    value = 0.0
    for c in _THIRD:
        value = value * s + c
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _eigenvalues_3x3(
    zz: Any, zy: Any, zx: Any, yy: Any, yx: Any, xx: Any, first: Any, second: Any, third: Any
) -> None:
    for i in range(zz.size):
        a, b, c = np.float64(zz[i]), np.float64(yy[i]), np.float64(xx[i])
        d, e, f = np.float64(zy[i]), np.float64(zx[i]), np.float64(yx[i])
        mean = (a + b + c) / 3
        a, b, c = a - mean, b - mean, c - mean
        square = (a * a + b * b + c * c) / 6 + (d * d + e * e + f * f) / 3
        size = np.sqrt(square)
        half = (a * (b * c - f * f) - d * (d * c - e * f) + e * (d * f - b * e)) / 2
        # Cosine of three times the angle of the first; 0/0 where all three coincide.
        cosine = half / max(square * size, 1e-300)
        cosine = min(1.0, max(-1.0, cosine))
        upper = 2 * size * _cosine_of_third(np.sqrt((1 + cosine) / 2))
        lower = -2 * size * _cosine_of_third(np.sqrt((1 - cosine) / 2))
        first[i] = mean + upper
        second[i] = mean - upper - lower
        third[i] = mean + lower
