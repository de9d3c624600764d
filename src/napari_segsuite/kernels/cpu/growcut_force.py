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
    RUN,
    absolute,
    add,
    load,
    multiply,
    smaller,
    spread,
    square_root,
    store,
    subtract,
)

_ONE = np.float32(1)
_SCALE = np.float32(TABLE_SIZE)


@njit(inline="always")
def _table_force(distance: Any, inverse_contrast: Any, table: Any) -> Any:
    u = distance * inverse_contrast
    x = (_ONE if u > _ONE else u) * _SCALE
    i = int(x if x < _SCALE else _SCALE)
    return table[i] + (x - np.float32(i)) * (table[i + 1] - table[i])


@njit
def force(field: Any, p: Any, q: Any, row: Any) -> Any:
    """g of the step between flat positions `p` and `q`, by the law in table `row`."""
    features = field.features
    if features.shape[0] == 1:
        distance = abs(features[0, p] - features[0, q])
    else:
        total = np.float32(0)
        for c in range(features.shape[0]):
            difference = features[c, p] - features[c, q]
            total += difference * difference
        distance = np.sqrt(total)
    if row >= 0:
        return _table_force(distance, field.inverse_contrast, field.tables[row])
    g = _ONE - distance * field.inverse_contrast
    return G_MAX if g > G_MAX else g


@njit
def direct_forces(here: Any, there: Any, inverse_contrast: Any) -> Any:
    """g between two runs of a single feature by the direct law."""
    u = multiply(absolute(subtract(here, there)), spread(inverse_contrast))
    return smaller(spread(G_MAX), subtract(spread(_ONE), u))


@njit
def forces(field: Any, p: Any, q: Any, row: Any, scratch: Any) -> Any:
    """g between the runs that start at `p` and `q`, by the law in table `row`."""
    features = field.features
    difference = subtract(load(features[0], p), load(features[0], q))
    distance = absolute(difference)
    if features.shape[0] > 1:
        total = multiply(difference, difference)
        for c in range(1, features.shape[0]):
            difference = subtract(load(features[c], p), load(features[c], q))
            total = add(total, multiply(difference, difference))
        distance = square_root(total)
    if row < 0:
        u = multiply(distance, spread(field.inverse_contrast))
        return smaller(spread(G_MAX), subtract(spread(_ONE), u))
    store(scratch, 0, distance)
    table = field.tables[row]
    for i in range(RUN):
        scratch[i] = _table_force(scratch[i], field.inverse_contrast, table)
    return load(scratch, 0)
