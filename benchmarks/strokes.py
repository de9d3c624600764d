"""Painting simulated on a volume whose truth is known: first strokes, then corrections.

A stroke is a straight line, three voxels wide, within one slice. The first ones lie in the
middle of each class and, for the background, also around the object; each correction paints
the right class into the middle of the three largest regions that are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FIRST_STROKES = 6
CORRECTED_REGIONS = 3
STROKES_PER_CORRECTION = 2


def rounds(
    grow: Callable[[Labels], Labels], truth: Labels, seed: int, corrections: int = 3
) -> Iterator[tuple[Labels, Labels]]:
    """Yield (seeds, labels) after the first strokes and after each correction.

    In `truth` 0 is the background; class k is painted as k + 1.
    """
    rng = np.random.default_rng(seed)
    wanted = (truth + 1).astype(np.uint8)
    seeds = first_strokes(truth, rng)
    for turn in range(corrections + 1):
        labels = grow(seeds)
        yield seeds, labels
        if turn < corrections:
            seeds = corrected(seeds, labels, wanted, rng)


def first_strokes(truth: Labels, rng: np.random.Generator) -> Labels:
    """Strokes in the middle of every class, twice as many around the objects."""
    seeds = np.zeros(truth.shape, dtype=np.uint8)
    around = _grown(truth > 0, 6) & ~_grown(truth > 0, 3)
    seeds[strokes(around, 2 * FIRST_STROKES, rng)] = 1
    seeds[strokes(middle(truth == 0, 0.15), FIRST_STROKES, rng)] = 1
    for label in range(1, int(truth.max()) + 1):
        seeds[strokes(middle(truth == label, 0.4), FIRST_STROKES, rng)] = label + 1
    return seeds


def corrected(seeds: Labels, labels: Labels, wanted: Labels, rng: np.random.Generator) -> Labels:
    """Seeds with strokes more in the largest wrong regions."""
    regions, count = ndimage.label(labels != wanted)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)
    sizes[0] = 0
    seeds = seeds.copy()
    for region in np.argsort(sizes)[::-1][: min(CORRECTED_REGIONS, count)]:
        wrong = regions == region
        for label in np.unique(wanted[wrong]):
            inside = middle(wrong & (wanted == label), 0.5)
            seeds[strokes(inside, STROKES_PER_CORRECTION, rng)] = label
    return seeds


def strokes(mask: Mask, count: int, rng: np.random.Generator) -> Mask:
    """Lines between two random voxels of a slice, as far as they lie in the mask."""
    painted = np.zeros_like(mask)
    share = mask.sum(axis=(1, 2)) / max(mask.sum(), 1)
    there = np.flatnonzero(share)
    if not there.size:
        return painted
    chosen = rng.choice(len(mask), min(count, there.size), replace=False, p=share)
    for number in chosen:
        ends = np.argwhere(mask[number])[rng.integers(np.count_nonzero(mask[number]), size=2)]
        length = int(np.linalg.norm(ends[1] - ends[0])) + 1
        line = np.zeros(mask.shape[1:], dtype=bool)
        line[tuple(np.linspace(*ends, length).round().astype(int).T)] = True
        painted[number] = ndimage.binary_dilation(line) & mask[number]
    return painted


def middle(mask: Mask, depth: float) -> Mask:
    """Voxels at least that share as deep, within their slice, as their region's deepest."""
    deep = np.stack([ndimage.distance_transform_edt(plane) for plane in mask])
    regions, count = ndimage.label(mask)
    if not count:
        return mask
    deepest = np.asarray(ndimage.maximum(deep, regions, np.arange(count + 1)))
    return mask & (deep >= depth * deepest[regions])


def dice(labels: Labels, truth: Labels) -> float:
    """Mean Dice of the classes of the truth but its background."""
    classes = [k for k in np.unique(truth) if k]
    overlaps = [
        2 * np.count_nonzero((labels == k + 1) & (truth == k))
        / (np.count_nonzero(labels == k + 1) + np.count_nonzero(truth == k))
        for k in classes
    ]  # fmt: skip
    return float(np.mean(overlaps))


def _grown(mask: Mask, steps: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, iterations=steps))
