"""Compiled code is made ready before a method first runs in the viewer.

numba compiles a kernel when it first meets an array type, which takes seconds and holds
up whatever else the process does. The result is cached on disk: another process can fill
the cache, by running the method on a miniature of the job. ``python -m
napari_segsuite.warmup METHOD …`` does so ahead of time, in an image of a container say.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .compute import ComputeProcess, JobRequest, child_environment
from .errors import SegSuiteError
from .growing.engines import LIVE_METHOD
from .growing.live import GrowthPlan
from .growing.rehearsal import script_of
from .image import Image, Segmentation
from .job_inputs import as_image
from .method import Method
from .params import Param
from .progress import SILENT, Progress
from .registry import get_method
from .typing import ImageArray, LabelArray

MESSAGE = "preparing (first time only) …"

_SIDE = 16
_LOOK_SECONDS = 0.05
_REHEARSAL = "napari_segsuite.growing.rehearsal"
_COMMON_TYPES = ("uint8", "uint16", "float32")


def prepare(request: JobRequest, progress: Progress = SILENT) -> None:
    """Have another process compile what a job needs, if that was not done before.

    Raises
    ------
    ParameterError
        If the settings are not valid.
    Cancelled
        If `progress` raised it.
    """
    method = get_method(request.method)
    if "numba" not in method.requires:
        return
    marker = _marker(method, request)
    if marker.exists():
        return
    compute = ComputeProcess()
    try:
        # What is wrong with the job, the job itself says best.
        with contextlib.suppress(SegSuiteError):
            compute.run(miniature(request), lambda _fraction, _message="": progress(0.0, MESSAGE))
    finally:
        compute.close()
    _mark(marker)


def prepare_growth(plan: GrowthPlan, seeds: LabelArray, progress: Progress = SILENT) -> None:
    """Have another process compile what growing live needs, if that was not done before.

    Raises
    ------
    Cancelled
        If `progress` raised it.
    """
    method = get_method(plan.method)
    if method.id != LIVE_METHOD:
        prepare(_single_run(method, plan, seeds), progress)
        return
    script = script_of(plan, seeds)
    kind = np.zeros((1,) * seeds.ndim, script["labels"])
    marker = _marker(method, _single_run(method, plan, kind)).with_suffix(".live")
    if marker.exists():
        return
    command = [sys.executable, "-P", "-m", _REHEARSAL, json.dumps(script)]
    # What goes wrong in it, growing itself says best.
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        while process.poll() is None:
            progress(0.0, MESSAGE)
            time.sleep(_LOOK_SECONDS)
    finally:
        process.kill()
        process.wait()
    _mark(marker)


def _single_run(method: Method, plan: GrowthPlan, seeds: LabelArray) -> JobRequest:
    """What an engine asks of a method that is run anew each time."""
    grid = plan.image.space.without("channel")
    inputs = {"seeds": Image(seeds, grid)}
    if plan.allowed is not None and any(entry.name == "mask" for entry in method.inputs):
        inputs["mask"] = Image(plan.allowed, grid)
    extras = tuple({"strength"} & set(method.extras))
    return JobRequest(method.id, plan.image, inputs=inputs, settings=plan.settings, extras=extras)


def wake_numba(_progress: Progress = SILENT) -> None:
    """Have numba set itself up, which its first call in a process does.

    That takes most of a second and holds the interpreter up to 50 ms at a time: better
    done while a form is being filled in than during a run.
    """
    import numba

    numba.njit(lambda: None)()


def miniature(request: JobRequest) -> JobRequest:
    """A job on a few voxels that meets the same types of array and the same settings."""
    image = as_image(request.image)
    kinds = [axis.kind for axis in image.space.axes]
    shape = tuple(
        n if kind == "channel" else min(n, _SIDE)
        for n, kind in zip(image.data.shape, kinds, strict=True)
    )
    spatial = tuple(n for n, kind in zip(shape, kinds, strict=True) if kind != "channel")
    ramp = np.arange(np.prod(shape)).reshape(shape) % 251
    if get_method(request.method).takes_labels:
        ramp[1::2] = 0  # room to fill, and something to tell apart
    inputs = {name: _filled_in(name, value, spatial) for name, value in request.inputs.items()}
    small = replace(image, data=ramp.astype(image.data.dtype))
    return replace(request, image=small, inputs=inputs, device="cpu")


def _filled_in(
    name: str, value: Segmentation | Image, shape: tuple[int, ...]
) -> Segmentation | Image:
    """Seeds of two classes at opposite corners; of anything else, ones."""
    like: ImageArray = value.labels if isinstance(value, Segmentation) else value.data
    array = np.full(shape, name != "seeds", like.dtype)
    array.flat[0], array.flat[-1] = 1, 2
    if isinstance(value, Segmentation):
        return replace(value, labels=array)
    return replace(value, data=array)


def _marker(method: Method, request: JobRequest) -> Path:
    """File that says that what `request` needs was compiled; its name says what that is."""
    import platformdirs

    settings = method.check(request.settings)
    image = as_image(request.image)
    channel_axis = image.space.channel_axis
    facts = (
        (__version__, version("numba"), sys.version, platform.node()),
        os.environ.get("NUMBA_CACHE_DIR"),
        _newest_source(method.function.__module__),
        method.id,
        (image.data.dtype.str, image.data.ndim, channel_axis, image.space.is_physical),
        sorted((name, _dtype(value)) for name, value in request.inputs.items()),
        [_kind_of_value(param, settings) for param in method.params],
        request.extras,
        request.frames,
    )
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:32]
    return Path(platformdirs.user_cache_dir("napari-segsuite"), "prepared", name)


def _dtype(value: Segmentation | Image) -> str:
    return (value.labels if isinstance(value, Segmentation) else value.data).dtype.str


def _kind_of_value(param: Param, settings: Mapping[str, Any]) -> Any:
    """What of a setting may decide which code runs: choices do, the size of numbers does not."""
    value = settings[param.name]
    if param.kind in ("choice", "bool") or value is None:
        return value
    return bool(value) if param.is_sequence else param.kind


def _newest_source(module: str) -> int:
    """Time of the last change of the package that holds `module`: numba compiles anew then."""
    package = sys.modules.get(module.partition(".")[0])
    file = getattr(package, "__file__", None)
    if file is None:
        return 0
    files = Path(file).parent.rglob("*.py") if hasattr(package, "__path__") else [Path(file)]
    return max(path.stat().st_mtime_ns for path in files)


def _mark(marker: Path) -> None:
    # Without a place for it the method is prepared again in the next session, no worse.
    with contextlib.suppress(OSError):
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def main(method_ids: list[str]) -> None:
    """Prepare methods for the types of image that are common."""
    for method_id in method_ids:
        method = get_method(method_id)
        wanted = [entry.name for entry in method.inputs if entry.required and entry.name != "image"]
        for ndim in method.ndim:
            for dtype in _COMMON_TYPES:
                image = Image.from_array(np.zeros((_SIDE,) * ndim, dtype))
                labels = Image.from_array(np.zeros((_SIDE,) * ndim, np.uint8))
                prepare(JobRequest(method_id, image, inputs=dict.fromkeys(wanted, labels)))


if __name__ == "__main__":
    main(sys.argv[1:])
