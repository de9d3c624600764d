"""What the status line says of a step."""

from __future__ import annotations

from ...boxes import shape_of
from ...growing.live import Growth
from ...typing import Box
from .controller import Order


def describe(growth: Growth, region: Box, order: Order) -> str:
    """How much changed, in which time and memory, and in which part of the image."""
    # A class that is there only to hold the others back is not counted.
    fewest = 2 if order.planner.background is None else 1
    if len(growth.counts) < fewest:
        return "Paint at least two classes; from then on the preview follows."
    took = f"{growth.seconds:.1f} s" if growth.seconds > 1 else f"{growth.seconds * 1e3:.0f} ms"
    changed = f"{growth.n_changed:,}".replace(",", "\u202f")
    memory = f"{order.planner.need(region) / 2**20:.0f} MiB"
    return f"{changed} voxels changed in {took}, {memory} held{_where(region, order)}."


def _where(region: Box, order: Order) -> str:
    source, words = order.source, ""
    if source.n_levels > 1:
        words += f", level {source.level} of {source.n_levels - 1}"
    if shape_of(region) != source.grid_shape:
        words += f", in {_by(shape_of(region))} of {_by(source.grid_shape)} voxels"
    return words


def _by(shape: tuple[int, ...]) -> str:
    return "\u202f×\u202f".join(str(n) for n in shape)
