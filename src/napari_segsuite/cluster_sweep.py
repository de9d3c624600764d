"""The effect of the number of clusters: one run for each, with scores side by side."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from . import jobs
from .errors import InputError, ParameterError
from .job_inputs import Source, as_image, label_input
from .metrics import evaluate
from .metrics.cluster_scores import ClusterScores, score_clusters
from .metrics.matching import match_labels, rename_labels
from .progress import SILENT, Progress, part_of
from .registry import get_method
from .space import Space
from .typing import ImageArray, LabelArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .image import Segmentation

_TITLES = {
    "n_clusters": "Clusters",
    "n_found": "Found",
    "inertia": "Inertia",
    "silhouette": "Silhouette (higher is better)",
    "davies_bouldin": "Davies–Bouldin (lower is better)",
    "bic": "BIC (lower is better)",
    "dice": "Dice",
}
_SCORES = ("inertia", "silhouette", "davies_bouldin", "bic", "dice")


@dataclass(frozen=True, eq=False)
class ClusterSweep:
    """Clusterings of one image into different numbers of clusters.

    Attributes
    ----------
    rows : list of ClusterScores
        One per number of clusters, in the order asked for.
    labels : (K, M, N[, P]) unsigned integer array
        What the method gave for each.
    space : Space
        Geometry of each of the K.
    """

    rows: list[ClusterScores]
    labels: LabelArray
    space: Space

    @property
    def suggested(self) -> int:
        """The number of clusters with the highest silhouette; the first where none has one."""
        known = [row for row in self.rows if not math.isnan(row.silhouette)]
        return max(known or self.rows[:1], key=lambda row: row.silhouette).n_clusters

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that have a value for any number of clusters."""
        return tuple(
            name for name in _SCORES if any(not math.isnan(getattr(row, name)) for row in self.rows)
        )

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per number of clusters; the file appears whole or not at all.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        from .io.atomic import atomic_path

        text = io.StringIO()
        names = [field.name for field in fields(ClusterScores)]
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow({k: "" if math.isnan(v) else v for k, v in asdict(row).items()})
        with atomic_path(path) as scratch:
            scratch.write_text(text.getvalue(), encoding="utf-8", newline="")

    def to_markdown(self) -> str:
        """Table of the scores; the suggested number of clusters stands out."""
        names = ("n_clusters", *self.scores)
        lines = [" | ".join(_TITLES[name] for name in names), " | ".join(["---:"] * len(names))]
        for row in self.rows:
            cells = [_shown(getattr(row, name)) for name in names]
            if row.n_clusters == self.suggested:
                cells[0] = f"**{cells[0]}**"
            lines.append(" | ".join(cells))
        return "".join(f"| {line} |\n" for line in lines)

    def plot(self, target: str | os.PathLike[str] | Sequence[Axes]) -> None:
        """Draw each score over the number of clusters.

        Parameters
        ----------
        target : path or sequence of matplotlib Axes
            Where to write a picture, in the format its name ends with; or axes to draw
            into, one for each of `scores`.

        Raises
        ------
        FormatError
            If the folder is missing or cannot be written to.
        """
        if not isinstance(target, str | os.PathLike):
            for axes, name in zip(target, self.scores, strict=False):
                self._draw(axes, name)
            return
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from .io.atomic import atomic_path

        figure = Figure(figsize=(3.2 * len(self.scores), 2.8), layout="constrained")
        FigureCanvasAgg(figure)
        self.plot(figure.subplots(1, len(self.scores), squeeze=False)[0])
        with atomic_path(target) as scratch:
            figure.savefig(scratch)

    def _draw(self, axes: Axes, name: str) -> None:
        numbers = [row.n_clusters for row in self.rows]
        axes.plot(numbers, [getattr(row, name) for row in self.rows], "o-")
        axes.axvline(self.suggested, color="0.7", linestyle="--", zorder=0)
        title = _TITLES[name].replace(" (", "\n(")  # beside each other there is little room
        axes.set(title=title, xlabel="clusters", xticks=numbers)


def sweep_clusters(
    image: Source,
    method: Literal["kmeans", "kmedoids", "gaussian_mixture", "spectral_clustering"] = "kmeans",
    n_clusters: Iterable[int] = range(2, 9),
    *,
    reference: Source | None = None,
    labels: Source | None = None,
    mask: Source | None = None,
    spacing: tuple[float, ...] | None = None,
    channel_axis: int | None = None,
    rng: int = 0,
    progress: Progress = SILENT,
    **settings: Any,
) -> ClusterSweep:
    """Cluster an image into each of several numbers of clusters and score the results.

    Parameters
    ----------
    image : (M, N[, P]) array, Image or path
    method : str
        Id of a method with a setting `n_clusters`.
    n_clusters : iterable of int
        Numbers to try.
    reference : (M, N[, P]) array, Segmentation or path, optional
        Classes to compare with, for Dice; not an input of the method.
    labels, mask : (M, N[, P]) array, Segmentation or path, optional
        Inputs of the method: regions, and voxels that count.
    spacing : tuple of float, optional
        Voxel size per spatial axis for a bare array.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int
        Seed of the method and of the voxels that the silhouette is taken from.
    progress : callable
        Called with (fraction, message); raises `Cancelled` to stop.
    **settings
        Further settings of the method.

    Returns
    -------
    ClusterSweep
        Each result is exactly what ``jobs.run`` gives for that number.

    Raises
    ------
    ParameterError
        If the method has no setting `n_clusters`, or no number is given.
    SegSuiteError
        As `jobs.run`.

    Examples
    --------
    >>> image = np.array([[9.0, 10, 11, 12], [49, 50, 51, 52], [89, 90, 91, 92]])
    >>> sweep = sweep_clusters(image, n_clusters=range(2, 5))
    >>> sweep.suggested, [round(row.inertia) for row in sweep.rows]
    (3, [3215, 15, 11])
    """
    numbers = list(n_clusters)
    _check(method, numbers)
    picture = as_image(image, spacing, channel_axis)
    axis = picture.space.channel_axis
    channels = (picture.data,) if axis is None else tuple(np.moveaxis(picture.data, axis, 0))
    expected = None if reference is None else label_input(reference).data
    allowed = None if mask is None else label_input(mask).data
    rows, found = [], []
    for i, number in enumerate(numbers):
        result = jobs.run(
            method,
            picture,
            labels=labels,
            mask=mask,
            rng=rng,
            progress=part_of(progress, i / len(numbers), (i + 1) / len(numbers)),
            n_clusters=number,
            **settings,
        )
        assigned = cast("Segmentation", result).labels
        scores = score_clusters(number, assigned, channels, np.random.default_rng(rng))
        if expected is not None:
            scores = replace(scores, dice=_dice(assigned, expected, allowed))
        rows.append(scores)
        found.append(assigned)
    return ClusterSweep(rows, np.stack(found), picture.space.without("channel"))


def _check(method: str, numbers: list[int]) -> None:
    if not numbers:
        raise ParameterError(
            "Number of clusters: expected at least one number to try, got none; give for "
            "instance range(2, 9).",
            name="n_clusters",
        )
    if "n_clusters" not in [param.name for param in get_method(method).params]:
        raise ParameterError(
            f"Number of clusters: expected a method with a setting 'n_clusters', got {method!r}; "
            "choose for instance 'kmeans'.",
            name="method",
        )


def _dice(labels: LabelArray, reference: ImageArray, mask: ImageArray | None) -> float:
    """Mean Dice of the foreground classes, with clusters named to suit the reference best."""
    if reference.shape != labels.shape:
        raise InputError(
            f"Number of clusters: expected a reference of the image's shape {labels.shape}, got "
            f"{reference.shape}; put it on the grid of the image."
        )
    if mask is not None:
        labels, reference = labels[mask != 0], reference[mask != 0]
    named = rename_labels(labels, match_labels(labels, reference))
    return evaluate(named, reference).mean["dice"]


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.4g}"
