"""All metrics there are, and choosing among them by name or group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import ParameterError
from .metric import Metric
from .objects.instances import INSTANCES
from .overlap import OVERLAP
from .partition import PARTITION
from .surfaces.surface_metrics import SURFACE
from .volumes import VOLUME
from .warping import WARPING

GROUP_TITLES = {
    "overlap": "Overlap",
    "volume": "Volumes",
    "surface": "Surfaces",
    "instances": "Objects",
    "partition": "Partitions",
    "warping": "Pixel and warping error",
}
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (*OVERLAP, *VOLUME, *SURFACE, *INSTANCES, *PARTITION, *WARPING)
}
GROUPS = tuple(GROUP_TITLES)


def choose_metrics(metrics: str | Iterable[str]) -> tuple[Metric, ...]:
    """The metrics named, in that order; a group stands for its members.

    Parameters
    ----------
    metrics : str or iterable of str
        Names of metrics, groups, or "all".

    Raises
    ------
    ParameterError
        If one is not known, or there is none.

    Examples
    --------
    >>> [metric.name for metric in choose_metrics(["iou", "dice"])]
    ['iou', 'dice']
    """
    found: dict[str, Metric] = {}
    for name in as_tuple(metrics):
        group = {m.name: m for m in METRICS.values() if name in (m.group, "all")}
        if not group and name not in METRICS:
            known = ", ".join(dict.fromkeys(["all", *GROUPS, *METRICS]))
            raise ParameterError(
                f"expected metrics among {known}; got {name!r}; choose some of these",
                name="metrics",
            )
        found |= group or {name: METRICS[name]}
    if not found:
        raise ParameterError(
            "expected at least one metric, got none; leave metrics out for the usual ones",
            name="metrics",
        )
    return tuple(found.values())


def as_tuple(values: Any) -> tuple[Any, ...]:
    """One value or several, as a tuple."""
    several = isinstance(values, Iterable) and not isinstance(values, str)
    return tuple(values) if several else (values,)
