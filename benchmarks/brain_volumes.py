"""Volumes for the GrowCut benchmarks: MNI152 T1 with noise, its tissues, and seeds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NATIVE = (197, 233, 189)
BACKGROUND, GREY, WHITE = 1, 2, 3
CLASSES = {BACKGROUND: "background", GREY: "grey matter", WHITE: "white matter"}
SEED_SHARE = 0.005
NOISE = 0.02


class Volume(NamedTuple):
    """A T1 image, the true tissue of every voxel, and sparse seeds of it (all uint8)."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    seeds: NDArray[np.uint8]


def brain_volume(size: str, seed: int = 0) -> Volume:
    """Volume of `size`: "native" (zero-padded to 197 x 233 x 189) or a side length."""
    t1, grey, white = (_load(name) for name in ("t1_1mm", "gm_prob255_1mm", "wm_prob255_1mm"))
    shape = NATIVE if size == "native" else (int(size),) * 3
    fit = _pad if size == "native" else _zoom
    t1, grey, white = (fit(array, shape) for array in (t1, grey, white))
    rng = np.random.default_rng(seed)
    noisy = t1 + rng.normal(0, NOISE, shape).astype(np.float32) * (t1 > 0)
    truth = np.full(shape, BACKGROUND, dtype=np.uint8)
    truth[grey > 0.5] = GREY
    truth[white > 0.5] = WHITE
    image = np.round(noisy.clip(0, 1) * 255).astype(np.uint8)
    return Volume(image, truth, _seeds(truth, rng))


def dice(labels: NDArray[Any], truth: NDArray[Any]) -> list[float]:
    """Dice coefficient per class."""
    return [
        float(2 * ((labels == c) & (truth == c)).sum() / ((labels == c).sum() + (truth == c).sum()))
        for c in CLASSES
    ]


def _load(name: str) -> NDArray[np.float32]:
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SEGSUITE_TEST_DATA", default)) / "brain_mni152"
    array = np.asarray(nibabel.load(folder / f"{name}.nii.gz").dataobj).astype(np.float32)
    return array / array.max()


def _pad(array: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    before = [(n - m) // 2 for n, m in zip(shape, array.shape, strict=True)]
    after = [n - m - b for n, m, b in zip(shape, array.shape, before, strict=True)]
    return np.pad(array, list(zip(before, after, strict=True)))


def _zoom(array: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    factors = [n / m for n, m in zip(shape, array.shape, strict=True)]
    return ndimage.zoom(array, factors, order=1, mode="nearest", grid_mode=True)


def _seeds(truth: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Balls of 19 voxels, half of them background."""
    ball = ndimage.generate_binary_structure(3, 2)
    seeds = np.zeros_like(truth)
    for label, share in ((BACKGROUND, 0.5), (GREY, 0.25), (WHITE, 0.25)):
        inside = np.flatnonzero(ndimage.binary_erosion(truth == label))
        count = max(3, int(SEED_SHARE * share * truth.size / ball.sum()))
        centres = np.zeros(truth.shape, dtype=bool)
        centres.flat[rng.choice(inside, min(count, len(inside)), replace=False)] = True
        seeds[ndimage.binary_dilation(centres, ball) & (truth == label)] = label
    return seeds
