"""The automaton against its naive reference, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from growcut_problems import (
    fading_problem,
    growcut_problems,
    overflowing_problem,
    serpentine_problem,
)
from napari_segsuite.errors import Cancelled, ParameterError
from napari_segsuite.kernels.cpu.automaton import evolve
from napari_segsuite.kernels.growcut_cost import build_steps
from oracles import automaton_growcut


@settings(max_examples=80, deadline=None)
@given(growcut_problems(max_side=5))
def test_every_step_equals_the_oracle(problem):
    at = (0, 1, 2, 3, 5, 400)
    frames = evolve(*problem.arguments, at, mask=problem.mask)
    assert frames.dtype == problem.seeds.dtype
    for frame, n_steps in zip(frames, at, strict=True):
        expected, _ = automaton_growcut(*problem.arguments, mask=problem.mask, n_steps=n_steps)
        np.testing.assert_array_equal(frame, expected)


@pytest.mark.parametrize("problem", [fading_problem(), serpentine_problem()])
def test_long_evolutions_equal_the_oracle(problem):
    at = (30, 60, 90, 500)
    frames = evolve(*problem.arguments, at, mask=problem.mask)
    for frame, n_steps in zip(frames, at, strict=True):
        expected, _ = automaton_growcut(*problem.arguments, mask=problem.mask, n_steps=n_steps)
        np.testing.assert_array_equal(frame, expected)


def test_front_advances_one_cell_a_step():
    problem = fading_problem()
    frames = evolve(*problem.arguments, range(10))
    np.testing.assert_array_equal(np.count_nonzero(frames, axis=(1, 2)), np.arange(1, 11))


def test_frames_come_in_the_order_asked_for():
    problem = serpentine_problem()
    frames = evolve(*problem.arguments, (7, 0, 7, 3), mask=problem.mask)
    ordered = evolve(*problem.arguments, (0, 3, 7), mask=problem.mask)
    np.testing.assert_array_equal(frames, ordered[[2, 0, 2, 1]])


def test_no_frames():
    problem = fading_problem()
    assert evolve(*problem.arguments, ()).shape == (0, *problem.seeds.shape)


def test_converged_automaton_stops():
    problem = serpentine_problem()
    calls = []
    evolve(
        *problem.arguments, (10**9,), mask=problem.mask, progress=lambda f, m="": calls.append(f)
    )
    assert 40 < len(calls) < 225


def test_negative_step_is_refused():
    problem = fading_problem()
    with pytest.raises(ParameterError, match="0 or more") as caught:
        evolve(*problem.arguments, (3, -1))
    assert caught.value.name == "at"


def test_cancel_stops_and_inputs_stay():
    problem = serpentine_problem()
    before = [array.copy() for array in (problem.features, problem.seeds, problem.mask)]
    fractions = []

    def cancel_after_five(fraction, message=""):
        fractions.append(fraction)
        if len(fractions) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        evolve(*problem.arguments, (100,), mask=problem.mask, progress=cancel_after_five)
    assert fractions == [0.01, 0.02, 0.03, 0.04, 0.05]
    for old, new in zip(before, (problem.features, problem.seeds, problem.mask), strict=True):
        np.testing.assert_array_equal(old, new)


def test_force_that_is_not_a_number_conquers_nothing():
    problem = overflowing_problem()
    labels = evolve(*problem.arguments, (9,))[0]
    np.testing.assert_array_equal(labels, [[1, 1, 0, 0, 2]])


def test_equal_paths_go_to_the_fewer_hops():
    features = np.array([[[0, 1, 1, 1]]], np.float32)
    seeds = np.array([[1, 0, 0, 2]], np.uint8)
    # The difference of 1 is below the loss that every step has at least.
    frames = evolve(features, seeds, build_steps(2, 1, 1e7), (9,))
    np.testing.assert_array_equal(frames[0], [[1, 1, 2, 2]])
