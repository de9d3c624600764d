"""The dock that merges raters: what it adds, what its tables say, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from grow_docks import wait_for
from method_forms import GEOMETRY
from napari_segsuite.metrics.raters.consensus import consensus
from napari_segsuite.napari_ui import runner
from napari_segsuite.napari_ui.adapters import METADATA_KEY, PREVIEW_KEY
from napari_segsuite.napari_ui.raters import dock as raters_dock
from napari_segsuite.napari_ui.raters.dock import RatersDock
from napari_segsuite.napari_ui.raters.heat_table import HeatTable

SHAPE = (4, 12, 14)
CLASSES = {"index": [0, 1, 2], "name": ["background", "core", "rim"]}


def labels_of(shift: int) -> np.ndarray:
    """A core within a rim, moved along the last axis."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 2:10, 2 + shift : 9 + shift] = 2
    labels[1:3, 4:8, 4 + shift : 7 + shift] = 1
    return labels


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def raters(viewer: ViewerModel) -> list[Any]:
    """Anna and Ben agree nearly, Chris is further off."""
    shifts = {"Anna": 0, "Ben": 1, "Chris": 4}
    return [
        viewer.add_labels(labels_of(shift), name=name, features=CLASSES, **GEOMETRY)
        for name, shift in shifts.items()
    ]


@pytest.fixture
def dock(qapp: Any, viewer: ViewerModel, raters: list[Any]) -> Iterator[RatersDock]:
    dock = RatersDock(viewer)
    yield dock
    dock.cancel()
    wait_for(lambda: not runner.runner_for(viewer)._running)
    dock.close()
    dock.deleteLater()


def run(dock: RatersDock, layers: list[Any], rule: str = "staple") -> None:
    for layer in layers:
        dock.checklist.tick(layer)
    dock.rule.value = rule
    dock.run()
    wait_for(lambda: dock.job is None)


def in_order(dock: RatersDock) -> list[np.ndarray]:
    return [np.asarray(layer.data) for layer in dock.checklist.ticked]


# --- what comes out -------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "title"), [("staple", "STAPLE"), ("majority", "majority vote")])
def test_consensus_is_that_of_python(
    dock: Any, viewer: Any, raters: Any, rule: Any, title: str
) -> None:
    run(dock, raters, rule)
    layer = viewer.layers[f"consensus ({title})"]
    expected = consensus(in_order(dock), rule=rule)
    np.testing.assert_array_equal(layer.data, expected.segmentation.labels)
    np.testing.assert_allclose(layer.scale, raters[0].scale)
    np.testing.assert_allclose(layer.translate, raters[0].translate)
    assert list(layer.features["name"]) == ["background", "core", "rim"]
    for label in (1, 2):
        colours = [each.colormap.map(label) for each in (layer, dock.checklist.ticked[0])]
        np.testing.assert_allclose(*colours, atol=1e-5)
    assert f"Consensus of 3 raters in '{layer.name}'" in dock.message


def test_layer_tells_how_it_was_made(dock: Any, viewer: Any, raters: Any) -> None:
    run(dock, raters)
    record = viewer.layers["consensus (STAPLE)"].metadata[METADATA_KEY]
    assert record["method"] == "consensus"
    assert record["settings"] == {"rule": "staple"}
    assert {entry["name"] for entry in record["inputs"].values()} == {"Anna", "Ben", "Chris"}
    assert nss.provenance.Provenance.from_dict(record).to_dict() == record


def test_table_has_a_line_for_each_rater(dock: Any, raters: Any) -> None:
    run(dock, raters)
    table, found = dock.table, dock.merged.consensus
    heads = [table.horizontalHeaderItem(i).text() for i in range(table.columnCount())]
    assert heads[:2] == ["Rater", "Dice"]
    assert heads[4:6] == ["core\nsensitivity", "core\nspecificity"]
    assert all(table.horizontalHeaderItem(i).toolTip() for i in range(table.columnCount()))
    rows = {table.item(line, 0).text(): line for line in range(table.rowCount())}
    for r, layer in enumerate(dock.checklist.ticked):
        contents = [table.item(rows[layer.name], i).content for i in range(table.columnCount())]
        report = nss.evaluate(layer.data, found.segmentation.labels, metrics="dice")
        assert contents[1] == pytest.approx(report.mean["dice"])
        assert contents[4] == found.performance.sensitivity[r, 1]
        assert contents[5] == found.performance.specificity[r, 1]


def test_raters_sort_by_their_numbers(dock: Any, raters: Any) -> None:
    run(dock, raters)
    dock.table.sortItems(1)
    values = [dock.table.item(line, 1).content for line in range(3)]
    assert values == sorted(values)
    assert dock.table.item(0, 0).text() == "Chris"


def test_pairs_are_shown_by_dice_or_kappa(dock: Any, raters: Any) -> None:
    run(dock, raters)
    names = list(dock.merged.agreement.names)
    i, j = names.index("Anna"), names.index("Ben")
    dice = nss.evaluate(labels_of(0), labels_of(1), metrics="dice").mean["dice"]
    assert dock.heat.item(i, j).text() == f"{dice:.4g}"
    assert names[-1] == "consensus"
    dock.pair_choice.setCurrentIndex(1)
    kappa = nss.evaluate(labels_of(0), labels_of(1), metrics="kappa").mean["kappa"]
    assert dock.heat.item(i, j).text() == f"{kappa:.4g}"


def test_colours_of_pairs_go_with_their_values(qapp: Any) -> None:
    heat = HeatTable()
    heat.show_values(("a", "b"), np.array([[1.0, 0.0], [np.nan, 0.5]]), (0.0, 1.0))
    high, low, middle = heat.item(0, 0), heat.item(0, 1), heat.item(1, 1)
    assert low.background().color() == QColor("white")
    assert low.foreground().color() == QColor("black")
    assert high.foreground().color() == QColor("white")
    lightness = [cell.background().color().lightness() for cell in (low, middle, high)]
    assert lightness == sorted(lightness, reverse=True)
    assert heat.item(1, 0).text() == "–"


def test_agreement_of_all_comes_with_its_meaning(dock: Any, raters: Any) -> None:
    run(dock, raters)
    fleiss = dock.merged.consensus.agreement.fleiss_kappa
    assert f"Fleiss' kappa of all raters: {fleiss:.4g}" in dock.facts.text()
    assert "0 what chance gives" in dock.facts.text()


def test_undecided_voxels_are_counted(dock: Any, viewer: Any, raters: Any) -> None:
    run(dock, raters[:2], "majority")
    n = int((raters[0].data != raters[1].data).sum())
    assert n > 0
    assert f"{n} of {np.prod(SHAPE)} voxels undecided" in dock.facts.text()
    result = viewer.layers["consensus (majority vote)"].data
    assert not result[raters[0].data != raters[1].data].any()


def test_raters_without_a_difference_have_no_chance_to_agree_beyond(dock: Any, viewer: Any) -> None:
    empty = [viewer.add_labels(np.zeros(SHAPE, np.uint8), name=name) for name in ("a", "b")]
    run(dock, empty)
    assert "–" in dock.facts.text()
    assert dock.merged.consensus.agreement.reasons["fleiss_kappa"] in dock.facts.text()
    assert dock.table.item(0, 1).text() == "–"
    assert dock.table.item(0, 1).toolTip()


# --- running again, and stopping ------------------------------------------------------


def test_running_again_updates_the_layer(dock: Any, viewer: Any, raters: Any) -> None:
    run(dock, raters)
    n = len(viewer.layers)
    raters[0].data = labels_of(2)
    run(dock, raters)
    assert len(viewer.layers) == n
    run(dock, raters, "majority")
    assert len(viewer.layers) == n + 1


def test_a_consensus_edited_by_hand_is_kept(dock: Any, viewer: Any, raters: Any) -> None:
    run(dock, raters)
    mine = viewer.layers["consensus (STAPLE)"]
    mine.data = np.ones(SHAPE, np.uint8)
    run(dock, raters)
    assert (mine.data == 1).all()
    assert "kept as it is" in dock.message


def test_painting_on_does_not_reach_the_run(dock: Any, viewer: Any, raters: Any) -> None:
    for layer in raters:
        dock.checklist.tick(layer)
    expected = consensus(in_order(dock)).segmentation.labels.copy()
    dock.run()
    for layer in raters:
        layer.data[:] = 0
    wait_for(lambda: dock.job is None)
    np.testing.assert_array_equal(viewer.layers["consensus (STAPLE)"].data, expected)


def test_a_run_can_be_stopped(dock: Any, viewer: Any, raters: Any, monkeypatch: Any) -> None:
    def endless(_raters: Any, _rule: Any, progress: Any) -> None:
        while True:
            progress(0.5, "on and on")

    monkeypatch.setattr(raters_dock, "merge", endless)
    for layer in raters:
        dock.checklist.tick(layer)
    dock.run()
    wait_for(lambda: "on and on" in dock.message.lower())
    assert not dock.panel.run_button.isEnabled()
    viewer.layers.remove(raters[0])  # is not needed any more
    dock.cancel()
    wait_for(lambda: dock.job is None)
    assert "Stopped" in dock.message
    assert dock.merged is None
    assert dock.panel.run_button.isEnabled()


def test_viewer_closed_while_running(qtbot: Any, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    dock = RatersDock(viewer)
    viewer.window.add_dock_widget(dock)
    for name in ("a", "b"):
        dock.checklist.tick(viewer.add_labels(labels_of(0), name=name))
    dock.run()
    viewer.close()
    qtbot.wait(50)


def test_dock_closed_while_running(qtbot: Any, make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    dock = RatersDock(viewer)
    window_part = viewer.window.add_dock_widget(dock)
    for name in ("a", "b"):
        dock.checklist.tick(viewer.add_labels(labels_of(0), name=name))
    dock.run()
    viewer.window.remove_dock_widget(window_part)
    wait_for(lambda: not runner.runner_for(viewer)._running)
    assert [layer.name for layer in viewer.layers] == ["a", "b"]
    viewer.layers.clear()


# --- what can be ticked, and what is refused ------------------------------------------


def test_two_raters_are_needed(dock: Any, viewer: Any, raters: Any) -> None:
    assert "at least two" in dock.message
    assert not dock.panel.run_button.isEnabled()
    dock.checklist.tick(raters[0])
    assert not dock.panel.run_button.isEnabled()
    dock.checklist.tick(raters[1])
    assert dock.panel.run_button.isEnabled()
    viewer.layers.remove(raters[1])
    assert not dock.panel.run_button.isEnabled()
    assert not dock.copy_button.isEnabled()


@pytest.mark.parametrize("other", ["shape", "place"])
def test_other_grids_are_refused_in_words(dock: Any, viewer: Any, raters: Any, other: str) -> None:
    shape = (5, 6, 7) if other == "shape" else SHAPE
    odd = viewer.add_labels(np.ones(shape, np.uint8), name="odd", scale=(9, 9, 9))
    run(dock, [raters[0], odd])
    assert "odd" in dock.message
    assert "grid" in dock.message
    assert dock.merged is None
    assert not any(layer.name.startswith("consensus") for layer in viewer.layers)


def test_too_many_classes_are_refused_in_words(dock: Any, viewer: Any, raters: Any) -> None:
    many = [
        viewer.add_labels(np.arange(600, dtype=np.uint16).reshape(20, 30), name=name)
        for name in ("a", "b")
    ]
    run(dock, many)
    assert "256" in dock.message
    assert dock.panel.run_button.isEnabled()


def test_ticks_stay_with_their_layers(dock: Any, viewer: Any, raters: Any) -> None:
    anna, ben, chris = raters
    for layer in (anna, chris):
        dock.checklist.tick(layer)
    chris.name = "Christine"
    viewer.layers.move(0, 3)
    viewer.layers.remove(ben)
    viewer.add_labels(labels_of(0), name="preview", metadata={PREVIEW_KEY: True})
    shown = [dock.checklist.item(row).text() for row in range(dock.checklist.count())]
    assert sorted(shown) == ["Anna", "Christine"]
    assert {layer.name for layer in dock.checklist.ticked} == {"Anna", "Christine"}
    dock.checklist.tick(anna, False)
    assert dock.checklist.ticked == [chris]


# --- what leaves the dock -------------------------------------------------------------


def test_tables_can_be_copied(dock: Any, raters: Any) -> None:
    run(dock, raters)
    dock.copy_as_markdown()
    text = QApplication.clipboard().text()
    assert dock.merged.consensus.to_markdown() in text
    assert f"| Anna | {dock.merged.dice[-1]:.4g} |" in text


def test_values_can_be_saved(
    dock: Any, raters: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dock, raters)
    path = tmp_path / "raters.csv"
    monkeypatch.setattr(raters_dock, "getsavefilename", lambda *_: (str(path), ""))
    dock.save_as_csv()
    assert "sensitivity" in path.read_text(encoding="utf-8")
    assert str(path) in dock.message
    monkeypatch.setattr(
        raters_dock, "getsavefilename", lambda *_: (str(tmp_path / "no" / "file.csv"), "")
    )
    dock.save_as_csv()
    assert "Saved" not in dock.message
    monkeypatch.setattr(raters_dock, "getsavefilename", lambda *_: ("", ""))
    dock.panel.say("")
    dock.save_as_csv()
    assert dock.message == ""
