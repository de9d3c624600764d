"""Objects of a report as the rows of a table that can be sorted and filtered."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt

from ...metrics import Report
from ...metrics.objects.rows import ObjectRow
from ...metrics.tables import shown

_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WORDS = (0, 1)
_HEADS = (
    ("Object", "Whose object it is, and its label. A matched pair has one line."),
    ("Status", "Matched, missed, spurious, or split, merged or a part of one that is."),
    ("IoU", "With the match, else with the object that overlaps best."),
    ("Dice", "With the match, else with the object that overlaps best."),
    ("Size", "Volume, or area in 2D."),
    ("Match", "Label of the predicted object that it shares an IoU above 0.5 with."),
)
_KEYS: tuple[Callable[[ObjectRow], Any], ...] = (
    lambda row: (row.role != "reference", row.label),
    lambda row: row.status,
    lambda row: row.iou,
    lambda row: row.dice,
    lambda row: row.size,
    lambda row: row.match,
)


class ObjectTable(QAbstractTableModel):
    """One line per object; a matched pair has the line of its reference object.

    Attributes
    ----------
    rows : tuple of ObjectRow
        The lines, as they are sorted and filtered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[ObjectRow, ...] = ()
        self._all: tuple[ObjectRow, ...] = ()
        self._voxel, self._unit = 1.0, "voxels"
        self._status = ""
        self._order = (0, Qt.SortOrder.AscendingOrder)

    def show_report(self, report: Report | None) -> None:
        """Show the objects of a report in place of those before."""
        found = () if report is None or report.instances is None else report.instances.objects
        self._all = tuple(row for row in found if row.role == "reference" or not row.match)
        if report is not None:
            self._voxel, self._unit = math.prod(report.spacing), report.unit
        self._arrange()

    def show_status(self, status: str) -> None:
        """Show objects of one status alone; "" for all."""
        self._status = status
        self._arrange()

    def sort(self, column: int, order: Any = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; equal ones by their label."""
        self._order = (column, order)
        self._arrange()

    def rowCount(self, _parent: QModelIndex | None = None) -> int:
        """Number of lines."""
        return len(self.rows)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:
        """Number of things said of each object."""
        return len(_HEADS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Titles, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        title, help_text = _HEADS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{title} ({self._unit})" if title == "Size" else title
        return help_text if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """What a cell shows."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._texts(self.rows[index.row()])[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return None if index.column() in _WORDS else _RIGHT
        return None

    def _texts(self, row: ObjectRow) -> tuple[str, ...]:
        match = str(row.match) if row.match else "–"
        size = shown(row.size * self._voxel)
        name = f"{row.role} {row.label}"
        return name, row.status, f"{row.iou:.3f}", f"{row.dice:.3f}", size, match

    def _arrange(self) -> None:
        column, order = self._order
        self.beginResetModel()
        rows = (row for row in self._all if self._status in ("", row.status))
        ordered = sorted(rows, key=_KEYS[0])
        ordered.sort(key=_KEYS[column], reverse=order == Qt.SortOrder.DescendingOrder)
        self.rows = tuple(ordered)
        self.endResetModel()
