"""The record that a grown result carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..provenance import Provenance, current_versions, describe_input
from ..registry import get_method
from ..typing import LabelArray
from .engines import NOT_LIVE
from .live import GrowthPlan

CLEANED = "cleaned"


def provenance_of(
    plan: GrowthPlan, seeds: LabelArray, merging: Mapping[str, Any] | None = None
) -> Provenance:
    """How labels came about that grew by a plan.

    `jobs.replay` makes them again from what lies in the region: image, seeds and, where
    growth was bounded, the mask. Smoothing, the region itself and how the labels were
    merged into a result are noted.

    Parameters
    ----------
    plan : GrowthPlan
    seeds : (M, N[, P]) integer array
        On the grid of the region.
    merging : mapping, optional
        The rule by which a result took the labels over.
    """
    space = plan.image.space
    injected: dict[str, Any] = {
        "spacing": space.spacing if space.is_physical else None,
        "channel_axis": space.channel_axis,
        "device": "cpu",
        "region": [(part.start, part.stop) for part in plan.region],
        "smoothing": plan.smoothing,
    }
    if merging is not None:
        injected["merging"] = dict(merging)
    inputs = {
        "image": describe_input(plan.image.name, plan.image.data),
        "seeds": describe_input("seeds", seeds, are_labels=True),
    }
    takes_mask = any(entry.name == "mask" for entry in get_method(plan.method).inputs)
    if plan.allowed is not None and takes_mask:
        inputs["mask"] = describe_input("mask", plan.allowed, are_labels=True)
    settings = {name: value for name, value in plan.settings.items() if name not in NOT_LIVE}
    return Provenance(
        method=plan.method,
        settings=settings,
        injected=injected,
        inputs=inputs,
        versions=current_versions(),
    )


def with_cleaning(record: Mapping[str, Any], method: str, settings: Mapping[str, Any]) -> Any:
    """The record of a result, or {} where it has none, with a cleaning noted after it.

    Examples
    --------
    >>> record = with_cleaning({}, "clean_labels", {"keep_largest": True})
    >>> record["injected"]["cleaned"]
    [{'method': 'clean_labels', 'settings': {'keep_largest': True}}]
    """
    injected = dict(record.get("injected", {}))
    cleaning = {"method": method, "settings": dict(settings)}
    injected[CLEANED] = [*injected.get(CLEANED, ()), cleaning]
    return {**record, "injected": injected}
