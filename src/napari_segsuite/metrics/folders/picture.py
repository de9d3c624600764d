"""The picture of a folder's evaluation: box plots with a point for each case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ParameterError
from ...image import CLASS_COLOURS
from ..metric import Metric
from ..pictures import check_picture, write_picture
from ..report import Report
from ..statistics.bootstrap import Values
from .summary import MEAN, WHOLE, name_of, scopes, units_of, values_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES_PER_BOX, _LEAST_INCHES, _HEIGHT = 0.55, 3.2, 3.0
_MOST_IN_A_ROW, _LEAST_BOXES, _MOST_LETTERS = 3, 3, 14
_SPREAD = 0.16
_GREY = "0.35"


def draw(path: Path, reports: Mapping[str, Report], metrics: Sequence[str]) -> None:
    """Draw what `FolderReport.plot` says; see there.

    Parameters
    ----------
    path : Path
    reports : mapping of str to Report
        By case.
    metrics : sequence of str
        One plot each.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_picture(path)
    chosen = _chosen(metrics, reports)
    n_columns = min(_MOST_IN_A_ROW, len(chosen))
    n_rows = math.ceil(len(chosen) / n_columns)
    n_boxes = max(len(_foreground(metric, reports)) for metric in chosen)
    width = max(_LEAST_INCHES, _INCHES_PER_BOX * n_boxes + 1)
    figure = Figure(figsize=(n_columns * width, n_rows * _HEIGHT), layout="constrained")
    FigureCanvasAgg(figure)
    for place, metric in enumerate(chosen, 1):
        draw_metric(figure.add_subplot(n_rows, n_columns, place), metric, reports)
    write_picture(figure, path)


def _chosen(metrics: Sequence[str], reports: Mapping[str, Report]) -> list[Metric]:
    known = {m.name: m for report in reports.values() for m in report.metrics}
    unknown = [name for name in metrics if name not in known]
    if unknown or not metrics:
        raise ParameterError(
            f"expected metrics among {', '.join(known) or 'none, as no case has a report'}; got "
            f"{', '.join(unknown) or 'none'}; choose some that were measured",
            name="metrics",
        )
    return [known[name] for name in metrics]


def _foreground(metric: Metric, reports: Mapping[str, Report]) -> list[str]:
    """Classes without the background, then their mean."""
    found = [scope for scope in scopes(metric, reports) if scope != "0"]
    return [scope for scope in found if scope != MEAN or len(found) > 2]


def draw_metric(axes: Axes, metric: Metric, reports: Mapping[str, Report]) -> None:
    """Draw a box with its points for each class, and for their mean.

    Parameters
    ----------
    axes : Axes
    metric : Metric
    reports : mapping of str to Report
        By case.
    """
    axes.set_title(metric.title, fontsize=10)
    units = units_of(metric, reports)
    if len(units) > 1:
        note = f"cases are in {' and '.join(units)}"
        axes.text(0.5, 0.5, note, ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    shown = _foreground(metric, reports)
    for place, scope in enumerate(shown):
        values = values_of(metric, scope, reports)
        _draw_box(axes, place, values[~np.isnan(values)], _colour(scope))
    _name_boxes(axes, [_label(metric, scope, reports) for scope in shown])
    axes.set_ylabel("".join(units))
    if metric.limits is not None:
        low, high = metric.limits
        margin = 0.03 * (high - low)
        axes.set_ylim(low - margin, high + margin)


def _name_boxes(axes: Axes, labels: Sequence[str]) -> None:
    """Name the boxes below them, aslant where there is no room beside each other."""
    is_long = len(labels) > 1 and max(map(len, labels)) > _MOST_LETTERS
    turned: dict[str, Any] = (
        {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
    )
    axes.set_xticks(range(len(labels)), labels, fontsize=8, **turned)
    middle, half = (len(labels) - 1) / 2, max(len(labels), _LEAST_BOXES) / 2 + 0.1
    axes.set_xlim(middle - half, middle + half)


def _draw_box(axes: Axes, place: int, values: Values, colour: tuple[float, ...] | str) -> None:
    if not values.size:
        return
    line = {"color": _GREY}
    axes.boxplot(
        [values],
        positions=[place],
        widths=0.6,
        showfliers=False,  # every case is a point
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": "black"},
    )
    # Side by side in the order of cases: random places would differ from picture to picture.
    aside = _SPREAD * np.sin(2.4 * np.arange(values.size))
    axes.scatter(place + aside, values, s=12, color=colour, alpha=0.7, linewidths=0, zorder=3)


def _colour(scope: str) -> tuple[float, ...] | str:
    if scope in (MEAN, WHOLE):
        return _GREY
    return CLASS_COLOURS[(int(scope) - 1) % len(CLASS_COLOURS)][:3]


def _label(metric: Metric, scope: str, reports: Mapping[str, Report]) -> str:
    values = values_of(metric, scope, reports)
    title = "image" if scope == WHOLE else name_of(scope, reports) or scope
    return f"{title}\n(n = {np.count_nonzero(~np.isnan(values))})"
