"""Layers of strength and doubt, and the way to the least certain slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grow_docks import blobs, settle, start, strokes, wait_for
from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.growing.certainty import doubt
from napari_segsuite.growing.engines import SessionEngine
from napari_segsuite.napari_ui.adapters import space_of
from napari_segsuite.napari_ui.grow import certainty_panel
from napari_segsuite.napari_ui.grow.dock import GrowDock

LEAST_CERTAIN = 4
OBLIQUE = np.array([[0.8, 0.0, 0.6], [0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]])


def margins_of(shape: tuple[int, ...], index: int = LEAST_CERTAIN) -> np.ndarray:
    """Certain everywhere but in one slice."""
    values = np.full(shape, 0.8, np.float32)
    values[index] = 0.1
    return values


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Margins come at once, and are counted."""
    calls: list[Any] = []

    def margin(engine: SessionEngine, _progress: Any) -> np.ndarray:
        calls.append(engine.seeds.copy())
        return margins_of(engine.seeds.shape)

    monkeypatch.setattr(SessionEngine, "margin", margin)
    monkeypatch.setattr(certainty_panel, "_REST_MS", 50)
    return calls


def look(dock: GrowDock) -> None:
    """Wait until all that is shown is up to date."""
    panel = dock.certainty
    settle(dock)
    wait_for(lambda: not panel._is_behind and panel._job is None)


def layer(dock: GrowDock, name: str) -> Any:
    return next((one for one in dock._viewer.layers if one.name == f"brain {name}"), None)


# --- layers ---------------------------------------------------------------------------
def test_layers_come_follow_and_go(
    measured: list[Any], dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    dock.certainty.strength.value = dock.certainty.doubt.value = True
    look(dock)
    strength, dark = layer(dock, "strength"), layer(dock, "doubt")
    np.testing.assert_array_equal(strength.data, dock.controller.growth.strength)
    labels = dock.controller.growth.shown
    np.testing.assert_array_equal(dark.data, doubt(margins_of(labels.shape), labels))
    assert dark.data[LEAST_CERTAIN].max() == 0.875 > dark.data[LEAST_CERTAIN - 1].max()
    assert dock._viewer.layers.selection.active is seeds
    assert not dock.inputs.others.choices
    seeds.paint((2, 4, 4), 2)
    look(dock)
    assert layer(dock, "strength") is strength
    np.testing.assert_array_equal(strength.data, dock.controller.growth.strength)
    assert strength.data[2, 4, 4] == 1
    np.testing.assert_array_equal(measured[-1], seeds.data)
    dock.certainty.doubt.value = False
    assert layer(dock, "doubt") is None
    dock.cancel()
    assert layer(dock, "strength") is None
    start(dock)
    look(dock)
    assert layer(dock, "strength") is not None
    dock.desk.apply()
    wait_for(lambda: layer(dock, "strength") is None)


def test_a_stroke_that_changes_nothing_on_display_leaves_nothing_behind(
    measured: list[Any], dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    dock.certainty.doubt.value = True
    look(dock)
    place = tuple(
        int(i[0]) for i in np.nonzero((dock.controller.growth.shown == 1) * (seeds.data == 0))
    )
    seeds.paint(place, 1)
    look(dock)
    assert layer(dock, "doubt") is not None


def test_a_layer_that_the_user_removes_stays_away(
    measured: list[Any], dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    dock.certainty.strength.value = True
    look(dock)
    dock._viewer.layers.remove(layer(dock, "strength"))
    assert not dock.certainty.strength.value
    seeds.paint((2, 4, 4), 2)
    look(dock)
    assert layer(dock, "strength") is None


def test_layers_cover_the_region_as_it_grows(
    measured: list[Any], dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.limits.region.value = "seeds"
    dock.limits.margin.value = 0.0
    seeds.data[:, :4] = 0
    start(dock)
    dock.certainty.strength.value = True
    look(dock)
    small = layer(dock, "strength").data.shape
    seeds.paint((0, 1, 1), 2)
    look(dock)
    region = dock.controller.growth.plan.region
    assert layer(dock, "strength").data.shape > small
    assert [one.name for one in dock._viewer.layers].count("brain strength") == 1
    assert space_of(layer(dock, "strength")).is_close(space_of(image).crop(region))


def test_engines_that_do_not_know_say_so(dock: GrowDock, image: Any, seeds: Any) -> None:
    dock.engine.set_values({"method": "watershed"})
    dock.preview()
    settle(dock)
    dock.certainty.strength.value = True
    look(dock)
    assert "does not say" in dock.message
    dock.certainty.go_to_least_certain()
    look(dock)
    assert "does not say how sure" in dock.message


def test_measuring_gives_way_to_strokes(
    dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def endless(engine: SessionEngine, progress: Any) -> np.ndarray:
        calls.append("begun")
        try:
            while len(calls) == 1:
                progress(0.5, "measuring")
        except Cancelled:
            calls.append("gave way")
            raise
        return margins_of(engine.seeds.shape)

    monkeypatch.setattr(SessionEngine, "margin", endless)
    start(dock)
    dock.certainty.doubt.value = True
    wait_for(lambda: bool(calls))
    seeds.paint((2, 4, 4), 2)
    look(dock)
    assert calls == ["begun", "gave way", "begun"]
    assert layer(dock, "doubt") is not None


def test_what_goes_wrong_is_said(
    dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise InputError("no margin today")

    monkeypatch.setattr(SessionEngine, "margin", refuse)
    start(dock)
    dock.certainty.doubt.value = True
    look(dock)
    assert dock.message == "No margin today"


# --- the least certain slice ----------------------------------------------------------
GEOMETRIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "anisotropic": {"scale": (3.0, 0.5, 0.5), "translate": (7.0, -2.0, 1.0), "units": ("mm",) * 3},
    "oblique": {"scale": (3.0, 0.5, 0.5), "rotate": OBLIQUE, "translate": (7.0, -2.0, 1.0)},
}


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_slider_goes_to_the_least_certain_slice(
    measured: list[Any], viewer: Any, dock: GrowDock, name: str
) -> None:
    image = viewer.add_image(blobs(), name="brain", **GEOMETRIES[name])
    viewer.add_labels(strokes(), name="brain seeds", **GEOMETRIES[name])
    start(dock)
    dock.certainty.go_to_least_certain()
    look(dock)
    assert f"Slice {LEAST_CERTAIN} " in dock.message
    np.testing.assert_array_equal(on_display(image), image.data[LEAST_CERTAIN])


def test_slices_across_whichever_axis_is_hidden(
    measured: list[Any], viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    viewer.dims.order = (2, 0, 1)
    start(dock)
    dock.certainty.go_to_least_certain()
    look(dock)
    shown = int(dock.message.split()[1])
    np.testing.assert_array_equal(on_display(image), image.data[..., shown])


def test_slider_of_space_not_of_time(measured: list[Any], viewer: Any, dock: GrowDock) -> None:
    names = ("t", "z", "y", "x")
    frames = np.stack([blobs(), blobs() // 2])
    image = viewer.add_image(frames, name="brain", axis_labels=names, scale=(5, 3, 1, 1))
    viewer.add_labels(
        np.stack([strokes()] * 2), name="seeds", axis_labels=names, scale=(5, 3, 1, 1)
    )
    viewer.dims.set_current_step(0, 1)
    start(dock)
    dock.certainty.go_to_least_certain()
    look(dock)
    np.testing.assert_array_equal(on_display(image), image.data[1, LEAST_CERTAIN])


def test_slices_are_counted_from_the_region(
    measured: list[Any], viewer: Any, dock: GrowDock
) -> None:
    shape = (40, 22, 26)
    image = viewer.add_image(blobs(shape), name="brain")
    viewer.add_labels(strokes(shape), name="seeds")
    dock.limits.region.value = "seeds"
    dock.limits.margin.value = 6.0
    start(dock)
    first = dock.controller.growth.plan.region[0].start
    assert first > 0
    dock.certainty.go_to_least_certain()
    look(dock)
    assert f"Slice {first + LEAST_CERTAIN} " in dock.message
    np.testing.assert_array_equal(on_display(image), image.data[first + LEAST_CERTAIN])


def test_a_preview_that_could_not_start_has_nothing_to_look_into(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    seeds.data[...] = 0
    dock.limits.region.value = "seeds"
    dock.preview()
    settle(dock)
    assert "expected seeds" in dock.message.lower()
    dock.certainty.strength.value = True
    dock.certainty.doubt.value = True
    dock.certainty.go_button.click()
    assert "Nothing has grown yet" in dock.message
    dock.desk.apply()
    assert "Nothing has grown yet" in dock.message


def test_where_there_is_nowhere_to_go_it_says_so(
    measured: list[Any], viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.certainty.go_to_least_certain()
    assert "press Preview" in dock.message
    start(dock)
    viewer.dims.ndisplay = 3
    dock.certainty.go_to_least_certain()
    assert "slices" in dock.message
    viewer.dims.ndisplay = 2
    seeds.data[seeds.data == 2] = 1
    seeds.refresh()
    settle(dock)
    dock.certainty.go_to_least_certain()
    look(dock)
    assert dock.message == "No border is in doubt."


def on_display(image: Any) -> np.ndarray:
    return np.asarray(image._slice.image.raw)
