"""Labels that follow seeds: what each step brings, and that nothing is missed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from live_scenes import REGION, SHAPE, Screen, fresh, plan_for, seeds
from napari_segsuite import boxes
from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.image import Image

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


def test_smoothing_spares_seeds_that_change_no_label() -> None:
    plan, painted = plan_for(smoothing=4.0), seeds()
    flat = np.where(plan.image.data > 100, 150, 50).astype(np.uint8)
    flat[3, 10, 6:11] = 150  # a spur of the bright half, too thin for the smoothing
    screen = Screen(replace(plan, image=Image(flat, plan.image.space)))
    screen.follow(painted)
    assert screen.live.engine.labels[3, 10, 7] == 2
    assert screen.shown[3, 10, 7] == 1
    for label in (2, 0):
        painted[3, 10, 7] = label
        growth = screen.follow(painted)
        assert growth is not None
        assert screen.shown[3, 10, 7] == (label or 1)
        np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


# --- what was not confirmed -----------------------------------------------------------
def test_what_was_not_confirmed_comes_again() -> None:
    screen, painted = Screen(plan_for()), seeds()
    assert screen.live.follow(painted) is not None
    painted[3, 9:12, 2:6] = 2
    first = screen.follow(painted)
    assert first is not None
    assert first.box == boxes.whole(SHAPE)
    painted[0, 2:4, 2:6] = 2
    lost = screen.live.follow(painted)
    assert lost is not None
    painted[6, 15:17, 18:20] = 1
    second = screen.follow(painted)
    assert second is not None
    assert boxes.contains(second.box, lost.box)
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


def test_unconfirmed_strokes_that_were_taken_back_bring_nothing() -> None:
    screen, painted = Screen(plan_for()), seeds()
    screen.follow(painted)
    painted[3, 9:12, 2:6] = 2
    assert screen.live.follow(painted) is not None
    painted[3, 9:12, 2:6] = 0
    assert screen.follow(painted) is None
    assert screen.follow(painted) is None
    np.testing.assert_array_equal(screen.shown, fresh(screen.live.plan, painted))


@pytest.mark.parametrize("smoothing", [0.0, 2.5])
def test_counts_are_right_whatever_was_shown_or_forgotten(smoothing: float) -> None:
    rng = np.random.default_rng(1)
    screen, painted = Screen(plan_for(REGION, smoothing=smoothing)), seeds()
    screen.follow(painted)
    for _ in range(30):
        z, y, x = (int(rng.integers(n)) for n in SHAPE)
        painted[z, y : y + 3, x : x + 3] = rng.integers(0, 4)
        if rng.random() < 0.3:
            screen.live.follow(painted)  # and never put on display
        elif rng.random() < 0.3:
            screen.blank()
        screen.follow(painted)  # asserts that the counts are those of what is shown
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

    def follow(self, painted: np.ndarray, _progress: Any = None) -> Any:
        changed = boxes.bounding_box(self.seeds != painted)
        self.seeds = painted.copy()
        self.is_stale = self.is_stale or changed is not None
        return None

    def study(self, progress: Any) -> int:
        progress(0.5)
        return int(self.labels.max()) + 1

    def adopt(self, study: int) -> Any:
        self.labels = np.full_like(self.labels, study)
        self.is_stale = False
        return boxes.whole(self.labels.shape)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(boxes.shape_of(REGION))
    monkeypatch.setattr(nss.growing.live, "make_engine", lambda *_: engine)
    return engine


def test_studying_shows_nothing_and_adopting_does(engine: Engine) -> None:
    screen, painted = Screen(plan_for(REGION)), seeds()
    screen.follow(painted)
    reports: list[float] = []
    study = screen.live.study(reports.append)
    assert reports == [0.5]
    assert screen.live.is_stale
    growth = screen.live.adopt(study)
    assert growth is not None
    assert growth.box == REGION
    assert growth.counts == {1: growth.labels.size}
    assert not screen.live.is_stale
    painted[3, 9, 9] = 2  # what was adopted and not shown comes with the next step
    growth = screen.follow(painted)
    assert growth is not None
    assert growth.counts == {1: growth.labels.size}


def test_guided_growth_is_shown_in_full() -> None:
    settings = {"guide": "auto", "connectivity": 1}
    plan, painted = plan_for(REGION, settings=settings), seeds()
    screen = Screen(plan)
    screen.follow(painted)
    for label in (1, 2):
        painted[2, 6:9, 9:14] = label
        screen.follow(painted)
        screen.learn()
        expected = nss.growcut(
            plan.image.data, painted[REGION], spacing=plan.image.space.spacing, **settings
        )
        np.testing.assert_array_equal(screen.shown[REGION], expected)


def test_what_an_engine_cannot_do_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise InputError("not with these seeds")

    monkeypatch.setattr(nss.growing.live, "make_engine", refuse)
    screen = Screen(plan_for())
    with pytest.raises(InputError, match="not with these"):
        screen.follow(seeds())
    assert not screen.shown.any()
