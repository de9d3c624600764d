"""The dock that compares methods: what is ticked is run, scored, and shown as layers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from grow_docks import wait_for
from method_forms import SHAPE, brightness, painted, results
from napari_segsuite.errors import InputError
from napari_segsuite.method import method
from napari_segsuite.napari_ui.adapters import METADATA_KEY
from napari_segsuite.napari_ui.compare import dock as dock_module
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray


@pytest.fixture
def waits(scratch_registry: None) -> threading.Event:
    """A method that goes on once this is set, and one that fails."""
    go_on = threading.Event()

    @method(title="Waiting", family="clustering", bytes_per_voxel=1)
    def waiting(image: ImageArray, *, progress: Progress = SILENT) -> LabelArray:
        """Wait.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        """
        while not go_on.wait(0.01):
            progress(0.5, "waiting …")
        return np.ones(image.shape, np.uint8)

    @method(title="Failing", family="clustering", bytes_per_voxel=1)
    def failing(image: ImageArray) -> LabelArray:
        """Fail.

        Parameters
        ----------
        image : (M, N[, P]) array
            Ignored.
        """
        raise InputError("Failing: expected more; give it.")

    return go_on


def run(dock: Any, *ids: str) -> None:
    for method_id in ids:
        dock.picker.tick(method_id)
    dock.run()
    wait_for(lambda: not dock.is_running)


def texts(table: Any, line: int) -> dict[str, str]:
    """Cells of a line by column title."""
    return {
        table.horizontalHeaderItem(column).text(): table.item(line, column).text()
        for column in range(table.columnCount())
    }


def item_of(dock: Any, method_id: str) -> Any:
    slots = dock.picker._slots.values()
    return next(slot.item for slot in slots if slot.method.id == method_id)


# --- a run ----------------------------------------------------------------------------


def test_ticked_methods_become_rows_and_layers(dock: Any, viewer: Any, image: Any) -> None:
    run(dock, "multi_otsu", "kmeans", "slic")
    assert [row.name for row in dock.comparison.rows] == [
        nss.get_method(method_id).title for method_id in ("multi_otsu", "kmeans", "slic")
    ]
    assert "3 methods compared" in dock.message
    layers = results(viewer)
    assert len(layers) == 3
    for layer, method_id in zip(layers, ("multi_otsu", "kmeans", "slic"), strict=True):
        expected = nss.run(method_id, dock.comparison.image)
        np.testing.assert_array_equal(layer.data, expected.labels)
        np.testing.assert_allclose(layer.scale, image.scale)
        np.testing.assert_allclose(layer.translate, image.translate)
        assert layer.metadata[METADATA_KEY]["method"] == method_id
    line = texts(dock.table, 1)
    assert line["Method"] == "K-means"
    assert line["Labels"] == str(dock.comparison.rows[1].n_labels)


def test_run_again_brings_the_layers_up_to_date(dock: Any, viewer: Any) -> None:
    run(dock, "kmeans")
    (layer,) = results(viewer)
    run(dock)
    assert results(viewer) == [layer]
    layer.paint((0, 0, 0), 4)
    run(dock)
    assert layer in results(viewer)
    assert len(results(viewer)) == 2
    assert "edited by hand" in dock.message


def test_scores_show_as_soon_as_there_is_a_reference(dock: Any, truth: Any, viewer: Any) -> None:
    dock.choosers["reference"].value = truth
    dock.picker.tick("kmeans")
    dock.picker.settings_of_current().set_values({"n_clusters": 2})
    run(dock)
    line = texts(dock.table, 0)
    assert line["Method"] == "K-means (n_clusters=2)"
    assert line["Dice"] == "1"
    (row,) = dock.comparison.rows
    assert {metric.title for metric in row.report.metrics} <= set(line)
    # The cluster that is the bright half looks and is called as in the reference.
    (layer,) = results(viewer)
    label = int(layer.data[0, 0, -1])
    names = dict(zip(layer.features["index"], layer.features["name"], strict=True))
    assert names[label] == "inside"
    np.testing.assert_allclose(layer.colormap.map(label), truth.colormap.map(3), atol=1e-5)


def test_one_method_with_several_settings(dock: Any) -> None:
    dock.picker.tick("kmeans")
    dock.picker.add_another()
    dock.picker.settings_of_current().set_values({"n_clusters": 2})
    dock.picker.add_another()
    dock.picker.settings_of_current().set_values({"n_clusters": 3})
    assert [entry.title for entry in dock.picker.entries()] == [
        "K-means",
        "K-means (n_clusters=2)",
        "K-means (n_clusters=3)",
    ]
    dock.picker.remove()
    run(dock)
    assert [row.name for row in dock.comparison.rows] == ["K-means", "K-means (n_clusters=2)"]


def test_one_that_fails_does_not_stop_the_others(waits: Any, dock: Any, viewer: Any) -> None:
    run(dock, "failing", "multi_otsu")
    by_name = {row.name: row for row in dock.comparison.rows}
    assert by_name["Failing"].error == "Failing: expected more; give it."
    assert "Failing: expected more; give it." in dock.message
    assert len(results(viewer)) == 1
    line = next(
        line
        for line in range(dock.table.rowCount())
        if dock.table.item(line, 0).text() == "Failing"
    )
    assert texts(dock.table, line)["Seconds"] == "failed"


def test_rows_come_one_by_one_and_cancel_keeps_them(waits: Any, dock: Any, viewer: Any) -> None:
    for method_id in ("multi_otsu", "waiting", "kmeans"):
        dock.picker.tick(method_id)
    fractions: list[float] = []
    dock._queue.progressed.connect(lambda fraction, *_: fractions.append(fraction))
    dock.run()
    assert not dock.panel.run_button.isEnabled()
    # Multi-Otsu comes before the clusterings, K-means before Waiting.
    wait_for(lambda: dock.table.rowCount() == 2 and "waiting" in dock.message)
    assert dock.is_running
    dock.cancel()
    wait_for(lambda: not dock.is_running)
    assert "Stopped" in dock.message
    assert [row.name for row in dock.comparison.rows] == ["Multi-Otsu threshold", "K-means"]
    assert len(results(viewer)) == 2
    assert dock.panel.run_button.isEnabled()
    assert fractions == sorted(fractions)
    assert max(fractions) <= 1


# --- a slice --------------------------------------------------------------------------


def test_three_clicks_compare_methods_on_the_slice_in_view(dock: Any, viewer: Any) -> None:
    dock.extent.value = dock.extent.choices[0]  # as in a dock just opened
    assert dock.extent.value == "slice"
    run(dock, "kmeans", "kmedoids", "slic")
    assert [layer.data.shape for layer in results(viewer)] == [(1, *SHAPE[1:])] * 3


def test_a_plane_is_its_own_slice(dock: Any, viewer: Any) -> None:
    plane = viewer.add_image(brightness()[0], name="plane", scale=(0.5, 0.5))
    dock.choosers["image"].value = plane
    dock.extent.value = "slice"
    run(dock, "kmeans")
    (layer,) = results(viewer)
    assert layer.data.shape == plane.data.shape
    np.testing.assert_allclose(layer.scale, plane.scale)


@pytest.mark.parametrize("axis", [0, 2])
def test_this_slice_only(dock: Any, viewer: Any, image: Any, truth: Any, axis: int) -> None:
    viewer.dims.order = (0, 1, 2) if axis == 0 else (2, 0, 1)
    viewer.dims.set_current_step(axis, 4)
    dock.choosers["reference"].value = truth
    dock.extent.value = "slice"
    run(dock, "kmeans")
    (layer,) = results(viewer)
    plane = np.take(brightness(), 4, axis)
    spacing = tuple(np.delete(image.scale, axis))
    expected = nss.run("kmeans", plane, spacing=spacing).labels
    assert layer.data.shape == tuple(np.where(np.arange(3) == axis, 1, SHAPE))
    np.testing.assert_array_equal(layer.data.squeeze(axis), expected)
    corner = np.zeros(3)
    corner[axis] = 4
    np.testing.assert_allclose(layer.data_to_world((0, 0, 0)), image.data_to_world(corner))
    assert dock.comparison.rows[0].report is not None
    assert dock.comparison.image.data.shape == plane.shape


def test_a_volume_in_view_has_no_slice(dock: Any, viewer: Any) -> None:
    dock.extent.value = "slice"
    dock.picker.tick("kmeans")
    viewer.dims.ndisplay = 3
    assert "switch to 2D" in dock.message
    assert not dock.panel.run_button.isEnabled()
    viewer.dims.ndisplay = 2
    assert dock.panel.run_button.isEnabled()


# --- what can be ticked ---------------------------------------------------------------


def test_methods_that_lack_an_input_say_so(dock: Any, viewer: Any) -> None:
    is_enabled = Qt.ItemFlag.ItemIsEnabled
    for method_id, missing in (("watershed", "seeds"), ("clean_labels", "labels")):
        item = item_of(dock, method_id)
        assert not item.flags() & is_enabled
        assert f"needs {missing}" in item.toolTip(0)
    assert item_of(dock, "kmeans").flags() & is_enabled
    seeds = viewer.add_labels(
        painted(), name="strokes", scale=(3, 0.5, 0.5), translate=(1, 2, 3), units=("mm",) * 3
    )
    dock.choosers["seeds"].value = seeds
    assert item_of(dock, "watershed").flags() & is_enabled
    run(dock, "watershed")
    np.testing.assert_array_equal(
        results(viewer)[0].data, nss.run("watershed", brightness(), seeds=painted()).labels
    )


def test_nothing_to_run_is_said(qapp: Any, dock: Any, viewer: Any) -> None:
    assert "Tick the methods" in dock.message
    dock.picker.tick("kmeans")
    assert dock.panel.run_button.isEnabled()
    viewer.layers.clear()
    assert "Open an image" in dock.message
    assert not dock.panel.run_button.isEnabled()


def test_a_reference_elsewhere_is_refused_in_words(dock: Any, viewer: Any) -> None:
    other = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="other")
    dock.choosers["reference"].value = other
    assert "reference of the image's shape" in dock.message
    dock.choosers["reference"].value = None
    assert "Tick the methods" in dock.message


def test_search_keeps_what_is_ticked(dock: Any) -> None:
    dock.picker.tick("kmeans")
    dock.picker.search.setText("watershed")
    assert not item_of(dock, "watershed").isHidden()
    assert not item_of(dock, "kmeans").isHidden()
    assert item_of(dock, "slic").isHidden()
    dock.picker.search.clear()
    assert not item_of(dock, "slic").isHidden()


def test_a_setting_that_cannot_be_read_is_said(dock: Any, viewer: Any) -> None:
    viewer.add_labels(
        painted(), name="seeds", scale=(3, 0.5, 0.5), translate=(1, 2, 3), units=("mm",) * 3
    )
    dock.choosers["seeds"].value = viewer.layers["seeds"]
    dock.picker.tick("growcut")
    dock.picker.settings_of_current().widgets["evolution"].value = "soon"
    assert "'evolution' must be" in dock.message
    assert not dock.panel.run_button.isEnabled()


# --- what is shown --------------------------------------------------------------------


def test_a_click_on_a_row_shows_its_layer_alone(dock: Any, viewer: Any, image: Any) -> None:
    run(dock, "multi_otsu", "kmeans")
    first, second = results(viewer)
    dock.table.selectRow(0)
    assert (first.visible, second.visible, image.visible) == (True, False, True)
    dock.table.selectRow(1)
    assert (first.visible, second.visible) == (False, True)
    assert viewer.layers.selection.active is second


def test_side_by_side_shows_all_and_one_again(dock: Any, viewer: Any) -> None:
    assert not dock.side_by_side.isEnabled()
    run(dock, "multi_otsu", "kmeans")
    first, second = results(viewer)
    dock.table.selectRow(0)
    dock.side_by_side.setChecked(True)
    assert dock.results._grid.enabled
    assert first.visible
    assert second.visible
    dock.side_by_side.setChecked(False)
    assert not dock.results._grid.enabled
    assert (first.visible, second.visible) == (True, False)


def test_results_look_alike(dock: Any, viewer: Any) -> None:
    run(dock, "multi_otsu", "kmeans")
    first, second = results(viewer)
    first.opacity, first.contour = 0.3, 2
    assert (second.opacity, second.contour) == (0.3, 2)


def test_table_and_report_leave_the_dock(
    dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not dock.save_button.isEnabled()
    run(dock, "kmeans")
    dock.copy_table()
    assert "| K-means" in QApplication.clipboard().text()
    monkeypatch.setattr(dock_module, "getexistingdirectory", lambda *_: str(tmp_path))
    dock.save_report()
    wait_for(lambda: "Saved" in dock.message)
    assert {"report.md", "comparison.png", "k_means.nii.gz"} <= {
        path.name for path in tmp_path.iterdir()
    }
    monkeypatch.setattr(dock_module, "getexistingdirectory", lambda *_: "")
    dock.panel.say("")
    dock.save_report()
    assert dock.message == ""
