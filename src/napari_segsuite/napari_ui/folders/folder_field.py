"""A folder that is typed, dropped or chosen."""

from __future__ import annotations

from pathlib import Path

from qtpy.compat import getexistingdirectory
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget


class FolderField(QWidget):
    """Line with the path of a folder, and a button to choose one.

    Parameters
    ----------
    title : str
        What the folder holds, for the dialog.
    help_text : str

    Attributes
    ----------
    changed : signal
        Another folder is named: chosen, dropped, or typed to the end.
    """

    changed = Signal()

    def __init__(self, title: str, help_text: str) -> None:
        super().__init__()
        self._title = title
        self._help_text = f"{help_text} Type its path, or drop it here."
        self.line = QLineEdit()
        self.line.setPlaceholderText("folder")
        self.line.setToolTip(self._help_text)
        self.line.setClearButtonEnabled(True)
        # By itself, the line would insert a dropped folder as a URL, amid the text there is.
        self.line.installEventFilter(self)
        self.button = QToolButton()
        self.button.setText("…")
        self.button.setToolTip(f"Choose the folder. {help_text}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self._told = self.path
        # Not at each letter: the folders on the way to one that is typed may be huge.
        self.line.editingFinished.connect(self._tell)
        self.button.clicked.connect(self.choose)

    @property
    def path(self) -> Path | None:
        """The folder, None where none is named; it need not exist."""
        text = self.line.text().strip()
        return Path(text).expanduser() if text else None

    @path.setter
    def path(self, path: Path | str) -> None:
        self.line.setText(str(path))
        self.line.setToolTip(f"{path}\n{self._help_text}")
        self._tell()

    def choose(self) -> None:
        """Let the user choose a folder."""
        chosen = getexistingdirectory(self, self._title, self.line.text())
        if chosen:
            self.path = chosen

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the first file or folder that is dropped on the line."""
        # Qt's events of entering and moving are drops, too.
        if isinstance(event, QDropEvent) and event.mimeData().hasUrls():
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self._take(Path(event.mimeData().urls()[0].toLocalFile()))
            return True
        return bool(super().eventFilter(watched, event))

    def _tell(self) -> None:
        if self.path != self._told:
            self._told = self.path
            self.changed.emit()

    def _take(self, path: Path) -> None:
        self.path = path.parent if path.is_file() else path
