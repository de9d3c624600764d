"""The table that compares a labels layer with a reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import napari_segsuite as nss
from napari_segsuite.napari_ui import measure_widget
from napari_segsuite.napari_ui.measure_widget import MeasureWidget

TRUTH = np.repeat([[0, 1, 2, 2]], 4, axis=0)
GUESS = np.repeat([[0, 1, 1, 2]], 4, axis=0)


@pytest.fixture
def measured(make_napari_viewer: Any, qtbot: Any) -> Any:
    def measure(prediction: np.ndarray = GUESS, **geometry: Any) -> MeasureWidget:
        viewer = make_napari_viewer()
        features = {"index": [1, 2], "name": ["liver", "spleen"]}
        viewer.add_labels(TRUTH, name="my reference", features=features)
        viewer.add_labels(prediction, name="guess", metadata={"napari_segsuite": {}}, **geometry)
        widget = MeasureWidget(viewer)
        viewer.window.add_dock_widget(widget)
        widget.measure()
        qtbot.waitUntil(lambda: widget.summary.text() != "Comparing …")
        return widget

    return measure


def test_table_shows_what_evaluate_finds(measured: Any) -> None:
    widget = measured()
    report = nss.evaluate(GUESS, TRUTH)
    titles = [
        widget.table.horizontalHeaderItem(i).text() for i in range(widget.table.columnCount())
    ]
    names = [widget.table.verticalHeaderItem(i).text() for i in range(widget.table.rowCount())]
    assert names[1:] == ["liver", "spleen", "mean of foreground"]
    dice = titles.index("Dice")
    assert [widget.table.item(row, dice).text() for row in (1, 2, 3)] == ["0.667", "0.667", "0.667"]
    assert f"{report.mean['accuracy']:.3f}" in widget.summary.text()


def test_table_can_be_copied_and_saved(
    measured: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = measured()
    widget.copy_as_markdown()
    assert "| 1 liver |" in QApplication.clipboard().text()
    target = tmp_path / "metrics.csv"
    monkeypatch.setattr(measure_widget, "getsavefilename", lambda *_: (str(target), ""))
    widget.save_as_csv()
    assert "dice" in target.read_text(encoding="utf-8")


def test_grids_that_differ_are_refused_in_words(measured: Any) -> None:
    assert "shape" in measured(GUESS[:-1]).summary.text()
    widget = measured(scale=(3, 3))
    assert "resample one onto the grid" in widget.summary.text()
    assert widget.report is None
    assert not widget.copy_button.isEnabled()


def test_layers_that_come_and_go_are_followed(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    widget = MeasureWidget(viewer)
    widget.measure()
    assert "expected a labels layer as prediction" in widget.summary.text().lower()
    layer = viewer.add_labels(TRUTH, name="reference")
    assert widget.choosers["reference"].value is layer
    viewer.layers.clear()
    assert widget.choosers["reference"].value is None


def test_result_is_the_prediction_even_if_it_comes_later(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    widget = MeasureWidget(viewer)
    truth = viewer.add_labels(TRUTH, name="truth")
    widget.measure()
    assert "'truth' twice" in widget.summary.text()
    result = viewer.add_labels(GUESS, name="result", metadata={"napari_segsuite": {}})
    assert widget.choosers["prediction"].value is result
    assert widget.choosers["reference"].value is truth
