"""The data that comes with the package, as layers."""

from __future__ import annotations

from typing import Any

from ..samples import load
from .adapters import layer_data


def brain() -> list[Any]:
    """The MNI152 brain with seeds and tissue labels."""
    sample = load("brain")
    image, seeds, truth = (layer_data(sample[key]) for key in ("image", "seeds", "reference"))
    # Two label layers on top of each other are hard to read: the truth waits.
    truth[1]["visible"] = False
    return [image, truth, seeds]
