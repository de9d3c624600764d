"""What memory a job takes, known before it runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .device import available_memory
from .errors import OutOfMemoryError
from .image import Image
from .job_frames import Calls, Frames, time_axis
from .method import Method

# Labels of all frames, and the same once more when they are put together.
_BYTES_PER_FRAME_VOXEL = 8


def estimate_memory(
    method: Method,
    image: Image,
    settings: Mapping[str, Any] | None = None,
    frames: Frames = "each",
) -> int:
    """Bytes a run needs at its peak, beyond the inputs; with the defaults where none are given."""
    calls = Calls(image.space, frames)
    n_voxels = calls.voxels_at_once(image.data.shape)
    shape, channel_axis = image.data.shape, image.space.channel_axis
    if frames == "channels" and channel_axis is None:
        channel_axis = time_axis(image.space)
    n_channels = 1 if channel_axis is None else shape[channel_axis]
    need = int(method.memory_per_voxel(n_channels, settings or {}) * n_voxels)
    if calls.is_series:
        need += _BYTES_PER_FRAME_VOXEL * math.prod(image.spatial_shape)
    return need


def check_memory(
    method: Method,
    image: Image,
    limit: int | None,
    settings: Mapping[str, Any] | None = None,
    frames: Frames = "each",
) -> None:
    """Refuse a job that would not fit.

    Raises
    ------
    OutOfMemoryError
    """
    need = estimate_memory(method, image, settings, frames)
    have = available_memory() if limit is None else min(limit, available_memory())
    if need > have:
        raise OutOfMemoryError(
            f"{method.title} needs about {_amount(need)} for this image, "
            f"{_amount(have)} are allowed or free; crop or downsample the image, close "
            f"other programs or raise the memory limit in the settings."
        )


def _amount(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.1f} MiB"
