"""Settings chosen on the histogram and on the image."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence

import napari_segsuite as nss
import preview_methods
from method_forms import GEOMETRY
from napari_segsuite.napari_ui.method_widget import MethodWidget

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


def open_form(viewer, method_id):
    form = MethodWidget(viewer, nss.get_method(method_id))
    viewer.window.add_dock_widget(form, name=form.method.title)
    return form


# --- on the histogram -----------------------------------------------------------------


@pytest.fixture
def grey(viewer):
    data = np.repeat(np.arange(201, dtype=np.uint8)[:, None], 4, axis=1)
    return viewer.add_image(data, name="grey")


@pytest.fixture
def cut(qtbot, viewer, grey, scratch_registry):
    preview_methods.declare_cut()
    form = open_form(viewer, "cut")
    qtbot.waitUntil(lambda: view_of(form).histogram is not None, timeout=60_000)
    return form


def view_of(form):
    return form._pickers.histogram.view


def at(view, value):
    """Where an intensity lies in the histogram."""
    edges = view.histogram.edges
    area = view._area()
    share = (value - edges[0]) / (edges[-1] - edges[0])
    return QPoint(round(area.left() + share * area.width()), round(area.center().y()))


def near(view, value):
    """Half a pixel and half a bin may lie between a place and its intensity."""
    return pytest.approx(value, abs=0.5 + np.ptp(view.histogram.edges) / view._area().width())


def test_histogram_is_that_of_the_chosen_image(qtbot, viewer, cut):
    np.testing.assert_array_equal(view_of(cut).histogram.counts, np.full(201, 4))
    other = viewer.add_image(np.full((5, 5), 7, np.uint8), name="other")
    cut.choosers["image"].value = other
    qtbot.waitUntil(lambda: len(view_of(cut).histogram.counts) == 1, timeout=5000)


def test_click_and_drag_choose_the_value_and_manual(qtbot, cut):
    view = view_of(cut)
    assert view.lines[0].place is None
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 50))
    assert cut.settings.values()["value"] == near(view, 50)
    assert cut.settings.values()["algorithm"] == "manual"
    qtbot.mouseMove(view, at(view, 120))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=at(view, 120))
    value = cut.settings.values()["value"]
    assert value == near(view, 120)
    assert value % 1 == 0
    assert cut.settings.widgets["value"].value == f"{value:g}"
    qtbot.mouseMove(view, at(view, 10))
    assert cut.settings.values()["value"] == value
    assert cut._panel.run_button.isEnabled()


def test_line_stays_within_the_histogram(qtbot, cut):
    view = view_of(cut)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=at(view, 100))
    view._move_to(9999.0)
    assert cut.settings.values()["value"] <= view.histogram.edges[-1]


def test_keys_move_the_line(qtbot, cut):
    view = view_of(cut)
    cut.settings.set_values({"value": 90})
    for key, expected in (("Right", 91), ("Left", 90), ("PageUp", 100), ("PageDown", 90)):
        qtbot.keyClick(view, getattr(Qt.Key, f"Key_{key}"))
        assert cut.settings.values()["value"] == expected
    assert "Value 90" in view.accessibleDescription()


def test_field_moves_the_line_and_automatic_takes_it_away(cut):
    line = view_of(cut).lines[0]
    cut.settings.widgets["value"].value = "33"
    assert line.value == 33
    assert cut.settings.values()["algorithm"] == "manual"
    cut.settings.widgets["value"].value = "33x"
    assert line.value == 33
    cut.settings.widgets["algorithm"].value = "mean"
    assert cut.settings.values() == cut.method.check({})
    assert line.value is None


def test_line_shows_what_the_preview_found(qtbot, cut):
    line = view_of(cut).lines[0]
    cut.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: line.found == 100, timeout=5000)
    assert "automatic" in view_of(cut).accessibleDescription()
    cut.preview.box.setChecked(False)
    assert line.place is None


def test_two_lines(qtbot, viewer, grey):
    form = open_form(viewer, "hysteresis_threshold")
    view = view_of(form)
    qtbot.waitUntil(lambda: view.histogram is not None, timeout=60_000)
    for value in (50, 150):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(view, value))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(view, 60))
    settings = form.settings.values()
    assert settings["low"] == near(view, 60)
    assert settings["high"] == near(view, 150)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert form.settings.values()["high"] == settings["high"] + 1
    view.grab()


def test_image_without_a_histogram(qtbot, viewer, cut):
    blank = viewer.add_image(np.full((5, 5), np.nan, np.float32), contrast_limits=(0, 1))
    cut.choosers["image"].value = blank
    qtbot.waitUntil(lambda: view_of(cut).histogram is None, timeout=5000)
    qtbot.mouseClick(view_of(cut), Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert cut.settings.values()["value"] is None
    view_of(cut).grab()


# --- on the image ---------------------------------------------------------------------


@pytest.fixture
def near_colours(viewer, scratch_registry):
    preview_methods.declare_nearest_colour()
    return open_form(viewer, "near_colours")


def click(viewer, layer, *index):
    """Click on a voxel of a layer, as the canvas passes it on."""
    event = SimpleNamespace(
        position=tuple(layer.data_to_world(index)),
        view_direction=None,
        dims_displayed=list(viewer.dims.displayed),
        type="mouse_press",
        button=1,
        modifiers=(),
    )
    for callback in list(layer.mouse_drag_callbacks):
        callback(layer, event)


def picker_of(form):
    return form._pickers.pixels["colours"]


def test_clicks_on_colours(viewer, near_colours):
    data = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    image = viewer.add_image(data, rgb=True, name="photo")
    click(viewer, image, 1, 2)
    assert near_colours.settings.values()["colours"] == ()
    picker_of(near_colours).button.click()
    click(viewer, image, 1, 2)
    click(viewer, image, 5, 6)
    click(viewer, image, 99, 99)
    picked = np.concatenate([data[1, 2], data[5, 6]])
    assert near_colours.settings.values()["colours"] == tuple(picked)
    assert near_colours.settings.widgets["colours"].value == ", ".join(map(str, picked))
    chips = picker_of(near_colours).chips
    swatch = chips[1].icon().pixmap(16, 16).toImage().pixelColor(4, 4)
    assert (swatch.red(), swatch.green(), swatch.blue()) == tuple(data[5, 6])
    chips[0].click()
    assert near_colours.settings.values()["colours"] == tuple(data[5, 6])
    assert len(picker_of(near_colours).chips) == 1


def test_clicks_on_the_slice_in_view(viewer, near_colours):
    data = np.random.default_rng(0).normal(0, 1, (6, 7, 8)).astype(np.float32)
    image = viewer.add_image(data, name="brain", **GEOMETRY)
    viewer.dims.set_current_step(0, 4)
    picker_of(near_colours).button.click()
    click(viewer, image, 4, 5, 6)
    (value,) = near_colours.settings.values()["colours"]
    assert value == pytest.approx(data[4, 5, 6], rel=1e-5)
    assert len(picker_of(near_colours).chips) == 1


def test_picking_neither_paints_nor_pans_and_ends_with_esc(viewer, near_colours):
    image = viewer.add_image(np.zeros((6, 7), np.uint8), name="photo")
    labels = viewer.add_labels(np.zeros((6, 7), np.uint8))
    labels.mode = "paint"
    button = picker_of(near_colours).button
    button.click()
    assert viewer.layers.selection.active is image
    assert not image.mouse_pan
    key = picker_of(near_colours)._end_key
    assert key.key() == QKeySequence("Escape")
    key.activated.emit()  # what Qt does in the window that is in front, as this one is not
    assert not button.isChecked()
    assert viewer.layers.selection.active is labels
    assert image.mouse_pan
    assert not image.mouse_drag_callbacks


def test_another_active_layer_ends_picking(viewer, near_colours):
    image = viewer.add_image(np.zeros((6, 7), np.uint8), name="photo")
    labels = viewer.add_labels(np.zeros((6, 7), np.uint8))
    picker_of(near_colours).button.click()
    viewer.layers.selection.active = labels
    assert not picker_of(near_colours).button.isChecked()
    assert viewer.layers.selection.active is labels
    assert image.mouse_pan


def test_closing_the_form_ends_picking(viewer, near_colours):
    image = viewer.add_image(np.zeros((6, 7), np.uint8), name="photo")
    picker_of(near_colours).button.click()
    near_colours.parent().destroyOnClose()
    assert not image.mouse_drag_callbacks
    viewer.add_labels(np.zeros((6, 7), np.uint8))


def test_nothing_to_pick_from_without_an_image(viewer, near_colours):
    button = picker_of(near_colours).button
    assert not button.isEnabled()
    image = viewer.add_image(np.zeros((6, 7), np.uint8))
    button.click()
    viewer.layers.remove(image)
    assert not button.isChecked()
    assert not button.isEnabled()
