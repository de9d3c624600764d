"""Live editing must end where solving from scratch does, whatever was edited before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_segsuite as nss
from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.families.seeded.growcut_inputs import (
    channels_first,
    in_kernel_dtype,
    largest_difference,
)
from napari_segsuite.kernels.cpu.growcut import grow
from napari_segsuite.kernels.growcut_cost import build_steps
from napari_segsuite.progress import Cancelled


def fresh(image: np.ndarray, seeds: np.ndarray, options: dict[str, Any]) -> tuple[Any, Any]:
    planes = channels_first(image, options.get("channel_axis"))
    mask = options.get("mask")
    steps = build_steps(
        seeds.ndim,
        min(options.get("connectivity", 1), seeds.ndim),
        largest_difference(planes, mask),
        cost=options.get("cost", "growcut"),
        spacing=options.get("spacing"),
        locality=options.get("locality", 0.0),
    )
    return grow(in_kernel_dtype(planes), seeds, steps, mask=mask)


def assert_up_to_date(session: Any, image: np.ndarray, options: dict[str, Any]) -> None:
    labels, strength = fresh(image, session.seeds, options)
    np.testing.assert_array_equal(session.strength, strength)
    np.testing.assert_array_equal(session.labels, labels)


def assert_box(box: Any, former: np.ndarray, now: np.ndarray) -> None:
    changed = np.nonzero(former != now)
    if box is None:
        assert not changed[0].size
    else:
        assert box == tuple(slice(i.min(), i.max() + 1) for i in changed)


@st.composite
def problems(draw: Any) -> tuple[np.random.Generator, np.ndarray, np.ndarray, dict[str, Any]]:
    ndim = draw(st.sampled_from([2, 3]))
    top = 24 if ndim == 2 else 9
    shape = draw(st.tuples(*[st.integers(1, top)] * ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 4, 200]))
    channel_axis = draw(st.sampled_from([None, None, None, 0, -1]))
    full = list(shape)
    if channel_axis is not None:
        full.insert(0 if channel_axis == 0 else ndim, 2)
    dtype = draw(st.sampled_from([np.uint8, np.int16, np.float32, np.float64, bool]))
    image = rng.integers(0, min(levels, 2) if dtype is bool else levels, full).astype(dtype)
    if dtype is np.float32 and draw(st.booleans()):
        image[rng.random(full) < 0.1] = np.nan
        image.flat[0] = 1
    options: dict[str, Any] = {
        "connectivity": draw(st.integers(1, 3)),
        "cost": draw(st.sampled_from(["growcut", "slicer"])),
        "locality": draw(st.sampled_from([0.0, 0.0, 0.3])),
        "spacing": draw(st.sampled_from([None, None, (1.0, 2.0, 0.5)[:ndim]])),
        "mask": rng.random(shape) < 0.9 if draw(st.booleans()) else None,
        "channel_axis": channel_axis,
    }
    density = draw(st.sampled_from([0.0, 0.02, 0.2]))
    seeds = rng.integers(1, 4, shape) * (rng.random(shape) < density)
    return rng, image, seeds, options


def random_edit(rng: np.random.Generator, session: Any) -> Any:
    """Do one random edit; returns its box."""
    shape = session.seeds.shape
    kind = rng.integers(6)
    if kind == 0:
        return session.undo()
    if kind == 1:
        return session.redo()
    if kind == 2:
        seeds = session.seeds.copy()
        seeds[rng.random(shape) < rng.choice([0.02, 0.5])] = rng.integers(0, 4)
        return session.set_seeds(seeds)
    if kind == 3 and session.seeds.any():
        painted = np.nonzero(session.seeds)
        some = rng.random(painted[0].size) < 0.5
        return session.paint(tuple(i[some] for i in painted), int(rng.integers(0, 4)))
    corner = [int(rng.integers(n)) for n in shape]
    stroke = np.zeros(shape, dtype=bool)
    stroke[tuple(slice(c, c + int(rng.integers(1, 5))) for c in corner)] = True
    return session.paint(np.nonzero(stroke), int(rng.integers(0, 4)))


@settings(max_examples=150, deadline=None)
@given(problems())
def test_every_edit_ends_where_a_fresh_solve_does(problem: Any) -> None:
    rng, image, seeds, options = problem
    session = nss.GrowSession(image, seeds, **options)
    assert_up_to_date(session, image, options)
    for _ in range(6):
        former = session.labels.copy()
        box = random_edit(rng, session)
        assert_up_to_date(session, image, options)
        assert_box(box, former, session.labels)


@settings(max_examples=30, deadline=None)
@given(problems(), st.sampled_from([1, 5, 30]))
def test_large_edits_are_solved_anew_with_the_same_result(problem: Any, limit: int) -> None:
    rng, image, seeds, options = problem
    session = nss.GrowSession(image, seeds, **options)
    session._limit = limit
    for _ in range(6):
        former = session.labels.copy()
        box = random_edit(rng, session)
        assert_up_to_date(session, image, options)
        assert_box(box, former, session.labels)


@settings(max_examples=40, deadline=None)
@given(problems())
def test_undo_takes_all_back_and_redo_makes_it_again(problem: Any) -> None:
    rng, image, seeds, options = problem
    session = nss.GrowSession(image, seeds, **options)
    states = [session.seeds.copy()]
    for _ in range(5):
        label = int(rng.integers(0, 4))
        session.paint(np.nonzero(rng.random(session.seeds.shape) < 0.1), label)
        if not np.array_equal(states[-1], session.seeds):
            states.append(session.seeds.copy())
    for state in reversed(states[:-1]):
        session.undo()
        np.testing.assert_array_equal(session.seeds, state)
    assert session.undo() is None
    assert_up_to_date(session, image, options)
    for state in states[1:]:
        session.redo()
        np.testing.assert_array_equal(session.seeds, state)
    assert session.redo() is None
    assert_up_to_date(session, image, options)


IMAGE = np.array([[0, 0, 5, 5, 9, 9]], dtype=np.uint8)
SEEDS = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8)


def test_a_stroke_takes_what_it_reaches_and_erasing_gives_it_back() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    assert session.labels.tolist() == [[1, 1, 2, 2, 2, 2]]
    assert session.paint(([0], [2]), 3) == (slice(0, 1), slice(2, 4))
    assert session.labels.tolist() == [[1, 1, 3, 3, 2, 2]]
    assert session.paint(([0], [2]), 0) == (slice(0, 1), slice(2, 4))
    assert session.labels.tolist() == [[1, 1, 2, 2, 2, 2]]


def test_a_relabelled_seed_takes_its_tree_along_with_strengths_untouched() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    strength = session.strength.copy()
    assert session.paint(([0], [5]), 4) == (slice(0, 1), slice(2, 6))
    assert session.labels.tolist() == [[1, 1, 4, 4, 4, 4]]
    np.testing.assert_array_equal(session.strength, strength)


def test_painting_what_is_there_changes_nothing() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    assert session.paint(([0], [0]), 1) is None
    assert session.paint(([], []), 1) is None
    assert session.undo() is None


def test_erasing_every_seed_leaves_nothing() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    session.set_seeds(np.zeros_like(SEEDS))
    assert not session.labels.any()
    assert not session.strength.any()


def test_a_session_may_start_without_seeds() -> None:
    session = nss.GrowSession(IMAGE, np.zeros_like(SEEDS))
    session.paint(([0], [1]), 7)
    assert (session.labels == 7).all()


def test_larger_labels_widen_seeds_and_labels() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    session.paint(([0], [3]), 70_000)
    assert session.labels.dtype == session.seeds.dtype == np.uint32
    assert session.labels[0, 3] == 70_000
    assert_up_to_date(session, IMAGE, {})
    session.undo()
    assert session.labels.tolist() == [[1, 1, 2, 2, 2, 2]]


def test_seeds_outside_the_mask_are_kept_but_do_not_grow() -> None:
    mask = np.array([[True, True, True, False, True, True]])
    session = nss.GrowSession(IMAGE, SEEDS, mask=mask)
    assert session.paint(([0], [3]), 3) is None
    assert session.seeds[0, 3] == 3
    assert session.labels[0, 3] == 0


def test_the_callers_arrays_are_copied_and_views_are_read_only() -> None:
    image, seeds = IMAGE.copy(), SEEDS.copy()
    session = nss.GrowSession(image, seeds)
    session.paint(([0], [3]), 3)
    np.testing.assert_array_equal(seeds, SEEDS)
    image[:] = 0
    seeds[:] = 0
    session.undo()
    assert_up_to_date(session, IMAGE, {})
    for view in (session.seeds, session.labels, session.strength):
        assert view.shape == IMAGE.shape
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 1


def test_old_edits_are_forgotten_beyond_the_budget() -> None:
    session = nss.GrowSession(IMAGE, SEEDS, undo_bytes=25)
    for column in (1, 2, 3):
        session.paint(([0], [column]), 3)
    session.undo()
    session.undo()
    assert session.undo() is None
    assert session.seeds.tolist() == [[1, 3, 0, 0, 0, 2]]


def test_a_duplicate_index_counts_once() -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    session.paint(([0, 0, 0], [3, 3, 3]), 3)
    session.paint(([0, 0], [3, 3]), 0)
    assert_up_to_date(session, IMAGE, {})


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (([0],), "2 index arrays"),
        (([0, 1], [0]), "2 index arrays"),
        (([0.5], [0.0]), "whole numbers as indices"),
        (([0], [6]), "inside the shape"),
        (([-1], [0]), "inside the shape"),
    ],
)
def test_indices_that_cannot_be_painted(indices: Any, message: str) -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    with pytest.raises(InputError, match=message):
        session.paint(indices, 1)


@pytest.mark.parametrize("label", [-1, 2**32, 1.0, "a"])
def test_labels_that_cannot_be_painted(label: Any) -> None:
    session = nss.GrowSession(IMAGE, SEEDS)
    with pytest.raises(ParameterError, match="label from 0"):
        session.paint(([0], [0]), label)


@pytest.mark.parametrize(
    "seeds", [SEEDS[:, :4], SEEDS.astype(float), -SEEDS.astype(np.int8)], ids=str
)
def test_seeds_that_cannot_be_used(seeds: Any) -> None:
    with pytest.raises(InputError, match="expected"):
        nss.GrowSession(IMAGE, seeds)
    with pytest.raises(InputError, match="expected"):
        nss.GrowSession(IMAGE, SEEDS).set_seeds(seeds)


@pytest.mark.parametrize(
    "options",
    [
        {"connectivity": 0},
        {"cost": "other"},
        {"locality": -1.0},
        {"locality": np.nan},
        {"spacing": (1.0,)},
        {"spacing": (1.0, 0.0)},
    ],
    ids=str,
)
def test_settings_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="expected") as error:
        nss.GrowSession(IMAGE, SEEDS, **options)
    assert error.value.name == next(iter(options))


def test_making_a_session_can_be_cancelled() -> None:
    def progress(fraction: float, message: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        nss.GrowSession(IMAGE, SEEDS, progress=progress)
