"""The settings of a method as widgets: one per declared parameter, nothing written twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from magicgui.widgets import ComboBox, create_widget
from magicgui.widgets.bases import ValueWidget
from psygnal import Signal

from ..params import Param

_SLIDER_STEPS = 20
_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e12
_TYPED = ("ints", "floats", "text")
_HINTS = {
    "ints": "none; e.g. 1, 2, 5",
    "floats": "none; e.g. 0.5, 1, 2",
    "int": "automatic",
    "float": "automatic",
    "text": "",
}


class SettingsForm:
    """Widgets for the settings of a method.

    Parameters
    ----------
    params : iterable of Param
    title : str
        The method's title, for the sentences about what was typed.

    Attributes
    ----------
    params : tuple of Param
    widgets : dict of str to magicgui widget
        In order of declaration.
    changed : Signal
        A value changed.
    """

    changed = Signal()

    def __init__(self, params: Iterable[Param], title: str) -> None:
        self.params = tuple(params)
        self._title = title
        self.widgets = {param.name: make_widget(param) for param in self.params}
        for widget in self.widgets.values():
            widget.changed.connect(lambda _value: self.changed.emit())

    def values(self) -> dict[str, Any]:
        """The settings as typed.

        Raises
        ------
        ParameterError
            If a typed value cannot be read or is out of bounds.
        """
        return {param.name: self._read(param) for param in self.params}

    def value(self, name: str) -> Any:
        """One setting as typed.

        Raises
        ------
        ParameterError
            If it cannot be read or is out of bounds.
        """
        return next(self._read(param) for param in self.params if param.name == name)

    def set_values(self, settings: Mapping[str, Any]) -> None:
        """Show these settings; those not named stay as they are."""
        for param in self.params:
            if param.name in settings:
                show_value(param, self.widgets[param.name], settings[param.name])

    def set_unit(self, unit: str | None, n_axes: int = 3) -> None:
        """Show physical settings in the unit of the chosen image, None for pixels.

        What is a volume in space is an area in a plane, of two axes.
        """
        for param in self.params:
            show_unit(param, self.widgets[param.name], unit or "px", n_axes)

    def _read(self, param: Param) -> Any:
        value = self.widgets[param.name].value
        if not _is_typed(param):
            return param.check(value, self._title)
        text = str(value or "").strip()
        if not text and param.optional:
            return None
        return param.from_text(text, self._title)


def make_widget(param: Param) -> ValueWidget[Any]:
    """The widget of one setting, showing its default."""
    widget = _WIDGETS["typed" if _is_typed(param) else param.kind](param)
    widget.name, widget.label = param.name, param.title
    widget.tooltip = param.help
    show_value(param, widget, param.default)
    return widget


def show_value(param: Param, widget: ValueWidget[Any], value: Any) -> None:
    """Set a widget to a value of its parameter."""
    if _is_typed(param):
        items = value if isinstance(value, tuple | list) else (value,)
        widget.value = "" if value is None else ", ".join(str(item) for item in items)
    elif param.kind == "float":
        _set_decimals(param, widget.native, max(widget.native.decimals(), _digits(value)))
        widget.value = value
    else:
        widget.value = value


def show_unit(param: Param, widget: ValueWidget[Any], unit: str, n_axes: int = 3) -> None:
    """Put the unit beside a number, or beside the title where the widget cannot show one."""
    if not param.unit:
        return
    words = param.unit.replace("physical unit", unit).replace("physical", unit)
    if n_axes == 2:
        words = words.replace("³", "²")
    if hasattr(widget.native, "setSuffix"):
        widget.native.setSuffix(f" {words}")
    else:
        widget.label = f"{param.title} ({words})"


def _is_typed(param: Param) -> bool:
    """Whether the value is typed as text: what no spin box can hold, such as "no number"."""
    return param.kind in _TYPED or (param.optional and param.kind in ("int", "float"))


def _typed_widget(param: Param) -> ValueWidget[Any]:
    widget: ValueWidget[Any] = create_widget(value="", widget_type="LineEdit")
    widget.native.setPlaceholderText(_HINTS[param.kind])
    return widget


def _int_widget(param: Param) -> ValueWidget[Any]:
    low = -_LARGEST_INT if param.minimum is None else math.ceil(param.minimum)
    if param.exclusive_minimum and low == param.minimum:
        low += 1
    high = _LARGEST_INT if param.maximum is None else math.floor(param.maximum)
    kind = "Slider" if high - low <= _SLIDER_STEPS else "SpinBox"
    return create_widget(
        value=param.default, widget_type=kind, options={"min": low, "max": high, "step": 1}
    )


def _float_widget(param: Param) -> ValueWidget[Any]:
    step = _step(param)
    widget: ValueWidget[Any] = create_widget(widget_type="FloatSpinBox", options={"step": step})
    widget.native.setMaximum(_LARGEST_FLOAT if param.maximum is None else param.maximum)
    _set_decimals(param, widget.native, max(2, _digits(param.default), _digits(step or 1.0)))
    return widget


def _set_decimals(param: Param, spin_box: Any, decimals: int) -> None:
    """Show so many decimals; the smallest of them is what lies above an exclusive bound."""
    spin_box.setDecimals(decimals)
    low = -_LARGEST_FLOAT if param.minimum is None else param.minimum
    spin_box.setMinimum(low + 10.0**-decimals if param.exclusive_minimum else low)


def _bool_widget(param: Param) -> ValueWidget[Any]:
    if param.optional:
        return ComboBox(choices=[("automatic", None), ("yes", True), ("no", False)])
    return create_widget(value=param.default, widget_type="CheckBox", options={"text": ""})


def _choice_widget(param: Param) -> ValueWidget[Any]:
    choices: list[tuple[str, str | None]] = [
        (choice.replace("_", " "), choice) for choice in param.choices
    ]
    if param.optional:
        choices.insert(0, ("automatic", None))
    return ComboBox(choices=choices)


_WIDGETS = {
    "typed": _typed_widget,
    "int": _int_widget,
    "float": _float_widget,
    "bool": _bool_widget,
    "choice": _choice_widget,
}


def _step(param: Param) -> float | None:
    """A hundredth of the range, rounded down to a power of ten; None for an adaptive one."""
    if param.minimum is None or param.maximum is None:
        return None
    return float(10.0 ** math.floor(math.log10((param.maximum - param.minimum) / 100)))


def _digits(value: float) -> int:
    """Decimals that a number needs to be shown exactly."""
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return max(0, -int(exponent))
