"""What memory a job takes, known before it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .device import available_memory
from .errors import OutOfMemoryError
from .image import Image
from .method import Method


def estimate_memory(method: Method, image: Image, settings: Mapping[str, Any] | None = None) -> int:
    """Bytes a run needs at its peak, beyond the inputs; with the defaults where none are given."""
    n_voxels = math.prod(image.spatial_shape)
    n_channels = image.data.size // max(n_voxels, 1)
    return int(method.memory_per_voxel(n_channels, settings or {}) * n_voxels)


def check_memory(
    method: Method, image: Image, limit: int | None, settings: Mapping[str, Any] | None = None
) -> None:
    """Refuse a job that would not fit.

    Raises
    ------
    OutOfMemoryError
    """
    need = estimate_memory(method, image, settings)
    have = available_memory() if limit is None else min(limit, available_memory())
    if need > have:
        raise OutOfMemoryError(
            f"{method.title} needs about {_amount(need)} for this image, "
            f"{_amount(have)} are allowed or free; crop or downsample the image, close "
            f"other programs or raise the memory limit in the settings."
        )


def _amount(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.1f} MiB"
