"""One list of all methods, with search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..method import FAMILIES, Method
from ..registry import get_method, methods
from .widgets import widget_class

if TYPE_CHECKING:
    import napari.viewer

_ID = Qt.ItemDataRole.UserRole
_SEARCHED = Qt.ItemDataRole.UserRole + 1


class HubWidget(QWidget):
    """Every method by family, those of other packages included; opens their forms.

    Parameters
    ----------
    viewer : Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search methods …")
        self.search.setClearButtonEnabled(True)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(12)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.open_button = QPushButton("Open")
        layout = QVBoxLayout(self)
        for widget in (self.search, self.tree, self.summary, self.open_button):
            layout.addWidget(widget)
        self._fill()
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self.open_current)
        self.tree.itemActivated.connect(self.open_current)
        self.tree.currentItemChanged.connect(self._on_current)
        self.open_button.clicked.connect(self.open_current)
        self._on_current()

    def open_current(self, *_: Any) -> None:
        """Open the form of the selected method."""
        method_id = self._current_id()
        if method_id is not None:
            self.open(method_id)

    def open(self, method_id: str) -> Any:
        """Open the form of a method as a dock, or bring it to the front."""
        window = self._viewer.window
        form = widget_class(method_id)
        opened = (widget for widget in window.dock_widgets.values() if isinstance(widget, form))
        widget = next(opened, None)
        if widget is None:
            widget = form(self._viewer)
            title = get_method(method_id).title
            window.add_dock_widget(
                widget, name=title, area="right", add_vertical_stretch=False, tabify=True
            )
        dock = widget.parent()
        dock.show()
        dock.raise_()
        return widget

    def _fill(self) -> None:
        branches: dict[str, QTreeWidgetItem] = {}
        for method in methods():
            if method.family not in branches:
                branch = QTreeWidgetItem(self.tree, [FAMILIES[method.family]])
                branch.setFlags(Qt.ItemFlag.ItemIsEnabled)
                branches[method.family] = branch
            item = QTreeWidgetItem(branches[method.family], [method.title])
            item.setData(0, _ID, method.id)
            item.setToolTip(0, method.summary)
            item.setData(0, _SEARCHED, _searched_text(method))
        self.tree.expandAll()

    def _filter(self, text: str) -> None:
        """Show the methods in which every word of `text` occurs; select the likeliest."""
        words = text.lower().split()
        found: list[QTreeWidgetItem] = []
        for branch in map(self.tree.topLevelItem, range(self.tree.topLevelItemCount())):
            items = [branch.child(index) for index in range(branch.childCount())]
            shown = [item for item in items if _has(item.data(0, _SEARCHED), words)]
            for item in items:
                item.setHidden(item not in shown)
            branch.setHidden(not shown)
            found += shown
        found.sort(key=lambda item: not _has(item.text(0).lower(), words))
        self.tree.setCurrentItem(found[0] if words and found else None)

    def _on_current(self, *_: Any) -> None:
        item = self.tree.currentItem()
        self.open_button.setEnabled(self._current_id() is not None)
        self.summary.setText("" if item is None else item.toolTip(0))

    def _current_id(self) -> str | None:
        item = self.tree.currentItem()
        return None if item is None else item.data(0, _ID)


def _searched_text(method: Method) -> str:
    parts = (method.id, method.title, FAMILIES[method.family], method.summary, method.description)
    return " ".join(parts).lower()


def _has(text: str, words: list[str]) -> bool:
    return all(word in text for word in words)
