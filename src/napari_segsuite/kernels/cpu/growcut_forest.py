"""From final strengths to labels: the parent of every voxel, then the root it leads to.

A parent is a neighbour q with ``strength_q * g == strength_p``. Where several are, the
last in the order of `Steps.offsets` is taken: a rule about the final strengths alone,
so that neither threads nor the order of the sweeps can change a label.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..growcut_cost import STRENGTH_FLOOR
from .growcut_force import direct_forces, force, forces
from .growcut_lanes import RUN, code_where_equal, load, multiply, spread_code, store

# Code of seeds and of voxels that nothing reached; other codes index `Links.offsets`.
NO_PARENT = np.uint8(255)


@njit
def _run_parents(strength: Any, field: Any, links: Any, p: Any, scratch: Any) -> Any:
    """Codes of the parents of the run at `p`, right where it is reached and no seed."""
    mine = load(strength, p)
    plane = field.features[0]
    here = load(plane, p)
    codes = spread_code(NO_PARENT)
    for k in range(links.offsets.size):
        q = p + links.offsets[k]
        if field.direct:
            g = direct_forces(here, load(plane, q), field.inverse_contrast)
        else:
            g = forces(field, p, q, links.force_rows[k], scratch)
        codes = code_where_equal(codes, np.uint8(k), multiply(load(strength, q), g), mine)
    return codes


@njit(nogil=True, cache=True)
def find_parents(
    strength: Any, code: Any, field: Any, links: Any, layout: Any, row_from: Any, row_to: Any
) -> None:
    """Code the parents of the rows [row_from, row_to), counted over all planes."""
    scratch = np.empty(RUN, dtype=np.float32)
    for line in range(row_from, row_to):
        z, y = line // layout.rows, line % layout.rows
        row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
        first = row * layout.row_pitch + 1
        for run in range(layout.runs):
            p = first + run * RUN
            store(code, p, _run_parents(strength, field, links, p, scratch))
        mine = strength[first : first + layout.width]
        codes = code[first : first + layout.width]
        for x in range(mine.size):
            inner = (mine[x] >= STRENGTH_FLOOR) & (mine[x] < 1)
            codes[x] = codes[x] if inner else NO_PARENT


@njit(nogil=True, cache=True)
def clear_unreached(strength: Any) -> None:
    """Set what stayed below the floor to zero."""
    for p in range(strength.size):
        strength[p] = strength[p] if strength[p] >= STRENGTH_FLOOR else np.float32(0)


@njit(nogil=True, cache=True)
def follow_parents(
    label: Any, code: Any, offsets: Any, layout: Any, row_from: Any, row_to: Any
) -> None:
    """Give every voxel of a range of rows the label of its root.

    `label` holds the seeds. Threads may pass through one another's rows: whatever they
    write there is what the owner will find.
    """
    for line in range(row_from, row_to):
        z, y = line // layout.rows, line % layout.rows
        row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
        first = row * layout.row_pitch + 1
        for start in range(first, first + layout.width):
            if label[start] != 0 or code[start] == NO_PARENT:
                continue
            p = start
            while label[p] == 0:
                p += offsets[code[p]]
            found = label[p]
            p = start
            while label[p] == 0:
                label[p] = found
                p += offsets[code[p]]


@njit
def parent_of(strength: Any, field: Any, links: Any, p: Any) -> Any:
    """Code of the parent of one voxel that is reached and no seed."""
    code = NO_PARENT
    for k in range(links.offsets.size):
        q = p + links.offsets[k]
        if strength[q] > strength[p]:
            g = force(field, p, q, links.force_rows[k])
            if strength[q] * g == strength[p]:
                code = np.uint8(k)
    return code
