"""Strengths of GrowCut by block-active Gauss-Seidel sweeps over rows.

A row pulls from those neighbour rows in which something grew since it last did. What
grew is told in one 64-bit mask of runs per (row, neighbour row), so that the late
rounds, in which few voxels still move, cost little.

Blocks of rows are the unit of work of a thread. A block writes its own voxels only and
reads those of its neighbours while they may be changing: strengths only ever grow, and
rounding a product is monotone, so every schedule ends in the same fixed point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..growcut_cost import G_MAX, STRENGTH_FLOOR
from .growcut_force import direct_forces, forces
from .growcut_grid import ABSENT
from .growcut_lanes import (
    RUN,
    from_after,
    from_before,
    get,
    larger,
    load,
    multiply,
    spread,
    store,
    which_larger,
)

# Slots of the mailbox. News within a block is read at once; news that crosses a border
# is written into one slot and read from it in the next round, so that no two threads
# touch one entry at the same time.
INSIDE, CROSSING, SLOTS = 0, 1, 3

# Where voxels start: below the floor, so that only strengths that count replace it.
UNREACHED = np.nextafter(STRENGTH_FLOOR, np.float32(0))

_BIT = np.uint64(1)
_NONE = np.uint64(0)


@njit(inline="always")
def _larger_of(acc: Any, strength: Any, law: Any, here: Any, q: Any) -> Any:
    g = direct_forces(here, load(law.features, q), law.inverse_contrast)
    return larger(multiply(load(strength, q), g), acc)


@njit
def _attacked(acc: Any, strength: Any, law: Any, p: Any, q: Any, force_rows: Any, j: Any) -> Any:
    """The run `acc` at `p` after attacks from the run at `q` of neighbour row `j`."""
    for k in range(3):
        if force_rows[j, k] != ABSENT:
            s = q + k - 1
            attackers = load(strength, s)
            # Forces are below one: the weaker cannot win, and tables are slow to read.
            if which_larger(attackers, acc):
                acc = larger(multiply(attackers, forces(law, p, s, force_rows[j, k])), acc)
    return acc


@njit(inline="always")
def _flag(flags: Any, run: Any, lanes: Any) -> None:
    """Flag a run that grew, and the next ones where its edge voxel did."""
    flags[run + 1] = True
    if lanes & 1:
        flags[run] = True
    if lanes >> (RUN - 1):
        flags[run + 2] = True


@njit(forceinline=True)
def _pull_row(
    strength: Any, law: Any, layout: Any, shifts: Any, force_rows: Any, first: Any,
    masks: Any, reach: Any,
) -> Any:  # fmt: skip
    """Attack a row from the runs in `masks` of its neighbours; True where it grew.

    `first` is the flat position of the row's first voxel. `reach` flags the runs that
    grew and those next to an edge voxel that did, with a margin of one at both ends.
    """
    grew = False
    union = _NONE
    for j in range(masks.size):
        union |= masks[j]
    for run in range(layout.runs + 2):
        reach[run] = False
    for run in range(layout.runs):
        bit = np.uint64(run >> layout.bit_shift)
        if not (union >> bit) & _BIT:
            continue
        p = first + run * RUN
        old = load(strength, p)
        here = load(law.features, p)
        acc = old
        for j in range(masks.size):
            if not (masks[j] >> bit) & _BIT:
                continue
            q = p + shifts[j]
            if law.direct:
                acc = _larger_of(acc, strength, law, here, q)
                if force_rows[j, 0] != ABSENT:
                    acc = _larger_of(acc, strength, law, here, q - 1)
                    acc = _larger_of(acc, strength, law, here, q + 1)
            else:
                acc = _attacked(acc, strength, law, p, q, force_rows, j)
        lanes = which_larger(acc, old)
        if lanes:
            store(strength, p, acc)
            grew = True
            _flag(reach, run, lanes)
    return grew


@njit(forceinline=True)
def _settle_run(strength: Any, law: Any, along: Any, p: Any) -> Any:
    """Make a run the fixed point of steps along its row; the lanes that grew, as bits."""
    before, after = get(strength, p - 1), get(strength, p + RUN)
    if law.direct:
        here = load(law.features, p)
        left = direct_forces(here, load(law.features, p - 1), law.inverse_contrast)
        right = direct_forces(here, load(law.features, p + 1), law.inverse_contrast)
    else:
        left = forces(law, p, p - 1, along)
        right = forces(law, p, p + 1, along)
    old = load(strength, p)
    run = old
    while True:
        acc = larger(multiply(from_before(run, before), left), run)
        acc = larger(multiply(from_after(run, after), right), acc)
        if not which_larger(acc, run):
            break
        run = acc
    lanes = which_larger(run, old)
    if lanes:
        store(strength, p, run)
    return lanes


@njit(forceinline=True)
def _settle_row(strength: Any, law: Any, layout: Any, first: Any, reach: Any, todo: Any) -> None:
    """Let growth spread within a row, from and to the runs flagged in `reach`."""
    for k in range(layout.runs + 2):
        todo[k] = reach[k]
    forward, again = True, True
    while again:
        again = False
        for k in range(layout.runs):
            run = k if forward else layout.runs - 1 - k
            if not todo[run + 1]:
                continue
            todo[run + 1] = False
            lanes = _settle_run(strength, law, layout.along, first + run * RUN)
            if lanes:
                _flag(reach, run, lanes)
                if lanes & 1 and run > 0:
                    todo[run] = True
                    again |= forward
                if lanes >> (RUN - 1) and run < layout.runs - 1:
                    todo[run + 2] = True
                    again |= not forward
        forward = not forward


@njit(forceinline=True)
def _post(
    mail: Any, active: Any, layout: Any, planes: Any, rows: Any, reach: Any, block: Any,
    bounds: Any, z: Any, y: Any, odd: Any, forward: Any,
) -> Any:  # fmt: skip
    """Tell the neighbour rows which runs grew; True where a row already swept must know."""
    mask = _NONE
    for run in range(layout.runs):
        if reach[run + 1]:
            mask |= _BIT << np.uint64(run >> layout.bit_shift)
    z0, z1, y0, y1 = bounds
    again = False
    count = planes.size
    for j in range(count):
        nz, ny = z + planes[j], y + rows[j]
        if nz < 0 or ny < 0 or nz >= layout.planes or ny >= layout.rows:
            continue
        row = nz * layout.rows + ny
        down, across = (nz >= z1) - (nz < z0), (ny >= y1) - (ny < y0)
        if down == 0 and across == 0:
            mail[INSIDE, row, count - 1 - j] |= mask
            again |= (2 * j < count) == forward
        else:
            mail[CROSSING + odd, row, count - 1 - j] |= mask
            active[block + down * layout.blocks_across + across] = True
    return again


@njit(forceinline=True)
def _read(mail: Any, row: Any, odd: Any, masks: Any) -> Any:
    """Empty the mailbox of a row into `masks`; False where there was nothing."""
    news = _NONE
    for j in range(masks.size):
        masks[j] = mail[INSIDE, row, j] | mail[CROSSING + odd, row, j]
        news |= masks[j]
    if not news:
        return False
    for j in range(masks.size):
        mail[INSIDE, row, j] = _NONE
        mail[CROSSING + odd, row, j] = _NONE
    return True


@njit(forceinline=True)
def _bounds(layout: Any, block: Any) -> Any:
    z0 = block // layout.blocks_across * layout.block_planes
    y0 = block % layout.blocks_across * layout.block_rows
    z1 = min(z0 + layout.block_planes, layout.planes)
    return z0, z1, y0, min(y0 + layout.block_rows, layout.rows)


@njit(forceinline=True)
def _find_seeds(strength: Any, layout: Any, first: Any, reach: Any) -> Any:
    """Flag the runs of a row that hold seeds (strength 1); True where there is one."""
    reach[:] = False
    found = False
    for run in range(layout.runs):
        lanes = which_larger(load(strength, first + run * RUN), spread(G_MAX))
        if lanes:
            found = True
            _flag(reach, run, lanes)
    return found


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_blocks(
    strength: Any, law: Any, layout: Any, neighbours: Any, mail: Any, active: Any,
    blocks: Any, turn: Any, stop: Any,
) -> None:  # fmt: skip
    """Sweep each of `blocks` forward and backward; notes who has to be swept next turn.

    In turn 0 only the rows with seeds are looked at: they have nothing to pull yet.
    """
    address = strength.ctypes.data
    planes, rows = neighbours.planes, neighbours.rows
    shifts, force_rows = neighbours.shifts, neighbours.force_rows
    masks = np.empty(planes.size, dtype=np.uint64)
    reach = np.empty(layout.runs + 2, dtype=np.bool_)
    todo = np.empty(layout.runs + 2, dtype=np.bool_)
    odd = turn & 1
    for block in blocks:
        if stop[0]:
            return
        bounds = _bounds(layout, block)
        z0, z1, y0, y1 = bounds
        height, length = y1 - y0, (z1 - z0) * (y1 - y0)
        again = True
        for sweep in range(2):
            forward = sweep == 0
            again = False
            for k in range(length):
                place = k if forward else length - 1 - k
                z, y = z0 + place // height, y0 + place % height
                row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
                first = row * layout.row_pitch + 1
                if turn == 0:
                    if not _find_seeds(address, layout, first, reach):
                        continue
                elif not _read(mail, z * layout.rows + y, odd, masks) or not _pull_row(
                    address, law, layout, shifts, force_rows, first, masks, reach
                ):
                    continue
                _settle_row(address, law, layout, first, reach, todo)
                late = _post(
                    mail, active, layout, planes, rows, reach, block, bounds, z, y,
                    1 - odd, forward,
                )  # fmt: skip
                again |= late or turn == 0
            if turn == 0 or not again:
                break
        if again:
            active[block] = True
