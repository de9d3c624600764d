"""A live session in small, which has numba compile all that a large one needs.

``python -m napari_segsuite.growing.rehearsal JSON`` runs one in a process of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import boxes
from ..image import Image
from ..label_values import smallest_label_dtype
from ..space import Space
from ..typing import LabelArray
from .live import GrowthPlan, LiveGrowth

_SIDE = 16


def script_of(plan: GrowthPlan, seeds: LabelArray) -> dict[str, Any]:
    """What decides which code a plan needs, as plain data.

    Parameters
    ----------
    plan : GrowthPlan
    seeds : (M, N[, P]) integer array
        Their largest label, or that of the background, decides in which type labels are kept.
    """
    image = plan.image
    largest = max(int(seeds.max(initial=0)), plan.background or 0)
    axis = image.space.channel_axis
    return {
        "method": plan.method,
        "settings": dict(plan.settings),
        "image": image.data.dtype.str,
        "labels": smallest_label_dtype(largest).str,
        "ndim": image.space.without("channel").ndim,
        "channels": None if axis is None else [axis, image.data.shape[axis]],
        "is_physical": image.space.is_physical,
        "is_bounded": plan.allowed is not None,
    }


def rehearse(script: Mapping[str, Any]) -> None:
    """Paint, erase and learn on a few voxels."""
    shape = (_SIDE,) * script["ndim"]
    data = (np.arange(np.prod(shape)).reshape(shape) % 251).astype(script["image"])
    axis = None
    if script["channels"] is not None:
        axis, n_channels = script["channels"]
        data = np.stack([data] * n_channels, axis)
    spacing = (2.0,) + (1.0,) * (len(shape) - 1) if script["is_physical"] else None
    space = Space.regular(data.ndim, spacing, channel_axis=axis)
    plan = GrowthPlan(
        Image(data, space),
        boxes.whole(shape),
        method=script["method"],
        settings=script["settings"],
        allowed=np.ones(shape, bool) if script["is_bounded"] else None,
    )
    labels = np.dtype(script["labels"])
    seeds = np.zeros(shape, labels)
    live = LiveGrowth(plan, np.zeros(shape, labels))
    # The largest label of a type has labels kept in that type.
    seeds[..., :4], seeds[..., -4:] = 1, np.iinfo(labels).max
    live.follow(seeds)
    live.adopt(live.study())
    seeds[..., 2, 2] = 0
    seeds[..., 8, 8] = 2
    live.follow(seeds)
    live.adopt(live.study())


if __name__ == "__main__":
    rehearse(json.loads(sys.argv[1]))
