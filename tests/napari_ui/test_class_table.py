"""The class table on screen: clicks, keys, buttons, counts, and two layers kept alike."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QColorDialog, QLineEdit, QPushButton, QSpinBox

from napari_segsuite.image import CLASS_COLOURS, LabelClass, Segmentation
from napari_segsuite.napari_ui import class_table
from napari_segsuite.napari_ui.adapters import layer_data, segmentation_from_layer
from napari_segsuite.napari_ui.class_rows import Column
from napari_segsuite.napari_ui.class_table import ClassTable
from napari_segsuite.space import Space

RED, GREEN, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
CLASSES = (LabelClass(1, "liver", RED), LabelClass(2, "rib", GREEN), LabelClass(7, "vein", BLUE))
SPACE = Space.regular(3, (2.0, 0.5, 0.5), "mm")


class Answers:
    """Says yes or no, and remembers what was asked."""

    def __init__(self):
        self.answer = True
        self.asked = []

    def __call__(self, question):
        self.asked.append(question)
        return self.answer


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def model():
    """Layers without a window: quick to make, and enough for most."""
    return ViewerModel()


@pytest.fixture
def table(model, answers, qtbot):
    widget = ClassTable(model, answers)
    qtbot.addWidget(widget)
    widget.resize(350, 300)
    widget.show()
    return widget


@pytest.fixture
def docked(viewer, qtbot):
    """A table in a window, and its seeds, which are the active layer."""
    widget = ClassTable(viewer)
    seeds = add_layer(viewer, "seeds")
    viewer.window.add_dock_widget(widget, name="Classes")
    viewer.window._qt_window.show()
    viewer.layers.selection.active = seeds
    with qtbot.waitSignal(widget._counter.counted):
        widget.set_layers(seeds)
    return widget, seeds


def add_layer(viewer, name, classes=CLASSES, labels=None):
    labels = np.zeros((6, 20, 20), np.uint8) if labels is None else labels
    value = Segmentation(labels, SPACE, classes, name=name)
    return viewer.add_layer(Layer.create(*layer_data(value)))


@pytest.fixture
def seeds(model):
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[2, 3:5, 3:6] = 2
    labels[3, 3, 3] = 7
    return add_layer(model, "seeds", labels=labels)


@pytest.fixture
def counted(table, seeds, qtbot):
    with qtbot.waitSignal(table._counter.counted):
        table.set_layers(seeds)
    return table


def cell(table, row, column, role=Qt.ItemDataRole.DisplayRole):
    return table.view.model().index(row, column).data(role)


def texts(table):
    columns = (Column.ID, Column.NAME, Column.VOXELS, Column.VOLUME)
    n_rows = table.view.model().rowCount()
    return [tuple(cell(table, row, column) for column in columns) for row in range(n_rows)]


def click(table, row, column):
    place = table.view.visualRect(table.view.model().index(row, column)).center()
    QTest.mouseClick(
        table.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
    )


def button(table, name):
    found = [b for b in table.findChildren(QPushButton) if b.accessibleName() == name]
    assert len(found) == 1
    return found[0]


def type_name(table, name):
    editor = table.view.viewport().findChild(QLineEdit)
    QTest.keyClicks(editor, name)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()  # the editor hands its text over from the event loop


def press_in_window(viewer, key):
    """Press a key as in the canvas, where napari's own shortcuts are heard."""
    QTest.keyClick(viewer.window._qt_window, key)


def selected_row(table):
    return [index.row() for index in table.view.selectionModel().selectedRows()]


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


# --- buttons --------------------------------------------------------------------------
def test_add_gives_a_class_to_paint_with_at_once(model, counted, seeds):
    button(counted, "Add").click()
    assert seeds.selected_label == 3
    assert counted.current() == LabelClass(3, "class 3", CLASS_COLOURS[0])
    type_name(counted, "kidney")
    assert counted.current().name == "kidney"
    assert list(seeds.features["name"])[3] == "kidney"


def test_an_empty_name_changes_nothing(counted):
    index = counted.view.model().index(0, Column.NAME)
    assert not counted.view.model().setData(index, "  ")
    assert counted.classes() == CLASSES


def test_colours_come_from_a_dialogue(counted, seeds, monkeypatch):
    offered = []

    def choose(colour, *_):
        offered.append(colour)
        return QColor(0, 255, 255)

    monkeypatch.setattr(QColorDialog, "getColor", choose)
    click(counted, 2, Column.COLOUR)
    assert offered == [QColor(0, 0, 255)]
    assert counted.classes()[2].colour == (0.0, 1.0, 1.0, 1.0)
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor())  # Cancel
    button(counted, "Colour").click()
    assert counted.classes()[2].colour == (0.0, 1.0, 1.0, 1.0)


def test_a_class_is_removed_with_its_seeds_only_if_that_is_confirmed(
    counted, seeds, answers, qtbot
):
    labels, before = seeds.data, seeds.data.copy()
    counted.choose(2)
    answers.answer = False
    button(counted, "Remove").click()
    assert "6 voxels of 'seeds' are painted as 'rib'" in answers.asked[0]
    assert counted.classes() == CLASSES
    assert np.array_equal(seeds.data, before)

    answers.answer = True
    with qtbot.waitSignal(counted._counter.counted):
        button(counted, "Remove").click()
    assert [entry.id for entry in counted.classes()] == [1, 7]
    assert seeds.selected_label == 7
    assert seeds.data is labels
    assert not (labels == 2).any()
    assert (labels == 7).sum() == 1

    with qtbot.waitSignal(counted._counter.counted):
        seeds.undo()
    assert np.array_equal(labels, before)
    assert counted.classes() == CLASSES
    assert texts(counted)[1] == ("2", "rib", "6", "3")


def test_a_class_without_seeds_goes_unasked(counted, answers, seeds):
    counted.choose(1)
    (action,) = [a for a in counted.view.actions() if a.shortcut().toString() == "Del"]
    action.trigger()
    assert answers.asked == []
    assert [entry.id for entry in counted.classes()] == [2, 7]
    assert seeds._undo_history == type(seeds._undo_history)()


def test_tables_are_saved_and_loaded(counted, seeds, tmp_path, monkeypatch):
    path = tmp_path / "t.label"
    monkeypatch.setattr(class_table, "getsavefilename", lambda *_: (str(path), ""))
    monkeypatch.setattr(class_table, "getopenfilename", lambda *_: (str(path), ""))
    counted._table.edit(7, visible=False)
    saved = counted.classes()
    button(counted, "Save…").click()
    counted._table.put([LabelClass(2, "other"), LabelClass(9, "more"), LabelClass(1, "x")])
    button(counted, "Load…").click()
    assert counted.classes() == saved
    path.write_text("1 a 300 0 0 255\n")
    button(counted, "Load…").click()
    assert "t.label, line 1: expected a colour" in counted.message.text()
    assert counted.classes() == saved
    path.write_text("5 kidney 1 2 3 255\n")
    button(counted, "Load…").click()
    # 2 and 7 have voxels, 1 has none.
    assert [entry.name for entry in counted.classes()] == ["rib", "kidney", "vein"]
    assert not counted.message.isVisible()


def test_no_file_is_no_error(counted, monkeypatch):
    monkeypatch.setattr(class_table, "getsavefilename", lambda *_: ("", ""))
    monkeypatch.setattr(class_table, "getopenfilename", lambda *_: ("", ""))
    button(counted, "Save…").click()
    button(counted, "Load…").click()
    assert counted.classes() == CLASSES


# --- coming and going -----------------------------------------------------------------
def test_layers_that_go_are_let_go(model, table, seeds):
    result = add_layer(model, "result")
    before = [len(events.callbacks) for events in seeds.events.emitters.values()]
    table.set_layers(seeds, result)
    model.layers.remove(result)
    seeds.features = {"index": [1], "name": ["spleen"]}
    assert list(result.features["name"]) == ["background", "liver", "rib", "vein"]
    model.layers.remove(seeds)
    assert table.classes() == ()
    assert not table.isEnabled()
    assert seeds.keymap == result.keymap == {}
    after = [len(events.callbacks) for events in seeds.events.emitters.values()]
    assert sum(after) <= sum(before)  # the viewer's own are gone, too


def test_a_table_that_is_gone_leaves_nothing_behind(viewer, docked, qtbot):
    table, seeds = docked

    def listeners():
        names = ("features", "colormap", "set_data", "paint", "data")
        return [len(seeds.events.emitters[name].callbacks) for name in names]

    table.set_layers(None)
    before = listeners()
    table.set_layers(seeds)
    assert all(now > then for now, then in zip(listeners(), before, strict=True))
    viewer.window.remove_dock_widget(table)
    table.close()
    table.deleteLater()
    QApplication.sendPostedEvents(table, QEvent.Type.DeferredDelete)
    assert not isalive(table)
    assert seeds.keymap == {}
    assert listeners() == before
    seeds.selected_label = 2
    seeds.paint((0, 1, 1), 2)
    viewer.layers.remove(seeds)
    qtbot.wait(400)


def test_icons_have_the_colour_of_the_text(viewer, docked):
    table, _ = docked
    for theme in ("dark", "light", "dark"):
        viewer.theme = theme
        text = table.view.palette().color(QPalette.ColorRole.Text)
        assert (text.lightness() > 127) == (theme == "dark")
        for column in (Column.VISIBLE, Column.LOCKED):
            icon = table.view.model().headerData(
                column, Qt.Orientation.Horizontal, Qt.ItemDataRole.DecorationRole
            )
            assert abs(lightness(icon) - text.lightness()) < 8


def lightness(icon):
    """Of the most opaque pixel of an icon."""
    picture = icon.pixmap(16, 16).toImage()
    places = [QPoint(x, y) for x in range(16) for y in range(16)]
    return max(map(picture.pixelColor, places), key=QColor.alpha).lightness()


def test_a_narrow_dock_has_room_for_all(model, table, seeds):
    table.set_layers(seeds)
    assert table.minimumSizeHint().width() <= 350
    table.resize(350, 300)
    last = table.view.visualRect(table.view.model().index(0, Column.LOCKED))
    assert last.right() <= table.view.viewport().width()
