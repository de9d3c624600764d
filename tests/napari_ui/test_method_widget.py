"""The form of a method in a real viewer: from layers to a result layer, and what can go wrong."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge
from napari.layers import Image, Labels
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from napari_segsuite.errors import InputError
from napari_segsuite.method import Extras, method
from napari_segsuite.napari_ui import method_widget, widgets
from napari_segsuite.napari_ui.adapters import METADATA_KEY, space_of
from napari_segsuite.napari_ui.form_parts import FittingScrollArea
from napari_segsuite.napari_ui.method_widget import MethodWidget
from napari_segsuite.napari_ui.settings import Preferences
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)

SHAPE = (6, 8, 10)
GEOMETRY = {
    "scale": (3.0, 0.5, 0.5),
    "translate": (1.0, 2.0, 3.0),
    "units": ("mm",) * 3,
    "axis_labels": ("z", "y", "x"),
}


@pytest.fixture
def split(scratch_registry):
    """A method of seeds that waits as long as it is told to."""

    @method(
        title="Split", family="seeded", channels="single", extras=("strength",), bytes_per_voxel=1
    )
    def split(
        image: ImageArray,
        seeds: LabelArray,
        mask: LabelArray | None = None,
        *,
        seconds: Annotated[float, Ge(0)] = 0.0,
        extras: Extras | None = None,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Give the bright half to the highest class painted.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seeds : (M, N[, P]) array
            Painted classes.
        mask : (M, N[, P]) array, optional
            Ignored.
        seconds : float
            How long to take.
        """
        if len(np.unique(seeds[seeds > 0])) < 2:
            raise InputError("Split: expected seeds of two classes; paint another.")
        if not np.isfinite(image).all():
            raise InputError("Split: expected finite intensities.")
        if image.shape != seeds.shape:
            raise InputError("Split: expected seeds of the image's shape.")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            progress(0.5, "waiting …")
            time.sleep(0.01)
        if extras is not None and "strength" in extras.wanted:
            extras["strength"] = np.ones(image.shape, np.float32)
        return np.where(image > image.mean(), seeds.max(), seeds[seeds > 0].min()).astype(np.uint8)

    return nss.get_method("split")


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def form(viewer, split):
    widget = MethodWidget(viewer, split)
    viewer.window.add_dock_widget(widget, name="Split")
    return widget


def brightness(shape=SHAPE):
    image = np.zeros(shape, np.uint8)
    image[..., shape[-1] // 2 :] = 200
    return image


def painted(shape=SHAPE, classes=(1, 2)):
    seeds = np.zeros(shape, np.uint8)
    for index, label in enumerate(classes):
        seeds[..., -index] = label
    return seeds


@pytest.fixture
def layers(viewer, form):
    image = viewer.add_image(brightness(), name="brain", **GEOMETRY)
    names = {"index": [0, 1, 2], "name": ["background", "outside", "inside"]}
    seeds = viewer.add_labels(painted(), name="brain seeds", features=names, **GEOMETRY)
    return image, seeds


def finish(qtbot, form):
    form.run()
    assert form.job is not None, form.message
    qtbot.waitUntil(lambda: form.job is None, timeout=20_000)


def results(viewer):
    return [layer for layer in viewer.layers if METADATA_KEY in layer.metadata]


def reason(form):
    """Why the form does not run."""
    assert not form._panel.run_button.isEnabled()
    return form.message


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


# --- what cannot work -----------------------------------------------------------------


def test_what_is_missing_is_said_before_a_run(viewer, form):
    assert reason(form) == "Open an image to start."
    viewer.add_image(brightness(), name="brain")
    assert "seeds layer" in reason(form)
    viewer.add_labels(painted())
    assert form._panel.run_button.isEnabled()
    assert form.message == ""


WRONG = {
    "lazy": lambda: {"image": _dask(brightness())},
    "multiscale": lambda: {"image": [brightness(), brightness((3, 4, 5))], "multiscale": True},
    "several channels": lambda: {"image": np.zeros((*SHAPE, 3), np.uint8), "rgb": True},
    "time series": lambda: {"image": brightness((2, *SHAPE)), "shape": (2, *SHAPE)},
    "other place": lambda: {"image": brightness(), "scale": (5, 1, 1)},
    "other shape": lambda: {"image": brightness(), "shape": (6, 8, 9)},
    "empty": lambda: {"image": np.zeros((0, 8, 10), np.uint8)},
}
SENTENCES = {
    "lazy": "compute it into memory first",
    "multiscale": "one resolution",
    "several channels": "takes one channel",
    "time series": "time",
    "other place": "different places in the world",
    "other shape": "got shape (6, 8, 9)",
    "empty": "empty shape (0, 8, 10)",
}


def _dask(array):
    return pytest.importorskip("dask.array").from_array(array)


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.filterwarnings("ignore:invalid value.*:RuntimeWarning")  # napari, of the empty one
def test_known_bad_layers_disable_the_run_with_one_sentence(viewer, form, case):
    options = WRONG[case]()
    shape = options.pop("shape", SHAPE)
    viewer.add_image(options.pop("image"), **options)
    viewer.add_labels(painted(shape))
    assert SENTENCES[case] in reason(form)
    assert len(viewer.layers) == 2


def test_run_is_possible_again_once_the_layer_is_mended(viewer, form):
    image = viewer.add_image(brightness(), scale=(5, 1, 1))
    viewer.add_labels(painted())
    assert reason(form)
    image.scale = (1, 1, 1)
    assert form._panel.run_button.isEnabled()


BAD_VALUES = {
    "nothing painted": (brightness(), painted(classes=()), "two classes"),
    "one class": (brightness(), painted(classes=(1,)), "two classes"),
    "nan": (np.full(SHAPE, np.nan, np.float32), painted(), "finite"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
@pytest.mark.filterwarnings("ignore:(All-NaN|invalid value|Mean of empty).*:RuntimeWarning")
def test_what_a_method_refuses_is_one_sentence(qtbot, viewer, form, case):
    image, seeds, words = BAD_VALUES[case]
    viewer.add_image(image, contrast_limits=(0, 1))
    viewer.add_labels(seeds)
    before = [layer.data.copy() for layer in viewer.layers]
    finish(qtbot, form)
    assert words in form.message
    assert "Traceback" not in form.message
    assert form._panel.run_button.isEnabled()
    for layer, data in zip(viewer.layers, before, strict=True):
        np.testing.assert_array_equal(layer.data, data)


NO_IMAGE = {
    "empty": np.zeros((0, 8, 10), np.uint8),
    "nan": np.full((8, 10), np.nan, np.float32),
    "four axes": np.zeros((2, 3, 8, 10), np.uint8),
}


@pytest.mark.parametrize("case", NO_IMAGE)
@pytest.mark.filterwarnings("ignore:(All-NaN|invalid value).*:RuntimeWarning")
def test_a_real_method_says_what_is_wrong_with_the_image(qtbot, viewer, case):
    image = NO_IMAGE[case]
    viewer.add_image(image, contrast_limits=(0, 1))
    form = widgets.global_threshold(viewer)
    viewer.window.add_dock_widget(form)
    if form._panel.run_button.isEnabled():
        finish(qtbot, form)
    assert form.message.endswith(".")
    assert len(form.message.splitlines()) == 1
    assert viewer.layers[0].data is image
    assert len(viewer.layers) == 1


def test_sentence_about_a_mended_problem_goes_away(qtbot, viewer, form):
    viewer.add_image(brightness())
    seeds = viewer.add_labels(painted(classes=(1,)))
    finish(qtbot, form)
    assert form.message
    seeds.data = painted()
    assert form.message == ""


# --- layers and windows that go away --------------------------------------------------


def test_image_removed_while_running(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    for layer in layers:
        viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    (result,) = results(viewer)
    np.testing.assert_allclose(result.scale, GEOMETRY["scale"])
    assert "is gone" in form.message


def test_what_came_in_the_way_while_running_is_said_afterwards(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    layers[0].scale = (9, 1, 1)
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert form.message.startswith("Done in")
    assert "different places" in reason(form)
    layers[0].scale = GEOMETRY["scale"]
    assert form.message == ""


def test_result_layer_removed_while_running(qtbot, viewer, form, layers):
    finish(qtbot, form)
    form.settings.set_values({"seconds": 0.3})
    form.run()
    viewer.layers.remove(results(viewer)[0])
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert len(results(viewer)) == 1


def test_viewer_closed_while_running(qtbot, make_napari_viewer, split):
    viewer = make_napari_viewer()
    form = MethodWidget(viewer, split)
    viewer.window.add_dock_widget(form, name="Split")
    viewer.add_image(brightness())
    viewer.add_labels(painted())
    form.settings.set_values({"seconds": 60.0})
    form.run()
    qtbot.wait(50)
    started = time.monotonic()
    viewer.close()
    assert time.monotonic() - started < 5


def test_dock_closed_while_running(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 0.3})
    form.run()
    count = len(viewer.layers)
    viewer.window.remove_dock_widget(form)
    form.deleteLater()
    qtbot.waitUntil(lambda: not isalive(form), timeout=2000)
    qtbot.wait(500)
    assert len(viewer.layers) == count
    viewer.add_labels(painted())
    layers[0].scale = (1, 1, 1)


def test_closing_the_dock_stops_the_run(qtbot, viewer, form, layers):
    form.settings.set_values({"seconds": 60.0})
    form.run()
    form.parent().destroyOnClose()
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert not results(viewer)


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
