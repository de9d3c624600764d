"""The dock that measures, live: it follows edits, ticks and settings."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from grow_docks import pump, wait_for
from measure_docks import GUESS, TRUTH, add_result, measure, settle, texts, value
from napari_segsuite.napari_ui.measure import dock as dock_module
from napari_segsuite.napari_ui.measure.dock import MeasureDock


def is_quiet(dock: MeasureDock) -> bool:
    return dock.job is None and not dock._watch._quiet.isActive()


def test_live_follows_painting_undo_and_new_data(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    layer = viewer.layers["guess"]
    dock.live.setChecked(True)
    settle(dock)
    first = value(dock, "guess")
    layer.selected_label = 2
    layer.brush_size = 1
    layer.paint((0, 2), 2)
    wait_for(lambda: value(dock, "guess") != first)
    painted = layer.data.copy()
    expected = nss.evaluate(painted, TRUTH).per_class["dice"][1]
    assert value(dock, "guess") == expected
    layer.undo()
    wait_for(lambda: value(dock, "guess") == first)
    layer.redo()
    wait_for(lambda: value(dock, "guess") == expected)
    layer.data = TRUTH.copy()
    wait_for(lambda: value(dock, "guess") == 1)
    viewer.layers["my reference"].data = GUESS.copy()
    wait_for(lambda: value(dock, "guess") == first)
    dock.live.setChecked(False)
    layer.data = GUESS.copy()
    wait_for(lambda: is_quiet(dock))
    assert value(dock, "guess") == first


def test_live_follows_what_is_ticked_and_set(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    dock.live.setChecked(True)
    settle(dock)
    dock.predictions.tick(add_result(viewer, TRUTH, "perfect"))
    wait_for(lambda: dock.results.named("perfect") is not None)
    dock.options.form.widgets["mapping"].value = "2=1"
    wait_for(lambda: value(dock, "perfect", label=2) == 0)
    viewer.layers.remove("perfect")
    wait_for(lambda: dock.results.named("perfect") is None)


def test_live_does_not_mind_other_layers(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    dock.live.setChecked(True)
    dock.predictions.tick(viewer.layers["guess"])
    settle(dock)
    wait_for(lambda: is_quiet(dock))
    before = dock.results
    other = viewer.add_labels(TRUTH.copy(), name="other")
    other.data = GUESS.copy()
    viewer.layers.remove(other)
    assert is_quiet(dock)
    assert dock.results is before
    viewer.layers["guess"].name = "renamed"
    wait_for(lambda: dock.results.named("renamed") is not None)


def test_live_leaves_the_table_where_it_is(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    dock.live.setChecked(True)
    settle(dock)
    resets: list[None] = []
    dock.scores.table.scores.modelReset.connect(lambda: resets.append(None))
    before = dock.results
    viewer.layers["guess"].data = TRUTH.copy()
    wait_for(lambda: dock.results is not before)
    assert texts(dock.scores.table)["1 liver"]["Dice"] == "1"
    assert not resets
    assert dock.panel.run_button.isEnabled()


def test_slow_measuring_live_keeps_to_counts_and_says_so(
    monkeypatch: pytest.MonkeyPatch, open_dock: Any, viewer: Any
) -> None:
    monkeypatch.setattr(dock_module, "_SLOW_SECONDS", 0.0)
    dock = open_dock()
    dock.options.boxes["partition"].setChecked(True)
    dock.live.setChecked(True)
    settle(dock)
    assert "only overlap and volumes" in dock.message
    groups = {metric.group for metric in dock.results.results[0].report.metrics}
    assert "partition" in groups
    before = dock.results
    viewer.layers["guess"].data = TRUTH.copy()
    wait_for(lambda: dock.results is not before)
    groups = {metric.group for metric in dock.results.results[0].report.metrics}
    assert groups == {"overlap", "volume"}
    measure(dock)
    groups = {metric.group for metric in dock.results.results[0].report.metrics}
    assert "partition" in groups


def test_a_measurement_by_hand_is_not_cut_short_by_live(
    viewer: Any, open_dock: Any, endless: threading.Event
) -> None:
    dock = open_dock()
    dock.measure()
    job = dock.job
    dock.live.setChecked(True)
    settled: list[None] = []
    dock._watch.settled.connect(lambda: settled.append(None))
    viewer.layers["guess"].data = TRUTH.copy()
    wait_for(lambda: len(settled) == 2)
    assert dock.job is job
    endless.set()
    wait_for(lambda: dock.results is not None and value(dock, "guess") == 1)


def test_plots_wait_until_nobody_paints(
    viewer: Any, open_dock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = open_dock()
    measure(dock)
    confusion, before = dock.views[1], dock.results
    held = [Qt.MouseButton.LeftButton]
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: held[0])
    dock._plots._rest.setInterval(10)
    dock.live.setChecked(True)
    viewer.layers["guess"].data = TRUTH.copy()
    wait_for(lambda: dock.results is not before and value(dock, "guess") == 1)
    pump(0.1)
    assert confusion._results[0] is before.results[0]
    held[0] = Qt.MouseButton.NoButton
    wait_for(lambda: confusion._results[0] is dock.results.results[0])


def test_a_plot_somebody_turns_to_is_up_to_date(viewer: Any, open_dock: Any) -> None:
    dock = open_dock()
    dock.live.setChecked(True)
    settle(dock)
    assert not dock.views[1]._results
    dock.tabs.setCurrentIndex(1)
    assert dock.views[1]._results == dock.results.results
