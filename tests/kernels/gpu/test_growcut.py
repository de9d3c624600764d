"""The torch kernel against the heap, on the processor always and on CUDA where present."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from growcut_problems import (
    fading_problem,
    growcut_problems,
    overflowing_problem,
    serpentine_problem,
)
from napari_segsuite.errors import Cancelled, OutOfMemoryError
from napari_segsuite.kernels.gpu import growcut
from napari_segsuite.kernels.growcut_cost import build_steps
from oracles import heap_growcut

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_CUDA])]


def assert_equals_heap(problem, device):
    labels, strength = growcut.grow(*problem.arguments, mask=problem.mask, device=device)
    expected_labels, expected_strength = heap_growcut(*problem.arguments, mask=problem.mask)
    assert labels.dtype == problem.seeds.dtype
    assert strength.dtype == np.float32
    np.testing.assert_array_equal(strength, expected_strength)
    np.testing.assert_array_equal(labels, expected_labels)


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(problem=growcut_problems(max_side=5))
def test_equals_heap(device, problem):
    assert_equals_heap(problem, device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("problem", [fading_problem("uint32"), serpentine_problem()])
def test_long_paths_equal_heap(device, problem):
    assert_equals_heap(problem, device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("cost", ["growcut", "slicer"])
def test_larger_volume_equals_cpu_kernel(device, cost):
    cpu = pytest.importorskip("napari_segsuite.kernels.cpu.growcut")
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 20, 31, 27)).astype(np.float32)
    seeds = np.zeros(features.shape[1:], np.uint16)
    seeds.ravel()[rng.integers(seeds.size, size=12)] = rng.integers(1, 2**16, 12)
    steps = build_steps(3, 3, 4.0, cost=cost, spacing=(2.0, 1.0, 1.0), locality=0.02)
    for of_gpu, of_cpu in zip(
        growcut.grow(features, seeds, steps, device=device),
        cpu.grow(features, seeds, steps),
        strict=True,
    ):
        np.testing.assert_array_equal(of_gpu, of_cpu)


def test_strided_and_read_only_inputs_stay_as_they_are():
    problem = serpentine_problem()
    features, seeds, mask = problem.features[:, ::-1, ::2], problem.seeds[::-1, ::2], problem.mask
    expected = growcut.grow(features.copy(), seeds.copy(), problem.steps, device="cpu")
    for array in (problem.features, problem.seeds, mask):
        array.flags.writeable = False
    obtained = growcut.grow(features, seeds, problem.steps, device="cpu")
    np.testing.assert_array_equal(obtained, expected)
    growcut.grow(problem.features, problem.seeds, problem.steps, mask=mask, device="cpu")


def test_progress_rises_to_one():
    problem = serpentine_problem()
    fractions = []
    growcut.grow(
        *problem.arguments,
        mask=problem.mask,
        device="cpu",
        progress=lambda fraction, message="": fractions.append(fraction),
    )
    assert len(fractions) > 5
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_cancel_stops_at_the_next_check():
    problem = serpentine_problem()
    calls = []

    def cancel(fraction, message=""):
        calls.append(fraction)
        raise Cancelled

    with pytest.raises(Cancelled):
        growcut.grow(*problem.arguments, device="cpu", progress=cancel)
    assert len(calls) == 1


def test_out_of_memory_says_what_to_do(monkeypatch):
    def exhausted(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(growcut, "_sweep", exhausted)
    with pytest.raises(OutOfMemoryError, match="225 voxels; choose device='cpu'"):
        growcut.grow(*serpentine_problem().arguments, device="cpu")


@pytest.mark.parametrize("device", DEVICES)
def test_force_that_is_not_a_number_conquers_nothing(device):
    problem = overflowing_problem()
    labels = growcut.grow(*problem.arguments, device=device)[0]
    np.testing.assert_array_equal(labels, [[1, 1, 0, 0, 2]])
