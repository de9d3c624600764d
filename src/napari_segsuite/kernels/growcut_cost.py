"""The attack force of GrowCut: how much strength survives one step between neighbours.

A neighbour of strength s conquers with force ``s * g``; g falls with the feature
difference and, where asked, with the length of the step. Every solver in the package,
on any device, and the test oracles evaluate g exactly as written here, so that their
strengths can be compared bit for bit.

With ``u = |C_p - C_q| / contrast`` (float32), a step of relative length e and decay a:

- ``cost="growcut"``: ``g = (1 - u)**e * a`` (Vezhnevets & Konouchine 2005 for e = a = 1);
- ``cost="slicer"``: ``g = exp(-u * e) * a``, so that products of g order paths as the
  sums of |C_p - C_q| of "Grow from seeds" in 3D Slicer do.

``g`` is capped just below one (`G_MAX`): strengths then fall strictly along every path,
which leaves no plateaus, makes the forest of parents acyclic and lets the fewer hops
win among equals, as in the synchronous automaton.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Cost = Literal["growcut", "slicer"]

G_MAX = np.float32(1 - 2.0**-22)
# Strengths below this count as "not reached": it keeps the arithmetic out of subnormal
# numbers, where a product no longer falls strictly.
STRENGTH_FLOOR = np.float32(2.0**-100)
TABLE_SIZE = 4096


@dataclass(frozen=True)
class Steps:
    """The neighbourhood and the attack force along each of its steps.

    Attributes
    ----------
    offsets : (K, ndim) int array
        Steps to the neighbours in lexicographic order; step K-1-k is minus step k.
    inverse_contrast : float32
        Factor that scales a feature difference to u in [0, 1].
    table_index : (K,) int array
        Row of `tables` that holds g for the step, or -1 where ``g = min(1 - u, G_MAX)``
        is evaluated directly.
    tables : (R, TABLE_SIZE + 2) float32 array
        g at ``u = i / TABLE_SIZE``; between nodes linearly interpolated in float32:
        ``x = u * TABLE_SIZE; i = int(x); T[i] + (x - i) * (T[i + 1] - T[i])``.
        The last column repeats the one before it.
    """

    offsets: NDArray[np.int64]
    inverse_contrast: np.float32
    table_index: NDArray[np.int64]
    tables: NDArray[np.float32]


def build_steps(
    ndim: int,
    connectivity: int,
    contrast: float,
    *,
    cost: Cost = "growcut",
    spacing: tuple[float, ...] | None = None,
    locality: float = 0.0,
) -> Steps:
    """Tabulate the neighbourhood of a grid.

    Parameters
    ----------
    ndim, connectivity : int
        Neighbours differ by one in at most `connectivity` of `ndim` axes.
    contrast : float
        Largest feature difference (u = 1); zero makes every difference count as none.
    cost : {"growcut", "slicer"}
        Force law, see the module's text.
    spacing : tuple of float, optional
        Voxel size per axis. A step of length d then has e = d / min(spacing);
        without it every step counts once, as in the published automaton.
    locality : float
        Loss per unit length: a = exp(-locality * d), d in units of `spacing`
        (voxel steps of Euclidean length without it).
    """
    offsets = np.array(
        [o for o in product((-1, 0, 1), repeat=ndim) if 0 < sum(map(abs, o)) <= connectivity],
        dtype=np.int64,
    )
    size = np.asarray(spacing if spacing is not None else (1.0,) * ndim, dtype=np.float64)
    length = np.sqrt(((offsets * size) ** 2).sum(axis=1))
    exponent = length / size.min() if spacing is not None else np.ones_like(length)
    decay = np.exp(-locality * length)

    index = np.full(len(offsets), -1, dtype=np.int64)
    rows: list[tuple[float, float]] = []
    for k, law in enumerate(zip(exponent.round(12), decay.round(12), strict=True)):
        if cost == "growcut" and law == (1.0, 1.0):
            continue
        if law not in rows:
            rows.append(law)
        index[k] = rows.index(law)
    return Steps(
        offsets=offsets,
        inverse_contrast=_inverse(contrast),
        table_index=index,
        tables=_tabulate(rows, cost),
    )


def _inverse(contrast: float) -> np.float32:
    """1 / contrast, finite in float32; zero where all features are alike."""
    largest = float(np.finfo(np.float32).max)
    return np.float32(min(1 / contrast, largest) if contrast > 0 else 0.0)


def _tabulate(laws: list[tuple[float, float]], cost: Cost) -> NDArray[np.float32]:
    u = np.minimum(np.arange(TABLE_SIZE + 2) / TABLE_SIZE, 1.0)
    tables = np.empty((len(laws), u.size), dtype=np.float32)
    for row, (exponent, decay) in enumerate(laws):
        g = (1 - u) ** exponent if cost == "growcut" else np.exp(-u * exponent)
        tables[row] = np.minimum(g * decay, G_MAX)
    return tables
