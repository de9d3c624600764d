"""Bring a solved GrowCut forest up to date after seeds were edited.

The differential image foresting transform (Falcão & Bergo 2004,
doi:10.1109/TMI.2004.829335): only trees that an edit touches are computed anew, so that
the cost follows what changes and not the size of the image. The result, ties included,
is what solving from scratch would give.

Positions are flat and padded. While an update runs, the top bit of a code marks what
was met already.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..growcut_cost import STRENGTH_FLOOR
from .growcut_force import force
from .growcut_forest import NO_PARENT

DONE, TOO_MUCH, LABELS_STALE = 0, 1, 2

_MARK, _CODE = np.uint8(128), np.uint8(127)
# Strengths are queued by the leading bits of their representation, which order positive
# floats; 2**-9 apart, a queue of first come, first served within a bucket loses little.
_SHIFT = 14
_ONE_BITS = np.int32(0x3F800000)
_BUCKETS = (100 << 23 >> _SHIFT) + 1
_END = np.int32(-1)


class Queue(NamedTuple):
    """Positions by falling strength: a list per bucket, in a pool of linked entries.

    `state` holds the first free entry, the count of entries ever used and the count of
    those in the queue.
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]
    after: NDArray[np.int32]
    position: NDArray[np.int64]
    strength: NDArray[np.float32]
    state: NDArray[np.int64]


@njit
def _queue(capacity: Any) -> Any:
    state = np.zeros(3, dtype=np.int64)
    state[0] = _END
    return Queue(
        np.full(_BUCKETS, _END),
        np.full(_BUCKETS, _END),
        np.empty(capacity, dtype=np.int32),
        np.empty(capacity, dtype=np.int64),
        np.empty(capacity, dtype=np.float32),
        state,
    )


@njit
def _push(queue: Any, p: Any, strength: Any) -> Any:
    """Queue a position; False where the pool is used up."""
    state = queue.state
    entry = state[0]
    if entry != _END:
        state[0] = queue.after[entry]
    elif state[1] < queue.after.size:
        entry = state[1]
        state[1] += 1
    else:
        return False
    state[2] += 1
    queue.position[entry], queue.strength[entry] = p, strength
    queue.after[entry] = _END
    bucket = (_ONE_BITS - np.float32(strength).view(np.int32)) >> _SHIFT
    if queue.first[bucket] == _END:
        queue.first[bucket] = entry
    else:
        queue.after[queue.last[bucket]] = entry
    queue.last[bucket] = entry
    return True


@njit
def _mark(code: Any, p: Any) -> Any:
    """Mark a position; False where it is marked already."""
    if code[p] >= _MARK:
        return False
    code[p] |= _MARK
    return True


@njit
def _step(code: Any) -> Any:
    """Number of the step to the parent, -1 without one, whether marked or not."""
    return np.int64(code & _CODE) - 1


@njit
def _uproot(strength: Any, code: Any, offsets: Any, touched: Any, count: Any, limit: Any) -> Any:
    """Take the trees rooted in the first `count` of `touched` out of the forest.

    Appends what it takes out; returns how many there are then, or -1 if beyond `limit`.
    """
    for i in range(count):
        strength[touched[i]] = 0
        code[touched[i]] = _MARK
    done = 0
    while done < count:
        p = touched[done]
        done += 1
        for k in range(offsets.size):
            q = p + offsets[k]
            if code[q] == offsets.size - k:  # the opposite step
                if count >= limit:
                    return -1
                strength[q] = 0
                code[q] = _MARK
                touched[count] = q
                count += 1
    return count


@njit
def _attack_gap(strength: Any, law: Any, links: Any, touched: Any, count: Any, queue: Any) -> Any:
    """Let what still stands attack the first `count` of `touched`; False if too much."""
    offsets, force_rows = links.offsets, links.force_rows
    for i in range(count):
        p = touched[i]
        best = np.float32(0)
        for k in range(offsets.size):
            q = p + offsets[k]
            if strength[q] > best:
                v = strength[q] * force(law, p, q, force_rows[k])
                if v > best:
                    best = v
        # Negative until all are done, so that they do not attack one another yet.
        strength[p] = -best if best >= STRENGTH_FLOOR else np.float32(0)
    for i in range(count):
        p = touched[i]
        strength[p] = -strength[p]
        if strength[p] > 0 and not _push(queue, p, strength[p]):
            return False
    return True


@njit
def _plant(strength: Any, code: Any, planted: Any, touched: Any, count: Any, queue: Any) -> Any:
    """Queue new seeds; returns the new length of `touched`, or -1 if too many."""
    for p in planted:
        if _mark(code, p):
            touched[count] = p
            count += 1
        strength[p] = 1
        if not _push(queue, p, np.float32(1)):
            return -1
    return count


@njit
def _regrow(
    strength: Any, code: Any, law: Any, links: Any, touched: Any, count: Any, limit: Any,
    queue: Any,
) -> Any:  # fmt: skip
    """Empty the queue in the order of falling strength; see `_uproot` for the result."""
    offsets, force_rows, state = links.offsets, links.force_rows, queue.state
    bucket = 0
    while state[2]:
        entry = queue.first[bucket]
        if entry == _END:
            bucket += 1
            continue
        p, s = queue.position[entry], queue.strength[entry]
        queue.first[bucket] = queue.after[entry]
        queue.after[entry] = state[0]
        state[0] = entry
        state[2] -= 1
        if s != strength[p]:
            continue
        for k in range(offsets.size):
            q = p + offsets[k]
            if strength[q] >= s:
                continue
            v = s * force(law, p, q, force_rows[k])
            if v > strength[q] and v >= STRENGTH_FLOOR:
                strength[q] = v
                if _mark(code, q):
                    if count >= limit:
                        return -1
                    touched[count] = q
                    count += 1
                if not _push(queue, q, v):
                    return -1
    return count


@njit
def _parent_of(strength: Any, law: Any, links: Any, p: Any) -> Any:
    if strength[p] == 0 or strength[p] == 1:
        return NO_PARENT
    for k in range(links.offsets.size - 1, -1, -1):
        q = p + links.offsets[k]
        if strength[q] <= strength[p]:
            continue
        if strength[q] * force(law, p, q, links.force_rows[k]) == strength[p]:
            return np.uint8(k + 1)
    return NO_PARENT


@njit
def _adopt(strength: Any, code: Any, law: Any, links: Any, touched: Any, count: Any) -> Any:
    """Find the parents of `touched` and of their neighbours.

    Appends the neighbours that get another parent; returns the new length, or -1 if too
    many.
    """
    offsets = links.offsets
    own = count
    for i in range(own):
        for k in range(offsets.size):
            q = touched[i] + offsets[k]
            if strength[q] > 0 and strength[q] < 1 and _mark(code, q):
                if count == touched.size:
                    return -1
                touched[count] = q
                count += 1
    kept = own
    for i in range(count):
        p = touched[i]
        before = code[p] & _CODE
        code[p] = _parent_of(strength, law, links, p)
        if i >= own and code[p] != before:
            touched[kept] = p
            kept += 1
    return kept


@njit
def _relabel(
    strength: Any, label: Any, code: Any, seeds: Any, offsets: Any, todo: Any, count: Any,
    changed: Any, former: Any,
) -> Any:  # fmt: skip
    """Bring labels in line with those of parents, at the first `count` of `todo` and below.

    Notes the positions that changed and their former labels; returns their number, or -1,
    with all labels as they were, if too many.
    """
    n = 0
    done = 0
    full = False
    while done < count and not full:
        p = todo[done]
        done += 1
        if strength[p] == 1 or strength[p] == 0:
            now = seeds[p]
        else:
            now = label[p + offsets[_step(code[p])]]
        if now == label[p]:
            continue
        if code[p] < _MARK:
            if n == changed.size:
                full = True
                break
            code[p] |= _MARK
            changed[n], former[n] = p, label[p]
            n += 1
        label[p] = now
        for k in range(offsets.size):
            q = p + offsets[k]
            if _step(code[q]) == offsets.size - 1 - k:
                if count == todo.size:
                    full = True
                    break
                todo[count] = q
                count += 1
    kept = 0
    for i in range(n):
        p = changed[i]
        code[p] &= _CODE
        if full:
            label[p] = former[i]
        elif label[p] != former[i]:
            changed[kept] = p
            kept += 1
    return -1 if full else kept


@njit(nogil=True, cache=True)
def update(
    strength: Any, label: Any, code: Any, seeds: Any, law: Any, links: Any, erased: Any,
    planted: Any, recoloured: Any, limit: Any,
) -> Any:  # fmt: skip
    """Bring a forest in line with edited seeds.

    Parameters
    ----------
    strength, label, code, seeds : flat padded arrays
        The forest, changed in place, and the seeds as they are now.
    law, links
        Of the `Grid`.
    erased, planted, recoloured : 1-D int64 arrays
        Positions without NaN features that were seeds and are none now, that were none
        and are now, and that are seeds of another class now. None occurs twice.
    limit : int
        Number of voxels beyond which solving anew is quicker.

    Returns
    -------
    status : int
        `DONE`; or `TOO_MUCH` if the forest has to be solved anew; or `LABELS_STALE` if
        only the labels have to be traced anew. Labels are as before unless `DONE`.
    changed : 1-D int64 array
        Positions whose label changed, when `DONE`.
    """
    nothing = np.empty(0, dtype=np.int64)
    edits = erased.size + planted.size + recoloured.size
    touched = np.empty(4 * limit + edits, dtype=np.int64)
    queue = _queue(2 * limit + edits)
    touched[: erased.size] = erased
    count = _uproot(strength, code, links.offsets, touched, erased.size, limit)
    if count < 0 or not _attack_gap(strength, law, links, touched, count, queue):
        return TOO_MUCH, nothing
    count = _plant(strength, code, planted, touched, count, queue)
    if count < 0:
        return TOO_MUCH, nothing
    count = _regrow(strength, code, law, links, touched, count, limit, queue)
    if count < 0:
        return TOO_MUCH, nothing
    count = _adopt(strength, code, law, links, touched, count)
    if count < 0 or count + recoloured.size > touched.size:
        return TOO_MUCH, nothing
    touched[count : count + recoloured.size] = recoloured
    count += recoloured.size
    changed = np.empty(2 * limit + edits, dtype=np.int64)
    former = np.empty(changed.size, dtype=label.dtype)
    count = _relabel(strength, label, code, seeds, links.offsets, touched, count, changed, former)
    if count < 0:
        return LABELS_STALE, nothing
    return DONE, changed[:count].copy()
