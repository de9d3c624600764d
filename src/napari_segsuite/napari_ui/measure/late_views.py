"""Showing results in plots when it is in nobody's way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication

from .results import Results

_REST_MS = 1000


class LateViews(QObject):
    """Views that take long to draw: they follow at once, or when the user rests.

    A plot holds up the window for as long as a stroke of the brush takes. While somebody
    paints, results come after each stroke; only the last of them are drawn.

    Parameters
    ----------
    views : sequence of QWidget
        Have `show_results`.
    parent : QObject
    """

    def __init__(self, views: Sequence[Any], parent: QObject) -> None:
        super().__init__(parent)
        self._views = views
        self._waiting: Results | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._on_rest)

    def show(self, results: Results) -> None:
        """Show these results now."""
        self._waiting = None
        for view in self._views:
            view.show_results(results)

    def show_later(self, results: Results) -> None:
        """Show these results once no others have come for a second and no button is held."""
        self._waiting = results
        self._rest.start()

    def hurry(self, _index: int = 0) -> None:
        """Show now what waits."""
        if self._waiting is not None:
            self.show(self._waiting)

    def _on_rest(self) -> None:
        if QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.hurry()
        else:
            self._rest.start()
