"""The margin of a session is what the method gives, and what growing by hand says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from lesion import some_strokes, textured
from napari_segsuite.progress import Cancelled

IMAGE = np.array([[0, 0, 5, 5, 9, 9]], dtype=np.uint8)
SEEDS = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8)


def by_method(image: np.ndarray, seeds: np.ndarray, **options: Any) -> np.ndarray:
    extras = nss.method.Extras(("margin",))
    nss.growcut(image, seeds, extras=extras, **options)
    return np.asarray(extras["margin"])


def test_margin_of_two_plateaus() -> None:
    # The forces between plateaus are 1 - 5/9 and 1 - 4/9; a class that has lost its seed
    # is held by the other one through both.
    far, near = 4 / 9 * 5 / 9, 5 / 9 - 4 / 9
    expected = [[1 - far, 1 - far, near, near, 1 - far, 1 - far]]
    session = nss.GrowSession(IMAGE, SEEDS)
    np.testing.assert_allclose(session.margin(), expected, atol=1e-5)
    assert session.margin().dtype == np.float32


def test_margin_follows_edits_and_is_the_strength_of_a_class_alone() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    session.paint(([0], [5]), 0)
    np.testing.assert_array_equal(session.margin(), session.strength)
    session.paint(([0], [2]), 1)
    np.testing.assert_array_equal(session.margin(), session.strength)
    session.undo()
    session.undo()
    np.testing.assert_array_equal(session.margin(), by_method(IMAGE, SEEDS))


def test_margin_without_seeds_is_zero() -> None:
    assert not nss.GrowSession(IMAGE, np.zeros_like(SEEDS)).margin().any()


def test_margin_leaves_the_session_as_it_is() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    before = session.seeds.copy(), session.labels.copy(), session.strength.copy()
    margin = session.margin()
    margin[...] = 7
    for was, now in zip(before, (session.seeds, session.labels, session.strength), strict=True):
        np.testing.assert_array_equal(was, now)
    session.paint(([0], [3]), 3)
    fresh = nss.GrowSession(IMAGE, session.seeds)
    np.testing.assert_array_equal(session.labels, fresh.labels)
    np.testing.assert_array_equal(session.strength, fresh.strength)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.integers(2, 4))
def test_margin_is_that_of_the_method(seed: int, ndim: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 10, ndim).tolist())
    image = rng.integers(0, 50, shape).astype(np.int16)
    seeds = rng.integers(1, n_classes + 1, shape) * (rng.random(shape) < 0.15)
    seeds.flat[0], seeds.flat[-1] = 1, 2
    options: dict[str, Any] = {
        "connectivity": int(rng.integers(1, ndim + 1)),
        "cost": rng.choice(["growcut", "slicer"]),
        "locality": float(rng.choice([0.0, 0.2])),
        "mask": None,
    }
    if rng.random() < 0.5:
        options["mask"] = rng.random(shape) < 0.9
        options["mask"].flat[[0, -1]] = True
    session = nss.GrowSession(image, np.zeros_like(seeds), **options)
    session.set_seeds(seeds)
    np.testing.assert_array_equal(session.margin(), by_method(image, seeds, **options))


@pytest.mark.parametrize("guide", ["none", "learned", "auto"])
def test_margin_in_what_was_learned(guide: Any) -> None:
    image, truth = textured()
    seeds = some_strokes(truth)
    session = nss.GuidedSession(image, seeds, guide=guide)
    plain = by_method(image, seeds)
    np.testing.assert_array_equal(session.margin(), plain)
    session.learn()
    guided = session.margin()
    np.testing.assert_array_equal(guided, by_method(image, seeds, guide=guide))
    assert (guide == "none") == np.array_equal(guided, plain)


def test_margin_reports_and_can_be_cancelled() -> None:
    reports: list[float] = []

    def stop(fraction: float, message: str = "") -> None:
        reports.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    session = nss.GrowSession(IMAGE, SEEDS)
    with pytest.raises(Cancelled):
        session.margin(stop)
    assert reports == sorted(reports)
    np.testing.assert_array_equal(session.labels, [[1, 1, 2, 2, 2, 2]])
