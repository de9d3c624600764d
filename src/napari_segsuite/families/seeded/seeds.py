"""What every seeded method asks of the seeds it is given."""

from __future__ import annotations

from ...errors import InputError
from ...label_values import present_labels
from ...typing import LabelArray, MaskArray


def check_seeds(seeds: LabelArray, allowed: MaskArray | None, title: str) -> None:
    """Refuse seeds no method can grow from.

    Raises
    ------
    InputError
        If the seeds are not whole numbers >= 0, or if fewer than two
        classes are painted where growth is allowed.
    """
    if seeds.dtype.kind not in "ui":
        raise InputError(
            f"{title}: expected whole numbers as seeds, got {seeds.dtype}; "
            f"convert the seeds to an integer labels layer."
        )
    if seeds.dtype.kind == "i" and seeds.min() < 0:
        raise InputError(
            f"{title}: expected seeds >= 0, got {seeds.min()}; give every class a positive id."
        )
    classes = painted_classes(seeds, allowed)
    if len(classes) == 0:
        where = "" if not seeds.any() else " inside the mask"
        raise InputError(
            f"{title}: no seeds are painted{where}; paint a stroke in each of at least two classes."
        )
    if len(classes) == 1:
        raise InputError(
            f"{title}: only class {classes[0]} is painted; paint a stroke of a second class too, "
            f"for instance the background."
        )


def painted_classes(seeds: LabelArray, allowed: MaskArray | None = None) -> list[int]:
    """Ids painted where growth is allowed, in ascending order."""
    return present_labels(seeds if allowed is None else seeds[allowed])
