"""The CPU kernel against Dijkstra's algorithm and the converged automaton."""

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
from napari_segsuite.kernels.cpu.growcut import grow
from napari_segsuite.kernels.growcut_cost import build_steps
from oracles import automaton_growcut, heap_growcut, tie_aware_labels_ok


def assert_equals_heap(features, seeds, steps, mask=None):
    labels, strength = grow(features, seeds, steps, mask=mask)
    expected_labels, expected_strength = heap_growcut(features, seeds, steps, mask)
    assert labels.dtype == seeds.dtype
    assert strength.dtype == np.float32
    np.testing.assert_array_equal(strength, expected_strength)
    np.testing.assert_array_equal(labels, expected_labels)


@settings(max_examples=250, deadline=None)
@given(growcut_problems())
def test_equals_heap(problem):
    assert_equals_heap(*problem.arguments, problem.mask)


@settings(max_examples=60, deadline=None)
@given(growcut_problems(max_side=5))
def test_equals_the_converged_automaton_up_to_ties(problem):
    labels, strength = grow(*problem.arguments, mask=problem.mask)
    _, expected = automaton_growcut(*problem.arguments, mask=problem.mask)
    np.testing.assert_array_equal(strength, expected)
    assert tie_aware_labels_ok(labels, *problem.arguments, strength, problem.mask)


@pytest.mark.parametrize("problem", [fading_problem("uint32"), serpentine_problem()])
def test_long_paths(problem):
    assert_equals_heap(*problem.arguments, problem.mask)


@pytest.mark.parametrize("cost", ["growcut", "slicer"])
@pytest.mark.parametrize(
    ("shape", "dtype"), [((67, 83), "uint16"), ((11, 19, 37), "uint8"), ((9, 17, 21), "float32")]
)
def test_several_blocks_and_many_classes(shape, dtype, cost):
    rng = np.random.default_rng(sum(shape))
    features = rng.integers(0, 200, (1, *shape)).astype(dtype)
    seeds = np.zeros(shape, np.uint16)
    seeds.ravel()[rng.integers(seeds.size, size=40)] = rng.integers(1, 2**16, 40)
    steps = build_steps(len(shape), len(shape), 200.0, cost=cost)
    assert_equals_heap(features, seeds, steps, rng.random(shape) < 0.9)


def test_every_voxel_its_own_class():
    seeds = np.arange(1, 65536, dtype=np.uint16).reshape(255, 257)
    labels, strength = grow(np.zeros((1, 255, 257), np.uint8), seeds, build_steps(2, 2, 1.0))
    np.testing.assert_array_equal(labels, seeds)
    assert np.all(strength == 1)


def test_force_that_is_not_a_number_conquers_nothing():
    problem = overflowing_problem()
    labels = grow(*problem.arguments)[0]
    np.testing.assert_array_equal(labels, [[1, 1, 0, 0, 2]])
