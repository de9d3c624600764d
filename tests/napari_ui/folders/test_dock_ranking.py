"""The dock that evaluates folders: several of them, what leaves it, and stopping."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication

from folder_docks import (
    N_CASES,
    choose,
    contents,
    heads,
    run,
)
from grow_docks import wait_for
from napari_segsuite.metrics.folders.evaluation import evaluate_folders
from napari_segsuite.metrics.folders.ranking import rank_reports
from napari_segsuite.napari_ui import runner
from napari_segsuite.napari_ui.folders import dock as folder_dock
from napari_segsuite.napari_ui.folders import run as folder_run
from napari_segsuite.napari_ui.folders.dock import FolderDock
from napari_segsuite.napari_ui.folders.further_folders import names_of

# --- several folders ------------------------------------------------------------------


def test_folders_are_ranked(dock: Any, folders: Path) -> None:
    run(dock, folders, "bad")
    reports = {
        name: evaluate_folders(folders / name, folders / "truth") for name in ("good", "bad")
    }
    metric = next(m for m in dock.report.metrics if m.name == "dice")
    expected = rank_reports(reports, metric)
    assert dock.ranking.ranking.to_markdown() == expected.to_markdown()
    standings = contents(dock.ranking.standings)
    assert [cells[:2] for cells in standings] == [["good", 1], ["bad", 2]]
    (test,) = contents(dock.ranking.tests)
    named = dict(zip(heads(dock.ranking.tests), test, strict=True))
    assert named["p (Holm)"] == expected.tests.tests[0].p_holm
    assert "1 left out" in dock.ranking.sentence.text()
    assert "broken" in dock.ranking.sentence.toolTip()


def test_another_metric_ranks_again(dock: Any, folders: Path) -> None:
    run(dock, folders, "bad")
    dock.ranking.choice.setCurrentText("Volume difference")
    assert dock.ranking.ranking.metric.name == "volume_difference"
    assert dock.ranking.sentence.text().startswith("Volume difference over 7 cases; lower")
    assert "Volume" not in [
        dock.ranking.choice.itemText(i) for i in range(dock.ranking.choice.count())
    ]


def test_tables_are_about_the_folder_that_is_chosen(dock: Any, folders: Path) -> None:
    run(dock, folders, "bad")
    assert dock.folder_choice.count() == 2
    good = contents(dock.summary.table)
    dock.folder_choice.setCurrentText("bad")
    assert dock.report is dock.outcome.reports["bad"]
    assert dock.cases.table.rowCount() == N_CASES
    assert contents(dock.summary.table)[0] != good[0]
    dock.run()
    wait_for(lambda: dock.job is None)
    assert dock.folder_choice.currentText() == "bad"


def test_one_folder_has_no_ranking(dock: Any, folders: Path) -> None:
    run(dock, folders)
    assert dock.ranking.ranking is None
    assert "Add further prediction folders" in dock.ranking.sentence.text()
    assert dock.folder_choice.isHidden()


def test_a_further_folder_that_fails_stops_no_other(dock: Any, folders: Path) -> None:
    run(dock, folders, "bad", "nowhere")
    assert "nowhere: expected a folder" in dock.message
    assert list(dock.outcome.reports) == ["good", "bad"]
    assert dock.ranking.ranking is not None


def test_a_further_folder_can_be_taken_back(dock: Any, folders: Path) -> None:
    from qtpy.QtWidgets import QToolButton

    for name in ("bad", "good"):
        dock.further.add().path = folders / name
    row = dock.further.fields[0].parentWidget()
    remove = [button for button in row.findChildren(QToolButton) if button.text() == "✕"]
    remove[0].click()
    assert dock.further.paths == [folders / "good"]


def test_folders_have_names_that_differ() -> None:
    assert names_of([Path("x/a"), Path("x/b")]) == ["a", "b"]
    assert names_of([Path("x/a"), Path("y/a")]) == ["x/a", "y/a"]
    same = names_of([Path("x/a"), Path("x/a")])
    assert len(set(same)) == 2
    assert names_of([]) == []


# --- what leaves the dock -------------------------------------------------------------


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Have the next dialog answer with a path, and wait for what the dock says then."""

    def save(dock: FolderDock, button: Any, name: str) -> Path:
        path = tmp_path / name
        monkeypatch.setattr(folder_dock, "getsavefilename", lambda *_: (str(path), ""))
        dock.panel.say("")
        button.click()
        wait_for(lambda: bool(dock.message))
        return path

    return save


def test_values_can_be_saved(dock: Any, folders: Path, saved: Any) -> None:
    run(dock, folders, "bad")
    path = saved(dock, dock.csv_button, "cases.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["case"] for row in rows} == {"broken", *(f"case{i}" for i in range(N_CASES))}
    dock.tabs.setCurrentWidget(dock.ranking)
    path = saved(dock, dock.csv_button, "ranking.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["prediction"] for row in rows} == {"good", "bad"}


def test_picture_can_be_saved(dock: Any, folders: Path, saved: Any) -> None:
    run(dock, folders)
    dock.boxes.choice.setCurrentText("IoU")
    path = saved(dock, dock.picture_button, "iou.svg")
    assert "Saved" in dock.message
    assert path.read_bytes().startswith(b"<?xml")
    saved(dock, dock.picture_button, "iou.docx")
    assert ".png" in dock.message
    assert "Saved" not in dock.message


def test_nothing_is_saved_where_no_file_is_named(
    dock: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dock, folders)
    before = sorted(os.listdir())
    monkeypatch.setattr(folder_dock, "getsavefilename", lambda *_: ("", ""))
    for button in (dock.csv_button, dock.picture_button):
        button.click()
    assert sorted(os.listdir()) == before


def test_tables_can_be_copied(dock: Any, folders: Path) -> None:
    run(dock, folders, "bad")
    dock.copy_button.click()
    text = QApplication.clipboard().text()
    assert dock.report.to_markdown() in text
    assert dock.ranking.ranking.to_markdown() in text


# --- stopping -------------------------------------------------------------------------


def test_progress_names_the_case(dock: Any, folders: Path) -> None:
    choose(dock, folders / "good", folders / "truth")
    seen = []
    order = dock._order()
    folder_run.evaluate_order(order, lambda fraction, message="": seen.append((fraction, message)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert any(message.startswith("case3") for _, message in seen)


def test_a_run_can_be_stopped(dock: Any, folders: Path, monkeypatch: Any) -> None:
    run(dock, folders)
    before = dock.outcome

    def endless(_order: Any, progress: Any) -> None:
        while True:
            progress(0.5, "on and on")

    monkeypatch.setattr(folder_dock, "evaluate_order", endless)
    dock.run()
    wait_for(lambda: "on and on" in dock.message.lower())
    assert not dock.panel.run_button.isEnabled()
    dock.cancel()
    wait_for(lambda: dock.job is None)
    assert "Stopped" in dock.message
    assert dock.outcome is before
    assert dock.panel.run_button.isEnabled()


def test_viewer_closed_while_running(qtbot: Any, make_napari_viewer: Any, folders: Path) -> None:
    viewer = make_napari_viewer()
    dock = FolderDock(viewer)
    viewer.window.add_dock_widget(dock)
    choose(dock, folders / "good", folders / "truth")
    dock.run()
    dock.form.pattern_line.setText("{name}_pred")
    viewer.close()
    qtbot.wait(50)


def test_dock_closed_while_running(qtbot: Any, make_napari_viewer: Any, folders: Path) -> None:
    viewer = make_napari_viewer()
    dock = FolderDock(viewer)
    window_part = viewer.window.add_dock_widget(dock)
    choose(dock, folders / "good", folders / "truth")
    dock.run()
    viewer.window.remove_dock_widget(window_part)
    wait_for(lambda: not runner.runner_for(viewer)._running)
    viewer.theme = "light"
    assert dock.outcome is None
