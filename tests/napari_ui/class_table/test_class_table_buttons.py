"""The buttons of the class table, and what remains when it or its layers go."""

from __future__ import annotations

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QApplication, QColorDialog

from class_table_hands import (
    CLASSES,
    add_layer,
    button,
    click,
    texts,
    type_name,
)
from napari_segsuite.image import CLASS_COLOURS, LabelClass
from napari_segsuite.napari_ui import class_table
from napari_segsuite.napari_ui.class_rows import Column


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
