"""The compute process, with everything that can happen to it; no Qt."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_segsuite import exchange
from napari_segsuite.compute import ComputeProcess, JobRequest, needs_torch
from napari_segsuite.errors import (
    Cancelled,
    InputError,
    JobFailedError,
    OutOfMemoryError,
    ParameterError,
)
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.registry import get_method
from napari_segsuite.space import Axis, Space

SHARED = Path("/dev/shm")


@pytest.fixture(autouse=True)
def _methods(scratch_registry, monkeypatch):
    monkeypatch.delitem(sys.modules, "compute_methods", raising=False)
    importlib.import_module("compute_methods")


@pytest.fixture(scope="module")
def shared_compute():
    compute = ComputeProcess()
    yield compute
    compute.close()


@pytest.fixture
def compute(shared_compute):
    """A process to use, and nothing of it left in shared memory."""
    yield shared_compute
    if SHARED.exists():
        assert not list(SHARED.glob(f"{exchange.BLOCK_PREFIX}{os.getpid()}_*"))


@pytest.fixture
def image():
    data = np.linspace(0, 1, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    turn = ((0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    axes = tuple(Axis(name, "space", 0.7, 1 / 3, "mm") for name in "zyx")
    return Image(data, Space(axes, rotate=turn), "brain", metadata={"header": object()})


def misbehave(image, how):
    return JobRequest("misbehaving", image, settings={"how": how})


def assert_works(compute, image):
    assert compute.run(JobRequest("patient", image, settings={"seconds": 0.0})).labels.all()


def test_same_result_as_in_process(compute, image):
    classes = (LabelClass(3, "tumour", (1.0, 0.5, 0.25, 1.0)), LabelClass(9, "unused"))
    painted = np.zeros(image.data.shape, np.uint16)
    painted[0, 0, :2] = 3
    request = JobRequest(
        "torch_threshold",
        image,
        inputs={"seeds": Segmentation(painted, image.space, classes)},
        settings={"level": 0.25, "steps": (1, 2)},
        extras=("scores",),
        rng=7,
    )
    there, here = compute.run(request), request.run()
    np.testing.assert_array_equal(there.labels, here.labels)
    np.testing.assert_array_equal(there.extras["scores"], here.extras["scores"])
    assert there.labels.dtype == here.labels.dtype
    assert there.labels.flags.writeable
    assert there.labels.flags.owndata
    for name in ("space", "classes", "provenance", "name", "metadata"):
        assert getattr(there, name) == getattr(here, name), name
    assert there.classes[-1] == classes[0]
    assert there.provenance.settings["steps"] == (1, 2)


@pytest.mark.parametrize(
    "data",
    [
        np.arange(60).reshape(6, 10)[::2, ::-3],
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.array([[True, False]]),
        np.arange(6, dtype=">u2").reshape(2, 3),
    ],
    ids=["strided", "fortran", "bool", "big-endian"],
)
def test_any_array_travels(compute, data):
    data.flags.writeable = False
    request = JobRequest("torch_threshold", Image.from_array(data), settings={"level": 2.5})
    np.testing.assert_array_equal(compute.run(request).labels, data > 2.5)


def test_process_is_kept_between_jobs(compute, image):
    assert_works(compute, image)
    first = compute.process_id
    assert_works(compute, image)
    assert compute.process_id == first
    assert first != os.getpid()


def test_progress_arrives_in_order(compute, image):
    reports = []
    request = JobRequest("remote_patient", image, settings={"seconds": 0.5, "step": 0.001})
    compute.run(request, lambda fraction, message: reports.append((fraction, message)))
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions)
    messages = {message for _, message in reports if message.startswith("slept")}
    assert 3 <= len(messages) <= 15  # of 500: five at once, and then one every 50 ms


@pytest.mark.parametrize("step", [0.01, 30.0], ids=["responsive", "deaf"])
def test_cancel(image, step):
    compute = ComputeProcess(cancel_grace=0.3)
    request = JobRequest("remote_patient", image, settings={"seconds": 30.0, "step": step})

    def progress(fraction, message):
        if message.startswith("slept"):
            raise Cancelled

    start = time.monotonic()
    with pytest.raises(Cancelled):
        compute.run(request, progress)
    assert time.monotonic() - start < 20
    survived = compute.process_id is not None
    assert survived == (step < 1)
    assert_works(compute, image)
    compute.close()


def test_interrupt_ends_the_job_too(compute, image):
    def interrupt(fraction, message):
        if message.startswith("slept"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute.run(JobRequest("remote_patient", image, settings={"seconds": 30.0}), interrupt)
    assert_works(compute, image)


def test_errors_keep_their_class_and_words(compute, image):
    before = compute.process_id
    with pytest.raises(InputError) as info:
        compute.run(misbehave(image, "input"))
    assert str(info.value) == "expected two classes, got one; paint another."
    assert "compute_methods.py" in info.value.__notes__[0]
    with pytest.raises(JobFailedError, match="ZeroDivisionError: by zero"):
        compute.run(misbehave(image, "defect"))
    with pytest.raises(ParameterError, match="'level' must be a number") as info:
        compute.run(JobRequest("torch_threshold", image, settings={"level": "high"}))
    assert info.value.name == "level"
    assert_works(compute, image)
    assert before in (None, compute.process_id)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("how", "reason"),
    [("exit", r"exit code 3"), ("segfault", r"signal 11"), ("leave", r"exit code 4")],
)
def test_crash_is_told_and_survived(compute, image, how, reason):
    with pytest.raises(JobFailedError, match=rf"stopped unexpectedly \({reason}\)"):
        compute.run(misbehave(image, how))
    assert_works(compute, image)


@pytest.mark.parametrize("how", ["memory", "gpu_memory"])
def test_out_of_memory_gives_the_memory_back(compute, image, how):
    assert_works(compute, image)
    before = compute.process_id
    with pytest.raises(OutOfMemoryError, match="ran out of memory; crop or downsample"):
        compute.run(misbehave(image, how))
    assert_works(compute, image)
    assert compute.process_id != before


def test_a_job_refused_for_its_size_leaves_the_process_alone(compute, image):
    assert_works(compute, image)
    before = compute.process_id
    with pytest.raises(OutOfMemoryError, match="needs about"):
        compute.run(JobRequest("torch_threshold", image, memory_limit=10))
    assert compute.process_id == before


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_by_the_system_counts_as_out_of_memory(compute, image):
    with pytest.raises(OutOfMemoryError, match="most likely because memory ran out"):
        compute.run(misbehave(image, "kill"))
    assert_works(compute, image)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_death_between_jobs_is_not_noticed(compute, image):
    assert_works(compute, image)
    os.kill(compute.process_id, signal.SIGKILL)
    wait_until(lambda: compute.process_id is None)
    assert_works(compute, image)


def test_what_methods_print_does_not_disturb(compute, image, capfd):
    assert compute.run(misbehave(image, "print")).labels.all()
    assert_works(compute, image)


def test_no_room_in_shared_memory(compute, image, monkeypatch):
    if not SHARED.exists():
        pytest.skip("shared memory is not a file system here")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(OutOfMemoryError, match="shared memory"):
            compute.run(JobRequest("torch_threshold", image))
    assert_works(compute, image)


def test_no_room_for_the_result(compute, image, monkeypatch):
    blocks = []
    new_block = exchange.new_block

    def second_fails(layout):
        blocks.append(layout)
        if len(blocks) == 2:
            raise OutOfMemoryError("no room")
        return new_block(layout)

    monkeypatch.setattr(exchange, "new_block", second_fails)
    with pytest.raises(OutOfMemoryError, match="no room"):
        compute.run(JobRequest("torch_threshold", image))
    assert_works(compute, image)


def test_arrays_of_objects_are_refused(compute):
    odd = Image.from_array(np.array([[None, 1]], dtype=object))
    with pytest.raises(InputError, match="expected an array of numbers"):
        compute.run(JobRequest("torch_threshold", odd))


def test_method_of_a_script_is_told_to_move(compute, image, monkeypatch):
    monkeypatch.setattr(get_method("torch_threshold").function, "__module__", "__main__")
    with pytest.raises(JobFailedError, match="Torch threshold is declared in a script"):
        compute.run(JobRequest("torch_threshold", image))


def test_jobs_wait_for_their_turn(compute, image):
    request = JobRequest("remote_patient", image, settings={"seconds": 0.4})
    results, messages = [], []
    threads = [
        threading.Thread(
            target=lambda: results.append(compute.run(request, lambda _, m: messages.append(m)))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert "waiting for another job …" in messages


def test_closing_during_a_job_cancels_it(image):
    compute = ComputeProcess()

    def close(fraction, message):
        if message.startswith("slept"):
            threading.Thread(target=compute.close).start()

    with pytest.raises(Cancelled):
        compute.run(JobRequest("remote_patient", image, settings={"seconds": 30.0}), close)
    assert compute.process_id is None
    assert_works(compute, image)
    compute.close()


def test_idle_process_gives_its_memory_back(image):
    compute = ComputeProcess(idle_seconds=0.5)
    assert_works(compute, image)
    wait_until(lambda: compute.process_id is None)
    assert_works(compute, image)
    compute.close()


def test_forgotten_object_takes_its_process_along(image):
    compute = ComputeProcess()
    assert_works(compute, image)
    process_id = compute.process_id
    del compute
    gc.collect()
    assert is_gone(process_id)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_process_ends_with_its_parent():
    code = """
import importlib, os, signal, numpy as np
importlib.import_module("compute_methods")
from napari_segsuite.compute import ComputeProcess, JobRequest
from napari_segsuite.image import Image
compute = ComputeProcess()
def progress(fraction, message):
    if message.startswith("slept"):
        print(compute.process_id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
image = Image.from_array(np.zeros((4, 4)))
compute.run(JobRequest("remote_patient", image, settings={"seconds": 60.0}), progress)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(int(done.stdout)))


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{process_id}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("requires", "devices", "device", "gpu", "expected"),
    [
        (("torch",), ("cpu",), "cpu", False, True),
        (("numba",), ("cpu",), "auto", True, False),
        ((), ("cpu", "cuda"), "auto", True, True),
        ((), ("cpu", "cuda"), "auto", False, False),
        ((), ("cpu", "cuda"), "cpu", True, False),
        ((), ("cpu", "cuda"), "cuda:1", False, True),
        ((), ("cpu",), "cuda", True, False),
    ],
)
def test_needs_torch(monkeypatch, requires, devices, device, gpu, expected):
    monkeypatch.setattr("napari_segsuite.compute.is_plausible", lambda kind: gpu)
    method = replace(get_method("patient"), requires=requires, devices=devices)
    assert needs_torch(method, device) is expected


def test_caller_never_loads_torch(image):
    code = """
import importlib, sys, numpy as np
importlib.import_module("compute_methods")
from napari_segsuite.compute import ComputeProcess, JobRequest
from napari_segsuite.image import Image
compute = ComputeProcess()
image = Image.from_array(np.ones((4, 4)))
assert compute.run(JobRequest("torch_threshold", image)).labels.all()
assert "torch" not in sys.modules
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)
