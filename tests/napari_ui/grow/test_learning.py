"""Learning goes on beside painting, is taken over when it is done, and ends with the preview."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from grow_docks import grown, pump, settle, shown, start, strokes, wait_for
from napari_segsuite.errors import Cancelled, InputError
from napari_segsuite.growing.live import LiveGrowth
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.napari_ui.runner import runner_for

GUIDED = {"guide": "auto", "connectivity": 3}


class School:
    """Has learning wait, and tells what became of it."""

    def __init__(self, study: Any) -> None:
        self._study = study
        self._gate = threading.Event()
        self.ends: list[str] = []
        self.n_begun = 0

    def study(self, growth: LiveGrowth, progress: Any) -> Any:
        """Look at the seeds, and learn once the gate is open, unless cancelled meanwhile."""
        self.n_begun += 1

        def hold(fraction: float, message: str = "") -> None:
            for step in itertools.count():
                if self._gate.wait(0.005):
                    break
                progress(step / 1e5, "learning")
            progress(fraction, message)

        try:
            found = self._study(growth, hold)
        except Cancelled:
            time.sleep(0.1)  # long enough for what was reported last to be delivered
            self.ends.append("cancelled")
            raise
        self.ends.append("done")
        return found

    def open(self) -> None:
        """Let all learning go on."""
        self._gate.set()


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> Iterator[School]:
    school = School(LiveGrowth.study)
    monkeypatch.setattr(
        LiveGrowth, "study", lambda growth, progress: school.study(growth, progress)
    )
    yield school
    school.open()


def start_learning(dock: GrowDock, school: School) -> None:
    """Press Preview, and wait until it has begun to learn."""
    dock.engine.set_values({"method": "growcut", "settings": GUIDED})
    dock.preview()
    wait_for(lambda: school.n_begun == 1 and "learning" in (dock.controller.progress or ()))


def is_quiet(dock: GrowDock) -> bool:
    return not runner_for(dock._viewer)._running


# --- beside painting ------------------------------------------------------------------
def test_strokes_are_followed_while_it_learns(
    dock: GrowDock, image: Any, seeds: Any, school: School
) -> None:
    start_learning(dock, school)
    for place, label in (((3, 4, 4), 3), ((1, 18, 4), 2), ((3, 4, 4), 0), ((5, 8, 20), 4)):
        seeds.paint(place, label)
        expected = grown(image.data, seeds.data)
        wait_for(lambda expected=expected: np.array_equal(shown(dock), expected))
        assert not dock.controller.is_settled
    seeds.undo()
    expected = grown(image.data, seeds.data)
    wait_for(lambda: np.array_equal(shown(dock), expected))
    assert (school.n_begun, school.ends) == (1, [])
    school.open()
    settle(dock)
    assert school.ends == ["done", "done"]  # what was painted meanwhile is learned as well
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, **GUIDED))


def test_what_was_learned_is_adopted_after_the_step_under_way(
    dock: GrowDock, image: Any, seeds: Any, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, inside = threading.Event(), threading.Event()
    follow = LiveGrowth.follow

    def slow(self: Any, *arguments: Any) -> Any:
        growth = follow(self, *arguments)
        inside.set()
        gate.wait(10)
        return growth

    start_learning(dock, school)
    monkeypatch.setattr(LiveGrowth, "follow", slow)
    seeds.paint((3, 4, 4), 3)
    wait_for(inside.is_set)
    school.open()
    wait_for(lambda: dock.controller._study is None)
    assert dock.controller.task == "follow"
    seeds.paint((1, 18, 4), 2)
    gate.set()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, **GUIDED))


def test_random_strokes_at_any_moment(dock: GrowDock, image: Any, seeds: Any) -> None:
    rng = np.random.default_rng(2)
    start(dock, **GUIDED)
    for number in range(16):
        seeds.brush_size = int(rng.integers(1, 4))
        seeds.paint(tuple(int(rng.integers(n)) for n in image.data.shape), int(rng.integers(3)))
        pump(rng.choice([0.0, 0.03, 0.08]))
        if number % 4 == 3:
            settle(dock)
            np.testing.assert_array_equal(
                shown(dock), grown(image.data, seeds.data, **GUIDED), err_msg=str(number)
            )


def test_apply_waits_for_what_is_being_learned(
    dock: GrowDock, image: Any, seeds: Any, school: School
) -> None:
    start_learning(dock, school)
    dock.desk.apply()
    pump(0.1)
    assert dock.applying.target.value is None
    school.open()
    wait_for(lambda: not dock.controller.is_on)
    expected = nss.growcut(image.data, seeds.data, **GUIDED)
    np.testing.assert_array_equal(dock.applying.target.value.data, expected)


def test_region_outgrown_while_it_learns(
    viewer: Any, dock: GrowDock, image: Any, school: School
) -> None:
    painted = strokes()
    painted[:, :6] = 0
    painted[3, 14:16, 10:14] = 1
    seeds = viewer.add_labels(painted, name="brain seeds")
    dock.limits.region.value, dock.limits.margin.value = "seeds", 2.0
    start_learning(dock, school)
    former = dock.controller.growth
    seeds.paint((0, 1, 1), 1)
    wait_for(lambda: dock.controller.growth is not former)
    wait_for(lambda: "cancelled" in school.ends)
    school.open()
    settle(dock)
    assert school.ends == ["cancelled", "done"]
    region = dock.controller.growth.plan.region
    assert region != former.plan.region
    expected = np.zeros_like(shown(dock))
    expected[region] = grown(image.data[region], seeds.data[region], **GUIDED)
    np.testing.assert_array_equal(shown(dock), expected)


# --- ending ---------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["cancel", "park", "remove the image"])
def test_learning_ends_with_the_preview(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any, school: School, way: str
) -> None:
    start_learning(dock, school)
    if way == "cancel":
        dock.cancel()
    elif way == "park":
        dock.controller.park()
    else:
        viewer.layers.remove(image)
    assert dock.controller.progress is None
    assert dock.commands.bar.isHidden()
    wait_for(lambda: is_quiet(dock))
    assert school.ends == ["cancelled"]
    pump(0.1)
    assert dock.controller.progress is None
    assert dock.commands.bar.isHidden()
    assert not dock.controller._rest.isActive()
    assert "brain preview" not in [layer.name for layer in viewer.layers]
    assert school.n_begun == 1


def test_parked_while_learning_it_goes_on_where_it_was(
    dock: GrowDock, image: Any, seeds: Any, school: School
) -> None:
    start_learning(dock, school)
    growth = dock.controller.growth
    dock.controller.park()
    seeds.paint((3, 4, 4), 3)
    dock.preview()
    wait_for(lambda: school.n_begun == 2)
    assert dock.controller.growth is growth
    school.open()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, **GUIDED))


def test_other_settings_drop_what_is_being_learned(
    dock: GrowDock, image: Any, seeds: Any, school: School
) -> None:
    start_learning(dock, school)
    dock.engine.set_values({"method": "growcut", "settings": GUIDED | {"connectivity": 1}})
    wait_for(lambda: "cancelled" in school.ends)
    school.open()
    settle(dock)
    expected = grown(image.data, seeds.data, **(GUIDED | {"connectivity": 1}))
    np.testing.assert_array_equal(shown(dock), expected)


# --- failing --------------------------------------------------------------------------
class Refusal:
    """Fails instead of working, and counts how often."""

    def __init__(self) -> None:
        self.n_tries = 0

    def __call__(self, *_: Any) -> None:
        self.n_tries += 1
        raise InputError("expected other seeds, got these; paint more.")


@pytest.fixture
def sentences(dock: GrowDock) -> list[str]:
    """What was said to have failed."""
    sentences: list[str] = []
    dock.controller.failed.connect(sentences.append)
    return sentences


@pytest.mark.parametrize("part", ["study", "adopt"])
def test_learning_in_vain_is_said_once_and_tried_again_with_other_seeds(
    dock: GrowDock,
    image: Any,
    seeds: Any,
    sentences: list[str],
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    refusal = Refusal()
    monkeypatch.setattr(LiveGrowth, part, refusal)
    start(dock, **GUIDED)
    assert dock.message == "Expected other seeds, got these; paint more."
    pump(0.2)
    assert (refusal.n_tries, len(sentences)) == (1, 1)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))
    seeds.paint((3, 4, 4), 3)
    wait_for(lambda: refusal.n_tries == 2)
    settle(dock)
    pump(0.2)
    assert (refusal.n_tries, len(sentences)) == (2, 2)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data))


def test_a_failing_step_keeps_nothing_waiting(
    dock: GrowDock, image: Any, seeds: Any, sentences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = start(dock, **GUIDED).copy()
    refusal, follow = Refusal(), LiveGrowth.follow
    monkeypatch.setattr(LiveGrowth, "follow", refusal)
    seeds.paint((3, 4, 4), 3)
    settle(dock)
    pump(0.2)
    assert refusal.n_tries == len(sentences)
    np.testing.assert_array_equal(shown(dock), before)
    monkeypatch.setattr(LiveGrowth, "follow", follow)
    seeds.paint((1, 18, 4), 2)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, **GUIDED))


def test_a_step_that_fails_while_it_learns(
    dock: GrowDock, image: Any, seeds: Any, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_learning(dock, school)
    gate, inside = threading.Event(), threading.Event()
    before, follow = seeds.data.copy(), LiveGrowth.follow

    def fail(*_: Any) -> None:
        inside.set()
        gate.wait(10)
        raise InputError("not today")

    monkeypatch.setattr(LiveGrowth, "follow", fail)
    dock.commands.live.setChecked(False)  # so that this step is the only one
    seeds.paint((3, 4, 4), 3)
    dock.preview()
    wait_for(inside.is_set)
    school.open()
    wait_for(lambda: dock.controller._study is None)
    gate.set()
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, before, **GUIDED))
    monkeypatch.setattr(LiveGrowth, "follow", follow)
    dock.commands.live.setChecked(True)
    settle(dock)
    np.testing.assert_array_equal(shown(dock), grown(image.data, seeds.data, **GUIDED))
