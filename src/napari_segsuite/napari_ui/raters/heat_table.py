"""A square of numbers between names, coloured by how high they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from ...image import CLASS_COLOURS
from ...metrics.tables import shown

_PALE = np.array((1.0, 1.0, 1.0))
_FULL = np.array(CLASS_COLOURS[4][:3])
# How bright red, green and blue look.
_BRIGHTNESS = np.array((0.299, 0.587, 0.114))
_COLUMN_WIDTH = 64
# Longer names end in dots; tooltips have them in full.
_LETTERS_ABOVE, _LETTERS_BESIDE = 9, 16
_ROW_HEIGHT = 24
_MOST_ROWS = 8


class HeatTable(QTableWidget):
    """Values of pairs, from white for the lowest there can be to blue for the highest."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.horizontalHeader().setDefaultSectionSize(_COLUMN_WIDTH)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)

    def show_values(
        self, names: Sequence[str], values: NDArray[np.float64], limits: tuple[float, float]
    ) -> None:
        """Show the values of all pairs.

        Parameters
        ----------
        names : sequence of R str
        values : (R, R) float array
            NaN where there is none.
        limits : (float, float)
            Values that are white and blue.
        """
        self.setRowCount(len(names))
        self.setColumnCount(len(names))
        for i, first in enumerate(names):
            self.setHorizontalHeaderItem(i, _head(first, _LETTERS_ABOVE))
            self.setVerticalHeaderItem(i, _head(first, _LETTERS_BESIDE))
            for j, second in enumerate(names):
                cell = _cell(float(values[i, j]), limits)
                cell.setToolTip(f"{first} and {second}: {shown(float(values[i, j]))}")
                self.setItem(i, j, cell)
        self.setMinimumHeight(_ROW_HEIGHT * (min(len(names), _MOST_ROWS) + 2))


def _head(name: str, n_letters: int) -> QTableWidgetItem:
    head = QTableWidgetItem(name if len(name) <= n_letters else f"{name[: n_letters - 1]}…")
    head.setToolTip(name)
    return head


def _cell(value: float, limits: tuple[float, float]) -> QTableWidgetItem:
    cell = QTableWidgetItem(shown(value))
    if not np.isnan(value):
        colour = _colour(value, limits)
        cell.setBackground(QColor.fromRgbF(*colour))
        cell.setForeground(QColor("white" if _BRIGHTNESS @ colour < 0.5 else "black"))
    return cell


def _colour(value: float, limits: tuple[float, float]) -> NDArray[np.float64]:
    low, high = limits
    share = np.clip((value - low) / (high - low), 0, 1)
    colour: NDArray[np.float64] = _PALE + share * (_FULL - _PALE)
    return colour
