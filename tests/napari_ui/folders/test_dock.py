"""The dock that evaluates folders of labels: pairs of files, tables and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from folder_docks import (
    N_CASES,
    NO_KEY,
    SPACE,
    choose,
    contents,
    heads,
    labels_of,
    look,
    run,
    write,
)
from grow_docks import wait_for
from napari_segsuite.metrics.folders.evaluation import evaluate_folders
from napari_segsuite.napari_ui.folders import folder_field

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
    hand = Qt.DropAction.CopyAction, dropped, Qt.MouseButton.LeftButton, NO_KEY
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
