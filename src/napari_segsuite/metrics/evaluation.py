"""Compare a segmentation with a reference."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError, ParameterError, SpaceMismatchError
from ..image import Image, LabelClass, Segmentation
from ..inputs import check_spacing
from ..label_values import compact_labels
from .confusion import Confusion, confusion_matrix
from .overlap import METRICS, Counts, Metric
from .report import Report

Labels = ArrayLike | Segmentation | Image | str | os.PathLike[str]

_ABSENT = "absent from both prediction and reference"
_NOT_IN_REFERENCE = "absent from the reference"
_NOT_PREDICTED = "absent from the prediction"
_NOTHING_ELSE = "the reference has no other class"


def evaluate(
    prediction: Labels,
    reference: Labels,
    *,
    spacing: Sequence[float] | None = None,
    ignore: int | Iterable[int] = (),
    metrics: str | Iterable[str] = "overlap",
    classes: Iterable[int | LabelClass] | None = None,
) -> Report:
    """Measure how well a prediction agrees with a reference.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like, Segmentation, Image, or path
        Labels. Files and segmentations must lie on one grid in the world; grids that
        differ only in the order and direction of their axes are matched up first.
    spacing : sequence of float, optional
        Voxel size per spatial axis in mm, for volumes. By default that of the reference
        or the prediction; arrays alone give volumes in voxels.
    ignore : int or iterable of int
        Voxels that the reference gives one of these labels are left out.
    metrics : str or iterable of str
        "overlap", "volume", "all", or names of metrics.
    classes : iterable of int or LabelClass, optional
        Classes to report on. By default all labels that occur, except ignored ones. Metrics
        of the whole image always cover all of these.

    Returns
    -------
    Report
        Values per class, background included; means over the foreground classes that have
        a value; for metrics of the whole image one value. A class absent from both has no
        value (NaN); one absent from only one of them has Dice and IoU 0.

    Raises
    ------
    InputError
        If the shapes differ or values are no labels.
    SpaceMismatchError
        If the two do not lie on one grid.
    ParameterError
        If a metric is not known, or the spacing does not fit.

    References
    ----------
    Taha & Hanbury 2015, Metrics for evaluating 3D medical image segmentation,
    doi:10.1186/s12880-015-0068-x.
    Reinke et al. 2024, Understanding metric-related pitfalls in image analysis validation,
    doi:10.1038/s41592-023-02150-0.

    Examples
    --------
    >>> report = evaluate([[0, 1, 1, 0]], [[0, 1, 0, 0]])
    >>> round(report.per_class["dice"][1], 4), report.mean["accuracy"]
    (0.6667, 0.75)
    """
    chosen = _chosen(metrics)
    listed = None if classes is None else _listed(classes)
    left_out = tuple(_id(label, "ignore") for label in _listed(ignore))
    first, second = _on_one_grid(_loaded(prediction), _loaded(reference))
    predicted, expected = _values(first), _values(second)
    confusion = confusion_matrix(predicted, expected, ignore=left_out)
    voxel_volume, unit = _voxel_volume(spacing, first, second)
    occurring = tuple(label for label in confusion.labels if label not in left_out)
    ids = occurring if listed is None else _class_ids(listed)
    counts = Counts.of(confusion, ids, voxel_volume, unit)
    whole = Counts.of(confusion, occurring, voxel_volume, unit)
    known = (*_classes(first), *_classes(second), *_named(listed or ()))
    names = {entry.id: entry.name for entry in known}
    return _report(chosen, confusion, counts, whole, ids, names)


def _report(
    chosen: tuple[Metric, ...],
    confusion: Confusion,
    counts: Counts,
    whole: Counts,
    ids: tuple[int, ...],
    names: dict[int, str],
) -> Report:
    per_class: dict[str, dict[int, float]] = {}
    mean: dict[str, float] = {}
    reasons: dict[str, dict[int, str]] = {}
    n_used: dict[str, int] = {}
    n_nan: dict[str, int] = {}
    for metric in chosen:
        if not metric.per_class:
            mean[metric.name] = float(cast("float", metric.function(whole)))
            continue
        found = metric.function(counts)
        values = {label: float(v) for label, v in zip(ids, np.atleast_1d(found), strict=True)}
        foreground = [v for label, v in values.items() if label != 0]
        used = [v for v in foreground if not math.isnan(v)]
        per_class[metric.name] = values
        mean[metric.name] = float(np.mean(used)) if used else float("nan")
        n_used[metric.name], n_nan[metric.name] = len(used), len(foreground) - len(used)
        reasons[metric.name] = {
            label: _why(counts, i) for i, label in enumerate(ids) if math.isnan(values[label])
        }
    return Report(
        per_class,
        mean,
        confusion.counts,
        confusion.labels,
        chosen,
        {label: names[label] for label in ids if label in names},
        reasons,
        n_used,
        n_nan,
        counts.volume_unit,
    )


def _why(counts: Counts, i: int) -> str:
    expected, predicted = counts.tp[i] + counts.fn[i], counts.tp[i] + counts.fp[i]
    if not expected and not predicted:
        return _ABSENT
    if not expected:
        return _NOT_IN_REFERENCE
    return _NOTHING_ELSE if predicted else _NOT_PREDICTED


def _chosen(metrics: str | Iterable[str]) -> tuple[Metric, ...]:
    groups = sorted({metric.group for metric in METRICS.values()})
    wanted = _listed(metrics)
    found: dict[str, Metric] = {}
    for name in wanted:
        group = {m.name: m for m in METRICS.values() if name in (m.group, "all")}
        if not group and name not in METRICS:
            known = ", ".join(dict.fromkeys(["all", *groups, *METRICS]))
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


def _listed(values: Any) -> tuple[Any, ...]:
    """One value or several, as a tuple."""
    several = isinstance(values, Iterable) and not isinstance(values, str)
    return tuple(values) if several else (values,)


def _loaded(value: Labels) -> Any:
    if isinstance(value, str | os.PathLike):
        from ..io import read

        return read(value, kind="labels")
    if isinstance(value, Image):
        return Segmentation(compact_labels(value.data), value.space, name=value.name)
    return value


def _on_one_grid(first: Any, second: Any) -> tuple[Any, Any]:
    if not (isinstance(first, Segmentation) and isinstance(second, Segmentation)):
        return first, second
    if _same_grid(first, second):
        return first, second
    from ..orientation import closest_canonical

    turned = closest_canonical(first), closest_canonical(second)
    if _same_grid(*turned):
        return turned
    raise SpaceMismatchError(
        f"expected prediction and reference on one grid, got {_described(first)} and "
        f"{_described(second)}; resample one onto the grid of the other"
    )


def _same_grid(first: Segmentation, second: Segmentation) -> bool:
    return first.labels.shape == second.labels.shape and first.space.is_close(second.space)


def _described(value: Segmentation) -> str:
    return f"shape {value.labels.shape} with {value.space}"


def _values(value: Any) -> ArrayLike:
    return value.labels if isinstance(value, Segmentation) else cast("ArrayLike", value)


def _classes(value: Any) -> tuple[LabelClass, ...]:
    return value.classes if isinstance(value, Segmentation) else ()


def _named(classes: tuple[Any, ...]) -> tuple[LabelClass, ...]:
    return tuple(entry for entry in classes if isinstance(entry, LabelClass))


def _class_ids(classes: tuple[Any, ...]) -> tuple[int, ...]:
    ids = (
        entry.id if isinstance(entry, LabelClass) else _id(entry, "classes") for entry in classes
    )
    return tuple(dict.fromkeys(ids))


def _id(label: Any, name: str) -> int:
    is_float = isinstance(label, float | np.floating)
    if isinstance(label, numbers.Integral) or (is_float and label.is_integer()):
        return int(label)
    raise ParameterError(
        f"expected label numbers for '{name}', got {label!r}; give integers such as (1, 2)",
        name=name,
    )


def _voxel_volume(spacing: Sequence[float] | None, first: Any, second: Any) -> tuple[float, str]:
    if spacing is not None:
        spaces = [v.space for v in (second, first) if isinstance(v, Segmentation)]
        n_spatial = len(spaces[0].spatial) if spaces else np.ndim(second)
        try:
            steps = check_spacing(spacing, n_spatial)
        except InputError as error:
            raise ParameterError(str(error), name="spacing") from error
        return math.prod(steps), f"mm{_power(n_spatial)}"
    for value in (second, first):
        if isinstance(value, Segmentation) and value.space.unit is not None:
            steps = value.space.spacing
            return math.prod(steps), f"{value.space.unit}{_power(len(steps))}"
    return 1.0, "voxels"


def _power(ndim: int) -> str:
    return {2: "²", 3: "³"}.get(ndim, "")
