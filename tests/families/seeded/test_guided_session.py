"""A guided session: exact at every edit, and what growcut gives after learning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from lesion import dice, some_strokes, textured
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.progress import Cancelled


def problem(ndim: int, channels: int, seed: int) -> tuple[np.random.Generator, Any, Any]:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(4, 12, ndim).tolist())
    image = rng.integers(0, 99, (channels, *shape)) if channels else rng.integers(0, 99, shape)
    seeds = rng.integers(1, 4, shape) * (rng.random(shape) < 0.2)
    seeds.flat[0], seeds.flat[-1] = 1, 2
    return rng, image.astype(np.int16), seeds.astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([2, 3]),
    st.sampled_from([0, 2]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["learned", "auto"]),
)
def test_after_learning_it_is_what_growcut_gives(ndim, channels, seed, guide) -> None:
    rng, image, seeds = problem(ndim, channels, seed)
    options: dict[str, Any] = {
        "connectivity": int(rng.integers(1, ndim + 1)),
        "guide": guide,
        "channel_axis": 0 if channels else None,
        "spacing": (5.0, 1.0, 0.7)[:ndim] if rng.random() < 0.5 else None,
        "mask": rng.random(seeds.shape) < 0.9 if rng.random() < 0.5 else None,
    }
    if options["mask"] is not None:
        options["mask"].flat[[0, -1]] = True
    session = nss.GuidedSession(image, np.zeros_like(seeds), **options)
    for _ in range(2):
        session.set_seeds(seeds)
        former = session.labels.copy()
        box = session.learn()
        assert not session.is_stale
        extras = nss.method.Extras(("strength",))
        expected = nss.growcut(image, seeds, extras=extras, **options)
        np.testing.assert_array_equal(session.labels, expected)
        np.testing.assert_array_equal(session.strength, extras["strength"])
        changed = np.nonzero(former != session.labels)
        if box is None:
            assert not changed[0].size
        else:
            assert box == tuple(slice(i.min(), i.max() + 1) for i in changed)
        seeds.flat[1 + rng.integers(seeds.size - 2)] = rng.integers(0, 4)


def session_and_truth(**options: Any) -> tuple[Any, np.ndarray]:
    image, truth = textured()
    return nss.GuidedSession(image, some_strokes(truth), **options), truth


def test_learning_helps_where_intensity_does_not() -> None:
    session, truth = session_and_truth(connectivity=3)
    plain = dice(session.labels, truth)
    session.learn()
    assert dice(session.labels, truth) > plain + 0.1
    assert session.weight > 0
    assert session.classifier.classes == (1, 2)
    assert session.probabilities.shape == (2, *truth.shape)


def test_edits_between_are_exact_for_the_guide_as_it_is() -> None:
    session, truth = session_and_truth()
    session.learn()
    learned = session.labels.copy()
    stroke = np.nonzero(truth[:, ::7, ::7])
    session.paint(stroke, 1)
    assert session.is_stale
    planes = session._growth._grid
    fresh = nss.GuidedSession(*_image_and_seeds(), guide="auto")
    fresh.learn()
    fresh.set_seeds(session.seeds)
    assert planes.shape == fresh._growth._grid.shape
    np.testing.assert_array_equal(session.labels, fresh.labels)
    session.undo()
    np.testing.assert_array_equal(session.labels, learned)


def _image_and_seeds() -> tuple[np.ndarray, np.ndarray]:
    image, truth = textured()
    return image, some_strokes(truth)


def test_undo_reaches_back_beyond_learning() -> None:
    session, _ = session_and_truth()
    before = session.seeds.copy()
    session.paint(([0], [0], [0]), 1)
    session.learn()
    session.paint(([1], [1], [1]), 1)
    session.undo()
    session.undo()
    np.testing.assert_array_equal(session.seeds, before)
    assert session.is_stale


def test_stale_only_when_the_seeds_changed() -> None:
    session, _ = session_and_truth()
    assert session.is_stale
    session.learn()
    session.set_seeds(session.seeds.copy())
    session.paint(([], [], []), 2)
    assert not session.is_stale
    assert session.undo() is None
    assert not session.is_stale


def test_without_a_guide_there_is_nothing_to_learn() -> None:
    image, seeds = _image_and_seeds()
    session = nss.GuidedSession(image, seeds, guide="none")
    assert not session.is_stale
    assert session.learn() is None
    assert session.probabilities is None
    assert session.classifier is None
    np.testing.assert_array_equal(session.labels, nss.growcut(image, seeds))


@pytest.mark.parametrize("label", [0, 2])
def test_too_few_classes_to_learn_from_leave_growth_plain(label: int) -> None:
    image, truth = textured()
    seeds = np.zeros(truth.shape, np.uint8)
    seeds[4, 20, 20] = label
    session = nss.GuidedSession(image, seeds)
    session.learn()
    assert session.weight == 0
    assert not session.is_stale
    assert (session.labels == label).all()


def test_cancelled_learning_leaves_all_as_it_was() -> None:
    calls = 0

    def count(fraction: float, message: str = "") -> None:
        nonlocal calls
        calls += 1

    session, _ = session_and_truth()
    session.learn(count)
    session.paint(([0], [5], [5]), 2)
    for stop_at in range(1, calls, max(1, calls // 4)):
        labels, weight, guide = session.labels.copy(), session.weight, session.classifier
        left = stop_at

        def stop(fraction: float, message: str = "") -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Cancelled

        try:
            session.learn(stop)
        except Cancelled:
            np.testing.assert_array_equal(session.labels, labels)
            assert session.weight == weight
            assert session.classifier is guide
            assert session.is_stale


def test_bad_settings_are_refused_in_words() -> None:
    image, seeds = _image_and_seeds()
    with pytest.raises(ParameterError, match="expected the guide"):
        nss.GuidedSession(image, seeds, guide="magic")
    with pytest.raises(InputError, match="seeds"):
        nss.GuidedSession(image, seeds[0])
