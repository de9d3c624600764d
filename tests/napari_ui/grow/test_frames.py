"""Geometry, time and channels: the preview lies on the image, the engine gets its spacing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grow_docks import SHAPE, blobs, grown, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.growing.channels import stack
from napari_segsuite.growing.next_frame import seeds_from_result
from napari_segsuite.image import Image
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.space import Space

OBLIQUE = np.array(
    [[0.98, -0.17, 0.02, 5.0], [0.17, 0.97, 0.17, -7.0], [-0.05, -0.16, 0.98, 3.0], [0, 0, 0, 1.0]]
)
GEOMETRY = {"scale": (3.0, 0.7, 0.5), "affine": OBLIQUE, "units": "mm"}


oblique = pytest.mark.filterwarnings("ignore:Non-orthogonal slicing:UserWarning")


# --- geometry -------------------------------------------------------------------------
@oblique
def test_preview_lies_on_an_oblique_image(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="head", **GEOMETRY)
    dock.inputs.new_button.click()
    seeds = dock.inputs.seeds.value
    seeds.data_setitem(np.nonzero(strokes()), strokes()[strokes() > 0])
    expected = grown(image.data, seeds.data, spacing=(3.0, 0.7, 0.5), locality=0.05)
    np.testing.assert_array_equal(start(dock, locality=0.05), expected)
    assert not np.array_equal(expected, grown(image.data, seeds.data, locality=0.05))
    preview = dock.controller.preview.layer
    assert preview.units == image.units
    for place in np.random.default_rng(0).uniform(0, SHAPE, (20, 3)):
        np.testing.assert_allclose(preview.data_to_world(place), image.data_to_world(place))


@oblique
def test_overlay_of_the_range_lies_on_an_oblique_image(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(blobs(), name="head", **GEOMETRY)
    dock.limits.set_range(50, 200)
    wait_for(lambda: "head range" in viewer.layers)
    place = (4, 3, 2)
    overlay = viewer.layers["head range"]
    np.testing.assert_allclose(overlay.data_to_world(place), image.data_to_world(place))
    image.scale = (2.0, 1.0, 1.0)
    wait_for(lambda: "head range" in viewer.layers and viewer.layers["head range"] is not overlay)
    np.testing.assert_allclose(
        viewer.layers["head range"].data_to_world(place), image.data_to_world(place)
    )


@oblique
def test_seeds_that_lie_elsewhere_are_refused(viewer: Any, dock: GrowDock) -> None:
    viewer.add_image(blobs(), name="head", **GEOMETRY)
    viewer.add_labels(strokes(), name="head seeds")
    dock.preview()
    assert not dock.controller.is_on
    assert "the seeds on the grid of the image" in dock.message


# --- time -----------------------------------------------------------------------------
@pytest.fixture
def series(viewer: Any, dock: GrowDock) -> tuple[Any, Any]:
    """Three time points, the later ones brighter on one side; seeds at each."""
    frames = np.stack([np.roll(blobs(), 2 * t, axis=2) for t in range(3)])
    painted = np.stack([strokes()] * 3)
    return viewer.add_image(frames, name="cells"), viewer.add_labels(painted, name="cells seeds")


def show_time(viewer: Any, dock: GrowDock, time: int) -> None:
    viewer.dims.set_current_step(0, time)
    settle(dock)


def test_growth_follows_the_time_point_on_display(viewer: Any, dock: GrowDock, series: Any) -> None:
    image, seeds = series
    show_time(viewer, dock, 0)
    start(dock)
    expected = [grown(image.data[t], seeds.data[t]) for t in range(3)]
    np.testing.assert_array_equal(shown(dock, 0), expected[0])
    assert not shown(dock, 1).any()
    show_time(viewer, dock, 2)
    np.testing.assert_array_equal(shown(dock, 2), expected[2])
    np.testing.assert_array_equal(shown(dock, 0), expected[0])
    seeds.paint((2, 3, 4, 4), 3)
    settle(dock)
    np.testing.assert_array_equal(shown(dock, 2), grown(image.data[2], seeds.data[2]))
    seeds.undo()
    settle(dock)
    np.testing.assert_array_equal(shown(dock, 2), expected[2])


def test_scrubbing_through_time_grows_but_where_it_ends(
    viewer: Any, dock: GrowDock, series: Any
) -> None:
    start(dock)
    steps: list[Any] = []
    dock.controller.grown.connect(steps.append)
    for time in (1, 0, 2, 1, 0, 1):
        viewer.dims.set_current_step(0, time)
    settle(dock)
    assert dock.controller.order.time == 1
    assert len(steps) == 1


def test_what_was_parked_at_another_time_point_is_not_resumed(
    viewer: Any, dock: GrowDock, series: Any
) -> None:
    image, seeds = series
    show_time(viewer, dock, 0)
    start(dock)
    dock.controller.park()
    show_time(viewer, dock, 1)
    dock.preview()
    settle(dock)
    np.testing.assert_array_equal(shown(dock, 1), grown(image.data[1], seeds.data[1]))
    assert not shown(dock, 0).any()


def test_next_time_point_is_seeded_from_the_eroded_preview(
    viewer: Any, dock: GrowDock, series: Any
) -> None:
    image, seeds = series
    seeds.data[1] = 0
    show_time(viewer, dock, 0)
    result = start(dock)[0].copy()
    dock.time.erosion.value = 2.0
    dock.time.propagate()
    wait_for(lambda: seeds.data[1].any() and viewer.dims.current_step[0] == 1)
    np.testing.assert_array_equal(seeds.data[1], seeds_from_result(result, (1, 1, 1), 2.0))
    wait_for(lambda: dock.controller.is_settled and dock.controller.order.time == 1)
    np.testing.assert_array_equal(shown(dock, 1), grown(image.data[1], seeds.data[1]))
    seeds.undo()
    settle(dock)
    assert not seeds.data[1].any()


def test_seeds_for_all_time_points(viewer: Any, dock: GrowDock, series: Any) -> None:
    image, layered = series
    viewer.layers.remove(layered)
    seeds = viewer.add_labels(strokes(), name="cells seeds")
    show_time(viewer, dock, 1)
    start(dock)
    np.testing.assert_array_equal(shown(dock, 1), grown(image.data[1], seeds.data))
    dock.time.propagate()
    assert dock.message.startswith("These seeds hold for all time points")


def test_overlay_of_the_range_follows_time(viewer: Any, dock: GrowDock, series: Any) -> None:
    image, _ = series
    show_time(viewer, dock, 0)
    dock.limits.set_range(50, 200)
    wait_for(lambda: "cells range" in viewer.layers)
    for time in (2, 1):
        viewer.dims.set_current_step(0, time)
        inside = (image.data[time] >= 50) & (image.data[time] <= 200)
        wait_for(lambda inside=inside: np.array_equal(viewer.layers["cells range"].data, inside))


def test_series_of_pictures(viewer: Any, dock: GrowDock) -> None:
    frames = np.stack([blobs(SHAPE[1:]), blobs(SHAPE[1:])[::-1]])
    image = viewer.add_image(frames, name="film", axis_labels=("t", "y", "x"))
    painted = np.stack([strokes(SHAPE[1:])] * 2)
    viewer.add_labels(painted, name="film seeds", axis_labels=("t", "y", "x"))
    viewer.dims.set_current_step(0, 1)
    start(dock)
    np.testing.assert_array_equal(shown(dock, 1), grown(image.data[1], painted[1]))


# --- channels -------------------------------------------------------------------------
def colours(shape: tuple[int, ...] = SHAPE[1:]) -> np.ndarray:
    """Three channels, of which only the second shows the ball."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 120, (*shape, 3)).astype(np.uint8)
    noise[..., 1] = blobs(shape)
    return noise


def test_colour_picture_with_all_and_with_chosen_channels(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(colours(), name="slide", rgb=True)
    seeds = viewer.add_labels(strokes(SHAPE[1:]), name="slide seeds")
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data, channel_axis=-1))
    dock.inputs.channels.value = [1]
    settle(dock)
    one = grown(image.data[..., 1:2], seeds.data, channel_axis=-1)
    np.testing.assert_array_equal(shown(dock), one)
    seeds.paint((4, 4), 3)
    dock.inputs.channels.value = [0, 2]
    settle(dock)
    np.testing.assert_array_equal(
        shown(dock), grown(image.data[..., [0, 2]], seeds.data, channel_axis=-1)
    )


def test_range_is_that_of_the_first_chosen_channel(viewer: Any, dock: GrowDock) -> None:
    image = viewer.add_image(colours(), name="slide", rgb=True)
    seeds = viewer.add_labels(strokes(SHAPE[1:]), name="slide seeds")
    dock.inputs.channels.value = [1]
    dock.limits.set_range(40, 185)
    inside = (image.data[..., 1] >= 40) & (image.data[..., 1] <= 185)
    wait_for(lambda: "slide range" in viewer.layers)
    np.testing.assert_array_equal(viewer.layers["slide range"].data, inside)
    expected = grown(image.data[..., 1:2], seeds.data, channel_axis=-1, mask=inside)
    np.testing.assert_array_equal(start(dock), expected)


def test_axis_of_channels_before_those_of_time_and_space(viewer: Any, dock: GrowDock) -> None:
    labels = ("c", "t", "y", "x")
    stacked = np.moveaxis(colours(SHAPE), -1, 0)  # (c, t, y, x)
    image = viewer.add_image(stacked, name="cells", axis_labels=labels)
    painted = np.stack([strokes(SHAPE[1:])] * SHAPE[0])
    viewer.add_labels(painted, name="cells seeds", axis_labels=labels[1:])
    viewer.dims.set_current_step(0, 2)  # channels have a slider too
    viewer.dims.set_current_step(1, 4)
    start(dock)
    assert dock.controller.order.time == 4
    np.testing.assert_array_equal(
        shown(dock, 4), grown(image.data[:, 4], painted[4], channel_axis=0)
    )


def test_guided_by_an_image_on_another_grid(viewer: Any, dock: GrowDock) -> None:
    shape = (6, 22, 26)
    image = viewer.add_image(np.full(shape, 90, np.uint8), name="flat", scale=(2, 1, 1))
    fine = blobs((12, 22, 26))
    other = viewer.add_image(fine, name="fine", translate=(-0.5, 0, 0))
    seeds = viewer.add_labels(strokes(), name="flat seeds", scale=(2, 1, 1))
    assert dock.inputs.image.value is image
    assert not dock.inputs.others.native.isHidden()
    dock.inputs.others.value = ["fine"]
    stacked = stack(
        Image(image.data, Space.regular(3, (2, 1, 1))),
        [Image(fine, Space.from_layer_kwargs({"scale": (1, 1, 1), "translate": (-0.5, 0, 0)}))],
    )
    expected = grown(stacked.data, seeds.data, channel_axis=0, spacing=(2, 1, 1))
    np.testing.assert_array_equal(start(dock), expected)
    viewer.layers.remove(other)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, spacing=(2, 1, 1)))


def test_image_to_be_guided_by_with_channels_is_refused(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    viewer.add_image(colours(), name="slide", rgb=True)
    dock.inputs.others.value = ["slide"]
    dock.preview()
    assert "one channel in each image to be guided by" in dock.message


def test_images_that_are_added_later_do_not_disturb(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    start(dock)
    steps: list[Any] = []
    dock.controller.grown.connect(steps.append)
    viewer.add_image(blobs(), name="other")
    pump(0.4)
    settle(dock)
    assert not steps
    assert dock.controller.is_on
