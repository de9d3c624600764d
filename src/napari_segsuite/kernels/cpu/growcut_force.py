"""Attack forces of `growcut_cost`, as compiled code for runs of voxels along a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..growcut_cost import G_MAX, TABLE_SIZE

# Length of the runs that the sweeps handle at once. A constant trip count lets the
# compiler unroll into vector registers without a scalar remainder.
RUN = 16

_ONE = np.float32(1)
_SCALE = np.float32(TABLE_SIZE)


@njit(inline="always")
def direct_force(difference: Any, inverse_contrast: Any) -> Any:
    """g = min(1 - u, G_MAX); NaN stays NaN, which is how masked voxels are kept out."""
    g = _ONE - abs(difference) * inverse_contrast
    return G_MAX if g > G_MAX else g


@njit(inline="always")
def table_force(distance: Any, inverse_contrast: Any, table: Any) -> Any:
    """g by linear interpolation; NaN stays NaN."""
    u = distance * inverse_contrast
    x = (_ONE if u > _ONE else u) * _SCALE
    i = int(x if x < _SCALE else _SCALE)
    return table[i] + (x - np.float32(i)) * (table[i + 1] - table[i])


@njit(inline="always")
def force(field: Any, p: Any, q: Any, row: Any) -> Any:
    """g of the single step between flat positions `p` and `q`, by the law in table `row`."""
    features = field.features
    if features.shape[0] == 1:
        distance = abs(features[0, p] - features[0, q])
    else:
        total = np.float32(0)
        for c in range(features.shape[0]):
            difference = features[c, p] - features[c, q]
            total += difference * difference
        distance = np.sqrt(total)
    if row < 0:
        return direct_force(distance, field.inverse_contrast)
    return table_force(distance, field.inverse_contrast, field.tables[row])


@njit
def run_forces(out: Any, field: Any, p: Any, q: Any, row: Any) -> None:
    """Forces between the voxels p + i and q + i for i < RUN, by the law in table `row`."""
    features = field.features
    here, there = features[0, p : p + RUN], features[0, q : q + RUN]
    if features.shape[0] == 1:
        for i in range(RUN):
            out[i] = abs(here[i] - there[i])
    else:
        for i in range(RUN):
            out[i] = (here[i] - there[i]) * (here[i] - there[i])
        for c in range(1, features.shape[0]):
            here, there = features[c, p : p + RUN], features[c, q : q + RUN]
            for i in range(RUN):
                difference = here[i] - there[i]
                out[i] += difference * difference
        for i in range(RUN):
            out[i] = np.sqrt(out[i])
    if row < 0:
        for i in range(RUN):
            out[i] = direct_force(out[i], field.inverse_contrast)
    else:
        table = field.tables[row]
        for i in range(RUN):
            out[i] = table_force(out[i], field.inverse_contrast, table)
