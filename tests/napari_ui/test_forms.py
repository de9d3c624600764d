"""Every declared setting has a widget that takes and gives every legal value."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Le

from napari_segsuite import registry
from napari_segsuite.errors import ParameterError
from napari_segsuite.napari_ui.forms import SettingsForm
from napari_segsuite.params import Unit, read_param

pytestmark = pytest.mark.usefixtures("qapp")

CASES = {
    "bounded_int": (Annotated[int, Ge(1), Le(3)], 1, 3),
    "large_int": (Annotated[int, Ge(0)], 5, 10**9),
    "free_int": (int, -5, 7),
    "optional_int": (Annotated[int, Ge(0)] | None, 3, None),
    "bounded_float": (Annotated[float, Ge(0), Le(10)], 0.0, 0.12345),
    "small_float": (Annotated[float, Gt(0)], 1e-7, 3e-9),
    "free_float": (float, 2.5, -1e6),
    "optional_float": (float | None, None, 4.5),
    "choice": (Literal["first_one", "second"], "second", "first_one"),
    "optional_choice": (Literal["a", "b"] | None, None, "b"),
    "flag": (bool, True, False),
    "optional_flag": (bool | None, None, False),
    "whole_numbers": (tuple[int, ...], (), (1, 2, 50)),
    "words": (str, "", "a b"),
}


def form_of(*names):
    params = [read_param(name, CASES[name][0], CASES[name][1], f"help of {name}") for name in names]
    return SettingsForm(params, "Method")


@pytest.mark.parametrize("name", CASES)
def test_value_round_trip(name):
    _, default, other = CASES[name]
    form = form_of(name)
    for value in (default, other, default):
        form.set_values({name: value})
        assert form.values() == {name: value}


def test_form_shows_the_defaults():
    form = form_of(*CASES)
    assert form.values() == {name: default for name, (_, default, _) in CASES.items()}


@pytest.mark.parametrize("method", registry.methods(), ids=lambda method: method.id)
def test_form_of_every_method_round_trips(method):
    form = SettingsForm(method.params, method.title)
    assert form.values() == method.check({})
    form.set_values(form.values())
    assert form.values() == method.check({})


def test_help_is_the_tooltip():
    assert form_of("flag").widgets["flag"].tooltip == "help of flag"


def test_widgets_keep_to_the_bounds():
    form = form_of("bounded_int", "small_float")
    assert (form.widgets["bounded_int"].min, form.widgets["bounded_int"].max) == (1, 3)
    form.widgets["small_float"].native.setValue(0)
    assert form.values()["small_float"] > 0


@pytest.mark.parametrize(
    ("name", "typed"),
    [("whole_numbers", "1, x"), ("optional_int", "-1"), ("optional_float", "many")],
)
def test_what_was_typed_wrongly_is_said(name, typed):
    form = form_of(name)
    form.widgets[name].value = typed
    with pytest.raises(ParameterError, match=name):
        form.values()


def test_change_is_told():
    form = form_of("flag", "words")
    told = []
    form.changed.connect(lambda: told.append(True))
    form.widgets["words"].value = "x"
    assert told


def test_physical_units_are_those_of_the_image():
    spin = read_param("radius", Annotated[float, Gt(0), Unit("physical")], 1.0, "")
    typed = read_param("reach", Annotated[float | None, Unit("physical")], None, "")
    weight = read_param("weight", Annotated[float, Unit("per physical unit")], 1.0, "")
    form = SettingsForm([spin, typed, weight], "Method")
    form.set_unit("mm")
    assert form.widgets["radius"].native.suffix() == " mm"
    assert form.widgets["reach"].label == "Reach (mm)"
    assert form.widgets["weight"].native.suffix() == " per mm"
    form.set_unit(None)
    assert form.widgets["radius"].native.suffix() == " px"
    assert form.widgets["reach"].label == "Reach (px)"


def test_a_volume_is_an_area_in_a_plane():
    volume = read_param("min_volume", Annotated[float, Ge(0), Unit("physical³")], 1.0, "")
    form = SettingsForm([volume], "Method")
    form.set_unit("mm", 3)
    assert form.widgets["min_volume"].native.suffix() == " mm³"
    form.set_unit(None, 2)
    assert form.widgets["min_volume"].native.suffix() == " px²"


def test_sequences_of_numbers_are_typed():
    form = SettingsForm([read_param("low", tuple[float, ...], (), "")], "Method")
    form.set_values({"low": (0.5, 20.0)})
    assert form.values() == {"low": (0.5, 20.0)}
    form.widgets["low"].value = "1, many"
    with pytest.raises(ParameterError, match="'low' must be a sequence of numbers"):
        form.values()
