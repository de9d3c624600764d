"""Choosing what grows the seeds, with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...growing.engines import LIVE_METHOD, NOT_LIVE, is_offered
from ...registry import get_method, methods
from ..form_parts import Fold, add_row, form_rows
from ..forms import SettingsForm

# While painting, what the strokes teach is worth its time; a plain call leaves it out.
LIVE_DEFAULTS = {"guide": "auto", "connectivity": 3}
_IN_SIGHT = ("guide",)


class EnginePanel(QWidget):
    """Drop-down of all seeded methods, and the settings of the chosen one.

    Attributes
    ----------
    changed : signal
        Another method or setting was chosen.
    choice : ComboBox
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._unit: str | None = None
        self._forms: dict[str, SettingsForm] = {}
        self.choice = ComboBox(
            choices=_offered(),
            value=LIVE_METHOD,
            label="Engine",
            tooltip="What grows the seeds. GrowCut follows every stroke; the others are run anew "
            "for each, on the same seeds.",
        )
        self._pages: dict[str, QWidget] = {}
        rows = form_rows()
        add_row(rows, self.choice)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        self.choice.changed.connect(self._on_choice)
        self._show_settings()

    @property
    def method_id(self) -> str:
        """The chosen method."""
        return str(self.choice.value)

    def settings(self) -> dict[str, Any]:
        """Settings of the chosen method.

        Raises
        ------
        ParameterError
            If a typed value cannot be read.
        """
        return self._form().values()

    def values(self) -> dict[str, Any]:
        """All that can be restored with `set_values`."""
        return {"method": self.method_id, "settings": self.settings()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show an earlier choice; what is not known any more is left out."""
        if values.get("method") in [entry for _, entry in _offered()]:
            self.choice.value = values["method"]
            self._form().set_values(values.get("settings", {}))

    def set_unit(self, unit: str | None) -> None:
        """Show physical settings in the unit of the image."""
        if unit != self._unit:
            self._unit = unit
            for form in self._forms.values():
                form.set_unit(unit)

    # --- parts ------------------------------------------------------------------------
    def _form(self) -> SettingsForm:
        if self.method_id not in self._forms:
            method = get_method(self.method_id)
            params = [param for param in method.params if param.name not in NOT_LIVE]
            form = SettingsForm(params, method.title)
            form.set_values(LIVE_DEFAULTS)
            form.set_unit(self._unit)
            form.changed.connect(self.changed.emit)
            self._forms[self.method_id] = form
            self._pages[self.method_id] = _page(form)
            self.layout().addWidget(self._pages[self.method_id])
        return self._forms[self.method_id]

    def _on_choice(self, _value: Any = None) -> None:
        self._show_settings()
        self.changed.emit()

    def _show_settings(self) -> None:
        self._form()
        for method_id, page in self._pages.items():
            page.setVisible(method_id == self.method_id)


def _offered() -> list[tuple[str, str]]:
    return [(method.title, method.id) for method in methods() if is_offered(method)]


def _page(form: SettingsForm) -> QWidget:
    """The settings of one method, the first in sight and the rest folded away."""
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    seen, folded = form_rows(), form_rows()
    for name, widget in form.widgets.items():
        add_row(seen if name in _IN_SIGHT else folded, widget)
    layout.addLayout(seen)
    if folded.rowCount():
        layout.addWidget(Fold("Settings of the engine", folded))
    return page
