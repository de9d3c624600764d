"""The oracles against one another, hand-made answers and plain formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from growcut_problems import fading_problem, growcut_problems, serpentine_problem
from napari_segsuite.kernels.growcut_cost import STRENGTH_FLOOR, TABLE_SIZE, build_steps
from oracles import attack_force, automaton_growcut, heap_growcut, tie_aware_labels_ok


@settings(max_examples=60, deadline=None)
@given(growcut_problems(max_side=5))
def test_heap_and_converged_automaton_agree(problem):
    labels, strength = heap_growcut(*problem.arguments, mask=problem.mask)
    assert tie_aware_labels_ok(labels, *problem.arguments, strength, problem.mask)
    _, automaton_strength = automaton_growcut(*problem.arguments, mask=problem.mask)
    np.testing.assert_array_equal(strength, automaton_strength)


def test_strengths_are_products_along_the_row():
    features = np.array([[[0, 10, 10, 30, 200]]], np.float32)
    seeds = np.array([[1, 0, 0, 0, 2]], np.uint8)
    labels, strength = heap_growcut(features, seeds, build_steps(2, 1, 200.0))
    np.testing.assert_allclose(strength, [[1, 0.95, 0.95, 0.855, 1]], rtol=1e-6)
    np.testing.assert_array_equal(labels, [[1, 1, 1, 1, 2]])


def test_last_tight_neighbour_is_the_parent():
    seeds = np.array([[3, 0, 9]], np.uint8)
    labels, _ = heap_growcut(np.zeros((1, 1, 3), np.uint8), seeds, build_steps(2, 1, 1.0))
    np.testing.assert_array_equal(labels, [[3, 9, 9]])


def test_last_successful_attacker_wins_a_step():
    features = np.array([[[8, 10, 5]]], np.float32)
    seeds = np.array([[3, 0, 9]], np.uint8)
    one = automaton_growcut(features, seeds, build_steps(2, 1, 10.0), n_steps=1)
    np.testing.assert_array_equal(one[0], [[3, 9, 9]])
    two = automaton_growcut(features, seeds, build_steps(2, 1, 10.0), n_steps=2)
    np.testing.assert_array_equal(two[0], [[3, 3, 9]])


@pytest.mark.parametrize("fault", ["swapped", "missing", "overpainted"])
def test_tie_aware_check_refuses_wrong_labels(fault):
    features = np.array([[[0, 0, 0, 5, 5, 5]]], np.float32)
    seeds = np.array([[1, 0, 0, 0, 0, 2]], np.uint8)
    problem = features, seeds, build_steps(2, 1, 10.0)
    labels, strength = heap_growcut(*problem)
    assert tie_aware_labels_ok(labels, *problem, strength)
    at = {"swapped": 1, "missing": 4, "overpainted": 5}[fault]
    labels[0, at] = {"swapped": 2, "missing": 0, "overpainted": 1}[fault]
    assert not tie_aware_labels_ok(labels, *problem, strength)


def test_strength_below_the_floor_is_not_reached():
    problem = fading_problem()
    labels, strength = heap_growcut(*problem.arguments)
    n_reached = int(np.count_nonzero(labels))
    assert n_reached == 1 + int(-np.log(float(STRENGTH_FLOOR)))
    assert np.all(strength[0, n_reached:] == 0)


def test_serpentine_is_long():
    problem = serpentine_problem()
    labels, _ = heap_growcut(*problem.arguments, mask=problem.mask)
    np.testing.assert_array_equal(labels > 0, problem.mask)
    after, _ = automaton_growcut(*problem.arguments, mask=problem.mask, n_steps=40)
    assert np.count_nonzero(after) < np.count_nonzero(labels)


@pytest.mark.parametrize("cost", ["growcut", "slicer"])
@pytest.mark.parametrize("spacing", [None, (1.0, 1.0, 1.0), (3.0, 1.0, 0.7)])
@pytest.mark.parametrize("locality", [0.0, 0.3])
def test_force_follows_the_formula(cost, spacing, locality):
    steps = build_steps(3, 3, 50.0, cost=cost, spacing=spacing, locality=locality)
    distance = np.linspace(0, 50, 20001, dtype=np.float32)
    u = distance.astype(np.float64) / 50
    # (1 - u)**e with e < 2 bends without bound at u = 1: interpolation is coarser there.
    tolerance = np.where(u < 1 - 16 / TABLE_SIZE, 1e-6, 1e-5)
    for k, offset in enumerate(steps.offsets):
        length = np.linalg.norm(offset * np.array(spacing or (1, 1, 1)))
        exponent = length / min(spacing) if spacing else 1.0
        law = (1 - u) ** exponent if cost == "growcut" else np.exp(-u * exponent)
        error = np.abs(attack_force(distance, k, steps) - law * np.exp(-locality * length))
        assert np.all(error <= tolerance)


def test_contrast_too_small_to_invert_still_gives_finite_forces() -> None:
    steps = build_steps(2, 1, contrast=1e-42)
    assert np.isfinite(steps.inverse_contrast)
    assert build_steps(2, 1, contrast=0).inverse_contrast == 0
