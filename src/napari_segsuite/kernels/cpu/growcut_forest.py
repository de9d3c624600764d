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
from .growcut_force import direct_forces, forces
from .growcut_lanes import RUN, code_where_equal, load, multiply, spread_code, store_codes

# Code of seeds and of voxels that nothing reached; code k + 1 is step k of `Links.offsets`.
NO_PARENT = np.uint8(0)


@njit
def _run_parents(strength: Any, law: Any, offsets: Any, force_rows: Any, p: Any) -> Any:
    """Codes of the parents of the run at `p`, right where it is reached and no seed."""
    mine = load(strength, p)
    here = load(law.features, p)
    codes = spread_code(NO_PARENT)
    for k in range(offsets.size):
        q = p + offsets[k]
        if law.direct:
            g = direct_forces(here, load(law.features, q), law.inverse_contrast)
        else:
            g = forces(law, p, q, force_rows[k])
        codes = code_where_equal(codes, np.uint8(k + 1), multiply(load(strength, q), g), mine)
    return codes


@njit(nogil=True, cache=True)
def find_parents(
    strength: Any, code: Any, law: Any, links: Any, layout: Any, row_from: Any, row_to: Any
) -> None:
    """Code the parents of the rows [row_from, row_to), counted over all planes."""
    strengths, codes = strength.ctypes.data, code.ctypes.data
    offsets, force_rows = links.offsets, links.force_rows
    for line in range(row_from, row_to):
        z, y = line // layout.rows, line % layout.rows
        row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
        first = row * layout.row_pitch + 1
        for run in range(layout.runs):
            p = first + run * RUN
            store_codes(codes, p, _run_parents(strengths, law, offsets, force_rows, p))
        mine = strength[first : first + layout.width]
        row_codes = code[first : first + layout.width]
        for x in range(mine.size):
            inner = (mine[x] >= STRENGTH_FLOOR) & (mine[x] < 1)
            row_codes[x] = row_codes[x] if inner else NO_PARENT


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
                p += offsets[code[p] - 1]
            found = label[p]
            p = start
            while label[p] == 0:
                label[p] = found
                p += offsets[code[p] - 1]
