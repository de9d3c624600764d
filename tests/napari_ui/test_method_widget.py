"""The form of a method in a real viewer: from layers to a result layer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from method_forms import GEOMETRY, SHAPE, brightness, finish, painted, reason, results
from napari_segsuite.napari_ui import method_widget, widgets
from napari_segsuite.napari_ui.adapters import METADATA_KEY, space_of
from napari_segsuite.napari_ui.form_parts import FittingScrollArea
from napari_segsuite.napari_ui.method_widget import MethodWidget
from napari_segsuite.napari_ui.settings import Preferences

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


# --- from layers to a result ----------------------------------------------------------


def test_run_adds_a_layer_with_geometry_classes_and_history(qtbot, viewer, form, layers):
    image, seeds = layers
    before = seeds.data.copy()
    finish(qtbot, form)
    (result,) = results(viewer)
    assert isinstance(result, Labels)
    assert space_of(result) == space_of(image)
    assert list(result.features["name"]) == ["background", "outside", "inside"]
    np.testing.assert_allclose(result.get_color(2), seeds.get_color(2))
    record = result.metadata[METADATA_KEY]
    assert record["method"] == "split"
    again = nss.replay(record, nss.Image(image.data, space_of(image)), seeds=seeds.data)
    np.testing.assert_array_equal(again.labels, result.data)
    np.testing.assert_array_equal(seeds.data, before)
    assert form.message.startswith("Done in")


def test_result_lies_beneath_the_seeds_and_painting_goes_on(qtbot, viewer, form, layers):
    image, seeds = layers
    viewer.layers.selection.active = seeds
    finish(qtbot, form)
    (result,) = results(viewer)
    assert list(viewer.layers) == [image, result, seeds]
    assert viewer.layers.selection.active is seeds


def test_next_run_updates_the_forms_own_layer(qtbot, viewer, form, layers):
    finish(qtbot, form)
    (result,) = results(viewer)
    layers[1].data[0, 0, 0] = 3
    finish(qtbot, form)
    assert results(viewer) == [result]
    assert result.data.max() == 3


def test_next_run_adds_a_layer_where_asked_to(qtbot, viewer, form, layers):
    form.result_choice.value = "add"
    for expected in (1, 2):
        finish(qtbot, form)
        assert len(results(viewer)) == expected


def test_a_result_edited_by_hand_is_kept(qtbot, viewer, form, layers):
    finish(qtbot, form)
    (result,) = results(viewer)
    result.paint((1, 1, 1), 7)
    edited = result.data.copy()
    finish(qtbot, form)
    assert len(results(viewer)) == 2
    np.testing.assert_array_equal(result.data, edited)
    assert "edited by hand" in form.message


def test_a_result_on_another_grid_is_kept(qtbot, viewer, form, layers):
    finish(qtbot, form)
    for layer in layers:
        layer.scale = (1.0, 1.0, 1.0)
    finish(qtbot, form)
    assert len(results(viewer)) == 2
    assert "another grid" in form.message


def test_further_outputs_become_images_when_asked_for(qtbot, viewer, form, layers):
    form.extras["strength"].value = True
    finish(qtbot, form)
    finish(qtbot, form)
    labels, strength = sorted(results(viewer), key=lambda layer: isinstance(layer, Image))
    assert isinstance(strength, Image)
    assert space_of(strength) == space_of(labels)


def test_time_stack_of_a_result_lies_on_the_image(qtbot, viewer):
    image = viewer.add_image(brightness(), name="brain", **GEOMETRY)
    viewer.add_labels(painted(), name="seeds", **GEOMETRY)
    form = widgets.growcut(viewer)
    viewer.window.add_dock_widget(form, name="GrowCut")
    form.settings.set_values({"evolution": (1, 3)})
    form.run()
    qtbot.waitUntil(lambda: form.job is None, timeout=120_000)
    (result,) = results(viewer)
    assert result.data.shape == (2, *SHAPE)
    np.testing.assert_allclose(
        result.data_to_world((1, 2, 3, 4))[1:], image.data_to_world((2, 3, 4))
    )


def test_new_seeds_layer_lies_on_the_image_and_is_ready_to_paint(viewer, form):
    image = viewer.add_image(brightness(), name="brain", **GEOMETRY)
    form.new_seeds()
    seeds = form.choosers["seeds"].value
    assert seeds.data.dtype == np.uint8
    assert seeds.data.shape == image.data.shape
    assert space_of(seeds) == space_of(image)
    assert viewer.layers.selection.active is seeds
    assert seeds.mode == "paint"
    assert list(seeds.features["name"]) == ["background", "class 1", "class 2"]


def test_seeds_in_the_form_are_never_a_result(qtbot, viewer, form, layers):
    finish(qtbot, form)
    other = MethodWidget(viewer, form.method)
    viewer.window.add_dock_widget(other)
    assert other.choosers["seeds"].value is layers[1]


def test_renaming_a_layer_leaves_it_chosen(qtbot, viewer, form, layers):
    finish(qtbot, form)
    layers[1].name = "mine"
    assert form.choosers["seeds"].value is layers[1]


def test_limit_that_was_raised_counts_on_coming_back(monkeypatch, form, layers):
    limits = [1, None]
    monkeypatch.setattr(method_widget, "preferences", lambda: Preferences(memory_limit=limits[0]))
    layers[0].scale = layers[1].scale = (1, 1, 1)
    assert "memory limit" in reason(form)
    limits.pop(0)
    monkeypatch.setattr(form, "isActiveWindow", lambda: True)
    QApplication.sendEvent(form, QEvent(QEvent.Type.ActivationChange))
    assert form._panel.run_button.isEnabled()


def test_guessed_seeds_give_way_to_layers_named_so(viewer, form):
    image = viewer.add_image(brightness(), name="brain")
    truth = viewer.add_labels(painted(), name="tissue")
    assert form.choosers["seeds"].value is truth
    seeds = viewer.add_labels(painted(), name="seeds")
    assert form.choosers["seeds"].value is seeds
    form.choosers["seeds"].value = truth
    viewer.add_labels(painted(), name="other seeds")
    viewer.add_image(brightness(), name="image")
    assert form.choosers["seeds"].value is truth
    assert form.choosers["image"].value is image


def test_progress_and_cancel(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 60.0})
    count = len(viewer.layers)
    form.run()
    qtbot.waitUntil(lambda: form._panel.bar.value() == 500, timeout=5000)
    assert not form._panel.run_button.isEnabled()
    form.cancel()
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert len(viewer.layers) == count
    assert form._panel.run_button.isEnabled()
    assert form.message == "Stopped; nothing was changed."


def test_wheel_scrolls_the_form_and_changes_no_setting(form):
    spin_box = form.settings.widgets["seconds"].native
    turn = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(spin_box, turn)
    assert form.settings.values()["seconds"] == 0


def test_parts_of_the_form_are_not_cut_off(qtbot, form, layers):
    area = form.findChild(FittingScrollArea)
    qtbot.waitUntil(lambda: area.viewport().width() >= area.widget().width(), timeout=2000)


# --- Copy as Python -------------------------------------------------------------------


@pytest.mark.parametrize("turn", [np.eye(3), [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]])
def test_copied_script_runs(qtbot, viewer, form, layers, tmp_path, monkeypatch, turn):
    for layer in layers:
        layer.rotate = turn
    finish(qtbot, form)
    (result,) = results(viewer)
    form.copy_as_python()
    script = QApplication.clipboard().text()
    monkeypatch.chdir(tmp_path)
    saving = [line.split("console: ")[1] for line in script.splitlines() if "console: " in line]
    assert len(saving) == 2
    for line in saving:
        exec(line, {"np": np, "viewer": viewer})
    names: dict[str, object] = {}
    exec(script, names)
    np.testing.assert_array_equal(names["result"].labels, result.data)
    assert names["result"].space.is_close(space_of(result))
    assert Path("result.nii.gz").is_file()


def test_copied_script_reads_files_that_the_plugin_opened(
    qtbot, viewer, form, npe2pm, tmp_path, monkeypatch
):
    npe2 = pytest.importorskip("npe2")
    npe2pm.register(npe2.PluginManifest.from_file(Path(nss.__file__).with_name("napari.yaml")))
    flipped = nss.Space.from_matrix(np.diag([1.0, 1.0, -1.0, 1.0]), unit="mm")
    monkeypatch.chdir(tmp_path)
    nss.write("image.nii.gz", nss.Image(brightness(), flipped))
    nss.write("seeds.nii.gz", nss.Segmentation(painted(), flipped))
    for name in ("image", "seeds"):
        viewer.open(tmp_path / f"{name}.nii.gz", plugin="napari-segsuite")
    finish(qtbot, form)
    form.copy_as_python()
    script = QApplication.clipboard().text()
    assert "np.load" not in script
    names: dict[str, object] = {}
    exec(script, names)
    np.testing.assert_array_equal(names["result"].labels, results(viewer)[0].data)


# --- what the manifest names ----------------------------------------------------------


def test_every_method_has_a_widget_class():
    for record in nss.methods():
        cls = getattr(widgets, record.id)
        assert issubclass(cls, MethodWidget)
        assert getattr(widgets, record.id) is cls
    with pytest.raises(AttributeError):
        widgets.no_such_method  # noqa: B018


@pytest.mark.parametrize("record", nss.methods(), ids=lambda record: record.id)
def test_form_of_every_method_opens(qtbot, viewer, record):
    viewer.add_image(brightness())
    form = getattr(widgets, record.id)(viewer)
    viewer.window.add_dock_widget(form)
    assert form.settings.values() == record.check({})


def test_hub_finds_and_opens_methods(qtbot, viewer):
    hub = widgets.hub(viewer)
    viewer.window.add_dock_widget(hub)
    hub.search.setText("seeds contrast")
    assert hub.tree.currentItem().text(0) == "GrowCut"
    hub.open_current()
    form = viewer.window.dock_widgets["GrowCut"]
    assert isinstance(form, MethodWidget)
    assert hub.open("growcut") is form
    hub.search.setText("nothing has this name")
    assert hub.tree.currentItem() is None
    assert not hub.open_button.isEnabled()


def test_hub_lists_methods_of_others(qtbot, viewer, split):
    hub = widgets.hub(viewer)
    viewer.window.add_dock_widget(hub)
    hub.search.setText("split")
    assert hub.tree.currentItem().text(0) == "Split"
