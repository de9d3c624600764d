"""Choosing a setting by clicks on pixels, whose values it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon, QKeySequence, QPixmap
from qtpy.QtWidgets import QGridLayout, QPushButton, QShortcut, QToolButton, QVBoxLayout, QWidget

from ...errors import SegSuiteError
from ...params import Param
from ..forms import SettingsForm

if TYPE_CHECKING:
    from napari.components import ViewerModel

_CHIP = 16
_PER_ROW = 8
_DIGITS = 6


class PixelPicker(QWidget):
    """Takes the values of clicked pixels into one setting, a flat sequence of numbers.

    Parameters
    ----------
    viewer : ViewerModel
    settings : SettingsForm
    param : Param
        Of kind "floats": one value per channel and pixel.

    Attributes
    ----------
    button : QPushButton
        On while clicks are taken.
    chips : list of QToolButton
        One per pixel; a click on it takes the pixel out.
    """

    def __init__(self, viewer: ViewerModel, settings: SettingsForm, param: Param) -> None:
        super().__init__()
        self._viewer = viewer
        self._settings = settings
        self._param = param
        self._layer: Any = None
        self._picked_from: Any = None
        self._before: tuple[Any, bool] = (None, True)
        self.chips: list[QToolButton] = []
        self.button = QPushButton("Pick from the image")
        self.button.setCheckable(True)
        self.button.setToolTip("Click on pixels of the image to add their values; Esc ends.")
        self._chip_rows = QGridLayout()
        self._chip_rows.setAlignment(Qt.AlignmentFlag.AlignLeft)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addLayout(self._chip_rows)
        self.button.toggled.connect(self._on_toggled)
        settings.widgets[param.name].changed.connect(self._show_chips)
        viewer.layers.selection.events.active.connect(self._on_active)

    def set_layer(self, layer: Any) -> None:
        """Take pixels of this image layer, None for none."""
        if layer is not self._layer:
            self.stop()
            self._layer = layer
            self._show_chips()
        self.button.setEnabled(layer is not None)

    def stop(self) -> None:
        """Take no more clicks."""
        self.button.setChecked(False)

    def leave_viewer(self) -> None:
        """Listen to the viewer no more; the form is gone."""
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._let_go()

    # --- clicks -----------------------------------------------------------------------
    def _on_toggled(self, is_on: bool) -> None:
        if not is_on:
            self._let_go()
            return
        layer = self._layer
        self._before = (self._viewer.layers.selection.active, layer.mouse_pan)
        # Clicks reach the active layer, which a Labels layer would take for strokes.
        self._viewer.layers.selection.active = layer
        self._picked_from = layer
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._on_click)
        self._viewer.cursor.style = "cross"
        self._end_key = QShortcut(QKeySequence("Escape"), self.window())
        self._end_key.setContext(Qt.ShortcutContext.ApplicationShortcut)
        self._end_key.activated.connect(self.stop)

    def _let_go(self) -> None:
        layer, self._picked_from = self._picked_from, None
        if layer is None:
            return
        active, pans = self._before
        layer.mouse_drag_callbacks.remove(self._on_click)
        layer.mouse_pan = pans
        self._viewer.cursor.style = "standard"
        if isalive(self):
            self._end_key.setEnabled(False)
            self._end_key.deleteLater()
        layers = self._viewer.layers
        if layers.selection.active is layer and active in layers:
            layers.selection.active = active

    def _on_active(self, _event: Any = None) -> None:
        """Another layer was made active: its own clicks count from here on."""
        active = self._viewer.layers.selection.active
        if self._picked_from is not None and active is not self._picked_from:
            self.stop()

    def _on_click(self, layer: Any, event: Any) -> None:
        value = layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=event.dims_displayed,
            world=True,
        )
        values = np.atleast_1d(np.asarray(value if value is not None else (), dtype=object))
        if not values.size or any(item is None for item in values):
            return  # beside the image
        numbers = [float(item) for item in values]
        if np.isfinite(numbers).all():
            self._set([*self._values(), *(_rounded(number) for number in numbers)])

    # --- values -----------------------------------------------------------------------
    def _values(self) -> list[float]:
        try:
            return list(self._settings.value(self._param.name) or ())
        except SegSuiteError:
            return []

    def _set(self, values: list[float]) -> None:
        shown = tuple(int(value) if value == int(value) else value for value in values)
        self._settings.set_values({self._param.name: shown})

    def _remove(self, number: int) -> None:
        n, values = self._n_channels(), self._values()
        self._set(values[: number * n] + values[(number + 1) * n :])

    def _n_channels(self) -> int:
        is_rgb = self._layer is not None and self._layer.rgb
        return int(self._layer.data.shape[-1]) if is_rgb else 1

    def _show_chips(self, _value: Any = None) -> None:
        for chip in self.chips:
            self._chip_rows.removeWidget(chip)
            chip.setParent(None)
            chip.deleteLater()
        n, values = self._n_channels(), self._values()
        self.chips = [
            self._chip(number, values[number * n : (number + 1) * n])
            for number in range(len(values) // n if self._layer is not None else 0)
        ]
        for number, chip in enumerate(self.chips):
            self._chip_rows.addWidget(chip, number // _PER_ROW, number % _PER_ROW)

    def _chip(self, number: int, values: list[float]) -> QToolButton:
        chip = QToolButton()
        swatch = QPixmap(_CHIP, _CHIP)
        swatch.fill(self._colour(values))
        chip.setIcon(QIcon(swatch))
        words = ", ".join(f"{value:g}" for value in values)
        chip.setToolTip(f"{words} – click to take it out")
        chip.setAccessibleName(f"Take out {words}")
        chip.clicked.connect(lambda: self._remove(number))
        return chip

    def _colour(self, values: list[float]) -> Any:
        """How the layer shows a pixel of these values."""
        from qtpy.QtGui import QColor

        low, high = (float(limit) for limit in self._layer.contrast_limits)
        if self._layer.rgb:
            kind = self._layer.dtype
            low, high = 0.0, float(np.iinfo(kind).max) if kind.kind in "ui" else 1.0
        shares = [min(max((value - low) / max(high - low, 1e-12), 0.0), 1.0) for value in values]
        if len(shares) < 3:
            colour = self._layer.colormap.map(shares[0])
            shares = [float(part) for part in np.ravel(colour)]
        return QColor.fromRgbF(*shares[:3])


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
