"""Which methods to compare, and with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...comparing import Entry
from ...errors import SegSuiteError
from ...method import FAMILIES, Method
from ...registry import methods
from ..form_parts import FittingScrollArea, add_row, form_rows
from ..forms import SettingsForm

_KEY = Qt.ItemDataRole.UserRole
_LEAST_HEIGHT = 150
_INDENT = 10
# napari's dark theme leaves an empty box next to invisible; this border shows on any.
_BOXES = "QTreeView::indicator:unchecked:enabled { border: 1px solid #8a8f98; }"


@dataclass(eq=False)
class _Slot:
    """A line of the tree: a method with settings of its own."""

    method: Method
    item: QTreeWidgetItem
    form: SettingsForm
    area: QWidget | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether it is ticked, and can be run."""
        is_ticked = self.item.checkState(0) == Qt.CheckState.Checked
        return is_ticked and bool(self.item.flags() & Qt.ItemFlag.ItemIsEnabled)


class MethodPicker(QWidget):
    """Tree of the methods that give labels, to tick; below it the settings of the chosen one.

    Attributes
    ----------
    changed : signal
        Another method is ticked, or a setting of one was changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._slots: dict[int, _Slot] = {}
        self._keys = count()
        self._unit: str | None = None
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search methods …")
        self.search.setClearButtonEnabled(True)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(_INDENT)
        self.tree.setStyleSheet(_BOXES)
        self.tree.setMinimumHeight(_LEAST_HEIGHT)
        self.add_button = QPushButton("Add another")
        self.add_button.setToolTip("The same method once more, with settings of its own.")
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Take this further entry of the method away.")
        self._title = QLabel()
        self._lay_out()
        self._fill()
        self.search.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(self._on_current)
        self.tree.itemChanged.connect(lambda *_: self.changed.emit())
        self.add_button.clicked.connect(self.add_another)
        self.remove_button.clicked.connect(self.remove)
        self._on_current()

    # --- what is asked of it ----------------------------------------------------------
    def entries(self) -> list[Entry]:
        """What is ticked, from top to bottom.

        Raises
        ------
        ParameterError
            If a typed setting cannot be read.
        """
        wanted = (slot for slot in self._in_order() if slot.is_wanted)
        return [Entry(slot.method.id, slot.form.values()) for slot in wanted]

    def tick(self, method_id: str, is_wanted: bool = True) -> None:
        """Tick the first entry of a method."""
        slot = next(slot for slot in self._in_order() if slot.method.id == method_id)
        slot.item.setCheckState(0, Qt.CheckState.Checked if is_wanted else Qt.CheckState.Unchecked)
        self.tree.setCurrentItem(slot.item)

    def set_reasons(self, reasons: Mapping[str, str], unit: str | None) -> None:
        """Disable the methods that cannot run, with the reason; show settings in a unit.

        Parameters
        ----------
        reasons : mapping of str to str
            By method id; empty for those that can.
        unit : str or None
            Of the chosen image.
        """
        self._unit = unit
        with _Quiet(self.tree):
            for slot in self._slots.values():
                reason = reasons.get(slot.method.id, "")
                flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
                slot.item.setFlags(flags if reason else flags | Qt.ItemFlag.ItemIsEnabled)
                slot.item.setToolTip(0, reason or slot.method.summary)
                slot.form.set_unit(unit)

    def add_another(self) -> None:
        """Add a ticked entry with the settings of the current one, below it."""
        slot = self._current()
        if slot is None:
            return
        item = QTreeWidgetItem([slot.method.title])
        item.setFlags(slot.item.flags())
        item.setToolTip(0, slot.item.toolTip(0))
        further = self._new_slot(slot.method, item, Qt.CheckState.Checked)
        # Where what is typed cannot be read, the new one begins with the defaults.
        with suppress(SegSuiteError):
            further.form.set_values(slot.form.values())
        branch = slot.item.parent()
        branch.insertChild(branch.indexOfChild(slot.item) + 1, item)
        self._name(further)
        self.tree.setCurrentItem(item)
        self.changed.emit()

    def remove(self) -> None:
        """Take the current entry away; the last one of a method stays."""
        slot = self._current()
        if slot is None or not self._is_one_of_several(slot):
            return
        self._slots.pop(slot.item.data(0, _KEY))
        slot.item.parent().removeChild(slot.item)
        if slot.area is not None:
            slot.area.deleteLater()
        self.changed.emit()

    def settings_of_current(self) -> SettingsForm | None:
        """The form below the tree."""
        slot = self._current()
        return None if slot is None else slot.form

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self._title, 1)
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.remove_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.search)
        self._column.addWidget(self.tree, 1)
        self._column.addLayout(buttons)

    def _fill(self) -> None:
        branches: dict[str, QTreeWidgetItem] = {}
        for method in methods():
            if method.output == "image":
                continue
            if method.family not in branches:
                branch = QTreeWidgetItem(self.tree, [FAMILIES[method.family]])
                branch.setFlags(Qt.ItemFlag.ItemIsEnabled)
                branches[method.family] = branch
            item = QTreeWidgetItem(branches[method.family], [method.title])
            item.setToolTip(0, method.summary)
            self._new_slot(method, item, Qt.CheckState.Unchecked)
        self.tree.expandAll()

    def _new_slot(self, method: Method, item: QTreeWidgetItem, state: Qt.CheckState) -> _Slot:
        key = next(self._keys)
        slot = self._slots[key] = _Slot(method, item, SettingsForm(method.params, method.title))
        slot.form.set_unit(self._unit)
        slot.form.changed.connect(lambda: self._on_settings(slot))
        with _Quiet(self.tree):
            item.setData(0, _KEY, key)
            item.setCheckState(0, state)
        return slot

    def _area_of(self, slot: _Slot) -> QWidget:
        """The settings of an entry as widgets, made when first shown."""
        if slot.area is None:
            rows = form_rows()
            for widget in slot.form.widgets.values():
                add_row(rows, widget)
            if not slot.form.widgets:
                rows.addRow(QLabel("There is nothing to set."))
            slot.area = _SettingsArea([rows])
            self._column.addWidget(slot.area)
        return slot.area

    # --- what happens -----------------------------------------------------------------
    def _on_current(self, *_: Any) -> None:
        slot = self._current()
        for other in self._slots.values():
            if other.area is not None and other is not slot:
                other.area.hide()
        self.add_button.setEnabled(slot is not None)
        self.remove_button.setEnabled(slot is not None and self._is_one_of_several(slot))
        self._title.setText("" if slot is None else f"Settings of {slot.method.title}")
        if slot is not None:
            self._area_of(slot).show()

    def _on_settings(self, slot: _Slot) -> None:
        self._name(slot)
        self.changed.emit()

    def _name(self, slot: _Slot) -> None:
        """Show on its line what its settings differ in."""
        try:
            title = Entry(slot.method.id, slot.form.values()).title
        except SegSuiteError:
            return  # the dock says what is wrong
        with _Quiet(self.tree):
            slot.item.setText(0, title)

    def _filter(self, text: str) -> None:
        """Show the methods in which every word of `text` occurs, and what is ticked."""
        words = text.lower().split()
        for slot in self._slots.values():
            is_ticked = slot.item.checkState(0) == Qt.CheckState.Checked
            slot.item.setHidden(not is_ticked and not _has(slot.method, words))
        for branch in map(self.tree.topLevelItem, range(self.tree.topLevelItemCount())):
            children = (branch.child(index) for index in range(branch.childCount()))
            branch.setHidden(all(child.isHidden() for child in children))

    def _current(self) -> _Slot | None:
        item = self.tree.currentItem()
        key = None if item is None else item.data(0, _KEY)
        return self._slots.get(key) if key is not None else None

    def _is_one_of_several(self, slot: _Slot) -> bool:
        return sum(other.method is slot.method for other in self._slots.values()) > 1

    def _in_order(self) -> list[_Slot]:
        branches = map(self.tree.topLevelItem, range(self.tree.topLevelItemCount()))
        items = (branch.child(index) for branch in branches for index in range(branch.childCount()))
        return [self._slots[item.data(0, _KEY)] for item in items]


class _SettingsArea(FittingScrollArea):
    """The settings of an entry; few of them take less room than a form has at least."""

    def minimumSizeHint(self) -> QSize:
        """Width that shows every part in full; no higher than they are."""
        least = super().minimumSizeHint()
        return QSize(least.width(), min(least.height(), self.sizeHint().height()))


class _Quiet:
    """The tree tells nobody of changes that are not the user's."""

    def __init__(self, tree: QTreeWidget) -> None:
        self._tree = tree

    def __enter__(self) -> None:
        self._before = self._tree.blockSignals(True)

    def __exit__(self, *_: object) -> None:
        self._tree.blockSignals(self._before)


def _has(method: Method, words: list[str]) -> bool:
    text = f"{method.id} {method.title} {FAMILIES[method.family]} {method.summary}".lower()
    return all(word in text for word in words)
