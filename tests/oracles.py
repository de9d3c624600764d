"""Naive references for the kernels: slow, short, and independent of the production code."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from napari_segsuite.kernels.growcut_cost import G_MAX, STRENGTH_FLOOR, TABLE_SIZE, Steps


def usable_voxels(features, mask=None) -> NDArray[np.bool_]:
    """Voxels that strength may enter: finite in every channel and inside the mask."""
    finite = np.isfinite(features).all(axis=0)
    return finite if mask is None else finite & mask


def shifted(array, offset, fill=0):
    """Value at p + offset for every p, `fill` beyond the border."""
    padded = np.pad(array, 1, constant_values=fill)
    return padded[tuple(slice(1 + o, 1 + o + n) for o, n in zip(offset, array.shape, strict=True))]


def attack_force(distance, k: int, steps: Steps):
    """g of step k for float32 feature differences."""
    u = np.minimum(distance * steps.inverse_contrast, np.float32(1))
    if steps.table_index[k] < 0:
        return np.minimum(np.float32(1) - u, G_MAX)
    table = steps.tables[steps.table_index[k]]
    x = u * np.float32(TABLE_SIZE)
    i = x.astype(np.int64)
    return table[i] + (x - i.astype(np.float32)) * (table[i + 1] - table[i])


def neighbour_forces(features, steps: Steps, mask=None) -> NDArray[np.float32]:
    """g between p and p + offset, (K, M, N[, P]); zero where either cannot be entered."""
    usable = usable_voxels(features, mask)
    planes = np.where(usable, features, 0).astype(np.float32)
    forces = np.zeros((len(steps.offsets), *usable.shape), dtype=np.float32)
    for k, offset in enumerate(steps.offsets):
        differences = [plane - shifted(plane, offset) for plane in planes]
        if len(differences) == 1:
            distance = np.abs(differences[0])
        else:
            squares = np.zeros(usable.shape, dtype=np.float32)
            for difference in differences:
                squares = squares + difference * difference
            distance = np.sqrt(squares)
        joined = usable & shifted(usable, offset, False)
        forces[k] = np.where(joined, attack_force(distance, k, steps), 0)
    return forces


def _initial_state(features, seeds, mask):
    labels = np.where(usable_voxels(features, mask), seeds, 0).astype(seeds.dtype)
    return labels, (labels > 0).astype(np.float32)


def _on_grid(position, shape) -> bool:
    return all(0 <= x < n for x, n in zip(position, shape, strict=True))


def _tight_neighbours(p, strength, forces, steps: Steps):
    """Neighbours whose attack equals the strength of p, in the order of the offsets."""
    for k, offset in enumerate(steps.offsets):
        q = tuple(p + offset)
        if _on_grid(q, strength.shape) and strength[q] * forces[k][p] == strength[p]:
            yield q


def heap_growcut(features, seeds, steps: Steps, mask=None):
    """Labels and strengths by Dijkstra's algorithm; the last tight neighbour is the parent."""
    forces = neighbour_forces(features, steps, mask)
    labels, strength = _initial_state(features, seeds, mask)
    is_seed = labels > 0

    heap = [(-1.0, tuple(p)) for p in np.argwhere(is_seed)]
    heapify(heap)
    while heap:
        negative, q = heappop(heap)
        if -negative < strength[q]:
            continue
        for k, offset in enumerate(steps.offsets):
            p = tuple(q - offset)
            if not _on_grid(p, strength.shape):
                continue
            attack = strength[q] * forces[k][p]
            if attack >= STRENGTH_FLOOR and attack > strength[p]:
                strength[p] = attack
                heappush(heap, (-float(attack), p))

    reached = sorted(np.argwhere((strength > 0) & ~is_seed), key=lambda p: -strength[tuple(p)])
    for p in map(tuple, reached):
        for parent in _tight_neighbours(p, strength, forces, steps):
            labels[p] = labels[parent]
    return labels, strength


def automaton_growcut(features, seeds, steps: Steps, mask=None, n_steps: int | None = None):
    """Labels and strengths of the synchronous automaton, converged or after `n_steps`.

    Attackers are compared with the defender's strength before the step, in the order of
    the offsets, each success overwriting the one before: the published pseudo-code.
    """
    forces = neighbour_forces(features, steps, mask)
    labels, strength = _initial_state(features, seeds, mask)
    for _ in count() if n_steps is None else range(n_steps):
        new_labels, new_strength = labels.copy(), strength.copy()
        for k, offset in enumerate(steps.offsets):
            attack = forces[k] * shifted(strength, offset)
            attack[attack < STRENGTH_FLOOR] = 0
            conquered = attack > strength
            new_labels[conquered] = shifted(labels, offset)[conquered]
            new_strength[conquered] = attack[conquered]
        if np.array_equal(new_strength, strength):
            break
        labels, strength = new_labels, new_strength
    return labels, strength


def tie_aware_labels_ok(labels, features, seeds, steps: Steps, strength, mask=None) -> bool:
    """Whether the labels are those of some optimal forest, whatever the choice among ties.

    Strengths fall strictly along a path, so "some tight neighbour has my label" leads
    back to a seed without cycles.
    """
    forces = neighbour_forces(features, steps, mask)
    roots, is_seed = _initial_state(features, seeds, mask)
    if not np.array_equal(labels[is_seed > 0], roots[is_seed > 0]):
        return False
    if not np.array_equal(labels > 0, strength > 0):
        return False
    return all(
        any(labels[q] == labels[p] for q in _tight_neighbours(p, strength, forces, steps))
        for p in map(tuple, np.argwhere((strength > 0) & (is_seed == 0)))
    )
