"""Undo and redo of results against a stack of full copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite import boxes
from napari_segsuite.boxes import bounding_box
from napari_segsuite.errors import InputError
from napari_segsuite.growing import result_history
from napari_segsuite.growing.result_history import ResultHistory

MUCH = 1 << 30


class FullCopies:
    """What a history does, by keeping every state."""

    def __init__(self, first: np.ndarray, steps: int) -> None:
        self.states, self.at, self.steps = [first.copy()], 0, steps

    def commit(self, new: np.ndarray) -> None:
        if (new == self.states[self.at]).all():
            return
        del self.states[self.at + 1 :]
        self.states = [*self.states, new.copy()][-self.steps - 1 :]
        self.at = len(self.states) - 1

    def move(self, by: int) -> None:
        self.at = min(max(self.at + by, 0), len(self.states) - 1)


def random_change(rng: np.random.Generator, array: np.ndarray, largest: int) -> np.ndarray:
    new = array.copy()
    corner = [rng.integers(0, n) for n in array.shape]
    box = tuple(slice(c, c + rng.integers(1, 5)) for c in corner)
    new[box] = rng.integers(0, largest + 1, new[box].shape)
    return new


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(9, 8), (6, 5, 7), (2, 4, 5, 3)]),
    st.sampled_from(["u1", "u2", "i4", "i8", "i1"]),
    st.lists(st.sampled_from(["commit", "undo", "redo"]), max_size=25),
    st.integers(1, 6),
)
def test_equals_a_stack_of_full_copies(seed, shape, dtype, actions, steps):
    rng = np.random.default_rng(seed)
    largest = 3 if dtype in ("u1", "i1") else 300
    array = rng.integers(0, largest + 1, shape).astype(dtype)
    history, copies = ResultHistory(MUCH, steps), FullCopies(array, steps)
    for number, action in enumerate(actions):
        before = array.copy()
        if action == "commit":
            new = random_change(rng, array, largest)
            box = history.commit(array, new, f"step {number}")
            copies.commit(new)
        else:
            box = getattr(history, action)(array)
            copies.move(-1 if action == "undo" else 1)
        np.testing.assert_array_equal(array, copies.states[copies.at])
        assert box == bounding_box(array != before)
        assert history.can_undo == (copies.at > 0)
        assert history.can_redo == (copies.at < len(copies.states) - 1)


def test_slabs_smaller_than_the_box_change_nothing(monkeypatch):
    monkeypatch.setattr(result_history, "slabs", lambda box: boxes.slabs(box, voxels=20))
    rng = np.random.default_rng(1)
    array = rng.integers(0, 300, (7, 5, 6)).astype(np.uint16)
    first, new = array.copy(), rng.integers(0, 300, (7, 5, 6)).astype(np.uint16)
    history = ResultHistory(MUCH, 3)
    assert history.commit(array, new, "a") == bounding_box(first != new)
    np.testing.assert_array_equal(array, new)
    history.undo(array)
    np.testing.assert_array_equal(array, first)
    history.redo(array)
    np.testing.assert_array_equal(array, new)


def test_what_was_painted_since_stays():
    array = np.zeros((6, 6), np.uint8)
    new = array.copy()
    new[1:4, 1:4] = 2
    history = ResultHistory(MUCH, 3)
    history.commit(array, new, "Apply")
    array[2, 2] = 7  # inside what the step changed
    array[5, 5] = 7  # outside
    expected = np.zeros_like(array)
    expected[2, 2] = expected[5, 5] = 7
    assert history.undo(array) == (slice(1, 4), slice(1, 4))
    np.testing.assert_array_equal(array, expected)
    history.redo(array)
    np.testing.assert_array_equal(array, np.where(expected, expected, new))


def test_a_step_that_was_painted_over_entirely_changes_nothing_but_is_gone():
    array = np.zeros((4, 4), np.uint8)
    history = ResultHistory(MUCH, 3)
    history.commit(array, np.ones_like(array), "Apply")
    array[...] = 5
    assert history.undo(array) is None
    assert (array == 5).all()
    assert not history.can_undo


def test_steps_survive_a_change_of_type():
    array = np.zeros((5, 5), np.uint8)
    history = ResultHistory(MUCH, 5)
    history.commit(array, np.eye(5, dtype=np.uint8), "first")
    wide = array.astype(np.uint16)
    history.commit(wide, wide * 300, "second")
    history.undo(wide)
    history.undo(wide)
    assert not wide.any()
    history.redo(wide)
    with pytest.raises(InputError, match=r"labels from 0 to 300, got uint8; convert it to uint16"):
        history.redo(wide.astype(np.uint8))
    history.redo(wide)
    np.testing.assert_array_equal(wide, 300 * np.eye(5, dtype=np.uint16))


def test_labels_that_do_not_fit_change_nothing():
    array = np.ones((3, 3), np.uint8)
    history = ResultHistory(MUCH, 5)
    with pytest.raises(InputError, match="labels from 0 to 256, got uint8"):
        history.commit(array, np.full((3, 3), 256), "Apply")
    assert (array == 1).all()
    assert not history.can_undo


def test_another_shape_is_refused_and_the_step_kept():
    array = np.zeros((3, 4), np.uint8)
    history = ResultHistory(MUCH, 5)
    with pytest.raises(InputError, match="shape"):
        history.commit(array, np.ones((4, 3), np.uint8), "Apply")
    history.commit(array, np.ones((3, 4), np.uint8), "Apply")
    with pytest.raises(InputError, match="'Apply'"):
        history.undo(np.ones((4, 4), np.uint8))
    assert history.undo(array) is not None


def test_names_follow_the_steps():
    array = np.zeros((3, 3), np.uint8)
    history = ResultHistory(MUCH, 5)
    assert (history.undo_name, history.redo_name) == (None, None)
    for value, name in ((1, "Apply"), (2, "Smooth")):
        history.commit(array, np.full_like(array, value), name)
    history.undo(array)
    assert (history.undo_name, history.redo_name) == ("Apply", "Smooth")
    history.clear()
    assert (history.undo_name, history.redo_name, history.nbytes) == (None, None, 0)


def test_oldest_steps_go_when_the_budget_is_used_up():
    rng = np.random.default_rng(0)
    array = np.zeros((40, 40), np.uint8)
    history = ResultHistory(6000, 100)
    for number in range(10):
        # Noise does not compress: some 1600 bytes before and after.
        history.commit(array, rng.integers(0, 255, array.shape).astype(np.uint8), str(number))
        assert history.nbytes <= 6000
    states = 0
    while history.undo(array) is not None:
        states += 1
    assert states == 1
    assert history.redo_name == "9"


def test_a_step_beyond_the_budget_is_made_but_not_remembered():
    array = np.zeros((40, 40), np.uint8)
    history = ResultHistory(100, 100)
    new = np.random.default_rng(0).integers(0, 255, array.shape).astype(np.uint8)
    history.commit(array, new, "Apply")
    np.testing.assert_array_equal(array, new)
    assert not history.can_undo
    assert history.nbytes == 0


def test_a_smooth_object_takes_few_bytes():
    z, y, x = np.ogrid[-32:32, -32:32, -32:32]
    ball = (z**2 + y**2 + x**2 < 900).astype(np.uint8)
    history = ResultHistory(MUCH, 10)
    history.commit(np.zeros_like(ball), ball, "Apply")
    assert history.nbytes < 0.06 * ball.size
