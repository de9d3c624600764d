"""A class that only holds the others back: painted, or growing from the edges of the slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grow_docks import SHAPE, grown, settle, shown, start, strokes, wait_for
from napari_segsuite.growing.live import BORDER
from napari_segsuite.napari_ui.grow import certainty_panel
from napari_segsuite.napari_ui.grow.dock import GrowDock

EDGE = 9


def only_middle() -> np.ndarray:
    """Class 2 in the middle, and nothing else."""
    return strokes() * (strokes() == 2)


def bounded(image: np.ndarray, seeds: np.ndarray, **settings: Any) -> np.ndarray:
    """What has to be shown with the edges of the slices as background."""
    inside = np.zeros(SHAPE, bool)
    inside[:, 1:-1, 1:-1] = True
    labels = grown(image, np.where(inside | (seeds != 0), seeds, EDGE), **settings)
    return np.where(labels == EDGE, 0, labels)


def applied(dock: GrowDock) -> Any:
    dock.desk.apply()
    wait_for(lambda: not dock.controller.is_on)
    return dock.applying.target.value


def test_background_class_is_neither_shown_nor_kept(dock: GrowDock, image: Any, seeds: Any) -> None:
    start(dock)
    assert 1 in shown(dock)
    dock.applying.background.value = 1
    settle(dock)
    expected = grown(image.data, seeds.data)
    np.testing.assert_array_equal(shown(dock), np.where(expected == 1, 0, expected))
    seeds.paint((2, 4, 4), 3)
    settle(dock)
    expected = grown(image.data, seeds.data)
    expected[expected == 1] = 0
    np.testing.assert_array_equal(shown(dock), expected)
    np.testing.assert_array_equal(applied(dock).data, expected)


@pytest.mark.parametrize("guide", ["none", "auto"])
def test_edges_serve_as_background_of_a_single_class(
    viewer: Any, dock: GrowDock, image: Any, guide: str
) -> None:
    seeds = viewer.add_labels(only_middle(), name="seeds")
    before = seeds.data.copy()
    dock.applying.background.value = BORDER
    np.testing.assert_array_equal(
        start(dock, guide=guide), bounded(image.data, seeds.data, guide=guide)
    )
    assert set(np.unique(shown(dock))) == {0, 2}
    np.testing.assert_array_equal(seeds.data, before)
    seeds.paint((2, 0, 8), 2)
    seeds.paint((4, 5, 5), 3)
    settle(dock)
    expected = bounded(image.data, seeds.data, guide=guide)
    np.testing.assert_array_equal(shown(dock), expected)
    dock.applying.background.value = 0
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, guide=guide))


def test_class_that_is_removed_is_background_no_more(
    dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    dock.applying.background.value = BORDER
    dock.applying.set_classes({2: "ball"})
    assert dock.applying.background_class == BORDER
    dock.applying.background.value = 2
    changes: list[int] = []
    dock.applying.changed.connect(lambda: changes.append(1))
    dock.applying.set_classes({2: "tumour", 3: "other"})
    assert dock.applying.background_class == 2
    assert not changes
    dock.applying.set_classes({3: "other"})
    assert dock.applying.background_class is None
    assert changes == [1]


def test_doubt_is_at_the_border_with_what_is_not_shown(
    viewer: Any, dock: GrowDock, image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certainty_panel, "_REST_MS", 50)
    viewer.add_labels(only_middle(), name="seeds")
    dock.applying.background.value = BORDER
    start(dock)
    dock.certainty.doubt.value = True
    dock.certainty.go_to_least_certain()
    panel = dock.certainty
    wait_for(lambda: not panel._is_behind and panel._job is None)
    assert dock.message.startswith("Slice ")
    layer = next(one for one in viewer.layers if one.name == "brain doubt")
    assert layer.data.max() > 0.2


def test_background_is_remembered_with_the_other_settings(dock: GrowDock, image: Any) -> None:
    dock.applying.background.value = BORDER
    values = dock.applying.values()
    dock.applying.background.value = 0
    dock.applying.set_values(values)
    assert dock.applying.background_class == BORDER
    dock.applying.set_values({"background": 77})
    assert dock.applying.background_class == BORDER
