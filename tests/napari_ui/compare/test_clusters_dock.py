"""The dock for the number of clusters: scores as diagrams and table, labels as a stack."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QApplication

from grow_docks import wait_for
from method_forms import SHAPE, brightness
from napari_segsuite.cluster_sweep import sweep_clusters
from napari_segsuite.napari_ui.compare import clusters_dock


def run(dock: Any, first: int = 2, last: int = 4) -> None:
    dock.first.value, dock.last.value = first, last
    dock.run()
    wait_for(lambda: dock.job is None)


def test_sweep_is_that_of_python(clusters: Any, truth: Any) -> None:
    clusters.choosers["reference"].value = truth
    run(clusters)
    expected = sweep_clusters(brightness(), "kmeans", range(2, 5), reference=truth.data)
    assert clusters.sweep.to_markdown() == expected.to_markdown()
    heads = [
        clusters.table.horizontalHeaderItem(column).text()
        for column in range(clusters.table.columnCount())
    ]
    assert heads[0] == "clusters"
    assert "dice" in heads
    assert clusters.table.rowCount() == 3
    assert clusters.table.item(0, heads.index("dice")).text() == "1"
    bold = [clusters.table.item(line, 0).font().bold() for line in range(3)]
    assert bold == [number == expected.suggested for number in (2, 3, 4)]
    assert f"{expected.suggested} clusters" in clusters.message


def test_there_is_a_diagram_for_each_score(clusters: Any, truth: Any) -> None:
    run(clusters)
    without = len(clusters.plot.figure.axes)
    assert without == len(clusters.sweep.scores)
    clusters.choosers["reference"].value = truth
    run(clusters)
    assert len(clusters.plot.figure.axes) == without + 1


def test_colours_follow_the_theme(clusters: Any, viewer: Any) -> None:
    from matplotlib.colors import to_hex
    from napari.utils.theme import get_theme

    run(clusters)
    for name in ("light", "dark"):
        viewer.theme = name
        axes = clusters.plot.figure.axes[0]
        assert to_hex(axes.get_facecolor()) == get_theme(name).background.as_hex("long")
        assert to_hex(axes.title.get_color()) == get_theme(name).text.as_hex("long")


def test_stack_has_one_frame_for_each_number(clusters: Any, viewer: Any, image: Any) -> None:
    run(clusters, 3, 5)
    clusters.add_stack()
    layer = viewer.layers[-1]
    assert layer.data.shape == (3, *SHAPE)
    assert layer.axis_labels[0] == "k"
    # The slider stands on the number that is suggested, and says so.
    frame = clusters.sweep.suggested - 3
    np.testing.assert_allclose(layer.data_to_world((frame, 0, 0, 0))[0], viewer.dims.point[0])
    np.testing.assert_allclose(layer.data_to_world((2, 0, 0, 0))[0], 5)
    np.testing.assert_allclose(layer.scale[1:], image.scale)
    np.testing.assert_allclose(layer.translate[1:], image.translate)


def test_what_stands_in_the_way_is_said(clusters: Any, viewer: Any) -> None:
    clusters.first.value, clusters.last.value = 5, 3
    assert "not below the first" in clusters.message
    assert not clusters.panel.run_button.isEnabled()
    clusters.last.value = 6
    assert clusters.panel.run_button.isEnabled()
    other = viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name="other")
    clusters.choosers["reference"].value = other
    run(clusters)
    assert "reference of the image's shape" in clusters.message
    assert clusters.sweep is None
    assert not clusters.stack_button.isEnabled()
    viewer.layers.clear()
    assert "Open an image" in clusters.message


def test_a_sweep_can_be_stopped(clusters: Any, monkeypatch: Any) -> None:
    def endless(*_: Any, progress: Any, **__: Any) -> None:
        while True:
            progress(0.5, "on and on")

    monkeypatch.setattr(clusters_dock, "sweep_clusters", endless)
    clusters.run()
    wait_for(lambda: "on and on" in clusters.message.lower())
    clusters.cancel()
    wait_for(lambda: clusters.job is None)
    assert "Stopped" in clusters.message
    assert clusters.sweep is None


def test_table_can_be_copied(clusters: Any) -> None:
    assert not clusters.copy_button.isEnabled()
    run(clusters)
    clusters.copy_table()
    assert QApplication.clipboard().text() == clusters.sweep.to_markdown()


def test_only_methods_with_a_number_of_clusters_are_offered() -> None:
    offered = clusters_dock.sweepable_methods()
    assert "kmeans" in [method.id for method in offered]
    for method in offered:
        assert method.family == "clustering"
        assert "n_clusters" in [param.name for param in method.params]


def test_plot_in_a_dock_without_room_does_no_harm(clusters) -> None:
    from qtpy.QtCore import QSize
    from qtpy.QtGui import QResizeEvent

    before = clusters.plot.figure.get_size_inches().tolist()
    clusters.plot.resizeEvent(QResizeEvent(QSize(0, 40), QSize(300, 40)))
    assert clusters.plot.figure.get_size_inches().tolist() == before
