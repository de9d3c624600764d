"""A class that holds others back without being shown; where none is painted, the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from builders import two_halves
from live_scenes import REGION, SHAPE, SPACING, Screen, fresh, plan_for, seeds
from napari_segsuite import boxes
from napari_segsuite.growing.live import BORDER, GrowthPlan, LiveGrowth
from napari_segsuite.growing.rehearsal import script_of
from napari_segsuite.image import Image
from napari_segsuite.space import Space

EDGE = 9


def with_edges(painted: np.ndarray) -> np.ndarray:
    """The seeds, and class 9 wherever nothing is painted at the edges of the slices."""
    inside = np.zeros(painted.shape, bool)
    inside[..., 1:-1, 1:-1] = True
    return np.where(inside | (painted != 0), painted, EDGE)


def bounded(plan: GrowthPlan, painted: np.ndarray) -> np.ndarray:
    """What has to be shown inside the region."""
    labels = nss.growcut(
        plan.image.data,
        with_edges(painted[plan.region]),
        spacing=SPACING,
        mask=plan.allowed,
        **plan.settings,
    )
    return np.where(labels == EDGE, 0, labels)


def one_stroke() -> np.ndarray:
    """Class 1 in the middle of one half."""
    painted = np.zeros(SHAPE, np.uint8)
    painted[3, 8:12, 3:6] = 1
    return painted


# --- a class that is painted ----------------------------------------------------------
@pytest.mark.parametrize("smoothing", [0.0, 2.5])
def test_background_class_holds_others_back_unseen(smoothing: float) -> None:
    plan, painted = plan_for(REGION, smoothing=smoothing, background=1), seeds()
    screen = Screen(plan)
    first = screen.follow(painted)
    assert first is not None
    assert set(first.counts) == {2}
    np.testing.assert_array_equal(screen.live.engine.labels == 0, False)
    for label in (3, 1, 0):
        painted[3, 9:12, 9:14] = label
        screen.follow(painted)
        np.testing.assert_array_equal(screen.shown, fresh(plan, painted))
        np.testing.assert_array_equal(screen.live.painted, painted[REGION])


def test_nothing_happens_on_display_where_only_background_is_painted() -> None:
    screen, painted = Screen(plan_for(background=7)), seeds()
    screen.follow(painted)
    painted[painted == 2] = 7
    growth = screen.follow(painted)
    assert growth is not None
    assert set(growth.counts) == {1}
    painted[painted == 7] = 0
    painted[0, -3:, -3:] = 7
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


# --- the border -----------------------------------------------------------------------
@pytest.mark.parametrize("region", [None, REGION], ids=["whole", "region"])
@given(
    strokes=st.lists(
        st.tuples(*(st.integers(0, n - 1) for n in SHAPE), st.integers(1, 5), st.integers(0, 3)),
        max_size=6,
    )
)
@settings(max_examples=15, deadline=None)
def test_border_grows_from_the_edges_of_the_slices(
    region: Any, strokes: list[tuple[int, ...]]
) -> None:
    plan, painted = plan_for(region, background=BORDER), one_stroke()
    screen = Screen(plan)
    screen.follow(painted)
    for z, y, x, size, label in [*strokes, (3, 10, 4, 1, 1)]:
        painted[z, y : y + size, x : x + size] = label
        screen.follow(painted)
    np.testing.assert_array_equal(screen.shown[plan.region], bounded(plan, painted))
    np.testing.assert_array_equal(screen.live.painted, painted[plan.region])


def test_one_class_is_enough_and_stays_in_its_half() -> None:
    painted = one_stroke()
    screen = Screen(plan_for(background=BORDER))
    growth = screen.follow(painted)
    assert growth is not None
    assert set(growth.counts) == {1}
    assert screen.shown[3, 10, 4] == 1
    assert not screen.shown[two_halves(SHAPE) > 100].any()  # the bright half
    assert not screen.shown[:, [0, -1]].any()
    assert not screen.shown[..., [0, -1]].any()
    alone = Screen(plan_for())
    alone.follow(painted)
    np.testing.assert_array_equal(alone.shown, 1)


def test_seeds_at_the_edges_stay_and_erasing_them_gives_the_edge_back() -> None:
    painted = one_stroke()
    painted[2, 0, 4:8] = 1
    screen = Screen(plan_for(background=BORDER))
    screen.follow(painted)
    assert (screen.shown[2, 0, 4:8] == 1).all()
    painted[2, 0] = 0
    screen.follow(painted)
    assert not screen.shown[2, 0].any()
    np.testing.assert_array_equal(screen.shown, bounded(screen.live.plan, painted))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64])
def test_border_beside_seeds_of_any_type(dtype: Any) -> None:
    painted = one_stroke().astype(dtype)
    painted[3, 14:16, 15:18] = min(np.iinfo(dtype).max, 70_000)
    screen = Screen(plan_for(background=BORDER))
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, bounded(screen.live.plan, painted))


def test_border_of_a_single_slice() -> None:
    image = np.full((9, 11), 50, np.uint8)
    painted = np.zeros(image.shape, np.uint8)
    painted[4, 5] = 3
    plan = GrowthPlan(Image(image, Space.regular(2)), boxes.whole(image.shape), background=BORDER)
    shown = np.zeros(image.shape, np.uint8)
    growth = LiveGrowth(plan, shown).follow(painted)
    assert growth is not None
    assert growth.labels[4, 5] == 3
    assert not growth.labels[[0, -1]].any()
    assert not growth.labels[:, [0, -1]].any()


def test_guide_learns_from_the_border_too() -> None:
    plan, painted = plan_for(background=BORDER, settings={"guide": "auto"}), one_stroke()
    screen = Screen(plan)
    screen.follow(painted)
    assert screen.live.is_stale
    screen.learn()
    np.testing.assert_array_equal(screen.shown, bounded(plan, painted))


def test_rehearsal_knows_of_the_type_that_the_border_needs() -> None:
    painted = one_stroke()
    assert script_of(plan_for(), painted)["labels"] == "|u1"
    assert script_of(plan_for(background=BORDER), painted)["labels"] == "<u2"
