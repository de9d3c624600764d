"""The dock that evaluates folders: pairs, tables, plots, rankings, and what goes wrong."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from grow_docks import wait_for
from napari_segsuite.image import LabelClass
from napari_segsuite.metrics.folders.evaluation import evaluate_folders
from napari_segsuite.metrics.folders.ranking import rank_reports
from napari_segsuite.napari_ui import runner
from napari_segsuite.napari_ui.folders import dock as folder_dock
from napari_segsuite.napari_ui.folders import folder_field
from napari_segsuite.napari_ui.folders import run as folder_run
from napari_segsuite.napari_ui.folders.dock import FolderDock
from napari_segsuite.napari_ui.folders.further_folders import names_of
from napari_segsuite.space import Space

SHAPE = (3, 10, 12)
SPACE = Space.regular(3, (3.0, 0.5, 0.5), "mm")
CLASSES = (LabelClass(1, "core"), LabelClass(2, "rim"))
N_CASES = 7
_NO_KEY = Qt.KeyboardModifier.NoModifier


def labels_of(case: int, shift: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 1 : 9 - case % 3, 1 + shift : 9 + shift] = 2
    labels[:, 3:6, 3 + shift : 6 + shift] = 1
    return labels


def write(folder: Path, name: str, labels: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    nss.write(folder / f"{name}.nii.gz", nss.Segmentation(labels, SPACE, CLASSES))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References, two folders of predictions, and files that are trouble in the better one."""
    root = tmp_path_factory.mktemp("study")
    for case in range(N_CASES):
        write(root / "truth", f"case{case}", labels_of(case, 0))
        write(root / "good", f"case{case}", labels_of(case, case % 2))
        write(root / "bad", f"case{case}", labels_of(case, 2 + case % 2))
    write(root / "good", "stray", labels_of(0, 0))
    write(root / "truth", "lone1", labels_of(0, 0))
    write(root / "truth", "lone2", labels_of(0, 0))
    write(root / "truth", "broken", labels_of(0, 0))
    (root / "good" / "broken.nii.gz").write_bytes(b"no image")
    return root


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def dock(qapp: Any, viewer: ViewerModel) -> Iterator[FolderDock]:
    dock = FolderDock(viewer)
    yield dock
    dock.cancel()
    wait_for(lambda: not runner.runner_for(viewer)._running)
    dock.close()
    dock.deleteLater()


def choose(dock: FolderDock, predictions: Path, references: Path) -> None:
    dock.form.predictions.path, dock.form.references.path = predictions, references
    look(dock)


def look(dock: FolderDock) -> None:
    wait_for(lambda: not dock.form.preview.is_looking)


def run(dock: FolderDock, folders: Path, *further: str) -> None:
    choose(dock, folders / "good", folders / "truth")
    for name in further:
        dock.further.add().path = folders / name
    dock.run()
    wait_for(lambda: dock.job is None)


def contents(table: Any) -> list[list[Any]]:
    return [
        [table.item(line, column).content for column in range(table.columnCount())]
        for line in range(table.rowCount())
    ]


def heads(table: Any) -> list[str]:
    items = [table.horizontalHeaderItem(column) for column in range(table.columnCount())]
    assert all(item.toolTip() for item in items)
    return [item.text() for item in items]


# --- which files belong together ------------------------------------------------------


def test_pairs_are_shown_before_a_run(dock: Any, folders: Path) -> None:
    assert "Choose the folder" in dock.message
    assert not dock.panel.run_button.isEnabled()
    choose(dock, folders / "good", folders / "truth")
    preview = dock.form.preview
    assert preview.sentence.text() == "8 pairs, 1 prediction and 2 references without partner"
    listed = [preview.list.item(row).text() for row in range(preview.list.count())]
    assert listed[:3] == [
        "without reference: stray.nii.gz",
        "without prediction: lone1.nii.gz",
        "without prediction: lone2.nii.gz",
    ]
    assert listed[3:] == ["broken", *(f"case{i}" for i in range(N_CASES))]
    assert dock.panel.run_button.isEnabled()


def test_pairs_follow_the_pattern(dock: Any, tmp_path: Path) -> None:
    for name in ("a", "a_pred", "b", "b_pred"):
        write(tmp_path, name, labels_of(0, 0))
    choose(dock, tmp_path, tmp_path)
    assert "different files" in dock.message
    assert not dock.panel.run_button.isEnabled()
    for pattern, said in (("{name}_pred", ""), ("pred", "{name}"), ("{name}_no", "'{name}_no'")):
        dock.form.pattern_line.setText(pattern)
        look(dock)
        assert said in dock.message
        assert dock.panel.run_button.isEnabled() == (not said)
    dock.form.pattern_line.setText("{name}_pred")
    look(dock)
    assert dock.form.preview.sentence.text() == "2 pairs"


def test_folders_that_are_none_are_said(dock: Any, folders: Path) -> None:
    choose(dock, folders / "nowhere", folders / "truth")
    assert "nowhere" in dock.message
    assert not dock.panel.run_button.isEnabled()
    dock.form.predictions.path = folders / "good" / "case0.nii.gz"
    look(dock)
    assert "a file" in dock.message
    dock.form.predictions.path = ""
    look(dock)
    assert "Choose the folder" in dock.message


def test_only_the_last_folders_count(dock: Any, folders: Path) -> None:
    for name in ("bad", "good", "bad"):
        dock.form.references.path = folders / "truth"
        dock.form.predictions.path = folders / name
    look(dock)
    assert dock.form.preview.sentence.text() == "7 pairs, 3 references without partner"


def test_folders_can_be_chosen_and_dropped(
    dock: Any, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = dock.form.predictions
    monkeypatch.setattr(folder_field, "getexistingdirectory", lambda *_: str(folders / "good"))
    field.button.click()
    assert field.path == folders / "good"
    monkeypatch.setattr(folder_field, "getexistingdirectory", lambda *_: "")
    field.button.click()
    assert field.path == folders / "good"
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(folders / "bad" / "case0.nii.gz"))])
    hand = Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, _NO_KEY
    for event in (QDragEnterEvent(QPoint(3, 3), *hand), QDropEvent(QPointF(3, 3), *hand)):
        QApplication.sendEvent(field.line, event)
    assert field.path == folders / "bad"


def test_what_is_typed_counts_once_it_is_finished(dock: Any, folders: Path) -> None:
    told = []
    field = dock.form.predictions
    field.changed.connect(lambda: told.append(field.path))
    field.line.setText(str(folders / "good"))
    assert not told
    field.line.editingFinished.emit()
    field.line.editingFinished.emit()
    assert told == [folders / "good"]


# --- what is found --------------------------------------------------------------------


def test_summary_is_that_of_python(dock: Any, folders: Path) -> None:
    run(dock, folders)
    expected = evaluate_folders(folders / "good", folders / "truth", metrics=["overlap", "volume"])
    titles, rows = heads(dock.summary.table), contents(dock.summary.table)
    assert len(rows) == len(expected.summary)
    for cells, row in zip(rows, expected.summary, strict=True):
        named = dict(zip(titles, cells, strict=True))
        found = [named[title] for title in ("Mean", "CI low", "CI high", "SD", "Median", "n")]
        wanted = [row.mean, row.low, row.high, row.sd, row.median, row.n]
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal([named["Q1"], named["Q3"]], [row.q1, row.q3])
    assert rows[1][:2] == ["Dice", "1 core"]
    assert any(cells[0] == "Volume (mm³)" for cells in rows)


def test_cases_are_those_of_python(dock: Any, folders: Path) -> None:
    run(dock, folders)
    table = dock.cases.table
    dice = heads(table).index("Dice")
    reports = dock.report.reports
    assert table.texts(0)[:2] == ("broken", "failed")
    assert "expected a NIfTI file" in table.item(0, 0).toolTip()
    for name, _, *_ in contents(table)[1:]:
        line = int(name.removeprefix("case")) + 1
        assert table.item(line, dice).content == reports[name].mean["dice"]
    dock.cases.choice.setCurrentText("2 rim")
    values = {cells[0]: cells[dice] for cells in contents(table)}
    assert values["case3"] == reports["case3"].per_class["dice"][2]
    assert values["case3"] != reports["case3"].mean["dice"]


def test_settings_reach_the_metrics(dock: Any, folders: Path) -> None:
    for group, box in dock.options.boxes.items():
        box.setChecked(group == "overlap")
    dock.options.form.widgets["mapping"].value = "2=1"
    run(dock, folders)
    expected = evaluate_folders(folders / "good", folders / "truth", mapping={2: 1})
    assert dock.report.to_markdown() == expected.to_markdown()
    dock.options.form.widgets["mapping"].value = "two is one"
    assert "pairs of labels" in dock.message
    assert not dock.panel.run_button.isEnabled()


def test_a_case_that_fails_stops_no_other(dock: Any, folders: Path) -> None:
    run(dock, folders)
    assert "7 of 8 cases compared. broken: " in dock.message
    text = dock.unmatched.text.toPlainText()
    assert "Cases that could not be compared: 1\nbroken: " in text
    assert "Predictions without a reference: 1\nstray.nii.gz" in text
    assert "References without a prediction: 2" in text


def test_nothing_is_left_out_of_whole_folders(dock: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, name, labels_of(0, 0))
        write(tmp_path, f"{name}_pred", labels_of(0, 1))
    dock.form.pattern_line.setText("{name}_pred")
    choose(dock, tmp_path, tmp_path)
    dock.run()
    wait_for(lambda: dock.job is None)
    assert dock.message == "2 of 2 cases compared."
    assert dock.unmatched.text.toPlainText() == "Every file had a partner and could be compared."


def test_folders_in_which_all_fails(dock: Any, tmp_path: Path) -> None:
    for name in ("truth", "good"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "case.nii.gz").write_bytes(b"no image")
    run(dock, tmp_path)
    assert "0 of 1 case compared." in dock.message
    assert dock.summary.table.rowCount() == 0
    assert dock.cases.table.texts(0) == ("case",)
    assert dock.boxes.metric is None
    assert not dock.picture_button.isEnabled()


def test_cases_sort_by_their_numbers(dock: Any, folders: Path) -> None:
    run(dock, folders)
    table = dock.cases.table
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        table.sortItems(1, order)
        values = [cell for _, cell, *_ in contents(table) if cell != "failed"]
        assert values == sorted(values, reverse=order == Qt.SortOrder.DescendingOrder)


def test_a_double_click_opens_the_files_of_a_case(dock: Any, viewer: Any, folders: Path) -> None:
    run(dock, folders)
    table = dock.cases.table
    table.sortItems(0, Qt.SortOrder.DescendingOrder)
    assert table.item(0, 0).text() == "case6"
    table.itemDoubleClicked.emit(table.item(0, 2))
    wait_for(lambda: len(viewer.layers) == 2)
    reference, prediction = viewer.layers
    assert (reference.name, prediction.name) == ("case6 reference", "case6 prediction")
    np.testing.assert_array_equal(reference.data, labels_of(6, 0))
    np.testing.assert_array_equal(prediction.data, labels_of(6, 0))
    np.testing.assert_allclose(prediction.scale, SPACE.spacing)
    assert list(prediction.features["name"]) == ["background", "core", "rim"]
    viewer.layers.selection.clear()
    table.itemDoubleClicked.emit(table.item(0, 0))
    assert set(viewer.layers.selection) == {reference, prediction}
    viewer.layers.remove(prediction)
    table.itemDoubleClicked.emit(table.item(0, 0))
    wait_for(lambda: len(viewer.layers) == 3)


def test_a_case_that_cannot_be_opened_says_so(dock: Any, viewer: Any, folders: Path) -> None:
    run(dock, folders)
    dock.panel.say("")
    table = dock.cases.table
    table.itemDoubleClicked.emit(table.item(0, 0))
    wait_for(lambda: "expected a NIfTI file" in dock.message)
    assert not viewer.layers


# --- plots ----------------------------------------------------------------------------


def test_boxes_have_a_point_for_each_case(dock: Any, folders: Path) -> None:
    run(dock, folders)
    (axes,) = dock.boxes.plot.figure.axes
    assert axes.get_title() == "Dice"
    core, rim, _mean = (points.get_offsets()[:, 1] for points in axes.collections)
    reports = dock.report.reports.values()
    np.testing.assert_allclose(core, [report.per_class["dice"][1] for report in reports])
    np.testing.assert_allclose(rim, [report.per_class["dice"][2] for report in reports])
    dock.boxes.choice.setCurrentText("IoU")
    (axes,) = dock.boxes.plot.figure.axes
    assert axes.get_title() == "IoU"


def test_plots_follow_the_theme(dock: Any, viewer: Any, folders: Path) -> None:
    from matplotlib.colors import to_hex
    from napari.utils.theme import get_theme

    run(dock, folders)
    for name in ("light", "dark"):
        viewer.theme = name
        (axes,) = dock.boxes.plot.figure.axes
        ink = get_theme(name).text.as_hex("long")
        assert to_hex(axes.get_facecolor()) == get_theme(name).background.as_hex("long")
        assert {to_hex(line.get_color()) for line in axes.lines} == {ink}
        assert to_hex(axes.title.get_color()) == ink


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
