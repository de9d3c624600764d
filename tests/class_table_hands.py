"""Working a class table as a user does."""

from __future__ import annotations

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QPushButton

from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.napari_ui.adapters import layer_data
from napari_segsuite.napari_ui.class_rows import Column
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


def add_layer(viewer, name, classes=CLASSES, labels=None):
    labels = np.zeros((6, 20, 20), np.uint8) if labels is None else labels
    value = Segmentation(labels, SPACE, classes, name=name)
    return viewer.add_layer(Layer.create(*layer_data(value)))


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
