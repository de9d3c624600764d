"""What becomes of a preview: which layer takes it, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

import napari.layers
from magicgui.widgets import ComboBox, FloatSpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...growing.live import BORDER
from ...growing.merging import Rule
from ...method import Input
from ..form_parts import add_row, form_rows
from ..layer_choice import LayerChooser

if TYPE_CHECKING:
    from napari.components import ViewerModel

_TARGET = Input(
    "result", False, "The layer that Apply writes to; none makes a new one the first time."
)
_RULES: Mapping[Rule, str] = {
    "replace": "everything",
    "unlabelled": "only unlabelled voxels",
    "classes": "only the chosen class",
}
_NO_CLASS = [("none", 0), ("the edges of the slices", BORDER)]
_LARGEST = 1e6


class ApplyPanel(QWidget):
    """Settings of Apply.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    changed : signal
        Something that the preview depends on changed.
    target_changed : signal
        Another result layer was chosen.
    target : LayerChooser
    rule : ComboBox
    """

    changed = Signal()
    target_changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.target = LayerChooser(viewer, _TARGET, (napari.layers.Labels,))
        self.rule = ComboBox(
            choices=[(_RULES[rule], rule) for rule in get_args(Rule)],
            value="replace",
            label="Replace",
            tooltip="What of the result gives way to the preview. Locked classes never do.",
        )
        self.background = ComboBox(
            choices=_NO_CLASS,
            label="Background",
            tooltip="A class that only holds the others back: it grows like them, but is neither "
            "shown nor kept. The edges of the slices serve where none is painted.",
        )
        self.smoothing = FloatSpinBox(
            value=0,
            min=0,
            max=_LARGEST,
            step=0.5,
            label="Smoothing",
            tooltip="Length over which borders are smoothed; classes keep sharing them.",
        )
        rows = form_rows()
        for widget in (self.smoothing, self.background, self.target, self.rule):
            add_row(rows, widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        for widget in (self.smoothing, self.background):
            widget.changed.connect(lambda _value: self.changed.emit())
        self.target.changed.connect(lambda _value: self.target_changed.emit())

    @property
    def background_class(self) -> int | None:
        """The class that only holds the others back."""
        return int(self.background.value) or None

    def set_classes(self, classes: Mapping[int, str]) -> None:
        """Offer these classes, by id, as background."""
        choices = [*_NO_CLASS, *((name, index) for index, name in classes.items())]
        with self.background.changed.blocked():
            chosen = self.background.value
            self.background.choices = choices
            if chosen in self.background.choices:
                self.background.value = chosen
        if self.background.value != chosen:
            self.changed.emit()

    def set_unit(self, unit: str | None) -> None:
        """Show lengths in the unit of the image."""
        self.smoothing.native.setSuffix(f" {unit or 'px'}")

    def values(self) -> dict[str, Any]:
        """All that can be restored with `set_values`."""
        return {
            "rule": self.rule.value,
            "background": self.background.value,
            "smoothing": self.smoothing.value,
        }

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show earlier settings; what is not known any more is left out."""
        self.smoothing.value = float(values.get("smoothing", 0.0))
        if values.get("rule") in get_args(Rule):
            self.rule.value = values["rule"]
        if values.get("background") in self.background.choices:
            self.background.value = values["background"]
