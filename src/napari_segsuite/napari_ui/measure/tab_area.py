"""A tab of the dock, scrolled where there is less height than it needs."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

_LEAST_HEIGHT = 200
# With less, the titles of the tabs do not all fit.
_WIDTH = 350


class TabArea(QScrollArea):
    """Gives a view at least the width it needs, and lets it scroll up and down.

    Parameters
    ----------
    view : QWidget
    """

    def __init__(self, view: QWidget) -> None:
        super().__init__()
        self.setWidget(view)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QScrollArea { border: 0px; padding: 0px; }")  # napari's has a border
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def sizeHint(self) -> QSize:
        """No higher than the least: the dock gives a tab all the room that is left."""
        least = self.minimumSizeHint()
        return QSize(max(_WIDTH, least.width()), least.height())

    def minimumSizeHint(self) -> QSize:
        """Width of the view, a scroll bar beside it."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self.widget().minimumSizeHint().width() + bar, _LEAST_HEIGHT)
