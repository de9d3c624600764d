"""Compare a segmentation with a reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..image import LabelClass
from ..progress import SILENT, Progress, part_of
from .catalogue import as_tuple, choose_metrics
from .confusion import Confusion, confusion_matrix
from .definitions import Definitions, Objects, Pooling, Surface
from .grids import Labels, OtherGrid, classes_of, labels_of, load_labels, on_one_grid, voxel_size
from .label_numbers import class_number, label_number
from .mapping import check_mapping, map_confusion
from .measuring import ABSENT, MEASURES, OF_CLASSES, Measured, Pair
from .metric import Metric
from .report import Report
from .score import Score

# Share of the work that is counting voxels.
_COUNTING = 0.2


def evaluate(
    prediction: Labels,
    reference: Labels,
    *,
    spacing: Sequence[float] | None = None,
    ignore: int | Iterable[int] = (),
    metrics: str | Iterable[str] = "overlap",
    classes: Iterable[int | LabelClass] | None = None,
    mapping: Mapping[int, int] | None = None,
    other_grid: OtherGrid = "refuse",
    surface: Surface = "marching",
    hd_pooling: Pooling = "max",
    tolerance: float | None = None,
    boundary_width: float | None = None,
    beta: float = 2.0,
    objects: Objects = "labels",
    progress: Progress = SILENT,
) -> Report:
    """Measure how well a prediction agrees with a reference.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like, Segmentation, Image, or path
        Labels. Files and segmentations must lie on one grid in the world; grids that
        differ only in the order and direction of their axes are matched up first. Lazy
        arrays (dask, zarr) are read block by block, for overlap and volumes.
    spacing : sequence of float, optional
        Voxel size per spatial axis in mm. By default that of the reference or the
        prediction; arrays alone give volumes and distances in voxels.
    ignore : int or iterable of int
        Voxels that the reference gives one of these labels are left out; for surface
        metrics, they count as background in both.
    metrics : str or iterable of str
        "overlap", "volume", "surface", "instances", "partition", "warping", "all", or names
        of metrics.
    classes : iterable of int or LabelClass, optional
        Classes to report on, by default all labels that occur; ignored ones are left out of
        either. Metrics of the whole image always cover all that occur.
    mapping : mapping of int to int, optional
        Class of the reference that a predicted label counts as; labels not named stay as
        they are.
    other_grid : {"refuse", "nearest"}
        What to do with a prediction on another grid: refuse it, or take the nearest of its
        voxels for each voxel of the reference.
    surface, hd_pooling, tolerance, boundary_width, beta, objects
        What metrics leave open, see `Definitions`.
    progress : Progress
        Raises `Cancelled` to stop.

    Returns
    -------
    Report
        Values per class, background included; means over the foreground classes that have
        a value; for metrics of the whole image one value. A class absent from both has no
        value (NaN); of one absent from only one of them Dice, IoU and NSD are 0, and
        distances have no value.

    Raises
    ------
    InputError
        If the shapes differ or values are no labels.
    SpaceMismatchError
        If the two do not lie on one grid.
    ParameterError
        If a metric is not known, or the spacing or a definition does not fit.

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
    chosen = choose_metrics(metrics)
    definitions = Definitions(surface, hd_pooling, tolerance, boundary_width, beta, objects)
    listed = None if classes is None else as_tuple(classes)
    left_out = tuple(label_number(label, "ignore") for label in as_tuple(ignore))
    renamed = check_mapping(mapping)
    first, second = on_one_grid(load_labels(prediction), load_labels(reference), other_grid)
    steps, unit = voxel_size(spacing, second, first)
    confusion = None
    if any(metric.group in OF_CLASSES for metric in chosen):
        found = confusion_matrix(
            labels_of(first),
            labels_of(second),
            ignore=left_out,
            progress=part_of(progress, 0, _COUNTING),
        )
        confusion = map_confusion(found, renamed)
    occurring = () if confusion is None else _without(left_out, confusion.labels)
    pair = Pair(
        labels_of(first),
        labels_of(second),
        occurring if listed is None else _without(left_out, _class_ids(listed)),
        left_out,
        renamed,
        steps,
        confusion,
        occurring,
        definitions,
    )
    known = (*classes_of(first), *classes_of(second), *_named(listed or ()))
    names = {entry.id: entry.name for entry in known}
    measured = _measured(chosen, pair, part_of(progress, _COUNTING, 1))
    return _report(chosen, pair, measured, names, unit)


def _measured(chosen: tuple[Metric, ...], pair: Pair, progress: Progress) -> Mapping[str, Measured]:
    """What each group of the chosen metrics needs; groups on one basis share it."""
    groups = dict.fromkeys(metric.group for metric in chosen)
    steps = dict.fromkeys(MEASURES[group] for group in groups)
    done = {
        step: step(pair, part_of(progress, i / len(steps), (i + 1) / len(steps)))
        for i, step in enumerate(steps)
    }
    return {group: done[MEASURES[group]] for group in groups}


def _report(
    chosen: tuple[Metric, ...],
    pair: Pair,
    measured: Mapping[str, Measured],
    names: Mapping[int, str],
    unit: str | None,
) -> Report:
    confusion = pair.confusion or Confusion(np.zeros((0, 0), np.int64), ())
    scores = {}
    for metric in chosen:
        basis = measured[metric.group]
        if not metric.per_class:
            value = float(metric.function(basis.of_image))
            reason = basis.why(metric, -1) if math.isnan(value) else ""
            scores[metric.name] = Score.of_image(value, reason)
            continue
        values = np.atleast_1d(metric.function(basis.of_classes))
        why = partial(basis.why, metric)
        score = Score.of_classes(dict(zip(pair.classes, values.tolist(), strict=True)), why, ABSENT)
        is_averaged = metric.group == "overlap"
        scores[metric.name] = (
            score.with_averages(metric, basis.of_classes) if is_averaged else score
        )
    matched = measured.get("instances")
    return Report(
        scores,
        chosen,
        confusion.counts,
        confusion.labels,
        {label: names[label] for label in pair.classes if label in names},
        pair.definitions,
        pair.spacing,
        unit,
        None if matched is None else matched.of_image,
        () if matched is None else matched.objects,
    )


def _without(ignore: tuple[int, ...], labels: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label in labels if label not in ignore)


def _named(classes: tuple[Any, ...]) -> tuple[LabelClass, ...]:
    return tuple(entry for entry in classes if isinstance(entry, LabelClass))


def _class_ids(classes: tuple[Any, ...]) -> tuple[int, ...]:
    ids = (entry.id if isinstance(entry, LabelClass) else entry for entry in classes)
    return tuple(dict.fromkeys(class_number(label, "classes") for label in ids))
