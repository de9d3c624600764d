"""The table of classes: what to paint with, what is shown, how much there is of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import getopenfilename, getsavefilename, isalive
from qtpy.QtCore import QEvent, QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QHideEvent, QPalette, QShowEvent
from qtpy.QtWidgets import (
    QAction,
    QColorDialog,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..errors import SegSuiteError
from ..image import LabelClass
from ..io.class_tables import read_class_table, write_class_table
from .class_counts import Counts, VoxelCounter, VoxelVolume
from .class_rows import ClassRows, ClassView, Column, swatch_colour, tinted_icon
from .digit_keys import DigitKeys
from .form_parts import text_label
from .layer_classes import LayerClasses

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

_BUTTON_MARGIN = 16
_MOST_ADOPTED = 500
_FILTER = (
    "Class tables (*.csv *.label *.txt *.ctbl);;Table (*.csv);;"
    "ITK-SNAP label description (*.label *.txt);;3D Slicer colour table (*.ctbl)"
)


class ClassTable(QWidget):
    """The classes of the seeds and of the result, one a row.

    The table is kept in the layers themselves: names and states in their features, colours in
    their colormaps. It follows what is changed there.

    Parameters
    ----------
    viewer : Viewer or ViewerModel
    confirm : callable, optional
        Asks a question and returns whether the answer is yes; a message box by default.

    Attributes
    ----------
    chosen : signal of int
        A class was made the one to paint with, here or elsewhere.
    changed : signal
        The table is another one.
    locks_changed : signal
        Other classes than before are locked.
    """

    chosen = Signal(int)
    changed = Signal()
    locks_changed = Signal()

    def __init__(self, viewer: ViewerModel, confirm: Callable[[str], bool] | None = None) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._confirm = confirm or self._ask
        self._seeds: Labels | None = None
        self._result: Labels | None = None
        self._locked: tuple[int, ...] = ()
        self._chosen: int | None = None
        self._table = LayerClasses()
        self._rows = ClassRows(self._table, self)
        self._counter = VoxelCounter(self._viewer, self)
        self._keys = DigitKeys(self.choose)
        self.view = ClassView(self._rows, self)
        self.message = text_label()
        self._pictured: list[tuple[QPushButton, str]] = []
        self._lay_out()
        self._connect()
        self.set_layers(None)

    # --- what docks ask for -----------------------------------------------------------
    def set_layers(self, seeds: Labels | None, result: Labels | None = None) -> None:
        """Show the classes of these layers from now on.

        Voxels are those of the result, or of the seeds where there is none. They are counted
        in the background after each edit, until `update_counts` is called.

        Parameters
        ----------
        seeds : Labels or None
            What is painted into; its table holds for both.
        result : Labels, optional
        """
        self._stop_following_seeds()
        self._seeds, self._result = seeds, result
        if seeds is not None:
            seeds.events.selected_label.connect(self._on_selected_label)
        self._chosen = None if seeds is None else int(seeds.selected_label)
        volume = self._volume()
        self._rows.set_amounts(None, volume)
        self.view.setColumnHidden(Column.VOLUME, volume is None)
        self._table.attach(self._layers())
        self._counter.watch(self._layers())
        self._keys.bind(self._layers() if self.isVisible() else [])
        self.setEnabled(seeds is not None)

    def update_counts(self, labels: NDArray[Any] | Counts) -> None:
        """Show the voxels of these labels; for a dock that knows when they changed.

        Parameters
        ----------
        labels : (M, N[, P]) array of integers, or mapping of int to int
            An array is counted in the background, and must not change its shape meanwhile;
            a mapping has the voxels of each class.
        """
        self._counter.stop()
        if isinstance(labels, Mapping):
            self._counter.cancel()
            self._show_counts([labels])
        else:
            self._counter.count([np.asarray(labels)])

    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in ascending order of id."""
        return self._table.classes

    def locked_classes(self) -> tuple[int, ...]:
        """Ids of the classes whose voxels are to stay as they are."""
        return self._locked

    def choose(self, index: int) -> None:
        """Paint with a class of the table; ids that are not in it are passed over."""
        if self._seeds is None or self._table.get(index) is None:
            return
        largest = np.iinfo(self._seeds.dtype).max
        if index > largest:
            self._say(
                f"'{self._seeds.name}' holds ids up to {largest}, not {index}; right-click the "
                "layer and convert its data type."
            )
        else:
            self._seeds.selected_label = index

    def current(self) -> LabelClass | None:
        """The class to paint with, None if the table does not have it."""
        return None if self._seeds is None else self._table.get(int(self._seeds.selected_label))

    def _current_row(self) -> int | None:
        entry = self.current()
        return None if entry is None else self._rows.row_of(entry.id)

    # --- what the buttons do ----------------------------------------------------------
    def add(self) -> None:
        """Add a class and paint with it; its name can be typed at once."""
        self.choose(self._table.add().id)
        self.rename()

    def rename(self) -> None:
        """Edit the name of the current class in its row."""
        row = self._current_row()
        if row is not None:
            self.view.edit(self._rows.index(row, Column.NAME))

    def recolour(self) -> None:
        """Choose another colour for the current class."""
        entry = self.current()
        if entry is not None:
            self._choose_colour(entry)

    def remove(self) -> None:
        """Take the current class off the table, and its seeds with it, if that is confirmed."""
        entry = self.current()
        if entry is None or self._seeds is None:
            return
        painted: tuple[NDArray[np.intp], ...] = ()
        if isinstance(self._seeds.data, np.ndarray):
            painted = np.nonzero(self._seeds.data == entry.id)
        if painted and painted[0].size:
            question = (
                f"{painted[0].size} voxels of '{self._seeds.name}' are painted as "
                f"'{entry.name}'. Erase them? Undo brings them back."
            )
            if not self._confirm(question):
                return
            self._seeds.data_setitem(painted, 0)
        row = self._current_row()
        self._table.remove(entry.id)
        if self.classes():
            self.choose(self._rows.entry(min(row or 0, len(self.classes()) - 1)).id)

    def load(self) -> None:
        """Replace the table by one from a file; classes with voxels stay."""
        path, _ = getopenfilename(self, "Load a class table", "", _FILTER)
        if path:
            self._try(lambda: self._put(read_class_table(path)))

    def save(self) -> None:
        """Write the table to a file."""
        path, _ = getsavefilename(self, "Save the class table", "classes.csv", _FILTER)
        if path:
            self._try(lambda: write_class_table(path, self.classes()))

    def _put(self, classes: tuple[LabelClass, ...]) -> None:
        loaded = {entry.id for entry in classes}
        kept = [e for e in self.classes() if e.id not in loaded and self._rows.count_of(e.id)]
        self._table.put([*classes, *kept])

    def _try(self, work: Callable[[], None]) -> None:
        self._say("")
        try:
            work()
        except SegSuiteError as error:
            self._say(str(error))

    def _say(self, text: str) -> None:
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _ask(self, question: str) -> bool:
        answer = QMessageBox.question(self, "Remove class", question)
        return bool(answer == QMessageBox.StandardButton.Yes)

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(3)
        for title, icon, work, about, key in (
            ("Add", "plus", self.add, "Add a class with the next free id.", "Ins"),
            ("Remove", "minus", self.remove, "Remove the class; asks about its seeds.", "Del"),
            ("Rename", "", self.rename, "Give the class another name.", "F2"),
            ("Colour", "", self.recolour, "Give the class another colour.", ""),
            ("Load…", "", self.load, "Read names and colours: CSV, ITK-SNAP, 3D Slicer.", ""),
            ("Save…", "", self.save, "Write names and colours: CSV, ITK-SNAP, 3D Slicer.", ""),
        ):
            action = QAction(title, self)
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _checked=False, work=work: work())
            self.view.addAction(action)
            button = QPushButton("" if icon else title)
            # By itself a button is never narrower than many a dock has room for.
            width = (
                button.fontMetrics().horizontalAdvance(button.text()) or button.iconSize().width()
            )
            button.setMinimumWidth(width + _BUTTON_MARGIN)
            button.setAccessibleName(title)
            button.setToolTip(f"{about} ({key})" if key else about)
            button.clicked.connect(action.trigger)
            self._pictured += [(button, icon)] if icon else []
            buttons.addWidget(button, 0 if icon else 1)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.view)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
        self._say("")

    def _connect(self) -> None:
        self._table.changed.connect(self._on_table)
        self._counter.counted.connect(self._show_counts)
        self.view.clicked.connect(self._on_clicked)
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.view.horizontalHeader().sectionClicked.connect(self._on_header)
        self._viewer.layers.events.removed.connect(self._on_removed)
        self.destroyed.connect(partial(_release, self._table, self._counter, self._keys))

    def _layers(self) -> list[Labels]:
        return [layer for layer in (self._seeds, self._result) if layer is not None]

    def _stop_following_seeds(self) -> None:
        if self._seeds is not None:
            self._seeds.events.selected_label.disconnect(self._on_selected_label)

    # --- what happens -----------------------------------------------------------------
    def _on_table(self) -> None:
        self._rows.refresh()
        self._select_current_row()
        self.view.updateGeometry()
        self.changed.emit()
        locked = tuple(entry.id for entry in self._table.classes if entry.locked)
        if locked != self._locked:
            self._locked = locked
            self.locks_changed.emit()

    def _show_counts(self, counts: list[Counts]) -> None:
        """Show the last of these; what occurs in any of them gets a row."""
        known = {entry.id for entry in self._table.classes}
        new = sorted({index for part in counts for index in part} - known - {0})
        self._table.adopt(new[:_MOST_ADOPTED])
        if len(new) > _MOST_ADOPTED:
            self._say(f"{len(new) - _MOST_ADOPTED} further labels are not listed.")
        self._rows.set_amounts(counts[-1], self._volume())

    def _volume(self) -> VoxelVolume | None:
        return None if self._seeds is None else VoxelVolume.of(self._seeds)

    def _on_selected_label(self, _event: Any = None) -> None:
        if isalive(self) and self._seeds is not None:
            index = int(self._seeds.selected_label)
            if index != self._chosen:
                self._chosen = index
                self._select_current_row()
                self.chosen.emit(index)

    def _select_current_row(self) -> None:
        row = self._current_row()
        if row is None:
            self.view.clearSelection()
            return
        column = max(self.view.currentIndex().column(), Column.COLOUR)
        flags = QItemSelectionModel.SelectionFlag
        self.view.selectionModel().setCurrentIndex(
            self._rows.index(row, column), flags.ClearAndSelect | flags.Rows
        )

    def _on_selection(self, *_: Any) -> None:
        for index in self.view.selectionModel().selectedRows():
            self.choose(self._rows.entry(index.row()).id)

    def _on_clicked(self, index: QModelIndex) -> None:
        entry = self._rows.entry(index.row())
        if index.column() == Column.COLOUR:
            self._choose_colour(entry)
        elif index.column() == Column.VISIBLE:
            self._table.edit(entry.id, visible=not entry.visible)
        elif index.column() == Column.LOCKED:
            self._table.edit(entry.id, locked=not entry.locked)

    def _on_header(self, section: int) -> None:
        classes = self._table.classes
        if section == Column.VISIBLE:
            self._table.edit_all(visible=not all(entry.visible for entry in classes))
        elif section == Column.LOCKED:
            self._table.edit_all(locked=not all(entry.locked for entry in classes))

    def _choose_colour(self, entry: LabelClass) -> None:
        colour = QColorDialog.getColor(swatch_colour(entry), self, f"Colour of {entry.name}")
        if colour.isValid():
            self._table.edit(entry.id, colour=colour.getRgbF())

    def _on_removed(self, event: Any) -> None:
        if not isalive(self):
            return
        if event.value is self._seeds:
            self.set_layers(None)
        elif event.value is self._result:
            self.set_layers(self._seeds)

    # --- what Qt says -----------------------------------------------------------------
    def showEvent(self, event: QShowEvent) -> None:
        """Qt: digits choose classes while the table can be seen."""
        super().showEvent(event)
        self._keys.bind(self._layers())
        self._take_theme()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: digits are napari's again."""
        self._keys.unbind()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: follow the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._take_theme()

    def _take_theme(self) -> None:
        self.view.ensurePolished()  # else the first colour is not the theme's
        colour = self.view.palette().color(QPalette.ColorRole.Text)
        self._rows.set_header_colour(colour)
        for button, icon in self._pictured:
            button.setIcon(tinted_icon(icon, colour))


def _release(table: LayerClasses, counter: VoxelCounter, keys: DigitKeys, *_: object) -> None:
    table.detach()
    counter.stop()
    keys.unbind()
