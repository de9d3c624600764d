"""The map of confusions: its numbers, its clicks, its colours."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QToolTip

from grow_docks import pump, wait_for
from measured_results import brain_like, reference_labels, results_of, shifted_labels
from napari_segsuite.errors import FormatError
from napari_segsuite.metrics import evaluate
from napari_segsuite.napari_ui.measure.confusion_view import (
    MOST_CLASSES,
    ConfusionView,
    _share,
    _values,
    classes_shown,
    told,
)
from napari_segsuite.napari_ui.measure.results import Place, Result, Results


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def view(qtbot: Any, viewer: ViewerModel) -> ConfusionView:
    view = ConfusionView(viewer)
    qtbot.addWidget(view)
    view.show()
    return view


def drawn(view: ConfusionView) -> np.ndarray:
    """Values of the cells that are drawn."""
    (axes,) = view.plot.figure.axes
    return np.ma.filled(axes.images[0].get_array().astype(float), np.nan)


def mouse(view: ConfusionView, row: float, column: float, button: int = 1) -> Any:
    (axes,) = view.plot.figure.axes
    return SimpleNamespace(inaxes=axes, xdata=column, ydata=row, button=button)


def test_nothing_is_shown_before_anything_is_measured(view: Any) -> None:
    assert view.plot.isHidden()
    assert "Measure overlap" in view.hint.text()
    view.show_results(brain_like())
    assert not view.plot.isHidden()
    view.show_results(None)
    assert view.plot.isHidden()
    failed = Result("bad", brain_like().reference, None, "expected …")
    view.show_results(Results(brain_like().reference, (failed,)))
    assert view.plot.isHidden()


def test_nothing_is_drawn_out_of_sight(view: Any) -> None:
    view.hide()
    view.show_results(brain_like())
    assert view.plot.figure.axes == []
    view.show()
    assert len(view.plot.figure.axes) == 1


def test_shares_add_up(view: Any) -> None:
    results = brain_like()
    counts = results.results[0].report.confusion
    view.show_results(results)
    np.testing.assert_allclose(drawn(view), counts / counts.sum(axis=1, keepdims=True))
    view.kind.value = "prediction"
    np.testing.assert_allclose(drawn(view), counts / counts.sum(axis=0))
    view.kind.value = "counts"
    np.testing.assert_allclose(np.nan_to_num(drawn(view)), counts)


def test_cells_say_their_numbers_and_axes_the_names(view: Any) -> None:
    view.show_results(brain_like())
    (axes,) = view.plot.figure.axes
    names = ["background", "grey", "white"]
    assert [text.get_text() for text in axes.get_xticklabels()] == names
    assert [text.get_text() for text in axes.get_yticklabels()] == names
    shares = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert shares[0, 0] == f"{drawn(view)[0, 0]:.2f}"
    view.kind.value = "counts"
    (axes,) = view.plot.figure.axes
    counts = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert counts[2, 1] == "6"  # the patch of white inside the grey


def test_click_leads_to_the_pair_or_the_class(view: Any) -> None:
    view.show_results(brain_like())
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    view._on_click(mouse(view, 1.3, 1.8))
    view._on_click(mouse(view, 2, 2))
    view._on_click(mouse(view, 1, 2, button=3))
    view._on_click(SimpleNamespace(inaxes=None, xdata=None, ydata=None, button=1))
    assert places == [Place("first", 1, 2), Place("first", 2)]


def test_the_mouse_itself_finds_the_cell(view: Any, qtbot: Any) -> None:
    view.resize(340, 420)
    view.show_results(brain_like())
    pump(0.3)
    (axes,) = view.plot.figure.axes
    x, y = axes.transData.transform((2, 1))
    point = QPoint(round(x), view.plot.height() - round(y))
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    qtbot.mouseMove(view.plot, point)
    wait_for(lambda: view.plot.cursor().shape() == Qt.CursorShape.PointingHandCursor)
    assert "reference grey, predicted white\n6 voxels" in QToolTip.text()
    qtbot.mouseClick(view.plot, Qt.MouseButton.LeftButton, pos=point)
    assert places == [Place("first", 1, 2)]
    qtbot.mouseMove(view.plot, QPoint(1, 1))
    wait_for(lambda: view.plot.cursor().shape() == Qt.CursorShape.ArrowCursor)


def test_tooltip_says_both_shares() -> None:
    report = evaluate([0, 1, 1, 2], [0, 1, 2, 2])
    assert told(report, 2, 1).splitlines() == [
        "reference class 2, predicted class 1",
        "1 voxel",
        "50 % of the reference's class 2",
        "50 % of the predicted class 1",
    ]
    absent = evaluate([0, 1], [0, 0])
    assert "no part of the reference's class 1" in told(absent, 1, 0)


def test_results_are_chosen_by_name(view: Any) -> None:
    view.show_results(brain_like(shifted_labels(), reference_labels()))
    view.result.value = "second"
    np.testing.assert_array_equal(drawn(view), np.eye(3))
    view.show_results(brain_like(reference_labels(), shifted_labels()))
    assert view.result.value == "second"
    assert drawn(view)[1, 2] > 0


def test_of_many_classes_those_with_most_confusions_are_shown(view: Any) -> None:
    reference = np.repeat(np.arange(60, dtype=np.uint8), 20).reshape(40, 30)
    prediction = reference.copy()
    prediction[reference == 50] = 55
    view.show_results(results_of(reference, prediction))
    assert drawn(view).shape == (MOST_CLASSES, MOST_CLASSES)
    assert f"The {MOST_CLASSES} of 60 classes" in view.hint.text()
    places: list[Place] = []
    view.place_chosen.connect(places.append)
    shown = classes_shown(view._report.confusion).tolist()
    view._on_click(mouse(view, shown.index(50), shown.index(55)))
    assert places == [Place("first", 50, 55)]


def test_large_classes_come_first_where_none_is_confused() -> None:
    confusion = np.diag(np.arange(1, 61))
    assert classes_shown(confusion).tolist() == list(range(60 - MOST_CLASSES, 60))


def test_colours_follow_the_theme(view: Any, viewer: Any) -> None:
    view.show_results(brain_like())
    for name in ("light", "dark"):
        viewer.theme = name
        (axes,) = view.plot.figure.axes
        theme = get_theme(name)
        assert to_hex(axes.get_facecolor()) == theme.background.as_hex("long")
        assert to_hex(axes.xaxis.label.get_color()) == theme.text.as_hex("long")


def test_picture_is_saved_on_white_and_the_view_keeps_its_colours(
    view: Any, viewer: Any, tmp_path: Any
) -> None:
    from PIL import Image

    view.show_results(brain_like())
    paper = view.plot.paper
    view.save_picture(tmp_path / "confusion.png")
    view.save_picture(tmp_path / "confusion.svg")
    with Image.open(tmp_path / "confusion.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert "<svg" in (tmp_path / "confusion.svg").read_text()
    assert view.plot.paper == paper
    with pytest.raises(FormatError, match=r"\.png"):
        view.save_picture(tmp_path / "confusion.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["confusion.png", "confusion.svg"]


def test_a_part_is_neither_none_nor_all() -> None:
    shares = (0.001, 0.005, 0.5, 0.994, 0.996, 1.0)
    assert [_share(share) for share in shares] == ["<.01", "0.01", "0.50", "0.99", ">.99", "1.00"]


def test_shares_are_of_all_voxels_although_some_classes_are_shown() -> None:
    counts = np.array([[6, 2, 0], [1, 3, 4], [0, 5, 0]])
    places = np.array([0, 1])
    of_reference = _values(counts, "reference", places)
    np.testing.assert_allclose(of_reference, [[6 / 8, 2 / 8], [1 / 8, 3 / 8]])
    of_prediction = _values(counts, "prediction", places)
    np.testing.assert_allclose(of_prediction, [[6 / 7, 2 / 10], [1 / 7, 3 / 10]])
