"""Diagrams in the colours of the viewer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari.utils.theme import get_theme
from qtpy.compat import isalive
from qtpy.QtCore import QSize
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QSizePolicy

from ..errors import FormatError
from ..io.atomic import atomic_path

if TYPE_CHECKING:
    from napari.components import ViewerModel

Draw = Callable[["ThemedPlot"], None]

SMALL = 7
_WIDTH = 320
_LEAST_WIDTH = 280
_HEIGHT = 110
_PICTURES = (".png", ".svg", ".pdf")
_DPI = 200
_LEGEND_COLUMNS = 3
_NAME_LETTERS = 16


class ThemedPlot(FigureCanvasQTAgg):
    """A canvas that draws what it is given, and draws it again in other colours.

    Attributes
    ----------
    paper, ink : str
        Colours of what is behind, and of lines and text.
    """

    def __init__(self) -> None:
        super().__init__(Figure(layout="constrained"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_HEIGHT)
        self.paper, self.ink = "black", "white"
        self._draw: Draw = lambda _plot: None

    def sizeHint(self) -> QSize:
        """Room for a dock's width, not for a page."""
        return QSize(_WIDTH, self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        """Room for numbers that do not lie over each other."""
        return QSize(_LEAST_WIDTH, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the new size, unless a dock without room has left none: nothing fits that."""
        if not event.size().isEmpty():
            super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Render what was drawn out of sight, which would only have held up the viewer."""
        super().showEvent(event)
        self.draw_idle()

    def follow(self, viewer: ViewerModel) -> None:
        """Take the colours of a viewer's theme, now and whenever it changes."""
        self._viewer = viewer
        # napari's emitters drop whoever is gone by themselves.
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()

    def set_colours(self, paper: str, ink: str) -> None:
        """Draw in these colours from now on."""
        self.paper, self.ink = paper, ink
        self._redraw()

    def show_drawing(self, draw: Draw) -> None:
        """Draw something in place of what was there.

        Parameters
        ----------
        draw : callable
            Draws into the empty figure of this plot; called again for other colours.
        """
        self._draw = draw
        self._redraw()

    def name_lines(self, names: Sequence[str]) -> None:
        """Say above the axes which line is which, in the order they were drawn in.

        Parameters
        ----------
        names : sequence of str
            One per line, from the first.
        """
        lines = self.figure.axes[0].lines[: len(names)]
        self.figure.legend(
            lines,
            [shortened(name) for name in names],
            loc="outside upper center",
            ncols=_LEGEND_COLUMNS,
            frameon=False,
            fontsize=SMALL,
            handlelength=1,
            columnspacing=1,
        )

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Write what is drawn to a file, in black on white.

        Parameters
        ----------
        path : path
            PNG, SVG or PDF; the file appears whole or not at all.

        Raises
        ------
        FormatError
            If the name ends otherwise, or the file cannot be written.
        """
        if Path(path).suffix.lower() not in _PICTURES:
            raise FormatError(
                f"expected a file name that ends with {', '.join(_PICTURES)}, "
                f"got {Path(path).name}; choose one of these"
            )
        shown = self.paper, self.ink
        self.set_colours("white", "black")
        try:
            with atomic_path(path) as scratch:
                self.figure.savefig(scratch, dpi=_DPI)
        finally:
            self.set_colours(*shown)

    def _on_theme(self, _event: Any = None) -> None:
        if isalive(self):
            theme = get_theme(self._viewer.theme)
            self.set_colours(theme.background.as_hex(), theme.text.as_hex())

    def _redraw(self) -> None:
        self.figure.clear()
        self.figure.set_facecolor(self.paper)
        self._draw(self)
        for axes in self.figure.axes:
            self._dress(axes)
        self._dress_legends()
        if self.isVisible():
            self.draw_idle()

    def _dress(self, axes: Any) -> None:
        axes.set_facecolor(self.paper)
        axes.spines[:].set_color(self.ink)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set(color=self.ink, fontsize=SMALL)
        for axis in (axes.xaxis, axes.yaxis):
            size = axis.get_tick_params().get("labelsize", SMALL)
            axis.set_tick_params(colors=self.ink, labelsize=size)
            axis.get_offset_text().set(color=self.ink, fontsize=SMALL)

    def _dress_legends(self) -> None:
        inside = (axes.get_legend() for axes in self.figure.axes)
        for legend in (*self.figure.legends, *inside):
            if legend is not None:
                legend.get_frame().set(facecolor=self.paper, edgecolor=self.ink)
                for text in legend.get_texts():
                    text.set(color=self.ink, fontsize=SMALL)


def shortened(name: str, letters: int = _NAME_LETTERS) -> str:
    """A name of at most so many letters."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"
