"""Methods that behave, and misbehave, in ways the runner and the compute process must survive.

Importing the module declares them: tests do so inside the `scratch_registry` fixture.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge

from napari_segsuite.errors import InputError
from napari_segsuite.method import Extras, method
from napari_segsuite.progress import SILENT, Progress
from napari_segsuite.typing import ImageArray, LabelArray, Spacing


@method(
    title="Torch threshold",
    family="threshold",
    requires=("torch",),
    extras=("scores",),
    bytes_per_voxel=8,
)
def torch_threshold(
    image: ImageArray,
    seeds: LabelArray | None = None,
    *,
    level: float = 0.5,
    steps: Annotated[tuple[int, ...], Ge(0)] = (),
    spacing: Spacing | None = None,
    extras: Extras | None = None,
    rng: int = 0,
    progress: Progress = SILENT,
) -> LabelArray:
    """Label what is above a level, with torch."""
    import torch

    values = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    progress(0.5, "halfway")
    if extras is not None and "scores" in extras.wanted:
        extras["scores"] = (values - level).numpy() + np.float32(rng)
    labels = (values > level).to(torch.uint8).numpy()
    return labels if seeds is None else np.maximum(labels, seeds)


@method(title="Patient", family="threshold", bytes_per_voxel=1)
def patient(
    image: ImageArray,
    *,
    seconds: Annotated[float, Ge(0)] = 1.0,
    step: Annotated[float, Ge(0)] = 0.01,
    progress: Progress = SILENT,
) -> LabelArray:
    """Sleep, saying so step by step."""
    return _sleep(image, seconds, step, progress)


@method(title="Remote patient", family="threshold", requires=("torch",), bytes_per_voxel=1)
def remote_patient(
    image: ImageArray,
    *,
    seconds: Annotated[float, Ge(0)] = 1.0,
    step: Annotated[float, Ge(0)] = 0.01,
    progress: Progress = SILENT,
) -> LabelArray:
    """Sleep in the compute process, saying so step by step."""
    return _sleep(image, seconds, step, progress)


@method(title="Busy", family="threshold", bytes_per_voxel=1)
def busy(
    image: ImageArray, *, rounds: Annotated[int, Ge(1)] = 100, progress: Progress = SILENT
) -> LabelArray:
    """Keep one core busy, half in Python and half in numpy."""
    for i in range(rounds):
        progress(i / rounds, "working")
        sum(range(20_000))
        np.sort(np.random.default_rng(i).random(50_000))
    return np.zeros(image.shape, np.uint8)


@method(title="Misbehaving", family="threshold", requires=("torch",), bytes_per_voxel=1)
def misbehaving(
    image: ImageArray,
    *,
    how: Literal[
        "exit", "segfault", "kill", "memory", "gpu_memory", "input", "defect", "print", "leave"
    ] = "exit",
    progress: Progress = SILENT,
) -> LabelArray:
    """Go wrong in the way asked for."""
    progress(0.2, "about to")
    deeds: dict[str, Any] = {
        "exit": lambda: os._exit(3),
        "segfault": lambda: ctypes.string_at(0),
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "memory": lambda: np.empty(2**60, np.uint8),
        "gpu_memory": _run_out_of_gpu_memory,
        "input": lambda: _raise(InputError("expected two classes, got one; paint another.")),
        "defect": lambda: _raise(ZeroDivisionError("by zero")),
        "print": _pollute,
        "leave": lambda: sys.exit(4),
    }
    deeds[how]()
    return np.ones(image.shape, np.uint8)


def _sleep(image: ImageArray, seconds: float, step: float, progress: Progress) -> LabelArray:
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        progress(passed / seconds, f"slept {passed:.1f} s")
        time.sleep(step)
    return np.ones(image.shape, np.uint8)


def _raise(error: Exception) -> None:
    raise error


def _run_out_of_gpu_memory() -> None:
    import torch

    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 80.00 GiB")


def _pollute() -> None:
    print('{"type": "done"}', flush=True)
    os.write(1, b"written past Python\n")
    assert not sys.stdin.read()
