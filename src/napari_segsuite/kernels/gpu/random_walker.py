"""Probabilities of the random walker on a torch device, by conjugate gradients.

Device memory is about 40 bytes per voxel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import OutOfMemoryError
from ...progress import SILENT, Progress, part_of

# Each check for convergence waits for the device.
_STEPS_PER_CHECK = 10
_MOST_STEPS = 20_000
# Scaling by the diagonal says less about the error than a multigrid cycle does.
_STRICTER = 0.01


def solve(
    weights: NDArray[np.float32],
    seeds: NDArray[Any],
    free: NDArray[np.bool_],
    classes: Sequence[int],
    tolerance: float,
    *,
    device: str = "cuda",
    progress: Progress = SILENT,
) -> Iterator[NDArray[np.float32]]:
    """Yield, class by class, the probability that a walker reaches its seeds first.

    Parameters and results are those of `kernels.cpu.random_walker.solve`; the system is
    scaled by its diagonal here, and solved the more strictly.

    Raises
    ------
    OutOfMemoryError
        If the device's memory does not suffice.
    """
    try:
        system = _System(weights, free, torch.device(device))
        for k, value in enumerate(classes):
            report = part_of(progress, k / len(classes), (k + 1) / len(classes))
            first = torch.tensor((seeds == value).astype(np.float32), device=device)
            yield _solved(system, first, _STRICTER * tolerance, report).cpu().numpy()
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemoryError(
            f"Random walker ran out of memory on {device} for an image of {seeds.size:,} voxels; "
            "choose device='cpu' or crop the image."
        ) from error


class _System:
    """The linear system: what flows out of each free voxel."""

    def __init__(
        self, weights: NDArray[np.float32], free: NDArray[np.bool_], device: torch.device
    ) -> None:
        self._weights = torch.tensor(weights, device=device)
        self._free = torch.tensor(free, device=device)
        diagonal = torch.zeros(free.shape, device=device)
        for axis in range(3):
            near, far = _sides(axis)
            diagonal[near] += self._weights[axis][near]
            diagonal[far] += self._weights[axis][near]
        self.inverse = torch.where(self._free, 1 / diagonal, torch.zeros_like(diagonal))

    def flow(self, values: Tensor) -> Tensor:
        """Sum of conductance times difference to each neighbour, 0 at seeds."""
        out = torch.zeros_like(values)
        for axis in range(3):
            near, far = _sides(axis)
            flow = (values[near] - values[far]).mul_(self._weights[axis][near])
            out[near] += flow
            out[far] -= flow
        return out.mul_(self._free)


def _sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """All voxels but the last along an axis, and all but the first."""
    near, far = [slice(None)] * 3, [slice(None)] * 3
    near[axis], far[axis] = slice(None, -1), slice(1, None)
    return tuple(near), tuple(far)


def _dot(one: Tensor, other: Tensor) -> Tensor:
    # Apple's GPUs have no float64.
    wide = torch.float32 if one.device.type == "mps" else torch.float64
    return (one * other).sum(dtype=wide)


def _solved(system: _System, solution: Tensor, tolerance: float, progress: Progress) -> Tensor:
    """Solve in place, from the seeds on."""
    rest = system.flow(solution).neg_()
    change = rest * system.inverse
    direction = change.clone()
    energy = first = _dot(rest, change)
    for step in range(_MOST_STEPS):
        if step % _STEPS_PER_CHECK == 0:
            share = float(energy) / max(float(first), 1e-30)
            progress(min(1.0, step / 1000), "walking")
            if share <= tolerance**2:
                break
        flow = system.flow(direction)
        # A sum of 0 is reached where the solution is exact between two checks.
        length = energy / _dot(direction, flow).clamp_min(1e-30)
        solution += length.float() * direction
        rest -= length.float() * flow
        torch.mul(rest, system.inverse, out=change)
        previous, energy = energy, _dot(rest, change)
        direction.mul_((energy / previous.clamp_min(1e-30)).float()).add_(change)
    return solution
