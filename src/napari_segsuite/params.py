"""Settings of a method, read off its signature: bounds, choices, units, help."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at

from .errors import ParameterError

Kind = Literal["int", "float", "bool", "choice", "text", "ints", "floats"]


@dataclass(frozen=True)
class Unit:
    """Unit of a setting, as shown beside it.

    ``Unit("physical")`` stands for the unit of the image: mm or µm where it states one,
    pixels where it does not. ``Unit("physical³")`` is a volume in it.
    """

    symbol: str


@dataclass(frozen=True)
class PickedOn:
    """Where else than in its own field a form lets a setting be chosen.

    ``PickedOn("histogram")``: a line that is dragged on the image's histogram;
    ``PickedOn("image")``: clicks on pixels, whose values it takes.
    """

    place: Literal["histogram", "image"]


@dataclass(frozen=True)
class Param:
    """One setting of a method.

    Attributes
    ----------
    name : str
    kind : {"int", "float", "bool", "choice", "text", "ints", "floats"}
    default : object
    minimum, maximum : float or None
        Bounds; `exclusive_minimum` excludes the lower one.
    choices : tuple of str
    optional : bool
        Whether None is allowed.
    unit : str
    picked_on : {"", "histogram", "image"}
        Where else than in its own field a form lets it be chosen.
    help : str
    """

    name: str
    kind: Kind
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False
    unit: str = ""
    picked_on: Literal["", "histogram", "image"] = ""
    help: str = ""

    @property
    def title(self) -> str:
        """The name as a person reads it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def is_sequence(self) -> bool:
        """Whether it holds several numbers."""
        return self.kind in ("ints", "floats")

    @property
    def constraint(self) -> str:
        """What a value must be, in words."""
        if self.kind == "choice":
            words = "one of " + ", ".join(repr(choice) for choice in self.choices)
        elif self.kind == "bool":
            words = "True or False"
        elif self.kind == "text":
            words = "text"
        else:
            noun = {
                "int": "an integer",
                "float": "a number",
                "ints": "a sequence of integers",
                "floats": "a sequence of numbers",
            }
            words = noun[self.kind] + self._interval()
        return f"{words} or None" if self.optional else words

    def check(self, value: Any, method: str) -> Any:
        """Return `value` in the declared type.

        Raises
        ------
        ParameterError
            If the value is of another type, out of bounds or not among the choices.
        """
        if value is None and self.optional:
            return None
        checked = self._convert(value)
        if checked is None or not self._within(checked):
            raise ParameterError(
                f"{method}: '{self.name}' must be {self.constraint}, got {value!r}.",
                name=self.name,
            )
        return checked

    def from_text(self, text: str, method: str) -> Any:
        """Parse what was typed on a command line or stands in a recipe."""
        if self.optional and text.lower() == "none":
            return None
        value: Any = text
        try:
            if self.kind == "int":
                value = int(text)
            elif self.kind == "float":
                value = float(text)
            elif self.is_sequence:
                number = int if self.kind == "ints" else float
                value = tuple(number(part) for part in text.split(",") if part.strip())
            elif self.kind == "bool":
                value = {
                    "true": True,
                    "1": True,
                    "yes": True,
                    "false": False,
                    "0": False,
                    "no": False,
                }[text.lower()]
        except (ValueError, KeyError):
            value = text
        return self.check(value, method)

    def _convert(self, value: Any) -> Any:
        """The value in the declared type; None if it has another type."""
        if self.kind == "int":
            return int(value) if _is_number(value) and value % 1 == 0 else None
        if self.kind == "float":
            return float(value) if _is_number(value) else None
        if self.kind == "bool":
            return bool(value) if _is_bool(value) else None
        if self.is_sequence:
            return self._convert_items(value)
        return value if isinstance(value, str) else None

    def _convert_items(self, value: Any) -> tuple[int, ...] | tuple[float, ...] | None:
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            return None
        items = tuple(value)
        if not all(map(_is_number, items)):
            return None
        if self.kind == "floats":
            return tuple(float(item) for item in items)
        whole = all(isinstance(item, numbers.Integral) for item in items)
        return tuple(int(item) for item in items) if whole else None

    def _within(self, value: Any) -> bool:
        if self.kind == "choice":
            return value in self.choices
        if self.kind in ("text", "bool"):
            return True
        values = value if self.is_sequence else (value,)
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return all((v > low if self.exclusive_minimum else v >= low) and v <= high for v in values)

    def _interval(self) -> str:
        unit = f" {self.unit}" if self.unit and self.unit not in ("physical", "physical³") else ""
        if self.minimum is None and self.maximum is None:
            return ""
        if self.maximum is None:
            return f" {'>' if self.exclusive_minimum else '>='} {self.minimum:g}{unit}"
        if self.minimum is None:
            return f" <= {self.maximum:g}{unit}"
        bracket = "(" if self.exclusive_minimum else "["
        return f" in {bracket}{self.minimum:g}, {self.maximum:g}]{unit}"


def read_param(name: str, annotation: Any, default: Any, help_text: str) -> Param:
    """Build the record of one keyword from its annotation.

    Raises
    ------
    TypeError
        If the annotation is of a kind that no form could show. A mistake of whoever
        declared the method, so not a `SegSuiteError`.
    """
    metadata: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        metadata = tuple(rest)
    optional = False
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0] if len(members) == 1 else annotation
        if get_origin(annotation) is Annotated:
            annotation, *rest = get_args(annotation)
            metadata += tuple(rest)
    kind, choices = _kind_of(name, annotation)
    return Param(
        name=name,
        kind=kind,
        default=default,
        choices=choices,
        optional=optional,
        help=help_text,
        **_read_metadata(metadata),
    )


def _kind_of(name: str, annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(get_args(annotation))
    if annotation == tuple[int, ...]:
        return "ints", ()
    if annotation == tuple[float, ...]:
        return "floats", ()
    kinds: Mapping[Any, Kind] = {int: "int", float: "float", bool: "bool", str: "text"}
    if annotation not in kinds:
        raise TypeError(f"setting '{name}': no form can show a value of type {annotation!r}")
    return kinds[annotation], ()


def _read_metadata(metadata: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        if isinstance(item, at.Ge):
            found["minimum"] = item.ge
        elif isinstance(item, at.Gt):
            found["minimum"], found["exclusive_minimum"] = item.gt, True
        elif isinstance(item, at.Le):
            found["maximum"] = item.le
        elif isinstance(item, at.Interval):
            found["minimum"], found["maximum"] = item.ge, item.le
        elif isinstance(item, Unit):
            found["unit"] = item.symbol
        elif isinstance(item, PickedOn):
            found["picked_on"] = item.place
        else:
            raise TypeError(f"unknown bound {item!r} in a method's annotation")
    return found


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, numbers.Real) and not _is_bool(value) and math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")
