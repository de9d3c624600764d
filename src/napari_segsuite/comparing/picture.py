"""The picture of a comparison: one slice with each result on it, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..image import CLASS_COLOURS, RGBA, Image, Segmentation
from ..io.atomic import atomic_path
from ..label_values import present_labels
from .report import Comparison, Row, shown, value_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PAPER, _INK, _FAINT = "black", "#f2f4f7", "#98a2b3"
_INCHES = 3.0
_DPI = 110
_ALPHA = 0.5
# More labels than that are objects or superpixels: their borders tell more than colours.
_MOST_FILLED = 12
_BORDER: RGBA = (1.0, 0.85, 0.1, 0.6)


def draw(path: Path, comparison: Comparison, slice_index: int | None = None) -> None:
    """Draw the image, the reference and each result in a grid, and write the picture.

    Parameters
    ----------
    path : Path
        PNG file; it appears whole or not at all.
    comparison : Comparison
    slice_index : int, optional
        Slice along the first axis of a volume, by default the middle one.

    Raises
    ------
    InputError
        If there is no such slice.
    FormatError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    index = slice_of(comparison.image, slice_index)
    panels = _panels(comparison)
    columns = math.ceil(math.sqrt(len(panels)))
    lines = math.ceil(len(panels) / columns)
    height = _aspect(comparison.image) * _INCHES + 0.6
    figure = Figure(
        figsize=(columns * _INCHES, lines * height), facecolor=_PAPER, layout="constrained"
    )
    FigureCanvasAgg(figure)
    for place, (title, facts, labels) in enumerate(panels, 1):
        axes = figure.add_subplot(lines, columns, place)
        axes.set_title(_wrapped(title), color=_INK, fontsize=10, pad=14)
        axes.text(0.5, 1.02, facts, color=_FAINT, fontsize=8, ha="center", transform=axes.transAxes)
        _show(axes, comparison.image, index, labels)
    with atomic_path(path) as scratch:
        figure.savefig(scratch, dpi=_DPI, facecolor=_PAPER)


def slice_of(image: Image, slice_index: int | None = None) -> int | None:
    """Index of the slice to draw along the first axis of a volume, by default the middle one.

    None for an image of two axes.

    Raises
    ------
    InputError
        If there is no such slice.
    """
    n, *rest = image.spatial_shape
    if len(rest) < 2:
        return None
    index = n // 2 if slice_index is None else slice_index
    if not 0 <= index < n:
        raise InputError(f"expected a slice from 0 to {n - 1}, got {index}; choose one of these")
    return index


def _panels(comparison: Comparison) -> list[tuple[str, str, Segmentation | None]]:
    """Title, key numbers and labels of each."""
    panels: list[tuple[str, str, Segmentation | None]] = [(comparison.image.name, "", None)]
    if comparison.reference is not None:
        panels.append(("Reference", "", comparison.reference))
    rows = (row for row in comparison.rows if row.name in comparison.results)
    return panels + [
        (row.name, _facts(comparison, row), comparison.results[row.name]) for row in rows
    ]


def _facts(comparison: Comparison, row: Row) -> str:
    facts = [f"{shown(row.seconds)} s", f"{row.n_labels} label{'' if row.n_labels == 1 else 's'}"]
    if row.report is not None:
        metric = comparison.metrics[0]
        facts.append(f"{metric.title} {shown(value_of(row, metric))}")
    return ", ".join(facts)


def _aspect(image: Image) -> float:
    """Height of a slice over its width."""
    rows, columns = image.spatial_shape[-2:]
    dy, dx = image.space.spacing[-2:]
    return float(np.clip(rows * dy / (columns * dx), 0.3, 3.0))


def _show(axes: Axes, image: Image, index: int | None, labels: Segmentation | None) -> None:
    dy, dx = image.space.spacing[-2:]
    rows, columns = image.spatial_shape[-2:]
    # In scanner space the second axis points to the front, which is drawn upwards.
    origin = "lower" if index is not None and image.space.unit == "mm" else "upper"
    extent = (0, columns * dx, 0, rows * dy)
    options: Mapping[str, Any] = {"origin": origin, "extent": extent}
    axes.imshow(_seen(image, index), cmap="gray", **options)
    if labels is not None and labels.labels.ndim == len(image.spatial_shape):
        overlay = _overlay(labels, labels.labels if index is None else labels.labels[index])
        axes.imshow(overlay, interpolation="nearest", **options)
    axes.set_facecolor(_PAPER)
    axes.set_axis_off()


def _seen(image: Image, index: int | None) -> NDArray[Any]:
    """The slice in grey, or in colour where there are three channels."""
    data, channels = image.data, image.space.channel_axis
    if channels is not None:
        data = np.moveaxis(data, channels, -1)
    plane = np.asarray(data if index is None else data[index], dtype=np.float64)
    if channels is not None and plane.shape[-1] not in (3, 4):
        plane = plane[..., 0]
    finite = plane[np.isfinite(plane)]
    low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
    scaled = (np.nan_to_num(plane, nan=low) - low) / max(high - low, 1e-12)
    clipped: NDArray[Any] = np.clip(scaled, 0, 1)
    return clipped if plane.ndim == 2 else clipped[..., :3]


def _overlay(labels: Segmentation, plane: NDArray[Any]) -> NDArray[Any]:
    """Colours of classes that are few, borders of objects that are many."""
    overlay = np.zeros((*plane.shape, 4))
    if len(labels.classes or present_labels(labels.labels)) > _MOST_FILLED:
        from skimage.segmentation import find_boundaries

        overlay[find_boundaries(plane, mode="inner")] = _BORDER
        return overlay
    colours = {entry.id: entry.colour for entry in labels.classes}
    for label in present_labels(plane):
        red, green, blue, alpha = colours.get(label) or _usual(label)
        overlay[plane == label] = (red, green, blue, _ALPHA * alpha)
    return overlay


def _usual(label: int) -> RGBA:
    return CLASS_COLOURS[(label - 1) % len(CLASS_COLOURS)]


def _wrapped(title: str, letters: int = 34) -> str:
    from textwrap import fill

    return fill(title, letters)
