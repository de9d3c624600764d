"""The solver and its multigrid cycle."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.kernels.cpu.crew import Crew
from napari_segsuite.kernels.cpu.random_walker import solve
from napari_segsuite.kernels.cpu.random_walker_cycle import Cycle
from napari_segsuite.kernels.cpu.random_walker_grid import coarser, first_level


def problem(shape, ease=(1.0, 1.0, 1.0), n_seeds=6):
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.1, 1, (3, *shape)).astype(np.float32)
    weights *= np.array(ease, np.float32)[:, None, None, None]
    weights[0, -1] = weights[1, :, -1] = weights[2, :, :, -1] = 0
    seeds = np.zeros(shape, np.uint8)
    seeds.flat[rng.choice(seeds.size, n_seeds, replace=False)] = np.arange(n_seeds) % 2 + 1
    return weights, seeds, seeds == 0


def test_any_number_of_threads_gives_the_same_bits():
    weights, seeds, free = problem((40, 90, 80))
    one, three = (next(solve(weights, seeds, free, (1,), 1e-3, threads=n)).copy() for n in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_cycle_is_symmetric_and_positive():
    weights, _, free = problem((13, 10, 11))
    rng = np.random.default_rng(2)
    one, other = (rng.normal(size=free.shape).astype(np.float32) * free for _ in range(2))
    of_one, of_other = np.zeros_like(one), np.zeros_like(one)
    with Crew(1) as crew:
        cycle = Cycle(first_level(weights, free, crew), crew)
        cycle(one, of_one)
        cycle(other, of_other)
    assert np.vdot(of_one, other) == pytest.approx(np.vdot(one, of_other), rel=1e-3, abs=1e-2)
    assert np.vdot(one, of_one) > 0


def test_conductance_to_seeds_is_the_same_on_all_levels():
    weights, seeds, free = problem((16, 17, 9))
    index = np.argwhere(seeds > 0)
    to_seeds = 0.0
    for p in index:
        for axis in range(3):
            for side in (-1, 1):
                q = p.copy()
                q[axis] += side
                inside = all(0 <= x < n for x, n in zip(q, seeds.shape, strict=True))
                if inside and free[tuple(q)]:
                    to_seeds += weights[(axis, *np.minimum(p, q))]
    with Crew(1) as crew:
        *_, last = coarser(first_level(weights, free, crew), crew)
    assert last.diagonal.shape == (1, 1, 1)
    assert last.diagonal.item() == pytest.approx(to_seeds, rel=1e-4)


@pytest.mark.parametrize("shape", [(16, 16, 16), (64, 64, 64), (200, 1, 200)])
@pytest.mark.parametrize("ease", [(1.0, 1.0, 1.0), (0.02, 1.0, 1.0)])
def test_few_steps_suffice_at_any_size(shape, ease):
    reports = []
    arguments = problem(shape, ease)
    list(solve(*arguments, (1,), 1e-3, progress=lambda *r: reports.append(r)))
    assert len(reports) < 20
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
