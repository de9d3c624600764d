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
from .growcut_force import RUN, direct_force, run_forces
from .growcut_grid import ABSENT

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

    acc: NDArray[np.float32]
    g: NDArray[np.float32]
    masks: NDArray[np.uint64]
    reach: NDArray[np.bool_]
    todo: NDArray[np.bool_]


@njit
def _work(runs: Any, neighbours: Any) -> Any:
    return Work(
        np.empty(RUN, dtype=np.float32),
        np.empty(RUN + 1, dtype=np.float32),
        np.empty(neighbours, dtype=np.uint64),
        np.empty(runs + 2, dtype=np.bool_),
        np.empty(runs + 2, dtype=np.bool_),
    )


@njit(inline="always")
def _larger(a: Any, strength: Any, difference: Any, inverse_contrast: Any) -> Any:
    v = strength * direct_force(difference, inverse_contrast)
    return v if v > a else a


@njit
def _pull_three(acc: Any, here: Any, strength: Any, there: Any, inverse_contrast: Any) -> None:
    for i in range(RUN):
        f = here[i]
        a = _larger(acc[i], strength[i], f - there[i], inverse_contrast)
        a = _larger(a, strength[i + 1], f - there[i + 1], inverse_contrast)
        acc[i] = _larger(a, strength[i + 2], f - there[i + 2], inverse_contrast)


@njit
def _pull_one(acc: Any, here: Any, strength: Any, there: Any, inverse_contrast: Any) -> None:
    for i in range(RUN):
        acc[i] = _larger(acc[i], strength[i], here[i] - there[i], inverse_contrast)


@njit
def _pull_forces(acc: Any, strength: Any, g: Any) -> None:
    for i in range(RUN):
        v = strength[i] * g[i]
        acc[i] = v if v > acc[i] else acc[i]


@njit
def _pull(acc: Any, g: Any, strength: Any, field: Any, p: Any, q: Any, force_rows: Any) -> None:
    """Let the run at `p` be attacked from the run at `q` of a neighbour row."""
    if field.direct:
        here = field.features[0, p : p + RUN]
        if force_rows[0] == ABSENT:
            _pull_one(
                acc, here, strength[q : q + RUN], field.features[0, q : q + RUN],
                field.inverse_contrast,
            )  # fmt: skip
        else:
            _pull_three(
                acc, here, strength[q - 1 : q + RUN + 1],
                field.features[0, q - 1 : q + RUN + 1], field.inverse_contrast,
            )  # fmt: skip
        return
    for k in range(3):
        if force_rows[k] != ABSENT:
            s = q + k - 1
            run_forces(g, field, p, s, force_rows[k])
            _pull_forces(acc, strength[s : s + RUN], g)


@njit
def _along_run(row: Any, left: Any, right: Any) -> Any:
    """Let the inner voxels of `row` (RUN + 2 long) attack one another; True if one grew."""
    gains = False
    for i in range(RUN):
        a = row[i + 1]
        gains |= (row[i] * left[i] > a) | (row[i + 2] * right[i] > a)
    if not gains:
        return False
    f, b = row[0], row[RUN + 1]
    # Each direction is a chain of dependent products; run together, the two chains
    # hide one another's latency.
    for i in range(RUN):
        v = f * left[i]
        a = row[i + 1]
        f = v if v > a else a
        row[i + 1] = f
        j = RUN - i
        v = b * right[j - 1]
        a = row[j]
        b = v if v > a else a
        row[j] = b
    return True


@njit
def _settle_row(strength: Any, field: Any, layout: Any, along: Any, first: Any, work: Any) -> None:
    """Let growth spread within a row, from the runs noted in ``work.reach``.

    `first` is the flat position of the row's first voxel. Notes every run that grew, and
    those whose edge voxel's neighbour did.
    """
    todo, reach, g = work.todo, work.reach, work.g
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
            p = first + run * RUN
            run_forces(g, field, p - 1, p, along)
            run_forces(g[1:], field, p, p + 1, along)
            row = strength[p - 1 : p + RUN + 1]
            head, tail = row[1], row[RUN]
            if _along_run(row, g, g[1:]):
                reach[run + 1] = True
                if row[1] > head:
                    reach[run] = todo[run] = True
                    again |= forward and run > 0
                if row[RUN] > tail:
                    reach[run + 2] = todo[run + 2] = True
                    again |= not forward and run < layout.runs - 1
        forward = not forward


@njit
def _pull_row(
    strength: Any, field: Any, layout: Any, neighbours: Any, row: Any, masks: Any, work: Any
) -> Any:
    """Attack a row from the runs in `masks` of its neighbours; True where it grew."""
    acc, reach = work.acc, work.reach
    reach[: layout.runs + 2] = False
    grew = False
    count = neighbours.planes.size
    union = _NONE
    for j in range(count):
        union |= masks[j]
    first = row * layout.row_pitch + 1
    for run in range(layout.runs):
        bit = np.uint64(run // layout.runs_per_bit)
        if not (union >> bit) & _BIT:
            continue
        p = first + run * RUN
        old = strength[p : p + RUN]
        for i in range(RUN):
            acc[i] = old[i]
        for j in range(count):
            if (masks[j] >> bit) & _BIT:
                shift = neighbours.planes[j] * layout.plane_pitch + neighbours.rows[j]
                q = p + shift * layout.row_pitch
                _pull(acc, work.g, strength, field, p, q, neighbours.force_rows[j])
        larger = False
        for i in range(RUN):
            larger |= acc[i] > old[i]
        if larger:
            grew = True
            reach[run + 1] = True
            reach[run] |= acc[0] > old[0]
            reach[run + 2] |= acc[RUN - 1] > old[RUN - 1]
            for i in range(RUN):
                old[i] = acc[i]
    return grew


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
                if _pull_row(strength, field, layout, neighbours, row, work.masks, work):
                    first = row * layout.row_pitch + 1
                    _settle_row(strength, field, layout, neighbours.along, first, work)
                    again |= _post(
                        mail, active, layout, neighbours, work, z, y, 1 - odd, forward
                    )
            if not again:
                break
        if again:
            active[block] = True
