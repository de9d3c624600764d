"""Settings read off a signature."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Interval, Le

from napari_segsuite.errors import ParameterError
from napari_segsuite.params import Param, PickedOn, Unit, read_param


def param(annotation: Any, default: Any = None) -> Param:
    return read_param("size", annotation, default, "How large.")


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[int, Ge(1), Le(3)], "an integer in [1, 3]"),
        (Annotated[float, Gt(0), Le(2), Unit("px")], "a number in (0, 2] px"),
        (Annotated[float | None, Ge(0)], "a number >= 0 or None"),
        (Annotated[float, Gt(0)], "a number > 0"),
        (Annotated[int, Le(9)], "an integer <= 9"),
        (Annotated[int, Interval(ge=2, le=4)], "an integer in [2, 4]"),
        (Literal["a", "b"], "one of 'a', 'b'"),
        (bool, "True or False"),
        (str, "text"),
        (Annotated[tuple[int, ...], Ge(0)], "a sequence of integers >= 0"),
        (Annotated[float, Unit("physical")], "a number"),
    ],
)
def test_constraint_in_words(annotation: Any, words: str) -> None:
    assert param(annotation).constraint == words


@pytest.mark.parametrize(
    ("annotation", "value", "kept"),
    [
        (Annotated[int, Ge(1)], np.int64(2), 2),
        (int, 3.0, 3),
        (float, 2, 2.0),
        (float, np.float32(0.5), 0.5),
        (bool, np.True_, True),
        (tuple[int, ...], [1, np.int8(2)], (1, 2)),
        (float | None, None, None),
    ],
)
def test_values_come_back_in_the_declared_type(annotation: Any, value: Any, kept: Any) -> None:
    checked = param(annotation).check(value, "Test")
    assert checked == kept
    assert type(checked) is type(kept)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[int, Ge(1)], 0),
        (int, 2.5),
        (int, True),
        (int, None),
        (float, float("inf")),
        (float, "1"),
        (Annotated[float, Gt(0)], 0),
        (Annotated[float, Le(1)], 1.1),
        (bool, 1),
        (Literal["a"], "A"),
        (str, 7),
        (tuple[int, ...], "12"),
        (tuple[int, ...], (1.5,)),
        (Annotated[tuple[int, ...], Ge(0)], (3, -1)),
    ],
)
def test_other_values_are_refused_in_one_sentence(annotation: Any, value: Any) -> None:
    with pytest.raises(ParameterError, match=r"^Test: 'size' must be .*, got .*\.$") as caught:
        param(annotation).check(value, "Test")
    assert caught.value.name == "size"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "1e-3", 0.001),
        (bool, "no", False),
        (bool, "True", True),
        (float | None, "none", None),
        (Literal["a", "b"], "b", "b"),
        (tuple[int, ...], "1, 5,9", (1, 5, 9)),
        (tuple[int, ...], "", ()),
        (str, "7", "7"),
    ],
)
def test_text_is_parsed(annotation: Any, text: str, value: Any) -> None:
    assert param(annotation).from_text(text, "Test") == value


@pytest.mark.parametrize(
    ("annotation", "text"), [(int, "three"), (bool, "maybe"), (tuple[int, ...], "1;2")]
)
def test_text_that_is_no_value_is_refused(annotation: Any, text: str) -> None:
    with pytest.raises(ParameterError, match="must be"):
        param(annotation).from_text(text, "Test")


@pytest.mark.parametrize("annotation", [dict, list[int], int | str, Annotated[int, "metres"]])
def test_declarations_no_form_can_show_are_the_authors_mistake(annotation: Any) -> None:
    with pytest.raises(TypeError):
        param(annotation)


def test_integers_beyond_any_float_are_out_of_bounds() -> None:
    with pytest.raises(ParameterError, match=r"an integer in \[1, 3\]"):
        param(Annotated[int, Ge(1), Le(3)]).check(10**400, "GrowCut")


def test_sequences_of_numbers() -> None:
    floats = param(Annotated[tuple[float, ...], Ge(0), Le(1)])
    assert floats.is_sequence
    assert floats.check([0, 0.5], "GrowCut") == (0.0, 0.5)
    assert floats.from_text("0.25, 1", "GrowCut") == (0.25, 1.0)
    assert floats.from_text("", "GrowCut") == ()
    for bad in ((0.5, 2), (float("nan"),), "0.5", (True,), 0.5):
        with pytest.raises(ParameterError, match=r"a sequence of numbers in \[0, 1\]"):
            floats.check(bad, "GrowCut")


def test_places_to_pick_from() -> None:
    picked = param(Annotated[float | None, PickedOn("histogram")])
    assert picked.picked_on == "histogram"
    assert param(int).picked_on == ""
