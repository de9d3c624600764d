"""The torch solver against the compiled one, on the processor always and on CUDA where present."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_segsuite.errors import Cancelled, OutOfMemoryError
from napari_segsuite.kernels.cpu import random_walker as cpu
from napari_segsuite.kernels.gpu import random_walker as gpu

NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_CUDA])]


def problem(shape=(9, 12, 13)):
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.01, 1, (3, *shape)).astype(np.float32)
    weights[0, -1] = weights[1, :, -1] = weights[2, :, :, -1] = 0
    seeds = np.zeros(shape, np.uint8)
    seeds.flat[rng.choice(seeds.size, 12, replace=False)] = np.repeat([1, 2, 3], 4)
    return weights, seeds, seeds == 0, (1, 2)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(9, 12, 13), (20, 1, 17)])
def test_equals_the_compiled_solver(device, shape):
    arguments = problem(shape)
    expected = [p.copy() for p in cpu.solve(*arguments, 1e-6)]
    found = list(gpu.solve(*arguments, 1e-5, device=device))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_cancel_stops_at_the_next_check():
    def cancel(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        list(gpu.solve(*problem(), 1e-3, device="cpu", progress=cancel))


def test_out_of_memory_says_what_to_do(monkeypatch):
    def exhausted(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(gpu, "_solved", exhausted)
    with pytest.raises(OutOfMemoryError, match="1,404 voxels; choose device='cpu'"):
        list(gpu.solve(*problem(), 1e-3, device="cpu"))
