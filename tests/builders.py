"""Small inputs with known content, for any declared method."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_segsuite.method import Method


def two_halves(shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
    """Dark left half, bright right half, with mild noise; deterministic."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 20, shape) + 40
    image[..., shape[-1] // 2 :] += 100
    return image > 100 if dtype is bool else image.astype(dtype)


def two_bands(shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
    """Labels: nothing in the left half, class 1 beside it, class 2 in the right quarter."""
    labels = np.zeros(shape, dtype=np.uint8)
    labels[..., shape[-1] // 2 :] = 1
    labels[..., -(shape[-1] // 4) :] = 2
    return labels.astype(dtype)


def image_for(method: Method, shape: tuple[int, ...], dtype: Any = np.uint8) -> np.ndarray:
    """What the method works on: intensities or labels, on a grid."""
    return two_bands(shape, dtype) if method.takes_labels else two_halves(shape, dtype)


def two_strokes(shape: tuple[int, ...]) -> np.ndarray:
    """Class 1 painted on the left border, class 2 on the right one."""
    seeds = np.zeros(shape, dtype=np.uint8)
    seeds[..., 0], seeds[..., -1] = 1, 2
    return seeds


def small_boxes(shape: tuple[int, ...], side: int = 3) -> np.ndarray:
    """Superpixels: boxes of `side` voxels along each axis, numbered from 1."""
    corners = [-(-n // side) for n in shape]
    boxes = np.arange(1, np.prod(corners) + 1, dtype=np.uint32).reshape(corners)
    for axis, n in enumerate(shape):
        boxes = boxes.repeat(side, axis).take(range(n), axis)
    return boxes


def inputs_for(method: Method, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The label inputs that the method requires, on a grid."""
    required = {entry.name for entry in method.inputs if entry.required} - {"image"}
    # Contours start from classes, of which there are few; other methods take superpixels.
    labels = two_strokes if method.family == "contours" else small_boxes
    makers = {"seeds": two_strokes, "labels": labels}
    assert required <= set(makers), f"teach builders.py to make {required}"
    return {name: makers[name](shape) for name in required}


def shape_for(method: Method, size: int = 12) -> tuple[int, ...]:
    """A grid of the highest dimension the method takes."""
    return (size - 3, size - 1, size)[-max(method.ndim) :]
