"""GrowCut on a torch device: whole-volume sweeps to the fixed point, then labels.

Every sweep lets all voxels attack along each step by shifted slices of one strength
volume, updated in place: a maximum over paths does not depend on the order of attacks.
Labels follow from the final strengths alone, through parents and pointer doubling, so
the result is the same on every device and equals `kernels.cpu.growcut.grow` bit for bit.

Device memory is about 4 C + 17 bytes per voxel for C channels where g is evaluated
directly, 4 C + 29 where it comes from a table (spacing, locality or the Slicer cost).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import OutOfMemoryError
from ...progress import SILENT, Progress
from ..growcut_cost import G_MAX, STRENGTH_FLOOR, TABLE_SIZE, Steps

# Each check for convergence waits for the device, which costs about as much as a sweep.
SWEEPS_PER_CHECK = 8

Region: TypeAlias = tuple[slice, ...]


@dataclass(frozen=True)
class _Medium:
    """What strength moves through: the image on the device and the law of attack."""

    features: Tensor
    inside: Tensor | None
    tables: Tensor
    steps: Steps

    @property
    def pairs(self) -> list[tuple[int, Region, Region]]:
        """Steps k of the first half, with the voxels p and the neighbours q = p + offset.

        Step K-1-k leads from q back to p under the same force.
        """
        shape = self.features.shape[1:]
        half = self.steps.offsets[: len(self.steps.offsets) // 2].tolist()
        return [
            (k, _overlap(o, shape), _overlap([-x for x in o], shape)) for k, o in enumerate(half)
        ]

    def force(self, k: int, near: Region, far: Region) -> Tensor:
        """Return g between the voxels of `near` and `far`, zero where one is outside."""
        force = self._attack(self._distance(near, far), int(self.steps.table_index[k]))
        if self.inside is not None:
            force.mul_(self.inside[near]).mul_(self.inside[far])
        return force

    def _distance(self, near: Region, far: Region) -> Tensor:
        differences = (plane[near] - plane[far] for plane in self.features)
        total = next(differences)
        if len(self.features) == 1:
            return total.abs_()
        total.mul_(total)
        for difference in differences:
            total.add_(difference.mul_(difference))
        return _square_root(total)

    def _attack(self, distance: Tensor, row: int) -> Tensor:
        scale = float(self.steps.inverse_contrast)
        if row < 0:
            # 1 - min(x, 1) and max(1 - x, 0) round alike: one pass less over memory.
            return distance.mul_(-scale).add_(1).clamp_(0, float(G_MAX))
        x = distance.mul_(scale).clamp_(max=1).mul_(TABLE_SIZE)
        i = x.to(torch.int32)
        x.sub_(i)
        low = _pick(self.tables[row], i)
        return _pick(self.tables[row], i.add_(1)).sub_(low).mul_(x).add_(low)


def grow(
    features: NDArray[Any],
    seeds: NDArray[Any],
    steps: Steps,
    *,
    mask: NDArray[np.bool_] | None = None,
    device: str = "cuda",
    progress: Progress = SILENT,
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Grow seeds along the strongest paths.

    Parameters
    ----------
    features : (C, M, N[, P]) array
        Channels first; voxels with a value that is not finite are outside.
    seeds : (M, N[, P]) uint8, uint16 or uint32 array
        Zero where unpainted.
    steps : Steps
        Neighbourhood and force of attack.
    mask : (M, N[, P]) bool array, optional
        False where strength may not enter; seeds there are ignored.
    device : str
        Name of a torch device.
    progress : Progress
        Called with the share of voxels reached; may raise `Cancelled`.

    Returns
    -------
    labels : (M, N[, P]) array of the dtype of `seeds`
        Label of the root seed, zero where nothing reached. Among neighbours that give
        a voxel its strength, the last in the order of the steps is its parent.
    strength : (M, N[, P]) float32 array
        Largest product of forces over all paths from a seed.
    """
    try:
        return _grow(features, seeds, steps, mask, torch.device(device), progress)
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemoryError(
            f"GrowCut ran out of memory on {device} for an image of {seeds.size:,} voxels; "
            "choose device='cpu' or crop the image."
        ) from error


def _grow(
    features: NDArray[Any],
    seeds: NDArray[Any],
    steps: Steps,
    mask: NDArray[np.bool_] | None,
    device: torch.device,
    progress: Progress,
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    inside = np.isfinite(features).all(axis=0)
    if mask is not None:
        inside &= mask
    seeds = np.where(inside, seeds, 0).astype(seeds.dtype)
    medium = _Medium(
        features=torch.tensor(np.where(inside, features, 0).astype(np.float32), device=device),
        inside=None if inside.all() else torch.tensor(inside, device=device),
        tables=torch.tensor(steps.tables, device=device),
        steps=steps,
    )
    strength = torch.tensor((seeds > 0).astype(np.float32), device=device)
    _converge(strength, medium, int(inside.sum()), progress)
    roots = _roots(_parent_codes(strength, medium), steps.offsets)
    labels = _take_labels(seeds, roots)
    progress(1.0)
    return labels, strength.cpu().numpy()


def _pick(values: Tensor, at: Tensor) -> Tensor:
    # Indexing with brackets would make a 64-bit copy of `at`.
    return torch.index_select(values, 0, at.flatten()).view(at.shape)


def _square_root(values: Tensor) -> Tensor:
    if values.device.type == "cpu":
        # The vector library torch calls here may be off by one bit in float32.
        return values.double().sqrt_().float()
    return values.sqrt_()


def _overlap(offset: list[int], shape: torch.Size) -> Region:
    return tuple(slice(max(0, -o), n - max(0, o)) for o, n in zip(offset, shape, strict=True))


def _converge(strength: Tensor, medium: _Medium, n_inside: int, progress: Progress) -> None:
    while True:
        before = strength.clone()
        for _ in range(SWEEPS_PER_CHECK):
            _sweep(strength, medium)
        # Strength never rises along a path, so cutting at the floor late cuts the same.
        strength.masked_fill_(strength < float(STRENGTH_FLOOR), 0)
        progress(0.95 * int(torch.count_nonzero(strength)) / max(n_inside, 1), "growing")
        if torch.equal(strength, before):
            return


def _sweep(strength: Tensor, medium: _Medium) -> None:
    """Let every voxel attack all its neighbours once, in place."""
    for k, near, far in medium.pairs:
        force = medium.force(k, near, far)
        _conquer(strength[near], strength[far] * force)
        _conquer(strength[far], force.mul_(strength[near]))


def _conquer(defenders: Tensor, attack: Tensor) -> None:
    # Unlike maximum, fmax lets an attack of NaN (differences beyond float32) conquer nothing.
    torch.fmax(defenders, attack, out=defenders)


def _parent_codes(strength: Tensor, medium: _Medium) -> Tensor:
    """1 + number of the step to the parent; 0 for seeds and where nothing reached."""
    codes = torch.zeros(strength.shape, dtype=torch.uint8, device=strength.device)
    n_steps = len(medium.steps.offsets)
    for k, near, far in medium.pairs:
        force = medium.force(k, near, far)
        _conquer(codes[near], (strength[far] * force == strength[near]).byte().mul_(k + 1))
        _conquer(codes[far], (force.mul_(strength[near]) == strength[far]).byte().mul_(n_steps - k))
    return codes.masked_fill_(strength == 0, 0)


def _roots(codes: Tensor, offsets: NDArray[np.int64]) -> Tensor:
    """Flat index of the seed each voxel descends from; its own where there is none."""
    index = torch.int32 if codes.numel() < 2**31 else torch.int64
    strides = np.array(codes.stride(), dtype=np.int64)
    to_parent = torch.tensor([0, *(offsets @ strides)], dtype=index, device=codes.device)
    parents = _pick(to_parent, codes.flatten().int())
    parents += torch.arange(codes.numel(), dtype=index, device=codes.device)
    while True:
        grandparents = _pick(parents, parents)
        if torch.equal(grandparents, parents):
            return parents
        parents = grandparents


def _take_labels(seeds: NDArray[Any], roots: Tensor) -> NDArray[Any]:
    # torch hardly supports unsigned integers: labels travel as signed ones of that width.
    signed = seeds.view(f"i{seeds.itemsize}")
    values = torch.tensor(signed, device=roots.device).flatten()
    labels: NDArray[Any] = _pick(values, roots).cpu().numpy()
    return labels.view(seeds.dtype).reshape(seeds.shape)
