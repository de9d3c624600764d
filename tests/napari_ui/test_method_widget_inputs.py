"""Inputs of a form that are found, missing, or have a time axis."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
import preview_methods
from method_forms import GEOMETRY, brightness, finish, reason, results
from napari_segsuite.method import method
from napari_segsuite.napari_ui.adapters import METADATA_KEY, space_of
from napari_segsuite.napari_ui.method_widget import MethodWidget
from napari_segsuite.typing import ImageArray, LabelArray

pytestmark = pytest.mark.skipif(
    sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ),
    reason="needs a display; .ci/test brings one",
)


def open_form(viewer, record):
    form = MethodWidget(viewer, record)
    viewer.window.add_dock_widget(form, name=record.title)
    return form


# --- seeds that are found -------------------------------------------------------------


@pytest.fixture
def finder(split):
    preview_methods.declare_seeds()
    return split


def find_seeds(qtbot, form, title="Two ends"):
    (action,) = (entry for entry in form.seeds_buttons.menu.actions() if entry.text() == title)
    action.trigger()
    assert form.job is not None, form.message


def test_found_seeds_are_a_layer_and_the_run_follows(qtbot, viewer, finder):
    image = viewer.add_image(brightness(), name="brain", **GEOMETRY)
    form = open_form(viewer, finder)
    assert reason(form)
    find_seeds(qtbot, form)
    qtbot.waitUntil(lambda: form.job is None, timeout=10_000)
    seeds, result = sorted(results(viewer), key=lambda layer: layer.data.astype(bool).sum())
    assert form.choosers["seeds"].value is seeds
    assert seeds.metadata[METADATA_KEY]["method"] == "two_ends"
    assert space_of(seeds) == space_of(image)
    assert result.metadata[METADATA_KEY]["method"] == "split"
    assert form.message.startswith(f"Seeds: '{seeds.name}'. Done in")


def test_only_what_fits_is_offered(viewer, finder):
    form = open_form(viewer, finder)
    assert form.seeds_buttons.menu.isEmpty()
    image = viewer.add_image(np.zeros((8, 9, 3), np.uint8), rgb=True)
    titles = [action.text() for action in form.seeds_buttons.menu.actions()]
    assert "Two ends" not in titles
    viewer.layers.remove(image)
    viewer.add_image(brightness())
    titles = [action.text() for action in form.seeds_buttons.menu.actions()]
    expected = [record.title for record in nss.methods() if record.family == "seeds"]
    assert titles == expected


def test_stopping_while_seeds_are_looked_for(qtbot, viewer, finder):
    image = viewer.add_image(np.full((6, 7), 99, np.uint8), name="brain")
    form = open_form(viewer, finder)
    find_seeds(qtbot, form)
    form.cancel()
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert list(viewer.layers) == [image]
    assert form.message.startswith("Stopped; nothing was changed.")


def test_stopping_the_run_leaves_the_found_seeds(qtbot, viewer, finder):
    viewer.add_image(brightness(), name="brain")
    form = open_form(viewer, finder)
    form.settings.set_values({"seconds": 60.0})
    find_seeds(qtbot, form)
    qtbot.waitUntil(lambda: bool(results(viewer)), timeout=5000)
    form.cancel()
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    (seeds,) = results(viewer)
    assert form.message == f"Seeds: '{seeds.name}'. Stopped; nothing else was changed."
    form.settings.set_values({"seconds": 0.0})
    finish(qtbot, form)
    assert form.message.startswith("Done in")


def test_seeds_that_cannot_be_found_are_said(qtbot, viewer, finder):
    viewer.add_image(np.full((6, 7), np.nan, np.float32), contrast_limits=(0, 1))
    form = open_form(viewer, finder)
    find_seeds(qtbot, form)
    qtbot.waitUntil(lambda: form.job is None, timeout=5000)
    assert form.message.startswith("Two ends: expected")
    assert len(viewer.layers) == 1


# --- what is missing ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "words"), [("superpixels", "menu Superpixels"), ("effects", "a Labels layer")]
)
def test_missing_regions_are_asked_for(viewer, scratch_registry, family, words):
    @method(title="Regions", family=family, bytes_per_voxel=4)
    def regions(image: ImageArray, labels: LabelArray) -> LabelArray:
        """Give the regions back.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        labels : (M, N[, P]) array
            Regions.
        """
        return labels

    viewer.add_image(brightness(), name="brain")
    form = open_form(viewer, nss.get_method("regions"))
    assert words in reason(form)
    viewer.add_labels(np.ones(brightness().shape, np.uint8), name="parts")
    assert form._panel.run_button.isEnabled()


# --- time series ----------------------------------------------------------------------


@pytest.fixture
def cut(viewer, scratch_registry):
    @method(title="Above", family="threshold", bytes_per_voxel=4, is_pixelwise=True)
    def above(image: ImageArray) -> LabelArray:
        """Mark what is above the mean.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        """
        return np.asarray(image > image.mean()).astype(np.uint8)

    return open_form(viewer, nss.get_method("above"))


def add_series(viewer):
    series = np.random.default_rng(0).integers(0, 100, (3, 8, 9), dtype=np.uint8)
    series += np.array([0, 50, 150], np.uint8)[:, None, None]
    return viewer.add_image(series, axis_labels=("t", "y", "x"), name="course")


def test_ways_to_take_time_points_are_offered_where_there_are_any(viewer, cut):
    viewer.add_image(brightness(), name="brain")
    assert cut.frames.native.isHidden()
    series = add_series(viewer)
    cut.choosers["image"].value = series
    assert not cut.frames.native.isHidden()
    assert cut.frames.choices == ("each", "together")
    cut.frames.value = "together"
    cut.choosers["image"].value = viewer.layers["brain"]
    assert cut.frames.native.isHidden()
    assert cut._panel.run_button.isEnabled()


@pytest.mark.parametrize("frames", ["each", "together"])
def test_time_points_are_taken_as_chosen(qtbot, viewer, cut, tmp_path, monkeypatch, frames):
    image = add_series(viewer)
    cut.frames.value = frames
    finish(qtbot, cut)
    (result,) = results(viewer)
    axis = (1, 2) if frames == "each" else None
    expected = image.data > image.data.mean(axis=axis, keepdims=True)
    np.testing.assert_array_equal(result.data, expected)
    assert space_of(result) == space_of(image)
    cut.copy_as_python()
    script = QApplication.clipboard().text()
    assert ('frames="together"' in script) == (frames == "together")
    monkeypatch.chdir(tmp_path)
    np.save("course.npy", image.data)
    names: dict[str, object] = {}
    exec(script, names)
    np.testing.assert_array_equal(names["result"].labels, result.data)
