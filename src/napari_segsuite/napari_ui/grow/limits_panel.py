"""Where growth may go: a mask, a range of intensities, a region of interest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import napari.layers
from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget
from superqt import QLabeledDoubleRangeSlider

from ...method import Input
from ..form_parts import add_row, form_rows, side_by_side
from ..layer_choice import LayerChooser

if TYPE_CHECKING:
    from napari.components import ViewerModel

_MASK = Input("mask", False, "A Labels layer: growth stays where it is not 0.")
_BOX = Input(
    "box", False, "A Shapes or Labels layer: growth stays in the box around what is drawn in it."
)
_REGIONS = [("whole image", "whole"), ("seeds and a margin", "seeds"), ("a drawn box", "box")]
_MARGIN = 20.0
_LARGEST_MARGIN = 1e6
# What layers of labels and of shapes say when they are edited.
_DRAWN = ("data", "paint", "labels_update")


class LimitsPanel(QWidget):
    """Settings of where growth may go.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    changed : signal
        Something that growth depends on changed.
    range_changed : signal
        The range of intensities, or whether it is shown, changed.
    suggestion_wanted : signal
        The range is to be read off the seeds.
    mask, box : LayerChooser
    """

    changed = Signal()
    range_changed = Signal()
    suggestion_wanted = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._watched: list[Any] = []
        self._image_range: tuple[float, float] | None = None
        self.mask = LayerChooser(viewer, _MASK, (napari.layers.Labels,))
        self.box = LayerChooser(viewer, _BOX, (napari.layers.Shapes, napari.layers.Labels))
        self._make_range()
        self.region = ComboBox(
            choices=_REGIONS,
            value="whole",
            label="Work on",
            tooltip="A part of a large image is quicker, and needs less memory, than all of it.",
        )
        self.margin = FloatSpinBox(
            value=_MARGIN,
            min=0,
            max=_LARGEST_MARGIN,
            label="Margin",
            tooltip="How far beyond the seeds growth may go.",
        )
        self._lay_out()
        for widget in (self.mask, self.box, self.region, self.margin):
            widget.changed.connect(self._on_change)
        self._show_what_counts()

    # --- what a dock asks -------------------------------------------------------------
    @property
    def value_range(self) -> tuple[float, float] | None:
        """Intensities that growth may enter; None for all."""
        if not self.uses_range.value:
            return None
        low, high = self.slider.value()
        return float(low), float(high)

    @property
    def shows_range(self) -> bool:
        """Whether the range is to be seen on the image."""
        return bool(self.uses_range.value and self.overlay.value)

    def set_image_range(self, low: float, high: float) -> None:
        """Have the slider span the intensities of an image."""
        if not high > low or (low, high) == self._image_range:
            return
        self._image_range = low, high
        was = self.slider.blockSignals(True)
        self.slider.setRange(low, high)
        self.slider.setValue((low, high))
        self.slider.setDecimals(0 if high - low > 100 else 3)
        self.slider.blockSignals(was)

    def set_range(self, low: float, high: float) -> None:
        """Limit growth to a range."""
        # An image may hold more than the contrast limits that it came with.
        was = self.slider.blockSignals(True)
        self.slider.setRange(min(low, self.slider.minimum()), max(high, self.slider.maximum()))
        self.slider.blockSignals(was)
        self.slider.setValue((low, high))
        self.uses_range.value = True

    def set_unit(self, unit: str | None) -> None:
        """Show the margin in the unit of the image."""
        self.margin.native.setSuffix(f" {unit or 'px'}")

    def refresh(self) -> None:
        """Offer the layers there are now."""
        before = self.mask.value, self.box.value
        # Of some changes the choosers tell, of others not.
        with self.mask.changed.blocked(), self.box.changed.blocked():
            self.mask.refresh()
            self.box.refresh()
        if (self.mask.value, self.box.value) != before:
            self._on_change()

    def values(self) -> dict[str, Any]:
        """All that can be restored with `set_values`."""
        return {
            "value_range": self.value_range,
            "region": self.region.value,
            "margin": self.margin.value,
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show earlier settings; what is not known any more is left out."""
        if values.get("value_range"):
            low, high = values["value_range"]
            self.set_range(float(low), float(high))
        else:
            self.uses_range.value = False
        region = values.get("region")
        has_box = self.box.value is not None
        if region in [name for _, name in _REGIONS] and (region != "box" or has_box):
            self.region.value = region
        self.margin.value = float(values.get("margin", _MARGIN))

    # --- parts ------------------------------------------------------------------------
    def _make_range(self) -> None:
        self.uses_range = CheckBox(
            text="Only a range", tooltip="Grow only where intensities lie in it."
        )
        self.slider = QLabeledDoubleRangeSlider()
        self.slider.setOrientation(self.slider.orientation().Horizontal)
        self.slider.setRange(0.0, 1.0)
        self.slider.setValue((0.0, 1.0))
        self.overlay = CheckBox(
            text="Show", value=True, tooltip="Show on the image where the range lies."
        )
        self.suggest_button = QPushButton("From seeds")
        self.suggest_button.setToolTip(
            "Take the range of what is painted with the current class, a little widened."
        )
        self.suggest_button.clicked.connect(self.suggestion_wanted.emit)
        self.uses_range.changed.connect(self._on_range)
        self.overlay.changed.connect(lambda _value: self.range_changed.emit())
        self.slider.valueChanged.connect(self._on_range)

    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.mask)
        rows.addRow(
            "Intensities",
            side_by_side([self.uses_range.native, self.suggest_button, self.overlay.native]),
        )
        rows.addRow(self.slider)
        add_row(rows, self.region)
        self._box_label = add_row(rows, self.box)
        self._margin_label = add_row(rows, self.margin)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)

    def _on_change(self, _value: Any = None) -> None:
        self._show_what_counts()
        self._watch()
        self.changed.emit()

    def _watch(self) -> None:
        """Follow what is drawn in the layers that bound growth."""
        for emitter in self._watched:
            emitter.disconnect(self._on_drawn)
        self._watched = [
            getattr(layer.events, name)
            for layer in (self.mask.value, self.box.value)
            if layer is not None
            for name in _DRAWN
            if name in layer.events
        ]
        for emitter in self._watched:
            emitter.connect(self._on_drawn)

    def _on_drawn(self, _event: Any = None) -> None:
        if isalive(self):
            self.changed.emit()

    def _on_range(self, _value: Any = None) -> None:
        self._show_what_counts()
        self.range_changed.emit()
        self.changed.emit()

    def _show_what_counts(self) -> None:
        self.slider.setVisible(bool(self.uses_range.value))
        self.overlay.visible = bool(self.uses_range.value)
        for widget, label, region in (
            (self.box, self._box_label, "box"),
            (self.margin, self._margin_label, "seeds"),
        ):
            widget.visible = self.region.value == region
            label.setVisible(self.region.value == region)
