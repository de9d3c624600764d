"""Putting labels in order: pieces, holes, specks, borders, objects, gaps between slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from magicgui.widgets import ComboBox, FloatSpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from ..form_parts import add_row, form_rows

_LARGEST = 1e9
_VOLUME, _LENGTH = 10.0, 1.0


class Cleaning(NamedTuple):
    """One run of a post-processing method, on the chosen class or on all."""

    title: str
    method: str
    settings: Mapping[str, Any]
    help: str = ""


class CleaningPanel(QWidget):
    """One button for each way to put labels in order.

    Attributes
    ----------
    wanted : signal of (Cleaning, bool, str)
        What to do, whether for the chosen class only, and to "result" or "seeds".
    buttons : dict of str to QPushButton
        By title.
    """

    wanted = Signal(object, bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.target = ComboBox(
            choices=[("result", "result"), ("seeds", "seeds")],
            label="Clean",
            tooltip="What to put in order. Steps can be taken back: of the result with the "
            "buttons below, of the seeds with Ctrl+Z.",
        )
        self.scope = ComboBox(
            choices=[("the chosen class", True), ("all classes", False)], label="Of"
        )
        self.volume = FloatSpinBox(value=_VOLUME, min=0, max=_LARGEST, label="Small is below")
        self.length = FloatSpinBox(value=_LENGTH, min=0, max=_LARGEST, label="Smooth over")
        rows = form_rows()
        for widget in (self.target, self.scope, self.volume, self.length):
            add_row(rows, widget)
        grid = QGridLayout()
        self.buttons: dict[str, QPushButton] = {}
        for place, make in enumerate(self._cleanings()):
            shown = make()
            button = QPushButton(shown.title)
            button.setToolTip(shown.help)
            button.clicked.connect(lambda _on=False, make=make: self._ask(make()))
            grid.addWidget(button, *divmod(place, 2))
            self.buttons[shown.title] = button
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addLayout(grid)

    def set_unit(self, unit: str | None) -> None:
        """Show sizes in the unit of the image."""
        self.volume.native.setSuffix(f" {unit or 'px'}³")
        self.length.native.setSuffix(f" {unit or 'px'}")

    def _ask(self, cleaning: Cleaning) -> None:
        self.wanted.emit(cleaning, bool(self.scope.value), str(self.target.value))

    def _cleanings(self) -> list[Callable[[], Cleaning]]:
        clean, split, fill = "clean_labels", "split_touching", "fill_between_slices"
        return [
            lambda: Cleaning(
                "Keep the largest", clean, {"keep_largest": True}, "Drop all other pieces."
            ),
            lambda: Cleaning(
                "Fill holes", clean, {"fill_holes": "volume"}, "Fill what a class encloses."
            ),
            lambda: Cleaning(
                "Remove small",
                clean,
                {"min_volume": float(self.volume.value)},
                "Drop pieces below the size given above.",
            ),
            lambda: Cleaning(
                "Smooth",
                clean,
                {"smoothing": float(self.length.value)},
                "Smooth borders; classes keep sharing them.",
            ),
            lambda: Cleaning(
                "Split touching", split, {}, "Cut objects at their necks and number them."
            ),
            lambda: Cleaning(
                "Fill between slices",
                fill,
                {},
                "Label the slices between those that are labelled.",
            ),
        ]
