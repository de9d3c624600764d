"""The rows of a class table as Qt shows them: a model, and how its cells are painted."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from napari.resources import get_icon_path
from qtpy.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from qtpy.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QTableView, QWidget

from ..image import LabelClass
from .class_counts import Counts, VoxelVolume, amount_text

if TYPE_CHECKING:
    from .layer_classes import LayerClasses

_ICON_SIZE = 16
_FAINT = 0.35
_DIM = 0.7
_USUAL_WIDTH = 320
_FEWEST_ROWS, _MOST_ROWS = 3, 10
_EMPTY = "No classes yet: press Add, or paint."
_MOST_KEYS = 9
_DIGITS = range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)


class Column(IntEnum):
    """The columns, in order."""

    COLOUR = 0
    ID = 1
    NAME = 2
    VOXELS = 3
    VOLUME = 4
    VISIBLE = 5
    LOCKED = 6


_TITLES = {Column.ID: "ID", Column.NAME: "Name", Column.VOXELS: "Voxels", Column.VOLUME: "Volume"}
_ABOUT = {
    Column.COLOUR: "Colour of the class; click a swatch to choose another.",
    Column.ID: "Value in the labels; keys 1 to 9 choose the class of that id for painting.",
    Column.NAME: "Name of the class; double-click or press F2 to change it.",
    Column.VOXELS: "How many voxels the class has.",
    Column.VOLUME: "What the voxels of the class take up.",
    Column.VISIBLE: "Whether the class is shown; click here to show or hide all.",
    Column.LOCKED: "Locked classes keep their voxels when others grow; click here to lock or "
    "unlock all.",
}
_ICONS = {
    Column.VISIBLE: {True: "visibility", False: "visibility_off"},
    Column.LOCKED: {True: "lock", False: "lock_open"},
}
_NUMBERS = (Column.ID, Column.VOXELS, Column.VOLUME)


class ClassRows(QAbstractTableModel):
    """The classes of layers, one a row.

    Parameters
    ----------
    classes : LayerClasses
    parent : QObject
    """

    def __init__(self, classes: LayerClasses, parent: QObject) -> None:
        super().__init__(parent)
        self._classes = classes
        self._shown: tuple[LabelClass, ...] = ()
        self._counts: Counts | None = None
        self._volume: VoxelVolume | None = None
        self._header_icons: dict[Column, QIcon] = {}

    def refresh(self) -> None:
        """Show the table as it is now."""
        classes = self._classes.classes
        if [entry.id for entry in self._shown] == [entry.id for entry in classes]:
            self._shown = classes
            self._tell(Column.COLOUR, Column.LOCKED)
        else:
            self.beginResetModel()
            self._shown = classes
            self.endResetModel()

    def set_amounts(self, counts: Counts | None, volume: VoxelVolume | None) -> None:
        """Show these voxels by label, and volumes with a voxel of that size; None if unknown."""
        self._counts = counts
        largest = max((counts or {}).values(), default=0)
        self._volume = None if volume is None else volume.readable(largest)
        self._tell(Column.VOXELS, Column.VOLUME)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, Column.VOLUME, Column.VOLUME)

    def set_header_colour(self, colour: QColor) -> None:
        """Draw the icons above the columns in this colour."""
        self._header_icons = {
            column: tinted_icon(names[True], colour) for column, names in _ICONS.items()
        }
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, Column.VISIBLE, Column.LOCKED)

    def entry(self, row: int) -> LabelClass:
        """The class of a row."""
        return self._shown[row]

    def row_of(self, index: int) -> int | None:
        """The row of a class, None if it has none."""
        ids = [entry.id for entry in self._shown]
        return ids.index(index) if index in ids else None

    def count_of(self, index: int) -> int:
        """Voxels of a class, as far as they were counted."""
        return (self._counts or {}).get(index, 0)

    # --- what Qt asks -----------------------------------------------------------------
    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Qt: number of classes."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:
        """Qt: number of columns."""
        return len(Column)

    def flags(self, index: QModelIndex) -> Any:
        """Qt: what can be done with a cell."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == Column.NAME else flags

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Qt: title, icon and explanation of a column."""
        if orientation == Qt.Orientation.Vertical:
            return None
        column = Column(section)
        if role == Qt.ItemDataRole.DisplayRole:
            if column is Column.VOLUME and self._volume is not None:
                return self._volume.unit
            return _TITLES.get(column, "")
        if role == Qt.ItemDataRole.ToolTipRole:
            return _ABOUT[column]
        if role == Qt.ItemDataRole.DecorationRole:
            return self._header_icons.get(column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: content of a cell."""
        entry, column = self._shown[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, column)
        if role == Qt.ItemDataRole.EditRole and column is Column.NAME:
            return entry.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._about(entry, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._about(entry, column) or self._text(entry, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Qt: rename a class."""
        name = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or index.column() != Column.NAME or not name:
            return False
        self._classes.edit(self._shown[index.row()].id, name=name)
        return True

    def _text(self, entry: LabelClass, column: Column) -> str:
        if column is Column.ID:
            return str(entry.id)
        if column is Column.NAME:
            return entry.name
        if column is Column.VOXELS and self._counts is not None:
            return amount_text(self.count_of(entry.id))
        if column is Column.VOLUME and self._counts is not None and self._volume is not None:
            return amount_text(self.count_of(entry.id) * self._volume.size)
        return "–" if column in (Column.VOXELS, Column.VOLUME) else ""

    def _about(self, entry: LabelClass, column: Column) -> str:
        if column is Column.COLOUR:
            return f"Colour of {entry.name}; click to choose another."
        if column is Column.VISIBLE:
            return f"{entry.name} is {'shown' if entry.visible else 'hidden'}; click to change."
        if column is Column.LOCKED:
            return f"{entry.name} is {'locked' if entry.locked else 'not locked'}; click to change."
        if column in (Column.ID, Column.NAME):
            key = f", or press {entry.id}" if entry.id <= _MOST_KEYS else ""
            return f"{entry.name}: click{key} to paint with it."
        return ""

    def _tell(self, first: Column, last: Column) -> None:
        if self._shown:
            corner = self.index(len(self._shown) - 1, last)
            self.dataChanged.emit(self.index(0, first), corner)


class ClassCells(QStyledItemDelegate):
    """Paints swatches, eyes and locks."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._icons: dict[tuple[str, int], QIcon] = {}

    def paint(self, painter: QPainter, option: Any, index: QModelIndex) -> None:
        """Qt: paint a cell."""
        super().paint(painter, option, index)
        column = Column(index.column())
        entry = index.model().entry(index.row())
        text_colour = option.widget.palette().color(QPalette.ColorRole.Text)
        painter.save()
        if column is Column.COLOUR:
            _paint_swatch(painter, option.rect, entry, text_colour)
        elif column in _ICONS:
            is_on = entry.visible if column is Column.VISIBLE else entry.locked
            # What is as usual stays in the background, so that the rest stands out.
            is_unusual = is_on == (column is Column.LOCKED)
            painter.setOpacity(1.0 if is_unusual else _FAINT)
            self._icon(_ICONS[column][is_on], text_colour).paint(painter, option.rect)
        painter.restore()

    def _icon(self, name: str, colour: QColor) -> QIcon:
        key = name, colour.rgba()
        if key not in self._icons:
            self._icons[key] = tinted_icon(name, colour)
        return self._icons[key]


class ClassView(QTableView):
    """The table on screen; digits are left to the window, where they choose classes."""

    def __init__(self, rows: ClassRows, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(rows)
        self.setItemDelegate(ClassCells(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ICON_SIZE + 10)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setMinimumSectionSize(_ICON_SIZE + 8)
        for column in Column:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)

    def selectionCommand(self, index: QModelIndex, event: QEvent | None = None) -> Any:
        """Qt: a click on an eye or a lock does not choose the class."""
        is_click = event is not None and event.type() in _CLICKS
        if is_click and index.isValid() and index.column() in _ICONS:
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return super().selectionCommand(index, event)

    def sizeHint(self) -> QSize:
        """Qt: room for all rows, up to some."""
        return QSize(_USUAL_WIDTH, self._height_of(min(self.model().rowCount(), _MOST_ROWS)))

    def minimumSizeHint(self) -> QSize:
        """Qt: room for a few rows."""
        return QSize(0, self._height_of(0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: say what to do while there is nothing to see."""
        super().paintEvent(event)
        if self.model().rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setOpacity(_DIM)
            place = self.viewport().rect().adjusted(0, _ICON_SIZE, 0, 0)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, _EMPTY)

    def _takes_text(self, index: QModelIndex) -> bool:
        # The key that ends an edit comes here, too, once the editor is done with it.
        is_editing = self.state() == QAbstractItemView.State.EditingState
        return bool(is_editing or index.column() == Column.NAME)

    def _height_of(self, n_rows: int) -> int:
        rows = max(n_rows, _FEWEST_ROWS) * self.verticalHeader().defaultSectionSize()
        return int(self.horizontalHeader().sizeHint().height() + rows + 2 * self.frameWidth())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Space and Enter do what a click on the cell does."""
        index = self.currentIndex()
        if event.key() in _DIGITS and not event.modifiers():
            event.ignore()
        elif event.key() in _ACTING and index.isValid() and not self._takes_text(index):
            self.clicked.emit(index)
        else:
            super().keyPressEvent(event)


_CLICKS = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.MouseMove,
)
_ACTING = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


def tinted_icon(name: str, colour: QColor) -> QIcon:
    """One of napari's icons in a colour."""
    picture = QIcon(get_icon_path(name)).pixmap(_ICON_SIZE, _ICON_SIZE)
    painter = QPainter(picture)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(picture.rect(), colour)
    painter.end()
    return QIcon(picture)


def swatch_colour(entry: LabelClass) -> QColor:
    """The colour of a class, as Qt has it."""
    return QColor.fromRgbF(*(entry.colour or (0.5, 0.5, 0.5, 1.0)))


def _paint_swatch(painter: QPainter, cell: QRect, entry: LabelClass, text_colour: QColor) -> None:
    """A filled square, or an empty frame where the class is hidden."""
    colour = swatch_colour(entry)
    square = QRectF(0, 0, _ICON_SIZE - 2, _ICON_SIZE - 2)
    square.moveCenter(QRectF(cell).center())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 2))
    if entry.visible:
        # Some colours are the selected row's own: the frame keeps them apart.
        frame = QColor(text_colour)
        frame.setAlphaF(_FAINT)
        painter.setPen(QPen(frame, 1))
        painter.setBrush(colour)
    painter.drawRoundedRect(square, 3, 3)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    if column in _NUMBERS:
        return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    if column is Column.NAME:
        return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    return Qt.AlignmentFlag.AlignCenter
