"""Labels that follow seeds: what each step brings, and that nothing is missed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from live_scenes import PLAIN, SHAPE, SPACING, plan_for, seeds
from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.families.postprocessing.smoothing import smooth_labels
from napari_segsuite.growing import boxes
from napari_segsuite.growing.live import Growth, GrowthPlan, LiveGrowth
from napari_segsuite.label_values import label_counts

REGION = (slice(1, 6), slice(2, 18), slice(0, 22))


class Screen:
    """Shows what grows, as a window does."""

    def __init__(self, plan: GrowthPlan) -> None:
        self.shown = np.zeros(SHAPE, np.uint16)
        self.live = LiveGrowth(plan, self.shown)
        self.last: Growth | None = None

    def follow(self, painted: np.ndarray) -> Growth | None:
        return self._show(self.live.follow(painted))

    def learn(self, painted: np.ndarray) -> Growth | None:
        return self._show(self.live.learn(painted))

    def _show(self, growth: Growth | None) -> Growth | None:
        if growth is not None:
            n_changed = np.count_nonzero(self.shown[growth.box] != growth.labels)
            assert growth.n_changed == n_changed
            self.shown[growth.box] = growth.labels
            inner = np.ascontiguousarray(self.shown[self.live.plan.region])
            assert growth.counts == label_counts(inner)
        return growth


def fresh(plan: GrowthPlan, painted: np.ndarray) -> np.ndarray:
    """The labels on the whole grid, grown from scratch."""
    labels = np.zeros(SHAPE, np.uint16)
    session = nss.GrowSession(
        plan.image.data, painted[plan.region], spacing=SPACING, mask=plan.allowed, **PLAIN
    )
    grown = session.labels
    if plan.smoothing:
        grown = smooth_labels(np.ascontiguousarray(grown), SPACING, plan.smoothing)
        inner = painted[plan.region]
        grown = np.where(inner != 0, inner, grown)
    labels[plan.region] = grown
    return labels


edits = st.lists(
    st.tuples(
        st.integers(0, SHAPE[0] - 1),
        st.integers(0, SHAPE[1] - 1),
        st.integers(0, SHAPE[2] - 1),
        st.integers(1, 6),
        st.sampled_from([0, 0, 1, 2, 3, 400]),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("smoothing", [0.0, 2.5])
@given(strokes=edits)
@settings(max_examples=15, deadline=None)
def test_what_is_shown_equals_growth_from_scratch(
    smoothing: float, strokes: list[tuple[int, ...]]
) -> None:
    plan = plan_for(REGION, smoothing=smoothing)
    screen, painted = Screen(plan), seeds().astype(np.int32)
    screen.follow(painted)
    for z, y, x, size, label in strokes:
        painted[z, y : y + size, x : x + size] = label
        screen.follow(painted)
        np.testing.assert_array_equal(screen.shown, fresh(plan, painted))


def test_first_step_brings_the_whole_region_and_later_ones_what_changed() -> None:
    screen, painted = Screen(plan_for(REGION)), seeds()
    first = screen.follow(painted)
    assert first is not None
    assert first.box == REGION
    assert first.seconds > 0
    assert screen.follow(painted) is None
    painted[3, 9:12, 4:6] = 2
    second = screen.follow(painted)
    assert second is not None
    assert boxes.contains(second.box, (slice(3, 4), slice(9, 12), slice(4, 6)))
    assert np.prod(boxes.shape_of(second.box)) < np.prod(boxes.shape_of(REGION))
    painted[0, 0, 0] = 2  # outside the region
    assert screen.follow(painted) is None


def test_strokes_that_change_no_label_bring_nothing() -> None:
    screen, painted = Screen(plan_for()), seeds()
    screen.follow(painted)
    place = tuple(int(i[0]) for i in np.nonzero((screen.shown == 1) & (painted == 0)))
    painted[place] = 1
    assert screen.follow(painted) is None


def test_what_was_not_shown_comes_again() -> None:
    screen, painted = Screen(plan_for()), seeds()
    screen.follow(painted)
    painted[3, 9:12, 2:6] = 2
    screen.live.follow(painted)  # and never put on display
    screen.live.forget_shown()
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


def test_limits_hold_and_labels_lie_inside() -> None:
    allowed = np.zeros(boxes.shape_of(REGION), bool)
    allowed[:, :, :15] = True
    painted = seeds()
    painted[3, 9, 12] = 2
    screen = Screen(replace(plan_for(REGION), allowed=allowed))
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))
    assert not screen.shown[REGION][~allowed].any()


def test_seeds_without_a_class_are_no_error() -> None:
    screen = Screen(plan_for())
    screen.follow(np.zeros(SHAPE, np.uint8))
    assert not screen.shown.any()
    painted = seeds()
    painted[painted == 2] = 0
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, 1)


def test_cancelled_before_the_first_step_it_starts_anew() -> None:
    def cancel(*_: Any) -> None:
        raise Cancelled

    screen, painted = Screen(plan_for()), seeds()
    with pytest.raises(Cancelled):
        screen.live.follow(painted, cancel)
    assert screen.live.engine is None
    assert not screen.live.is_stale
    assert screen.live.strength is None
    screen.follow(painted)
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


# --- learning -------------------------------------------------------------------------
class Engine:
    """Labels everything with the number of lessons."""

    strength = None

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.labels = np.zeros(shape, np.uint8)
        self.seeds = np.zeros(shape, np.uint8)
        self.is_stale = True
        self.looked_at: list[Any] = []

    def follow(self, painted: np.ndarray, _progress: Any = None) -> Any:
        changed = boxes.bounding_box(self.seeds != painted)
        self.seeds = painted.copy()
        self.is_stale = self.is_stale or changed is not None
        return None

    def learn(self, progress: Any, first: Any) -> Any:
        progress(0.5)
        self.looked_at.append(first)
        self.labels = self.labels + np.uint8(1)
        self.is_stale = False
        return boxes.whole(self.labels.shape)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(boxes.shape_of(REGION))
    monkeypatch.setattr(nss.growing.live, "make_engine", lambda *_: engine)
    return engine


def test_learning_follows_first_and_looks_where_the_user_does(engine: Engine) -> None:
    screen, painted = Screen(plan_for(REGION)), seeds()
    screen.learn(painted)
    assert engine.looked_at == [None]
    assert not screen.live.is_stale
    painted[3, 9, 9] = 2
    in_view = (slice(3, 4), slice(0, 20), slice(0, 22))
    growth = screen.live.learn(painted, first=in_view)
    np.testing.assert_array_equal(engine.seeds, painted[REGION])
    assert engine.looked_at[-1] == (slice(2, 3), slice(0, 16), slice(0, 22))
    assert growth is not None
    assert growth.counts == Counter({2: growth.labels.size})
    screen.live.learn(painted, first=(slice(0, 1), slice(0, 20), slice(0, 22)))
    assert engine.looked_at[-1] is None


def test_what_an_engine_cannot_do_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise InputError("not with these seeds")

    monkeypatch.setattr(nss.growing.live, "make_engine", refuse)
    screen = Screen(plan_for())
    with pytest.raises(InputError, match="not with these"):
        screen.follow(seeds())
    assert not screen.shown.any()
