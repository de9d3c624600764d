"""How much the scores of one volume hang on single slices or objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import ParameterError
from ...progress import SILENT, Progress
from ..catalogue import METRICS, as_tuple
from ..counts import Counts
from ..evaluation import evaluate
from ..grids import Labels, classes_of, labels_of, load_labels, on_one_grid
from ..metric import Metric, Values
from ..slices import slice_confusions
from ..tables import COLUMNS, harmless, markdown_table, plain_fields, shown, write_rows
from .bootstrap import Interval, bootstrap_interval, bootstrap_slices

Over = Literal["slices", "objects"]

_USUAL = ("dice", "iou", "precision", "recall")
_OF_OBJECTS = {
    "object_iou": "mean IoU of reference objects with their best partner, 0 for missed ones",
    "object_dice": "mean Dice of reference objects with their best partner, 0 for missed ones",
    "instance_recall": "share of reference objects with a match, IoU > 0.5",
}


@dataclass(frozen=True)
class ScoreInterval:
    """A score with its confidence interval.

    Attributes
    ----------
    metric, definition : str
    label : int or None
        Class; None for scores of objects.
    interval : Interval
    """

    metric: str
    definition: str
    label: int | None
    interval: Interval


@dataclass(frozen=True)
class ScoreIntervals:
    """Scores of one volume with their confidence intervals.

    Attributes
    ----------
    over : {"slices", "objects"}
        What was resampled.
    confidence : float
        Share of the resamples within an interval.
    scores : tuple of ScoreInterval
    names : mapping of label to str
        Class names, where known.
    """

    over: Over
    confidence: float
    scores: tuple[ScoreInterval, ...]
    names: Mapping[int, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN becomes None, with its reason beside it."""
        scores = [
            {"metric": s.metric, "definition": s.definition, "class": s.label}
            | plain_fields(s.interval)
            for s in self.scores
        ]
        return {"over": self.over, "confidence": self.confidence, "scores": scores}

    def to_markdown(self) -> str:
        """A table of scores and their intervals."""
        heads = ["Metric", "Class", "Value", f"{100 * self.confidence:g} % over {self.over}", "n"]
        cells = [
            [
                score.metric,
                self._class(score),
                shown(score.interval.value),
                f"{shown(score.interval.low)} to {shown(score.interval.high)}",
                str(score.interval.n),
            ]
            for score in self.scores
        ]
        reasons = dict.fromkeys(s.interval.reason for s in self.scores if s.interval.reason)
        notes = "".join(f"- {reason}\n" for reason in reasons)
        return "\n".join(filter(None, [markdown_table(heads, cells), notes]))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write both ends of each interval; the file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        write_rows(path, self.rows())

    def rows(self) -> Iterator[dict[str, str]]:
        """Both ends of each interval in the columns of `Report.rows`."""
        said = f"of the {100 * self.confidence:g} % bootstrap interval over {self.over}"
        for score in self.scores:
            label = "all" if score.label is None else str(score.label)
            name = "" if score.label is None else harmless(self.names.get(score.label, ""))
            for end, word in (("low", "lower"), ("high", "upper")):
                value = getattr(score.interval, end)
                definition = f"{score.definition}; {word} end {said}"
                number = "" if np.isnan(value) else repr(value)
                n, reason = str(score.interval.n), score.interval.reason
                cells = (f"{score.metric}_{end}", definition, label, name, number, "", n, reason)
                yield dict(zip(COLUMNS, cells, strict=True))

    def _class(self, score: ScoreInterval) -> str:
        if score.label is None:
            return "objects"
        return f"{score.label} {self.names.get(score.label, '')}".strip()


def score_intervals(
    prediction: Labels,
    reference: Labels,
    *,
    over: Over = "slices",
    axis: int = 0,
    metrics: str | Iterable[str] = _USUAL,
    classes: Iterable[int] | None = None,
    ignore: int | Iterable[int] = (),
    confidence: float = 0.95,
    n_resamples: int = 2000,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
) -> ScoreIntervals:
    """Bootstrap the scores of one prediction over its slices or over its objects.

    Slices resemble their neighbours and objects of one image each other: these intervals
    are too narrow for what another image would give. That takes many cases, and
    `evaluate_folders`.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like, Segmentation, Image, or path
        As `evaluate` takes them.
    over : {"slices", "objects"}
        What is drawn with replacement: slices, whose voxel counts are then pooled, or
        objects of the reference, each with its overlap.
    axis : int
        Along which slices follow one another.
    metrics : str or iterable of str
        Overlap metrics of classes, for slices; objects have their own three.
    classes : iterable of int, optional
        For slices; by default all that occur but 0 and ignored ones.
    ignore : int or iterable of int
        Voxels that the reference gives one of these labels are left out.
    confidence, n_resamples, rng
        As for `bootstrap_interval`.
    progress : Progress
        Raises `Cancelled` to stop.

    Raises
    ------
    ParameterError
        If `over`, a metric or one of the settings is none of these.
    InputError, SpaceMismatchError
        As `evaluate`.

    Examples
    --------
    >>> reference = np.repeat([[0, 1, 1, 1]], 6, axis=0)
    >>> prediction = reference.copy()
    >>> prediction[:2, 1] = 0
    >>> (dice,) = score_intervals(prediction, reference, metrics="dice").scores
    >>> round(dice.interval.value, 3), dice.interval.low < dice.interval.value, dice.interval.n
    (0.941, True, 6)
    """
    if over not in get_args(Over):
        raise ParameterError(
            f"expected over 'slices' or 'objects', got {over!r}; choose one", name="over"
        )
    left_out = as_tuple(ignore)
    settings: dict[str, Any] = {"confidence": confidence, "n_resamples": n_resamples, "rng": rng}
    first, second = on_one_grid(load_labels(prediction), load_labels(reference))
    if over == "objects":
        report = evaluate(first, second, metrics="instances", ignore=left_out, progress=progress)
        return ScoreIntervals(over, confidence, _of_objects(report.objects, settings))
    chosen = _chosen(metrics)
    tables = slice_confusions(
        labels_of(first), labels_of(second), axis, ignore=left_out, progress=progress
    )
    occurring = (label for label in tables.labels if label and label not in left_out)
    reported = tuple(dict.fromkeys(occurring if classes is None else classes))
    scores: list[ScoreInterval] = []
    for metric in chosen if reported and tables.counts.size else ():
        scorer = _Scorer(metric, tables.labels, reported)
        intervals = bootstrap_slices(tables.counts, scorer, **settings)
        scores += [
            ScoreInterval(metric.name, metric.formula, label, interval)
            for label, interval in zip(reported, intervals, strict=True)
        ]
    names = {entry.id: entry.name for entry in (*classes_of(first), *classes_of(second))}
    return ScoreIntervals(over, confidence, tuple(scores), names)


@dataclass(frozen=True)
class _Scorer:
    """One metric of each class, from any number of confusion matrices at once."""

    metric: Metric
    labels: tuple[int, ...]
    classes: tuple[int, ...]

    def __call__(self, tables: Values) -> Values:
        places = [self.labels.index(c) if c in self.labels else -1 for c in self.classes]
        padded = np.pad(tables, ((0, 0), (0, 1), (0, 1)))  # place -1 holds nothing
        tp = padded[:, places, places]
        expected, predicted = padded.sum(axis=2)[:, places], padded.sum(axis=1)[:, places]
        fp, fn = predicted - tp, expected - tp
        total = tables.sum(axis=(1, 2))[:, np.newaxis]
        counts = Counts(tp, fp, fn, total - tp - fp - fn, np.nan, np.nan, np.nan)
        return np.asarray(self.metric.function(counts))


def _of_objects(objects: Sequence[Any], settings: dict[str, Any]) -> tuple[ScoreInterval, ...]:
    rows = [row for row in objects if row.role == "reference"]
    values: dict[str, NDArray[np.float64]] = {
        "object_iou": np.array([row.iou for row in rows], float),
        "object_dice": np.array([row.dice for row in rows], float),
        "instance_recall": np.array([row.match > 0 for row in rows], float),
    }
    return tuple(
        ScoreInterval(name, definition, None, bootstrap_interval(values[name], **settings))
        for name, definition in _OF_OBJECTS.items()
    )


def _chosen(metrics: str | Iterable[str]) -> tuple[Metric, ...]:
    known = {m.name: m for m in METRICS.values() if m.group == "overlap" and m.per_class}
    for name in as_tuple(metrics):
        if name not in known:
            raise ParameterError(
                f"expected metrics among {', '.join(known)}; got {name!r}; choose some of these",
                name="metrics",
            )
    return tuple(known[name] for name in as_tuple(metrics))
