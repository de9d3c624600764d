"""Further folders of predictions, one line each."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from .folder_field import FolderField

_HELP = "Another method's predictions of the same cases, named as those of the first folder."


class FurtherFolders(QWidget):
    """Lines with folders, and a button that adds one.

    Attributes
    ----------
    changed : signal
        A folder came, went or is another one.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[FolderField] = []
        self.add_button = QPushButton("Add folder")
        self.add_button.setToolTip("Rank the predictions of one more folder with the others.")
        self.add_button.clicked.connect(self.add)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.addWidget(self.add_button)

    @property
    def paths(self) -> list[Path]:
        """The folders that are named."""
        return [field.path for field in self.fields if field.path is not None]

    def add(self) -> FolderField:
        """Add a line, and return it."""
        field = FolderField("Folder of further predictions", _HELP)
        remove = QToolButton()
        remove.setText("✕")
        remove.setToolTip("Leave this folder out.")
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(field, 1)
        layout.addWidget(remove)
        remove.clicked.connect(lambda: self._remove(field, row))
        field.changed.connect(self.changed)
        self.fields.append(field)
        self._rows.insertWidget(self._rows.count() - 1, row)
        return field

    def _remove(self, field: FolderField, row: QWidget) -> None:
        self.fields.remove(field)
        row.hide()
        row.deleteLater()
        self.changed.emit()


def names_of(folders: list[Path]) -> list[str]:
    """Names that tell folders apart: as many of their last parts as that takes.

    Examples
    --------
    >>> names_of([Path("a/unet/labels"), Path("a/growcut/labels")])
    ['unet/labels', 'growcut/labels']
    """
    longest = max((len(folder.parts) for folder in folders), default=0)
    for n in range(1, longest + 1):
        names = ["/".join(folder.parts[-n:]) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [f"{i} {folder.name}" for i, folder in enumerate(folders, 1)]
