"""Attack forces of `growcut_cost`, as compiled code: one step, or a run of them.

NaN features give NaN forces, and no comparison with those conquers anything: that is
how padding and masked voxels are kept out without a test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..growcut_cost import G_MAX, TABLE_SIZE
from .growcut_lanes import (
    absolute,
    add,
    get,
    load,
    multiply,
    smaller,
    spread,
    square_root,
    subtract,
    tabulated,
)

_ONE = np.float32(1)
_SCALE = np.float32(TABLE_SIZE)
_TABLE_PITCH = TABLE_SIZE + 2


@njit
def force(law: Any, p: Any, q: Any, row: Any) -> Any:
    """g of the step between flat positions `p` and `q`, by the law in table `row`."""
    difference = get(law.features, p) - get(law.features, q)
    distance = abs(difference)
    if law.channels > 1:
        total = difference * difference
        for c in range(1, law.channels):
            plane = c * law.size
            difference = get(law.features, plane + p) - get(law.features, plane + q)
            total += difference * difference
        distance = np.sqrt(total)
    u = distance * law.inverse_contrast
    if row < 0:
        g = _ONE - u
        return G_MAX if g > G_MAX else g
    x = (_ONE if u > _ONE else u) * _SCALE
    i = int(x if x < _SCALE else _SCALE)
    table = row * _TABLE_PITCH + i
    low = get(law.tables, table)
    return low + (x - np.float32(i)) * (get(law.tables, table + 1) - low)


@njit(inline="always")
def direct_forces(here: Any, there: Any, inverse_contrast: Any) -> Any:
    """g between two runs of a single feature by the direct law."""
    u = multiply(absolute(subtract(here, there)), spread(inverse_contrast))
    return smaller(spread(G_MAX), subtract(spread(_ONE), u))


@njit
def forces(law: Any, p: Any, q: Any, row: Any) -> Any:
    """g between the runs that start at `p` and `q`, by the law in table `row`."""
    difference = subtract(load(law.features, p), load(law.features, q))
    distance = absolute(difference)
    if law.channels > 1:
        total = multiply(difference, difference)
        for c in range(1, law.channels):
            plane = c * law.size
            difference = subtract(load(law.features, plane + p), load(law.features, plane + q))
            total = add(total, multiply(difference, difference))
        distance = square_root(total)
    u = multiply(distance, spread(law.inverse_contrast))
    if row < 0:
        return smaller(spread(G_MAX), subtract(spread(_ONE), u))
    x = multiply(smaller(spread(_ONE), u), spread(_SCALE))
    return tabulated(law.tables + row * (4 * _TABLE_PITCH), x)
