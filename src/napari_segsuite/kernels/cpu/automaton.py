"""The GrowCut automaton step by step, as Vezhnevets & Konouchine (2005) published it.

All cells change at once from the previous state: a neighbour whose attack exceeds the
defender's previous strength conquers it, and of several the last in the order of the
steps wins. It is slower than `growcut.grow`, whose strengths it converges to, and there
to show how a segmentation grows. Labels may differ from those of `grow` where
strengths tie: here the history decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...errors import ParameterError
from ...progress import SILENT, Progress
from ..growcut_cost import G_MAX, STRENGTH_FLOOR, TABLE_SIZE, Steps

_ONE = np.float32(1)
_NODES = np.float32(TABLE_SIZE)


def evolve(
    features: NDArray[Any],
    seeds: NDArray[Any],
    steps: Steps,
    at: Sequence[int],
    *,
    mask: NDArray[np.bool_] | None = None,
    progress: Progress = SILENT,
) -> NDArray[Any]:
    """Record the labels of the automaton after chosen numbers of steps.

    Parameters
    ----------
    features : (C, M, N[, P]) array
        Channels first; cells with a value that is not finite are outside.
    seeds : (M, N[, P]) uint8, uint16 or uint32 array
        Zero where unpainted.
    steps : Steps
        Neighbourhood and force of attack.
    at : sequence of int
        Numbers of steps, in any order; 0 stands for the seeds.
    mask : (M, N[, P]) bool array, optional
        False where strength may not enter; seeds there are ignored.
    progress : Progress
        Called after each step; may raise `Cancelled`.

    Returns
    -------
    (len(at), M, N[, P]) array of the dtype of `seeds`
        One frame per entry of `at`. Frames beyond convergence equal the last state.
    """
    if any(n < 0 for n in at):
        raise ParameterError(
            f"Numbers of steps must be 0 or more, got {tuple(at)}; drop the negative ones.",
            name="at",
        )
    inside = np.isfinite(features).all(axis=0)
    if mask is not None:
        inside &= mask
    # A rim of one cell outside spares the kernel every test for the border.
    labels = np.pad(np.where(inside, seeds, 0).astype(seeds.dtype), 1)
    lattice = _lattice(features, inside, steps)
    core = (slice(1, -1),) * seeds.ndim

    chosen = np.array(at, dtype=np.int64)
    last = int(chosen.max(initial=0))
    frames = np.empty((len(chosen), *seeds.shape), dtype=seeds.dtype)
    state = labels, (labels > 0).astype(np.float32), labels > 0
    following = state[0].copy(), state[1].copy(), state[2].copy()
    for step in range(last + 1):
        frames[chosen == step] = state[0][core]
        if step == last:
            break
        if not _advance(lattice, *_flat(*state), *_flat(*following)):
            frames[chosen > step] = state[0][core]
            break
        state, following = following, state
        progress((step + 1) / last)
    return frames


class _Lattice(NamedTuple):
    """Padded, flat cells and the steps between them."""

    planes: NDArray[np.float32]
    inside: NDArray[np.bool_]
    strides: NDArray[np.int64]
    inverse_contrast: np.float32
    table_index: NDArray[np.int64]
    tables: NDArray[np.float32]


def _lattice(features: NDArray[Any], inside: NDArray[np.bool_], steps: Steps) -> _Lattice:
    planes = np.where(inside, features, 0).astype(np.float32)
    padded = np.pad(inside, 1)
    return _Lattice(
        planes=np.pad(planes, [(0, 0), *[(1, 1)] * inside.ndim]).reshape(len(features), -1),
        inside=padded.ravel(),
        strides=steps.offsets @ np.array(padded.strides, dtype=np.int64),
        inverse_contrast=steps.inverse_contrast,
        table_index=steps.table_index,
        tables=steps.tables,
    )


def _flat(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    return tuple(a.reshape(-1) for a in arrays)


@njit(inline="always")
def _force(planes, inverse_contrast, tables, p, q, row):  # type: ignore[no-untyped-def]
    if len(planes) == 1:
        distance = abs(planes[0, p] - planes[0, q])
    else:
        total = np.float32(0)
        for c in range(len(planes)):
            difference = planes[c, p] - planes[c, q]
            total += difference * difference
        distance = np.float32(sqrt(total))
    u = min(distance * inverse_contrast, _ONE)
    if row < 0:
        return min(_ONE - u, G_MAX)
    x = u * _NODES
    i = int(x)
    low = tables[row, i]
    return low + (x - np.float32(i)) * (tables[row, i + 1] - low)


@njit(nogil=True, cache=True)
def _advance(  # type: ignore[no-untyped-def]
    lattice, labels, strength, fresh, new_labels, new_strength, new_fresh
):
    """Write the next state; return whether it differs.

    `fresh` cells changed in the step before. Between two others an attack that failed
    then fails again.
    """
    changed = False
    # Taken out of the tuple once: numba counts references at each access.
    planes, inside, strides, inverse_contrast, table_index, tables = lattice
    for p in range(strength.size):
        if not inside[p]:
            continue
        new_labels[p] = labels[p]
        new_strength[p] = strength[p]
        new_fresh[p] = False
        for k in range(strides.size):
            q = p + strides[k]
            # An attack is weaker than the attacker, and the outside has no strength.
            if strength[q] <= strength[p] or not (fresh[p] or fresh[q]):
                continue
            attack = strength[q] * _force(planes, inverse_contrast, tables, p, q, table_index[k])
            if attack > strength[p] and attack >= STRENGTH_FLOOR:
                new_labels[p] = labels[q]
                new_strength[p] = attack
                new_fresh[p] = True
                changed = True
    return changed
