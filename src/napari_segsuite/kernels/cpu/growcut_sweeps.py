"""Strengths of GrowCut by block-active Gauss-Seidel sweeps over rows.

A row pulls from those neighbour rows in which something grew since it last did. What
grew is told in one 64-bit mask of runs per (row, neighbour row), so that the late
rounds, in which few voxels still move, cost little.

Blocks of rows are the unit of work of a thread. A block writes its own voxels only and
reads those of its neighbours while they may be changing: strengths only ever grow, and
rounding a product is monotone, so every schedule ends in the same fixed point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..growcut_cost import STRENGTH_FLOOR
from .growcut_force import direct_forces, forces
from .growcut_grid import ABSENT
from .growcut_lanes import (
    RUN,
    from_after,
    from_before,
    larger,
    load,
    multiply,
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


class Work(NamedTuple):
    """Buffers of one thread; flags of runs have a margin of one at both ends."""

    scratch: NDArray[np.float32]
    masks: NDArray[np.uint64]
    reach: NDArray[np.bool_]
    todo: NDArray[np.bool_]


@njit
def _work(runs: Any, neighbours: Any) -> Any:
    return Work(
        np.empty(RUN, dtype=np.float32),
        np.empty(neighbours, dtype=np.uint64),
        np.empty(runs + 2, dtype=np.bool_),
        np.empty(runs + 2, dtype=np.bool_),
    )


@njit
def _attacked(
    acc: Any, strength: Any, field: Any, p: Any, q: Any, force_rows: Any, scratch: Any
) -> Any:
    """The run `acc` at `p` after attacks from the run at `q` of a neighbour row."""
    if not field.direct:
        for k in range(3):
            if force_rows[k] != ABSENT:
                s = q + k - 1
                g = forces(field, p, s, force_rows[k], scratch)
                acc = larger(multiply(load(strength, s), g), acc)
        return acc
    plane, inverse_contrast = field.features[0], field.inverse_contrast
    here = load(plane, p)
    if force_rows[0] != ABSENT:
        g = direct_forces(here, load(plane, q - 1), inverse_contrast)
        acc = larger(multiply(load(strength, q - 1), g), acc)
        g = direct_forces(here, load(plane, q + 1), inverse_contrast)
        acc = larger(multiply(load(strength, q + 1), g), acc)
    g = direct_forces(here, load(plane, q), inverse_contrast)
    return larger(multiply(load(strength, q), g), acc)


@njit
def _pull_row(
    strength: Any, field: Any, layout: Any, neighbours: Any, row: Any, work: Any
) -> Any:
    """Attack a row from the runs in `work.masks` of its neighbours; True where it grew."""
    masks, reach = work.masks, work.reach
    grew = False
    union = _NONE
    for j in range(masks.size):
        union |= masks[j]
    for run in range(layout.runs + 2):
        reach[run] = False
    for run in range(layout.runs):
        bit = np.uint64(run // layout.runs_per_bit)
        if not (union >> bit) & _BIT:
            continue
        p = row * layout.row_pitch + 1 + run * RUN
        old = load(strength, p)
        acc = old
        for j in range(masks.size):
            if (masks[j] >> bit) & _BIT:
                shift = neighbours.planes[j] * layout.plane_pitch + neighbours.rows[j]
                q = p + shift * layout.row_pitch
                acc = _attacked(
                    acc, strength, field, p, q, neighbours.force_rows[j], work.scratch
                )
        lanes = which_larger(acc, old)
        if lanes:
            store(strength, p, acc)
            grew = True
            _note(reach, run, lanes)
    return grew


@njit(inline="always")
def _note(flags: Any, run: Any, lanes: Any) -> None:
    """Flag a run that grew, and the next ones where its edge voxel did."""
    flags[run + 1] = True
    if lanes & 1:
        flags[run] = True
    if lanes >> (RUN - 1):
        flags[run + 2] = True


@njit
def _settle_run(strength: Any, field: Any, along: Any, p: Any, scratch: Any) -> Any:
    """Make a run the fixed point of steps along its row; the lanes that grew, as bits."""
    before, after = strength[p - 1], strength[p + RUN]
    left = forces(field, p, p - 1, along, scratch)
    right = forces(field, p, p + 1, along, scratch)
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


@njit
def _settle_row(strength: Any, field: Any, layout: Any, along: Any, first: Any, work: Any) -> None:
    """Let growth spread within a row, from the runs flagged in ``work.reach``.

    `first` is the flat position of the row's first voxel. Flags every run that grew, and
    those next to an edge voxel that did.
    """
    todo, reach = work.todo, work.reach
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
            lanes = _settle_run(strength, field, along, first + run * RUN, work.scratch)
            if lanes:
                _note(reach, run, lanes)
                if lanes & 1 and run > 0:
                    todo[run] = True
                    again |= forward
                if lanes >> (RUN - 1) and run < layout.runs - 1:
                    todo[run + 2] = True
                    again |= not forward
        forward = not forward


@njit
def _post(
    mail: Any, active: Any, layout: Any, neighbours: Any, work: Any, z: Any, y: Any,
    odd: Any, forward: Any,
) -> Any:  # fmt: skip
    """Tell the neighbour rows which runs grew; True where a row already swept must know."""
    mask = _NONE
    for run in range(layout.runs):
        if work.reach[run + 1]:
            mask |= _BIT << np.uint64(run // layout.runs_per_bit)
    block_z, block_y = z // layout.block_planes, y // layout.block_rows
    again = False
    count = neighbours.planes.size
    for j in range(count):
        nz, ny = z + neighbours.planes[j], y + neighbours.rows[j]
        if not (0 <= nz < layout.planes and 0 <= ny < layout.rows):
            continue
        to_z, to_y = nz // layout.block_planes, ny // layout.block_rows
        row = nz * layout.rows + ny
        if to_z == block_z and to_y == block_y:
            mail[INSIDE, row, count - 1 - j] |= mask
            again |= (2 * j < count) == forward
        else:
            mail[CROSSING + odd, row, count - 1 - j] |= mask
            active[to_z * layout.blocks_across + to_y] = True
    return again


@njit
def _read(mail: Any, count: Any, row: Any, odd: Any, masks: Any) -> Any:
    """Empty the mailbox of a row into `masks`; False where there was nothing."""
    news = _NONE
    for j in range(count):
        masks[j] = mail[INSIDE, row, j] | mail[CROSSING + odd, row, j]
        news |= masks[j]
    if not news:
        return False
    for j in range(count):
        mail[INSIDE, row, j] = _NONE
        mail[CROSSING + odd, row, j] = _NONE
    return True


@njit(nogil=True, cache=True)
def start_blocks(
    strength: Any, field: Any, layout: Any, neighbours: Any, mail: Any, active: Any,
    blocks: Any, stop: Any,
) -> None:  # fmt: skip
    """Let seeds (strength 1) attack along their rows and tell their neighbours."""
    work = _work(layout.runs, neighbours.planes.size)
    for block in blocks:
        if stop[0]:
            return
        z0 = block // layout.blocks_across * layout.block_planes
        y0 = block % layout.blocks_across * layout.block_rows
        for z in range(z0, min(z0 + layout.block_planes, layout.planes)):
            for y in range(y0, min(y0 + layout.block_rows, layout.rows)):
                row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
                first = row * layout.row_pitch + 1
                work.reach[:] = False
                seeded = False
                for x in range(layout.width):
                    if strength[first + x] == 1:
                        seeded = True
                        work.reach[x // RUN : x // RUN + 3] = True
                if seeded:
                    _settle_row(strength, field, layout, neighbours.along, first, work)
                    _post(mail, active, layout, neighbours, work, z, y, 1, True)
                    active[block] = True


@njit(nogil=True, cache=True)
def sweep_blocks(
    strength: Any, field: Any, layout: Any, neighbours: Any, mail: Any, active: Any,
    blocks: Any, turn: Any, stop: Any,
) -> None:  # fmt: skip
    """Sweep each of `blocks` forward and backward; notes who has to be swept next turn."""
    odd = turn & 1
    count = neighbours.planes.size
    work = _work(layout.runs, neighbours.planes.size)
    for block in blocks:
        if stop[0]:
            return
        z0 = block // layout.blocks_across * layout.block_planes
        y0 = block % layout.blocks_across * layout.block_rows
        z1 = min(z0 + layout.block_planes, layout.planes)
        y1 = min(y0 + layout.block_rows, layout.rows)
        height, length = y1 - y0, (z1 - z0) * (y1 - y0)
        again = True
        for sweep in range(2):
            forward = sweep == 0
            again = False
            for k in range(length):
                place = k if forward else length - 1 - k
                z, y = z0 + place // height, y0 + place % height
                if not _read(mail, count, z * layout.rows + y, odd, work.masks):
                    continue
                row = (z + layout.plane_margin) * layout.plane_pitch + y + 1
                if _pull_row(strength, field, layout, neighbours, row, work):
                    first = row * layout.row_pitch + 1
                    _settle_row(strength, field, layout, neighbours.along, first, work)
                    again |= _post(
                        mail, active, layout, neighbours, work, z, y, 1 - odd, forward
                    )
            if not again:
                break
        if again:
            active[block] = True
