"""The keys of the dock, shown in tooltips and on a card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMessageBox, QPushButton, QShortcut, QWidget


class Key(NamedTuple):
    """A key, and what it does."""

    sequence: str
    words: str


KEYS: Mapping[str, Key] = {
    "preview": Key("Ctrl+Alt+G", "start the preview, or bring it up to date"),
    "pause": Key("Ctrl+Alt+P", "stop following strokes, or follow again"),
    "apply": Key("Ctrl+Alt+Return", "apply the preview to the result"),
    "cancel": Key("Ctrl+Alt+Escape", "take the preview away"),
    "undo": Key("Ctrl+Alt+Z", "take the last step of a result back"),
    "redo": Key("Ctrl+Alt+Y", "make it again"),
    "least_certain": Key("Ctrl+Alt+N", "go to the least certain slice"),
}
# Not ours, but what the hand needs beside them.
_NAPARI_KEYS = (
    Key("1 – 9", "paint with the class of that number"),
    Key("P, E, F", "brush, eraser, fill bucket"),
    Key("[ and ]", "smaller and larger brush"),
    Key("Ctrl+Z", "take back a stroke; the preview follows"),
    Key("Ctrl+Shift+Z", "make the stroke again"),
)


def bind(window: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
    """Have each key do its action while the window of this widget is in front."""
    for name, action in actions.items():
        shortcut = QShortcut(QKeySequence(KEYS[name].sequence), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(action)


def explain(button: QPushButton, name: str, words: str) -> None:
    """Give a button a tooltip that ends with its key."""
    key = QKeySequence(KEYS[name].sequence).toString(QKeySequence.SequenceFormat.NativeText)
    button.setToolTip(f"{words} [{key}]")


def card_text() -> str:
    """All keys as a table."""
    rows = "".join(
        f"<tr><td><b>{key.sequence}</b>&nbsp;&nbsp;</td><td>{key.words}</td></tr>"
        for key in (*_NAPARI_KEYS, *KEYS.values())
    )
    return f"<table cellspacing='4'>{rows}</table>"


def show_card(parent: QWidget) -> QMessageBox:
    """Show all keys."""
    card = QMessageBox(parent)
    card.setWindowTitle("Keys of Grow from seeds")
    card.setTextFormat(Qt.TextFormat.RichText)
    card.setText(card_text())
    card.setModal(False)
    card.show()
    return card
