"""A small volume in which intensity alone does not tell the classes apart."""

from __future__ import annotations

import numpy as np


def textured(shape: tuple[int, ...] = (8, 40, 44), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stripes inside a ball, the same two intensities shuffled outside: image, truth."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape) - np.array(shape).reshape(-1, *[1] * len(shape)) / 2
    scale = np.array(shape).reshape(-1, *[1] * len(shape)) / 2
    truth = ((grid / scale) ** 2).sum(axis=0) < 0.4
    stripes = np.indices(shape)[-1] // 2 % 2 * 100
    noise = rng.permuted(stripes.ravel()).reshape(shape)
    image = np.where(truth, stripes, noise) + rng.integers(0, 8, shape)
    # Something very dark and very bright, as air and bone: the stripes are faint beside it.
    image[..., 0, :], image[..., -1, :] = -300, 500
    return image.astype(np.int16), truth.astype(np.uint8)


def some_strokes(truth: np.ndarray) -> np.ndarray:
    """Three lines in each class: seeds 1 outside and 2 inside."""
    seeds = np.zeros(truth.shape, np.uint8)
    middle = tuple(n // 2 for n in truth.shape)
    for offset in (-4, 0, 4):
        inside = (*middle[:-2], middle[-2] + offset, slice(middle[-1] - 6, middle[-1] + 6))
        seeds[inside] = 2
    for row in (1, truth.shape[-2] - 2):
        seeds[(*middle[:-2], row, slice(2, -2))] = 1
    seeds[(*middle[:-2], slice(4, -4), 1)] = 1
    return seeds


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Overlap of class 2 with the truth."""
    found, truth = found == 2, truth > 0
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))
