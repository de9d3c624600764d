"""Learning in one thread while another paints: nothing painted meanwhile is lost."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from lesion import some_strokes, textured
from napari_segsuite.families.seeded.growcut_inputs import largest_difference
from napari_segsuite.kernels.cpu.growcut import grow
from napari_segsuite.kernels.growcut_cost import build_steps

LABELS = (0, 1, 2, 3, 300, 70_000)


class Painter:
    """Edits the seeds of a session at random, and remembers what they were."""

    def __init__(self, session: nss.GuidedSession, seed: int) -> None:
        self.session = session
        self.rng = np.random.default_rng(seed)
        self.states = [session.seeds.copy()]

    def paint(self) -> None:
        """A brush stroke, or now and then half of the volume."""
        shape = self.session.seeds.shape
        corner = [int(self.rng.integers(n)) for n in shape]
        size = int(self.rng.choice([1, 3, 8]))
        stroke = np.zeros(shape, bool)
        stroke[tuple(slice(i, i + size) for i in corner)] = True
        label = int(self.rng.choice(LABELS))
        if self.rng.random() < 0.5:
            self.session.paint(np.nonzero(stroke), label)
        else:
            self.session.set_seeds(np.where(stroke, label, self.session.seeds))
        if not np.array_equal(self.states[-1], self.session.seeds):
            self.states.append(self.session.seeds.copy())

    def take_back(self) -> None:
        """Undo everything, redo everything, and look at each state."""
        for state in self.states[-2::-1]:
            self.session.undo()
            np.testing.assert_array_equal(self.session.seeds, state)
        assert self.session.undo() is None
        for state in self.states[1:]:
            self.session.redo()
            np.testing.assert_array_equal(self.session.seeds, state)


def small_problem(seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(2, 4))
    shape = tuple(rng.integers(5, 12, ndim).tolist())
    image = rng.integers(0, 99, shape).astype(np.int16)
    seeds = np.zeros(shape, np.uint8)
    seeds.flat[0], seeds.flat[-1], seeds.flat[seeds.size // 2] = 1, 2, 3
    mask = rng.random(shape) < 0.9 if rng.random() < 0.5 else None
    if mask is not None:
        mask.flat[[0, -1]] = True
    options = {
        "connectivity": int(rng.integers(1, ndim + 1)),
        "spacing": (3.0, 1.0, 0.7)[:ndim] if rng.random() < 0.5 else None,
        "mask": mask,
        "guide": "auto",
    }
    return image, seeds, options


def assert_grown_in(session: nss.GuidedSession, study: Any, options: dict[str, Any]) -> None:
    """The labels are what the seeds as they are grow to, in the features that were learned."""
    grid = study.regrowth.grid
    planes = np.stack([grid.inner(plane) for plane in grid.features])
    seeds = session.seeds
    steps = build_steps(
        seeds.ndim,
        options.get("connectivity", 1),
        largest_difference(planes, options.get("mask")),
        spacing=options.get("spacing"),
    )
    labels, strength = grow(planes, seeds, steps, mask=options.get("mask"))
    np.testing.assert_array_equal(session.labels, labels)
    np.testing.assert_array_equal(session.strength, strength)


def assert_learned_from(
    session: nss.GuidedSession, image: np.ndarray, seeds: np.ndarray, options: dict[str, Any]
) -> None:
    """It is as if learned from these seeds, and only then brought up to date."""
    other = nss.GuidedSession(image, seeds, **options)
    other.learn()
    other.set_seeds(session.seeds)
    np.testing.assert_array_equal(session.labels, other.labels)
    np.testing.assert_array_equal(session.strength, other.strength)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_edits_at_any_moment_of_learning_count(seed: int, n_times: int) -> None:
    image, seeds, options = small_problem(seed)
    session = nss.GuidedSession(image, seeds, **options)
    painter = Painter(session, seed)

    def report(fraction: float, message: str = "") -> None:
        if painter.rng.random() < 0.3:
            painter.paint()

    for _ in range(n_times):
        before = session.seeds.copy()
        study = session.study(report)
        former = session.labels.copy()
        box = session.adopt(study)
        changed = np.nonzero(former != session.labels)
        if box is None:
            assert not changed[0].size
        else:
            assert box == tuple(slice(i.min(), i.max() + 1) for i in changed)
        assert_grown_in(session, study, options)
        assert_learned_from(session, image, before, options)
        assert session.is_stale or np.array_equal(session.seeds, before)
        painter.paint()
    painter.take_back()
    session.paint(([0],) * image.ndim, 1)
    session.paint(tuple([n - 1] for n in image.shape), 2)
    session.learn()
    assert not session.is_stale
    np.testing.assert_array_equal(session.labels, nss.growcut(image, session.seeds, **options))


def test_a_thread_learns_while_another_paints() -> None:
    image, truth = textured()
    seeds = some_strokes(truth)
    options: dict[str, Any] = {"connectivity": 3, "guide": "auto"}
    session = nss.GuidedSession(image, seeds, **options)
    painter = Painter(session, 0)
    found: list[Any] = []
    learning = threading.Thread(target=lambda: found.append(session.study()))
    learning.start()
    n_strokes = 0
    while learning.is_alive():
        painter.paint()
        n_strokes += 1
        fresh = nss.GrowSession(image, session.seeds, connectivity=3)
        np.testing.assert_array_equal(session.labels, fresh.labels)
    learning.join()
    assert n_strokes
    session.adopt(found[0])
    assert_grown_in(session, found[0], options)
    assert session.is_stale
    painter.take_back()
    assert_grown_in(session, found[0], options)
    session.learn()
    np.testing.assert_array_equal(session.labels, nss.growcut(image, session.seeds, **options))


@pytest.mark.parametrize("label", [300, 70_000])
def test_labels_of_a_wider_type_painted_meanwhile(label: int) -> None:
    image, truth = textured()
    session = nss.GuidedSession(image, some_strokes(truth))
    place = ([1, 2], [3, 4], [5, 6])
    is_painted = False

    def report(fraction: float, message: str = "") -> None:
        nonlocal is_painted
        if not is_painted:
            is_painted = True
            session.paint(place, label)

    study = session.study(report)
    session.adopt(study)
    assert (session.seeds[place] == label).all()
    assert (session.labels[place] == label).all()
    assert session.labels.dtype == np.min_scalar_type(label)
    assert_grown_in(session, study, {})
    session.undo()
    assert not session.seeds[place].any()
    assert_grown_in(session, study, {})


def test_what_is_painted_and_taken_back_meanwhile_leaves_no_trace() -> None:
    image, truth = textured()
    session = nss.GuidedSession(image, some_strokes(truth))

    def report(fraction: float, message: str = "") -> None:
        session.paint(([1], [3], [5]), 2)
        session.undo()

    session.adopt(session.study(report))
    expected = nss.growcut(image, some_strokes(truth), guide="auto")
    np.testing.assert_array_equal(session.labels, expected)


def test_a_study_that_is_never_adopted_changes_nothing() -> None:
    image, truth = textured()
    session = nss.GuidedSession(image, some_strokes(truth))
    session.study()
    assert session.is_stale
    assert session.classifier is None
    session.paint(([1], [3], [5]), 2)
    fresh = nss.GrowSession(image, session.seeds)
    np.testing.assert_array_equal(session.labels, fresh.labels)
    np.testing.assert_array_equal(session.strength, fresh.strength)


def test_a_study_begun_in_the_middle_of_an_edit_leaves_the_session_stale() -> None:
    image, truth = textured()
    session = nss.GuidedSession(image, some_strokes(truth))
    studies: list[Any] = []

    class Watched(np.ndarray):
        """Somebody looks just before it is written to, and grows just after."""

        def __setitem__(self, key: Any, value: Any) -> None:
            plain = np.asarray(self)
            session._growth._painted = plain
            studies.append(session.study(lambda *_: plain.__setitem__(key, value)))
            plain[key] = value

    session._growth._painted = session._growth._painted.view(Watched)
    session.paint(([1], [3], [5]), 2)
    session.adopt(studies[0])
    assert session.seeds[1, 3, 5] == 2
    assert session.is_stale
