"""A forest as arrays in a file, and whether those that were read make one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ...kernels.cpu.forest import Forest

# What reading a file that is damaged, or no archive of arrays, may raise.
UNREADABLE = (
    OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile, zlib.error,
)  # fmt: skip

# What is kept of a forest; its depth follows.
_FOREST = ("child", "feature", "threshold", "leaves", "roots", "left_out")


def forest_arrays(forest: Forest) -> dict[str, Any]:
    """What to write, by name."""
    return {f"forest_{name}": getattr(forest, name) for name in _FOREST}


def read_forest(file: Mapping[str, NDArray[Any]]) -> Forest:
    """A forest as it was written, unchecked and of unknown depth; see `forest_depth`."""
    from ...kernels.cpu.forest import Forest

    return Forest(**{name: file[f"forest_{name}"] for name in _FOREST}, depth=0)


def forest_depth(forest: Forest, n_features: int, n_classes: int) -> int | None:
    """Steps to the deepest leaf; None where a tree has loops or asks for what is not there."""
    child, nodes = forest.child, len(forest.child)
    types = {"child": "int32", "feature": "uint16", "threshold": "uint8", "leaves": "uint8"}
    types |= {"roots": "int32", "left_out": "int16"}
    split = np.flatnonzero(child >= 0)
    sound = (
        all(getattr(forest, name).dtype == dtype for name, dtype in types.items())
        and child.ndim == forest.roots.ndim == 1
        and forest.feature.shape == forest.threshold.shape == child.shape
        and forest.left_out.shape == forest.roots.shape
        and forest.leaves.ndim == 2
        and forest.leaves.shape[1] == n_classes
        and ((forest.roots >= 0) & (forest.roots < nodes)).all()
        and (forest.feature[split] < n_features).all()
        and ((child[split] > split) & (child[split] < nodes - 1)).all()
        and (child >= -len(forest.leaves)).all()
    )
    if not sound:
        return None
    depth, level = 0, forest.roots
    while len(level := child[level][child[level] >= 0]):
        level = np.concatenate([level, level + 1])
        depth += 1
    return depth
