"""The class table on screen: clicks, keys, buttons, counts, and two layers kept alike."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QColorDialog, QLineEdit, QSpinBox

from class_table_hands import (
    BLUE,
    CLASSES,
    GREEN,
    add_layer,
    cell,
    click,
    press_in_window,
    selected_row,
    texts,
    type_name,
)
from napari_segsuite.image import LabelClass
from napari_segsuite.napari_ui.adapters import segmentation_from_layer
from napari_segsuite.napari_ui.class_rows import Column


# --- what is shown --------------------------------------------------------------------
def test_rows_say_what_there_is(counted):
    assert texts(counted) == [
        ("1", "liver", "0", "0"),
        ("2", "rib", "6", "3"),
        ("7", "vein", "1", "0.5"),
    ]
    header = counted.view.model().headerData(Column.VOLUME, Qt.Orientation.Horizontal)
    assert header == "mm³"
    for column in Column:
        tip = counted.view.model().headerData(
            column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole
        )
        assert len(tip) > 10
    assert "press 2" in cell(counted, 1, Column.NAME, Qt.ItemDataRole.ToolTipRole)


def test_pixels_without_a_size_have_no_volume(model, table, qtbot):
    layer = model.add_labels(np.full((4, 5), 3, np.uint8))
    with qtbot.waitSignal(table._counter.counted):
        table.set_layers(layer)
    assert table.view.isColumnHidden(Column.VOLUME)
    assert [row[:3] for row in texts(table)] == [("3", "class 3", "20")]


def test_voxels_are_those_of_the_result_and_ids_those_of_both(model, table, seeds, qtbot):
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[0] = 1
    labels[1] = 5
    result = add_layer(model, "result", (), labels)
    with qtbot.waitSignal(table._counter.counted):
        table.set_layers(seeds, result)
    assert [row[:3] for row in texts(table)] == [
        ("1", "liver", "400"),
        ("2", "rib", "0"),
        ("5", "class 5", "400"),
        ("7", "vein", "0"),
    ]
    assert segmentation_from_layer(result).classes == segmentation_from_layer(seeds).classes


def test_counts_can_be_pushed(counted, seeds, qtbot):
    counted.update_counts({1: 5, 2: 4000})
    assert [row[2:] for row in texts(counted)] == [("5", "0.0025"), ("4\u202f000", "2"), ("0", "0")]
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[5, 0, :9] = 4
    with qtbot.waitSignal(counted._counter.counted):
        counted.update_counts(labels)
    assert [row[:3] for row in texts(counted)] == [
        ("1", "liver", "0"),
        ("2", "rib", "0"),
        ("4", "class 4", "9"),
        ("7", "vein", "0"),
    ]
    with qtbot.assertNotEmitted(counted._counter.counted, wait=500):
        seeds.data_setitem((np.array([0]), np.array([0]), np.array([0])), 1)


def test_what_is_painted_gets_a_row_by_itself(counted, seeds, qtbot):
    seeds.selected_label = 5
    assert selected_row(counted) == []
    with qtbot.waitSignal(counted.changed):
        seeds.paint((0, 10, 10), 5)
    assert texts(counted)[2][:2] == ("5", "class 5")
    assert selected_row(counted) == [2]
    assert list(seeds.features["name"]) == ["background", "liver", "rib", "class 5", "vein"]


def test_instances_beyond_number_are_not_all_listed(model, table, qtbot):
    cells = np.arange(1000, dtype=np.uint16).reshape(25, 40)
    layer = model.add_labels(cells)
    with qtbot.waitSignal(table._counter.counted, timeout=10_000):
        table.set_layers(layer)
    assert table.view.model().rowCount() == 500
    assert "499 further labels" in table.message.text()


# --- choosing -------------------------------------------------------------------------
def test_a_click_on_a_row_chooses_what_to_paint_with(counted, seeds, qtbot):
    with qtbot.waitSignal(counted.chosen) as chosen:
        click(counted, 2, Column.NAME)
    assert chosen.args == [7]
    assert seeds.selected_label == 7
    assert counted.current() == CLASSES[2]


def test_the_row_follows_the_layer(counted, seeds, qtbot):
    with qtbot.waitSignal(counted.chosen) as chosen:
        seeds.selected_label = 2
    assert chosen.args == [2]
    assert selected_row(counted) == [1]
    with qtbot.assertNotEmitted(counted.chosen):
        counted._table.edit(2, colour=BLUE)  # napari says selected_label for this, too
    seeds.selected_label = 3
    assert selected_row(counted) == []
    assert counted.current() is None


def test_digits_choose_while_the_table_is_seen(viewer, docked):
    table, seeds = docked
    press_in_window(viewer, Qt.Key.Key_7)
    assert seeds.selected_label == 7
    press_in_window(viewer, Qt.Key.Key_5)  # there is no class 5
    assert (seeds.selected_label, seeds.mode) == (7, "pan_zoom")
    table.view.setFocus()
    QTest.keyClick(table.view, Qt.Key.Key_2)
    assert seeds.selected_label == 2
    # Hidden, it leaves the digits to napari.
    table.hide()
    press_in_window(viewer, Qt.Key.Key_2)
    assert (seeds.selected_label, seeds.mode) == (2, "paint")
    seeds.mode = "pan_zoom"
    table.show()
    press_in_window(viewer, Qt.Key.Key_1)
    assert (seeds.selected_label, seeds.mode) == (1, "pan_zoom")


def test_digits_typed_into_a_form_stay_there(viewer, docked):
    table, seeds = docked
    for kind in (QSpinBox, QLineEdit):
        box = kind()
        viewer.window.add_dock_widget(box, name=kind.__name__)
        box.setFocus()
        QTest.keyClicks(box, "27")
        assert "27" in box.text()
        assert seeds.selected_label == 1
    table.choose(2)
    table.rename()
    type_name(table, "rib 7")
    assert seeds.selected_label == 2
    assert texts(table)[1][1] == "rib 7"


def test_a_layers_own_key_comes_back(table, seeds):
    own = [lambda _layer: None, lambda _layer: None]
    seeds.bind_key("3", own[0])
    before = dict(seeds.keymap)
    table.set_layers(seeds)
    assert seeds.keymap != before
    assert len(seeds.keymap) == 9
    table.set_layers(None)
    assert seeds.keymap == before


def test_an_id_beyond_the_data_type_is_said_not_raised(model, table, qtbot):
    layer = add_layer(model, "seeds", (LabelClass(1, "a"), LabelClass(300, "b")))
    table.set_layers(layer)
    click(table, 1, Column.NAME)
    assert layer.selected_label == 1
    assert "holds ids up to 255, not 300" in table.message.text()


# --- states ---------------------------------------------------------------------------
def test_eyes_hide_without_choosing(counted, seeds):
    click(counted, 1, Column.VISIBLE)
    assert seeds.selected_label == 1
    assert not counted.classes()[1].visible
    assert seeds.colormap.map(2)[3] == 0
    assert "hidden" in cell(counted, 1, Column.VISIBLE, Qt.ItemDataRole.ToolTipRole)
    click(counted, 1, Column.VISIBLE)
    np.testing.assert_allclose(seeds.colormap.map(2), GREEN)


def test_locks_are_told_only_when_they_change(counted, seeds, qtbot):
    with qtbot.waitSignal(counted.locks_changed):
        click(counted, 2, Column.LOCKED)
    assert counted.locked_classes() == (7,)
    assert seeds.selected_label == 1
    with qtbot.assertNotEmitted(counted.locks_changed):
        click(counted, 2, Column.VISIBLE)
        counted._table.edit(7, name="vena cava")
    with qtbot.waitSignal(counted.locks_changed):
        counted.set_layers(None)
    assert counted.locked_classes() == ()


def test_the_header_shows_hides_and_locks_all(counted):
    header = counted.view.horizontalHeader()
    click(counted, 1, Column.VISIBLE)
    header.sectionClicked.emit(Column.VISIBLE)
    assert [entry.visible for entry in counted.classes()] == [True] * 3
    header.sectionClicked.emit(Column.VISIBLE)
    assert [entry.visible for entry in counted.classes()] == [False] * 3
    header.sectionClicked.emit(Column.LOCKED)
    assert counted.locked_classes() == (1, 2, 7)


def test_the_keyboard_does_all_that_the_mouse_does(counted, seeds, monkeypatch):
    view = counted.view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert seeds.selected_label == 2
    view.setCurrentIndex(view.model().index(1, Column.VISIBLE))
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert not counted.classes()[1].visible
    view.setCurrentIndex(view.model().index(1, Column.LOCKED))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert counted.locked_classes() == (2,)
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor(255, 255, 0))
    view.setCurrentIndex(view.model().index(1, Column.COLOUR))
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert counted.classes()[1].colour == (1.0, 1.0, 0.0, 1.0)
