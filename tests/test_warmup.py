"""Preparation of compiled code: what is run, and when it is not run again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_segsuite import warmup
from napari_segsuite.compute import JobRequest
from napari_segsuite.errors import Cancelled, JobFailedError, ParameterError
from napari_segsuite.image import Image, Segmentation


class Recorder:
    """Stands for the compute process."""

    requests: list[JobRequest]
    error: Exception | None = None
    n_closed = 0

    def run(self, request, progress):
        self.requests.append(request)
        progress(0.3, "whatever")
        if self.error is not None:
            raise self.error

    def close(self):
        type(self).n_closed += 1


@pytest.fixture
def recorder(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / name)
    fresh = type("Fresh", (Recorder,), {"requests": []})
    monkeypatch.setattr(warmup, "ComputeProcess", fresh)
    return fresh


@pytest.fixture
def job():
    image = Image.from_array(np.zeros((4, 30, 40), np.uint16), spacing=(2.0, 1.0, 1.0))
    seeds = Segmentation(np.zeros((4, 30, 40), np.uint8), image.space)
    mask = Image(np.zeros((4, 30, 40), bool), image.space)
    return JobRequest("growcut", image, inputs={"seeds": seeds, "mask": mask})


def test_miniature_has_the_same_types(job):
    small = warmup.miniature(replace(job, device="auto"))
    assert small.image.data.shape == (4, 16, 16)
    assert small.image.data.dtype == np.uint16
    assert small.image.space == job.image.space
    assert small.inputs["seeds"].labels.dtype == np.uint8
    assert set(np.unique(small.inputs["seeds"].labels)) == {0, 1, 2}
    assert small.inputs["mask"].data.dtype == bool
    assert small.inputs["mask"].data.all()
    assert small.device == "cpu"
    assert small.run().labels.shape == (4, 16, 16)


def test_miniature_keeps_channels():
    image = Image.from_array(np.zeros((3, 50, 60), np.float32), channel_axis=0)
    assert warmup.miniature(JobRequest("growcut", image)).image.data.shape == (3, 16, 16)


def test_each_combination_is_prepared_once(recorder, job):
    variants = [
        job,
        replace(job, settings={"cost": "slicer"}),
        replace(job, extras=("strength",)),
        replace(job, image=replace(job.image, data=job.image.data.astype(np.float32))),
    ]
    for variant in [*variants, replace(job, settings={"locality": 2.0}), *variants]:
        warmup.prepare(variant)
    assert len(recorder.requests) == len(variants) == recorder.n_closed


def test_new_source_is_prepared_again(recorder, job, monkeypatch):
    warmup.prepare(job)
    monkeypatch.setattr(warmup, "_newest_source", lambda module: 1)
    warmup.prepare(job)
    assert len(recorder.requests) == 2


def test_what_needs_no_compiler_is_not_prepared(recorder, job):
    warmup.prepare(replace(job, method="clean_labels", inputs={}))
    assert not recorder.requests


def test_failure_is_left_to_the_job(recorder, job):
    recorder.error = JobFailedError("broken")
    warmup.prepare(job)
    warmup.prepare(job)
    assert len(recorder.requests) == 1


def test_wrong_settings_are_told_at_once(recorder, job):
    with pytest.raises(ParameterError, match="connectivity"):
        warmup.prepare(replace(job, settings={"connectivity": 9}))


def test_cancelled_preparation_is_done_again(recorder, job):
    def cancel(fraction, message):
        assert (fraction, message) == (0.0, "preparing (first time only) …")
        raise Cancelled

    with pytest.raises(Cancelled):
        warmup.prepare(job, cancel)
    assert recorder.n_closed == 1
    warmup.prepare(job)
    assert len(recorder.requests) == 2


def test_unwritable_cache_is_no_obstacle(recorder, job, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: tmp_path / "file" / name)
    warmup.prepare(job)
    assert len(recorder.requests) == 1


def test_cache_is_really_filled(tmp_path):
    """Compiles in one process; in another, loading from the cache compiles nothing."""
    code = """
import sys
import numpy as np
from napari_segsuite import warmup
from napari_segsuite.compute import JobRequest
from napari_segsuite.image import Image
image = Image.from_array(np.random.default_rng(0).random((9, 30)).astype(np.float32))
seeds = np.zeros((9, 30), np.uint8)
seeds[0, 0], seeds[8, 29] = 1, 2
warmup.prepare(job := JobRequest("growcut", image, inputs={"seeds": Image.from_array(seeds)}))
assert "numba" not in sys.modules
from numba.core import event
with event.install_recorder("numba:compile") as recorder:
    assert job.run().labels.all()
print(sorted({str(e.data["dispatcher"]) for _, e in recorder.buffer}))
"""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert list(Path(tmp_path, "numba").rglob("*.nbc"))


def test_command_prepares_the_common_types(recorder):
    warmup.main(["growcut"])
    types = {(r.image.data.ndim, str(r.image.data.dtype)) for r in recorder.requests}
    assert types == {(n, t) for n in (2, 3) for t in ("uint8", "uint16", "float32")}
