"""Array aliases used in signatures.

Shapes in docstrings read (M, N[, P]): rows and columns, with planes first in 3D.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

ImageArray = NDArray[Any]
LabelArray = NDArray[np.unsignedinteger[Any]]
MaskArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
Spacing = tuple[float, ...]
Box = tuple[slice, ...]

__all__ = ["ArrayLike", "Box", "FloatArray", "ImageArray", "LabelArray", "MaskArray", "Spacing"]
