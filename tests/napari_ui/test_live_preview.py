"""The live preview of a form: what it shows, when, and what it leaves behind."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from napari.layers import Image
from qtpy.compat import isalive

import napari_segsuite as nss
import preview_methods
from method_forms import GEOMETRY, SHAPE, brightness, finish, results
from napari_segsuite.napari_ui.adapters import PREVIEW_KEY, space_of
from napari_segsuite.napari_ui.method_widget import MethodWidget

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


def open_form(viewer, method_id):
    form = MethodWidget(viewer, nss.get_method(method_id))
    viewer.window.add_dock_widget(form, name=form.method.title)
    return form


@pytest.fixture
def ramp(viewer):
    data = np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE)
    return viewer.add_image(data, name="ramp", **GEOMETRY)


@pytest.fixture
def cut(viewer, scratch_registry, ramp):
    preview_methods.declare_cut()
    preview_methods.calls.update(now=0, most=0, all=0)
    return open_form(viewer, "cut")


@pytest.fixture
def near(viewer, scratch_registry):
    preview_methods.declare_nearest_colour()
    return open_form(viewer, "near_colours")


def show(qtbot, form):
    form.preview.box.setChecked(True)
    qtbot.waitUntil(lambda: form.preview.layer is not None, timeout=5000)
    return form.preview.layer


def set_values(qtbot, form, **values):
    """Change settings and wait until nothing more is under way."""
    form.settings.set_values(values)
    settle(qtbot, form)


def settle(qtbot, form):
    qtbot.wait(30)
    qtbot.waitUntil(lambda: form.preview._job is None, timeout=10_000)


def test_no_preview_unless_asked_for(qtbot, viewer, cut, ramp):
    set_values(qtbot, cut, algorithm="manual", value=100.0)
    assert list(viewer.layers) == [ramp]
    assert preview_methods.calls["all"] == 0


def test_methods_without_a_preview_have_no_box(form):
    assert form.preview is None


def test_preview_follows_settings(qtbot, viewer, cut, ramp):
    layer = show(qtbot, cut)
    np.testing.assert_array_equal(layer.data, ramp.data > ramp.data.mean())
    for value in (100, 300):
        set_values(qtbot, cut, algorithm="manual", value=value)
        assert cut.preview.layer is layer
        np.testing.assert_array_equal(layer.data, ramp.data > value)
    assert space_of(layer) == space_of(ramp)
    assert layer.name == "preview"
    assert not layer.editable


def test_volume_is_not_computed_again_for_another_slice(qtbot, viewer, cut):
    show(qtbot, cut)
    before = preview_methods.calls["all"]
    viewer.dims.set_current_step(0, 2)
    settle(qtbot, cut)
    assert preview_methods.calls["all"] == before


def test_slice_follows_the_slider_in_any_orientation(qtbot, viewer, near, ramp):
    near.settings.set_values({"colours": tuple(float(v) for v in range(0, 480, 3))})
    show(qtbot, near)
    for order, index in (((0, 1, 2), 4), ((1, 0, 2), 5), ((2, 0, 1), 7), ((2, 1, 0), 1)):
        viewer.dims.order = order
        viewer.dims.set_current_step(order[0], index)
        settle(qtbot, near)
        layer = near.preview.layer
        expected = (ramp.data.take([index], order[0]) % 3) == 0
        np.testing.assert_array_equal(layer.data, expected)
        here = [0, 0, 0]
        here[order[0]] = index
        np.testing.assert_allclose(layer.data_to_world((0, 0, 0)), ramp.data_to_world(here))
    assert "a run makes the volume" in near.message


def test_no_preview_in_3d(qtbot, viewer, cut):
    show(qtbot, cut)
    viewer.dims.ndisplay = 3
    settle(qtbot, cut)
    assert cut.preview.layer is None
    assert "switch the display to 2D" in cut.message
    viewer.dims.ndisplay = 2
    settle(qtbot, cut)
    assert cut.preview.layer is not None
    assert cut.message == ""


def test_newest_wins_and_nothing_queues_up(qtbot, cut, ramp):
    layer = show(qtbot, cut)
    set_values(qtbot, cut, algorithm="manual", value=1.0)
    before = preview_methods.calls["all"]
    form_values = list(range(10, 60))
    for value in form_values:
        cut.settings.set_values({"value": value, "seconds": 0.05})
        qtbot.wait(1)
    settle(qtbot, cut)
    assert preview_methods.calls["most"] == 1
    assert preview_methods.calls["all"] - before < len(form_values) / 2
    np.testing.assert_array_equal(layer.data, ramp.data > form_values[-1])


def test_slow_preview_gives_way(qtbot, cut, ramp):
    layer = show(qtbot, cut)
    cut.settings.set_values({"seconds": 60.0})
    qtbot.wait(300)
    set_values(qtbot, cut, algorithm="manual", value=7.0, seconds=0.0)
    np.testing.assert_array_equal(layer.data, ramp.data > 7)


def test_what_is_wrong_is_said_in_the_form(qtbot, cut):
    show(qtbot, cut)
    set_values(qtbot, cut, algorithm="manual", value=2000.0)
    assert cut.message == "Cut: expected a value up to 1000; take less."
    assert cut.preview.layer is None
    set_values(qtbot, cut, value=20.0)
    assert cut.message == ""
    assert cut.preview.layer is not None


def test_painting_on_an_input_is_followed(qtbot, viewer, cut, ramp):
    mask = viewer.add_labels(np.ones(SHAPE, np.uint8), name="mask", **GEOMETRY)
    cut.choosers["mask"].value = mask
    layer = show(qtbot, cut)
    assert layer.data[5, 7, 9] == 1
    mask.data_setitem((np.array([5]), np.array([7]), np.array([9])), 0)
    settle(qtbot, cut)
    assert cut.preview.layer.data[5, 7, 9] == 0
    mask.undo()
    settle(qtbot, cut)
    assert cut.preview.layer.data[5, 7, 9] == 1


def test_run_takes_the_place_of_the_preview(qtbot, viewer, cut, ramp):
    show(qtbot, cut)
    finish(qtbot, cut)
    settle(qtbot, cut)
    (result,) = results(viewer)
    assert list(viewer.layers) == [ramp, result]
    assert cut.message.startswith("Done in")
    viewer.dims.set_current_step(0, 1)
    settle(qtbot, cut)
    assert len(viewer.layers) == 2
    set_values(qtbot, cut, algorithm="manual", value=9.0)
    assert cut.preview.layer in viewer.layers
    assert not result.visible
    finish(qtbot, cut)
    settle(qtbot, cut)
    assert list(viewer.layers) == [ramp, result]
    assert result.visible
    np.testing.assert_array_equal(result.data, ramp.data > 9)


def test_settings_changed_during_a_run_are_previewed_after_it(qtbot, viewer, cut, ramp):
    show(qtbot, cut)
    set_values(qtbot, cut, seconds=0.3)
    cut.run()
    cut.settings.set_values({"seconds": 0.0, "algorithm": "manual", "value": 11})
    qtbot.waitUntil(lambda: cut.job is None, timeout=5000)
    settle(qtbot, cut)
    np.testing.assert_array_equal(cut.preview.layer.data, ramp.data > 11)


def test_stopped_run_brings_the_preview_back(qtbot, viewer, cut):
    show(qtbot, cut)
    set_values(qtbot, cut, seconds=0.2)
    cut.run()
    cut.cancel()
    qtbot.waitUntil(lambda: cut.job is None, timeout=5000)
    settle(qtbot, cut)
    assert cut.preview.layer is not None


def test_nobody_is_offered_the_preview(qtbot, viewer, cut):
    layer = show(qtbot, cut)
    assert PREVIEW_KEY in layer.metadata
    assert layer not in list(cut.choosers["mask"].choices)
    other = open_form(viewer, "clean_labels")
    assert other.choosers["image"].value is None


def test_box_unticked_and_layer_removed_by_hand(qtbot, viewer, cut, ramp):
    show(qtbot, cut)
    cut.preview.box.setChecked(False)
    settle(qtbot, cut)
    assert list(viewer.layers) == [ramp]
    viewer.layers.remove(show(qtbot, cut))
    assert not cut.preview.box.isChecked()
    assert list(viewer.layers) == [ramp]


def test_active_layer_stays_active(qtbot, viewer, cut, ramp):
    viewer.layers.selection.active = ramp
    show(qtbot, cut)
    assert viewer.layers.selection.active is ramp


@pytest.mark.parametrize("deleted", [True, False])
def test_closing_the_form_takes_the_preview_away(qtbot, viewer, cut, ramp, deleted):
    show(qtbot, cut)
    if deleted:
        viewer.window.remove_dock_widget(cut)
        cut.deleteLater()
        qtbot.waitUntil(lambda: not isalive(cut), timeout=2000)
    else:
        cut.parent().destroyOnClose()
    qtbot.wait(50)
    assert list(viewer.layers) == [ramp]
    viewer.dims.set_current_step(0, 1)
    viewer.dims.ndisplay = 3


def test_viewer_closed_with_a_preview(qtbot, make_napari_viewer, scratch_registry):
    preview_methods.declare_cut()
    viewer = make_napari_viewer()
    viewer.add_image(brightness())
    form = open_form(viewer, "cut")
    show(qtbot, form)
    form.settings.set_values({"seconds": 5.0})
    qtbot.wait(30)
    viewer.close()


@pytest.mark.parametrize("n_channels", [None, 3])
def test_image_that_a_method_makes_is_shown_as_one(qtbot, viewer, scratch_registry, n_channels):
    preview_methods.declare_invert()
    shape = SHAPE if n_channels is None else (*SHAPE, n_channels)
    data = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image = viewer.add_image(data, rgb=n_channels is not None, name="photo", **GEOMETRY)
    form = open_form(viewer, "invert")
    layer = show(qtbot, form)
    here = viewer.dims.current_step[0]
    assert isinstance(layer, Image)
    np.testing.assert_array_equal(layer.data, 255 - data[here : here + 1])
    finish(qtbot, form)
    finish(qtbot, form)
    (result,) = results(viewer)
    assert isinstance(result, Image)
    assert result.rgb == image.rgb
    np.testing.assert_array_equal(result.data, 255 - data)
    assert space_of(result) == space_of(image)


def test_time_point_in_view_is_previewed(qtbot, viewer, scratch_registry):
    preview_methods.declare_cut()
    series = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), dtype=np.uint8)
    image = viewer.add_image(series, axis_labels=("t", "z", "y", "x"), name="course")
    form = open_form(viewer, "cut")
    viewer.dims.set_current_step(0, 2)
    layer = show(qtbot, form)
    np.testing.assert_array_equal(layer.data[0], series[2] > series[2].mean())
    viewer.dims.set_current_step(0, 3)
    settle(qtbot, form)
    layer = form.preview.layer
    np.testing.assert_array_equal(layer.data[0], series[3] > series[3].mean())
    np.testing.assert_allclose(layer.data_to_world((0, 0, 0, 0)), image.data_to_world((3, 0, 0, 0)))
