"""Where growth may go: what the form offers is what growing alone would do with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grow_docks import SHAPE, blobs, choose_plain, grown, settle, shown, start, wait_for
from napari_segsuite.boxes import whole
from napari_segsuite.napari_ui.grow.dock import GrowDock


def in_box(image: np.ndarray, seeds: np.ndarray, box: Any, **settings: Any) -> np.ndarray:
    """Growing in a crop alone."""
    labels = np.zeros(seeds.shape, np.uint8)
    labels[box] = grown(image[box], seeds[box], **settings)
    return labels


def region_of(dock: GrowDock) -> Any:
    return dock.controller.growth.plan.region


def test_mask_bounds_growth_and_is_followed(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    mask = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="head")
    mask.data[:, 1:20, 2:24] = 5
    dock.limits.mask.value = mask
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data, mask=mask.data != 0))
    mask.brush_size = 5
    mask.paint((3, 8, 20), 0)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, mask=mask.data != 0))
    viewer.layers.remove(mask)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_range_bounds_growth_and_is_seen(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.limits.set_range(50, 200)
    inside = (image.data >= 50) & (image.data <= 200)
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data, mask=inside))
    wait_for(lambda: "brain range" in viewer.layers)
    overlay = viewer.layers["brain range"]
    np.testing.assert_array_equal(overlay.data, inside)
    dock.limits.set_range(60, 190)
    settle(dock)
    inside = (image.data >= 60) & (image.data <= 190)
    wait_for(lambda: np.array_equal(overlay.data, inside))
    assert viewer.layers["brain range"] is overlay
    dock.limits.uses_range.value = False
    settle(dock)
    assert "brain range" not in viewer.layers
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_overlay_is_never_taken_for_seeds(viewer: Any, dock: GrowDock, image: Any) -> None:
    dock.limits.set_range(50, 200)
    wait_for(lambda: "brain range" in viewer.layers)
    assert dock.inputs.seeds.value is None


def test_range_may_go_beyond_contrast_limits_and_stays(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="brain", contrast_limits=(40, 100))
    dock.limits.set_range(50, 200)
    assert dock.limits.value_range == (50, 200)
    image.scale = (2, 1, 1)
    assert dock.limits.value_range == (50, 200)


def test_range_from_what_is_painted(dock: GrowDock, image: Any, seeds: Any) -> None:
    from napari_segsuite.growing.limits import suggest_range

    seeds.selected_label = 2
    dock.limits.suggest_button.click()
    wait_for(lambda: dock.limits.value_range is not None)
    expected = suggest_range(image.data, seeds.data, [2])
    assert dock.limits.value_range == expected


def test_range_without_seeds_says_so(viewer: Any, dock: GrowDock, image: Any) -> None:
    viewer.add_labels(np.zeros(SHAPE, np.uint8), name="brain seeds")
    dock.limits.suggest_button.click()
    wait_for(lambda: "paint some first" in dock.message)


@pytest.fixture
def large(viewer: Any, dock: GrowDock) -> tuple[Any, Any]:
    """An image much larger than what is painted."""
    shape = (24, 64, 64)
    image = viewer.add_image(blobs(shape), name="brain")
    data = np.zeros(shape, np.uint8)
    data[12, 20:22, 20:30], data[12, 28:30, 20:30] = 1, 2
    return image, viewer.add_labels(data, name="brain seeds")


def test_seeds_and_a_margin_grow_with_the_seeds(dock: GrowDock, large: Any) -> None:
    image, seeds = large
    seeds.brush_size = 3
    dock.limits.region.value, dock.limits.margin.value = "seeds", 4.0
    start(dock)
    first = region_of(dock)
    assert first != whole(image.data.shape)
    np.testing.assert_array_equal(shown(dock), in_box(image.data, seeds.data, first))
    seeds.paint((12, 24, 24), 1)
    settle(dock)
    assert region_of(dock) == first
    seeds.paint((20, 50, 50), 3)
    settle(dock)
    wider = region_of(dock)
    assert all(a.start <= b.start and b.stop <= a.stop for a, b in zip(wider, first, strict=True))
    assert wider != first
    np.testing.assert_array_equal(shown(dock), in_box(image.data, seeds.data, wider))
    assert "of 24" in dock.message


def test_seeds_and_a_margin_before_anything_is_painted(dock: GrowDock, large: Any) -> None:
    image, seeds = large
    data = seeds.data.copy()
    seeds.data[...] = 0
    dock.limits.region.value, dock.limits.margin.value = "seeds", 4.0
    choose_plain(dock)
    dock.preview()
    settle(dock)
    assert "two classes" in dock.message
    seeds.data_setitem(np.nonzero(data), data[data > 0])
    settle(dock)
    assert region_of(dock) != whole(image.data.shape)
    np.testing.assert_array_equal(shown(dock), in_box(image.data, seeds.data, region_of(dock)))


def test_drawn_box_bounds_growth_and_is_followed(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    corners = np.array([[3, 0, 2], [3, 0, 20], [3, 15, 20], [3, 15, 2]], float)
    box = viewer.add_shapes([corners], name="box")
    dock.limits.region.value = "box"
    dock.limits.box.value = box
    start(dock)
    region = (slice(0, 6), slice(0, 16), slice(2, 21))
    assert region_of(dock) == region
    np.testing.assert_array_equal(shown(dock), in_box(image.data, seeds.data, region))
    box.data = [corners * (1, 1, 0.5)]
    settle(dock)
    region = (slice(0, 6), slice(0, 16), slice(1, 11))
    np.testing.assert_array_equal(shown(dock), in_box(image.data, seeds.data, region))


def test_box_that_is_not_drawn_is_asked_for(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    dock.limits.region.value = "box"
    dock.preview()
    assert "Choose the layer in which the box is drawn" in dock.message
    dock.limits.box.value = viewer.add_shapes(name="box", ndim=3)
    dock.preview()
    assert dock.message == "Draw a box in the layer 'box' first."
    assert not dock.controller.is_on


def test_locked_classes_of_the_result_are_not_grown_into(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    result = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="result")
    result.data[:, 8:14, 8:14] = 1
    dock.applying.target.value = result
    dock.classes._table.adopt([1, 2])
    dock.classes._table.edit(1, locked=True)
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data, mask=result.data != 1))


@pytest.mark.parametrize("length", [2.0])
def test_smoothing_live_equals_smoothing_the_whole(
    dock: GrowDock, image: Any, seeds: Any, length: float
) -> None:
    from napari_segsuite.families.postprocessing.smoothing import smooth_labels

    dock.applying.smoothing.value = length
    start(dock)
    rng = np.random.default_rng(1)
    for _ in range(12):
        place = tuple(int(rng.integers(n)) for n in SHAPE)
        seeds.brush_size = int(rng.integers(1, 6))
        seeds.paint(place, int(rng.integers(4)))
        settle(dock)
        smooth = smooth_labels(grown(image.data, seeds.data), (1.0, 1.0, 1.0), length)
        expected = np.where(seeds.data, seeds.data, smooth)
        np.testing.assert_array_equal(shown(dock), expected)


def test_memory_limit_is_respected_with_a_sentence(
    dock: GrowDock, image: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_segsuite.napari_ui.grow import order_maker
    from napari_segsuite.napari_ui.settings import Preferences

    monkeypatch.setattr(order_maker, "preferences", lambda: Preferences(memory_limit=10_000))
    dock.preview()
    settle(dock)
    assert "are allowed or free; work on the seeds and a margin" in dock.message
    assert not shown(dock).any()


def test_a_box_of_another_day_is_not_waited_for(dock: GrowDock, image: Any, seeds: Any) -> None:
    dock.limits.set_values({"region": "box", "margin": 3.0})
    assert dock.limits.values()["region"] == "whole"
    assert start(dock).all()
