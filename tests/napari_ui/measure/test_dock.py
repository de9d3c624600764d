"""The dock that measures labels layers against a reference."""

from __future__ import annotations

import csv
import io
import threading
from typing import Any

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QWidget

import napari_segsuite as nss
from grow_docks import wait_for
from measure_docks import GUESS, TRUTH, add_result, docked, measure, settle, spans, texts, value
from napari_segsuite.errors import FormatError
from napari_segsuite.napari_ui.adapters import PREVIEW_KEY
from napari_segsuite.napari_ui.measure import dock as dock_module
from napari_segsuite.napari_ui.measure.result_texts import csv_text, latex_text, markdown_text
from napari_segsuite.napari_ui.measure.results import Place

MM = {"scale": (3.0, 0.5), "units": ("mm", "mm")}


# --- what is measured -----------------------------------------------------------------


def test_table_shows_what_evaluate_finds(open_dock: Any) -> None:
    dock = open_dock()
    measure(dock)
    report = nss.evaluate(GUESS, TRUTH, metrics=["overlap", "volume"])
    shown = texts(dock.scores.table)
    assert list(shown)[1:] == [
        "0 background", "1 liver", "2 spleen",
        "mean, foreground", "micro, foreground", "weighted, foreground",
    ]  # fmt: skip
    assert [shown[name]["Dice"] for name in list(shown)[2:5]] == ["0.6667", "0.6667", "0.6667"]
    assert shown["2 spleen"]["Volume (voxels)"] == f"{report.per_class['volume'][2]:g}"
    assert texts(dock.scores.image_table)["guess"]["Accuracy"] == f"{report.mean['accuracy']:g}"
    assert spans(dock.scores.table) == ["guess"]
    assert "1 layer measured" in dock.message


def test_several_predictions_stand_beside_one_that_lies_elsewhere(
    viewer: Any, open_dock: Any
) -> None:
    dock = open_dock()
    add_result(viewer, TRUTH, "perfect")
    add_result(viewer, GUESS, "elsewhere", scale=(3, 3))
    add_result(viewer, GUESS[:-1], "smaller")
    for name in ("perfect", "elsewhere", "smaller", "guess"):
        dock.predictions.tick(viewer.layers[name])
    results = measure(dock)
    assert {result.name: result.report is not None for result in results.results} == {
        "smaller": False, "elsewhere": False, "perfect": True, "guess": True
    }  # fmt: skip
    sentences = spans(dock.scores.table)
    assert [text for text in sentences if text.startswith("elsewhere: expected prediction and")]
    assert [text for text in sentences if text.startswith("smaller: ") and "shape" in text]
    assert value(dock, "perfect") == 1
    assert value(dock, "guess") == pytest.approx(2 / 3)
    assert "2 layers measured" in dock.message
    assert "The table says why not 'smaller', 'elsewhere'." in dock.message
    for name in ("perfect", "guess"):
        dock.predictions.tick(viewer.layers[name], False)
    measure(dock)
    assert dock.message == f"E{dock.results.results[0].error[1:]}"
    assert not dock.copy_button.isEnabled()


def test_another_grid_is_resampled_if_that_is_ticked(open_dock: Any) -> None:
    fine = np.repeat(np.repeat(TRUTH, 2, axis=0), 2, axis=1)
    dock = open_dock(fine, scale=(0.5, 0.5), translate=(-0.25, -0.25))
    assert measure(dock).results[0].report is None
    dock.options.form.widgets["nearest"].value = True
    assert measure(dock).results[0].report.mean["dice"] == 1


def test_spacing_and_unit_are_those_of_the_layers(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    assert "in voxels" in dock.options.grid_line.text()
    for layer in viewer.layers:
        layer.scale, layer.units = MM["scale"], MM["units"]
    report = measure(dock).results[0].report
    assert report.spacing == (3, 0.5)
    assert value(dock, "guess", "volume") == 8 * 1.5
    assert "Volume (mm²)" in texts(dock.scores.table)["1 liver"]
    dock.predictions.tick_none()
    assert dock.options.grid_line.text() == "Voxel size 3 × 0.5 mm."


def test_a_scale_without_a_unit_counts_all_the_same(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    for layer in viewer.layers:
        layer.scale = MM["scale"]
    report = measure(dock).results[0].report
    assert (report.spacing, report.length_unit) == ((3, 0.5), "units")
    words = "Voxel size 3 × 0.5, in units that no layer names."
    assert dock.options.grid_line.text() == words


def test_options_reach_evaluate(open_dock: Any) -> None:
    dock = open_dock()
    for box in dock.options.boxes.values():
        box.setChecked(False)
    assert "tick a group" in dock.message
    assert not dock.panel.run_button.isEnabled()
    dock.options.boxes["overlap"].setChecked(True)
    form = dock.options.form.widgets
    form["mapping"].value = "2=1"
    form["ignore"].value = "0"
    form["beta"].value = 0.5
    found = measure(dock).results[0].report
    expected = nss.evaluate(GUESS, TRUTH, ignore=0, mapping={2: 1}, beta=0.5)
    assert found.to_dict()["per_class"] == expected.to_dict()["per_class"]
    assert found.definitions.beta == 0.5
    assert dock.results.options["mapping"] == {2: 1}  # the other tabs read them there
    form["mapping"].value = "2:1"
    assert "such as 3=1, 4=1" in dock.message
    assert not dock.panel.run_button.isEnabled()
    form["mapping"].value = ""
    form["tolerance"].value = "-1"
    assert "'tolerance' must be" in dock.message


def test_settings_are_remembered_by_the_window(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    dock.options.form.widgets["ignore"].value = "0, 255"
    dock.options.form.widgets["surface"].value = "voxel"
    dock.options.boxes["volume"].setChecked(False)
    again = docked(viewer).options
    assert again.shown() == dock.options.shown()
    assert again.keywords()["ignore"] == (0, 255)
    assert again.keywords()["metrics"] == ["overlap"]


def test_lazy_labels_are_measured(viewer: Any, open_dock: Any) -> None:
    dask = pytest.importorskip("dask.array")
    dock = open_dock()
    lazy = viewer.add_labels(dask.from_array(GUESS.astype(np.uint8), chunks=2), name="lazy")
    dock.predictions.tick(lazy)
    measure(dock)
    assert value(dock, "lazy") == value(dock, "guess")


def test_of_several_resolutions_the_finest_is_measured(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    labels = GUESS.astype(np.uint8)
    pyramid = viewer.add_labels([labels, labels[::2, ::2]], name="pyramid", multiscale=True)
    dock.predictions.tick(pyramid)
    measure(dock)
    assert value(dock, "pyramid") == value(dock, "guess")


def test_colours_of_the_reference_mark_its_classes(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    measure(dock)
    line = next(line for line in dock.scores.table.scores.lines if line.title == "2 spleen")
    expected = viewer.layers["my reference"].colormap.map(2)
    np.testing.assert_allclose(line.colour, expected, atol=1e-5)


# --- choosing layers ------------------------------------------------------------------


def test_layers_that_come_and_go_are_followed(viewer: Any) -> None:
    dock = docked(viewer)
    dock.measure()
    assert "expected a labels layer as reference" in dock.message.lower()
    layer = viewer.add_labels(TRUTH, name="reference")
    assert dock.chooser.value is layer
    assert dock.predictions.ticked == []
    assert "labels to compare with 'reference'" in dock.message
    viewer.layers.clear()
    assert dock.chooser.value is None
    assert not dock.panel.run_button.isEnabled()


def test_result_is_the_prediction_even_if_it_comes_later(viewer: Any) -> None:
    dock = docked(viewer)
    other = viewer.add_labels(GUESS, name="something")
    truth = viewer.add_labels(TRUTH, name="the truth")
    result = add_result(viewer, GUESS, "result")
    assert dock.chooser.value is truth
    assert dock.predictions.ticked == [result]
    newer = add_result(viewer, GUESS, "newer")
    assert dock.predictions.ticked == [newer]
    dock.predictions.tick(other)
    add_result(viewer, GUESS, "newest")
    assert dock.predictions.ticked == [newer, other]  # from here on it is the user's choice


# --- while it runs --------------------------------------------------------------------


def test_measuring_can_be_stopped(open_dock: Any, endless: threading.Event) -> None:
    dock = open_dock()
    dock.measure()
    wait_for(lambda: "on and on" in dock.message.lower())
    assert not dock.panel.run_button.isEnabled()
    dock.cancel()
    settle(dock)
    assert "Stopped" in dock.message
    assert dock.results is None
    endless.set()
    assert measure(dock) is not None


def test_layers_may_change_or_go_while_they_are_measured(
    viewer: Any, open_dock: Any, endless: threading.Event
) -> None:
    dock = open_dock()
    dock.measure()
    viewer.layers["guess"].data[...] = 0
    viewer.layers["guess"].name = "renamed"
    viewer.layers.clear()
    endless.set()
    settle(dock)
    assert value(dock, "guess") == pytest.approx(2 / 3)


def test_a_dock_closed_or_deleted_while_it_measures(
    viewer: Any, open_dock: Any, endless: threading.Event
) -> None:
    dock = open_dock()
    dock.live.setChecked(True)
    dock.measure()
    viewer.window.remove_dock_widget(dock)
    settle(dock)
    assert dock.results is None
    assert not dock.live.isChecked()
    dock.deleteLater()
    QApplication.sendPostedEvents(dock, QEvent.Type.DeferredDelete)
    assert not isalive(dock)
    viewer.layers["guess"].paint((0, 0), 2)
    viewer.theme = "light"
    add_result(viewer, GUESS, "more")


# --- what is done with it -------------------------------------------------------------


def test_results_can_be_copied(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    assert not dock.copy_button.isEnabled()
    add_result(viewer, GUESS, "100%\nelsewhere", scale=(3, 3))
    dock.predictions.tick(viewer.layers["guess"])
    results = measure(dock)
    for action, text_of in zip(
        dock.copy_button.menu().actions(), (markdown_text, csv_text, latex_text), strict=True
    ):
        action.trigger()
        assert QApplication.clipboard().text() == text_of(results)
    assert "| 1 liver |" in markdown_text(results)
    assert "### guess" in markdown_text(results)
    comments = [line for line in latex_text(results).splitlines() if "elsewhere" in line]
    assert comments == ["% 100% elsewhere"]
    rows = list(csv.DictReader(io.StringIO(csv_text(results))))
    by_layer = {row["layer"]: row for row in rows if row["metric"] in ("dice", "")}
    assert by_layer["guess"]["class"] == "weighted"
    assert "expected prediction and reference on one grid" in by_layer["100%\nelsewhere"]["reason"]


def test_results_can_be_saved(open_dock: Any, tmp_path: Any, monkeypatch: Any) -> None:
    dock = open_dock()
    assert not dock.save_button.isEnabled()
    results = measure(dock)
    target = tmp_path / "metrics.csv"
    monkeypatch.setattr(dock_module, "getsavefilename", lambda *_: (str(target), ""))
    dock.save_as_csv()
    assert target.read_text(encoding="utf-8") == csv_text(results)
    assert "Saved" in dock.message
    monkeypatch.setattr(
        dock_module, "getsavefilename", lambda *_: (str(tmp_path / "no" / "m.csv"), "")
    )
    with pytest.raises(FormatError):
        results.results[0].report.to_csv(tmp_path / "no" / "m.csv")
    dock.save_as_csv()
    assert "Saved" not in dock.message
    monkeypatch.setattr(dock_module, "getsavefilename", lambda *_: ("", ""))
    dock.save_as_csv()


def test_the_plot_in_view_can_be_saved(
    viewer: Any, open_dock: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    dock = open_dock()
    measure(dock)
    assert not dock.picture_button.isEnabled()  # the scores are a table
    with_plot = next(view for view in dock.views if hasattr(view, "save_picture"))
    dock.tabs.setCurrentIndex(dock.views.index(with_plot))
    assert dock.picture_button.isEnabled()
    for name in ("plot.png", "plot.svg"):
        monkeypatch.setattr(dock_module, "getsavefilename", lambda *_, n=name: (tmp_path / n, ""))
        dock.save_picture()
        assert (tmp_path / name).stat().st_size > 500


def test_tabs_show_the_results_and_lead_to_the_errors(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    assert [dock.tabs.tabText(i) for i in range(dock.tabs.count())] == [
        "Scores", "Confusion", "Slices", "Objects", "Probabilities",
    ]  # fmt: skip
    measure(dock)
    assert dock.minimumSizeHint().width() <= 345
    for view in dock.views:
        dock.tabs.setCurrentIndex(dock.views.index(view))
        view.place_chosen.emit(Place("guess", label=1))
        wait_for(lambda: not dock.error_layer.is_busy)
    (errors,) = [layer for layer in viewer.layers if PREVIEW_KEY in layer.metadata]
    assert errors.data.shape == TRUTH.shape
    assert errors not in dock.predictions.ticked
    # The error layer is none to choose: neither list nor chooser offers it.
    assert [layer.name for layer in dock.predictions._others()] == ["guess"]


def test_hundreds_of_objects_are_measured_without_colours(viewer: Any) -> None:
    objects = np.arange(400).reshape(20, 20)
    viewer.add_labels(objects.copy(), name="reference")
    add_result(viewer, np.roll(objects, 1, axis=1), "guess")
    dock = docked(viewer)
    results = measure(dock)
    assert not results.reference.classes
    assert len(results.results[0].report.classes) == 400
    assert all(line.colour is None for line in dock.scores.table.scores.lines)


def test_no_attribute_hides_one_of_qt(open_dock: Any) -> None:
    # Qt asks a widget for its `metric` while painting; PySide6 then calls whatever is there.
    dock = open_dock()
    widgets = [dock, *dock.findChildren(QWidget)]
    own = [widget for widget in widgets if type(widget).__module__.startswith("napari_segsuite")]
    assert dock.views[2].plot in own
    assert not {
        name
        for widget in own
        for name, value in vars(widget).items()
        if hasattr(QWidget, name) and not hasattr(value, "emit")  # PySide6 keeps signals here
    }
