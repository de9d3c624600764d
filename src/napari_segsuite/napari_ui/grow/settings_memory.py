"""The settings of the dock, remembered for each image."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from ...errors import SegSuiteError
from ...growing.remembered import recall, remember
from ..runner import Job, runner_for

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .dock import GrowDock

# A knob that is being turned changes settings many times a second.
_REST_MS = 300
_PANELS = ("engine", "limits", "applying")

Key = tuple[str, tuple[int, ...]]


class SettingsMemory(QObject):
    """Keeps the settings for the chosen image, and brings them back when it is chosen again.

    Parameters
    ----------
    viewer : ViewerModel
    dock : GrowDock
    parent : QObject

    Attributes
    ----------
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, dock: GrowDock, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._dock = dock
        self._key: Key | None = None
        self._kept: Mapping[str, Any] = {}
        self._search: Job | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.keep)
        for changed in (dock.engine.changed, dock.limits.changed, dock.applying.changed):
            changed.connect(self._rest.start)
        dock.applying.rule.changed.connect(lambda _value: self._rest.start())

    def settings(self) -> dict[str, Any]:
        """What the form says, but for the layers that are chosen in it."""
        settings: dict[str, Any] = {}
        for name in _PANELS:
            with contextlib.suppress(SegSuiteError):  # of a value that is still being typed
                settings[name] = getattr(self._dock, name).values()
        return settings

    def show(self, settings: Mapping[str, Any]) -> None:
        """Show settings in the form; what cannot be shown any more is left out."""
        for name in _PANELS:
            values = settings.get(name)
            if isinstance(values, dict):
                with contextlib.suppress(SegSuiteError, TypeError, ValueError):
                    getattr(self._dock, name).set_values(values)

    def recall(self, layer: Any) -> None:
        """Show what was kept for an image, if anything was."""
        if self._rest.isActive():
            self._rest.stop()
            self.keep()  # of the image before
        self._key = key = None if layer is None else (str(layer.name), _shape(layer))
        if self._search is not None:
            self._search.cancel()
        if key is None:
            return
        self._search = runner_for(self._viewer).run_in_background(
            lambda _progress: recall(*key), "Settings", self, uses_kernels=False
        )
        self._search.finished.connect(self._on_recalled)

    def keep(self) -> None:
        """Keep the settings for the chosen image, if they are other ones than before."""
        key, settings = self._key, self.settings()
        if key is None or settings == self._kept:
            return
        self._kept = settings
        job = runner_for(self._viewer).run_in_background(
            lambda _progress: remember(*key, settings), "Settings", self, uses_kernels=False
        )
        job.failed.connect(lambda sentence: self.said.emit(sentence, True))

    def _on_recalled(self, settings: Mapping[str, Any]) -> None:
        self.show(settings)
        self._kept = self.settings()
        self._rest.stop()


def _shape(layer: Any) -> tuple[int, ...]:
    shape = layer.data[0].shape if layer.multiscale else layer.data.shape
    return tuple(int(n) for n in shape)
