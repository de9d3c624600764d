"""Which device a method runs on, and how much memory there is.

torch is imported only where a GPU is asked for, or where one is likely: on a machine
without a GPU driver ``"auto"`` answers without it.
"""

from __future__ import annotations

import ctypes
import platform
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import DeviceError, MissingDependencyError


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, here or on a GPU."""
    # torch's class is named, not imported: a job without torch shall not load it.
    return isinstance(error, MemoryError) or any(
        base.__module__.startswith("torch") and base.__name__ == "OutOfMemoryError"
        for base in type(error).__mro__
    )


_KIND_NAMES = {"cuda": "CUDA device", "mps": "Apple GPU"}  # the faster first
_NO_LIMIT = sys.maxsize


@dataclass(frozen=True)
class Device:
    """A device to run on, by torch's name, and what the user should know about the choice."""

    name: str
    note: str = ""


def resolve_device(requested: str, *, supports: Collection[str]) -> Device:
    """Find the device for a method.

    Parameters
    ----------
    requested : str
        "auto" for the fastest there is, or "cpu", "cuda", "cuda:N" or "mps".
    supports : collection of str
        Kinds of device the method has kernels for, "cuda" or "mps"; every method runs
        on the CPU.

    Returns
    -------
    Device
        The CPU with a note where the method does not support the requested kind.

    Raises
    ------
    DeviceError
        This machine has no such device.
    MissingDependencyError
        A GPU was asked for and PyTorch is missing or broken.
    """
    if requested == "auto":
        return _fastest(supports)
    if requested == "cpu":
        return Device("cpu")
    kind, index = _parse(requested)
    if not is_plausible(kind):
        raise _no_device(requested, f"this machine has no {_KIND_NAMES[kind]}")
    if kind not in supports:
        return Device("cpu", f"This method has no {kind.upper()} version: it runs on the CPU.")
    n_devices = _count(_import_torch(), kind)
    if n_devices == 0:
        raise _no_device(requested, f"PyTorch finds no usable {_KIND_NAMES[kind]}")
    if index >= n_devices:
        raise _no_device(requested, f"the last CUDA device is cuda:{n_devices - 1}")
    return Device(requested)


def available_memory() -> int:
    """Bytes of memory this process can still take without swapping.

    The least of what the system has free and what each control group around the
    process (a container, a batch job) leaves it.
    """
    import psutil

    return min(int(psutil.virtual_memory().available), _control_group_memory(Path("/")))


def _fastest(supports: Collection[str]) -> Device:
    likely = [kind for kind in _KIND_NAMES if kind in supports and is_plausible(kind)]
    if not likely:
        return Device("cpu")
    try:
        torch = _import_torch()
    except MissingDependencyError as error:
        return Device("cpu", str(error))
    usable = [kind for kind in likely if _count(torch, kind)]
    if usable:
        return Device(usable[0])
    return Device("cpu", f"PyTorch cannot use the {_KIND_NAMES[likely[0]]}: running on the CPU.")


def _parse(requested: str) -> tuple[str, int]:
    match = re.fullmatch(r"mps|(cuda)(?::(\d+))?", requested)
    if match is None:
        raise DeviceError(
            f"Expected 'auto', 'cpu', 'cuda', 'cuda:N' or 'mps' as device, got {requested!r}; "
            "choose one of these."
        )
    return match[1] or "mps", int(match[2] or 0)


def _no_device(requested: str, reason: str) -> DeviceError:
    return DeviceError(
        f"Device {requested!r} was asked for, but {reason}; "
        "choose 'cpu', or 'auto' for the fastest there is."
    )


def is_plausible(kind: str) -> bool:
    """Whether the machine may have such a GPU, found out without loading torch."""
    if kind == "mps":
        return sys.platform == "darwin" and platform.machine() == "arm64"
    # /dev/kfd is AMD's driver, whose devices torch also calls "cuda".
    return Path("/proc/driver/nvidia").exists() or Path("/dev/kfd").exists() or _loads_cuda()


def _loads_cuda() -> bool:
    """Whether the driver's library loads, as on Windows and its Linux subsystem."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _import_torch() -> Any:
    try:
        import torch
    except (ImportError, OSError) as error:
        raise MissingDependencyError(
            f"Running on a GPU needs PyTorch, which does not load here ({error}); "
            "'pip install --upgrade torch' mends that."
        ) from error
    return torch


def _count(torch: Any, kind: str) -> int:
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0


def _control_group_memory(root: Path) -> int:
    """Bytes left by the tightest control group of this process; without one, unlimited."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return _NO_LIMIT
    left = [_NO_LIMIT]
    for membership in memberships:
        _, controllers, path = membership.split(":", 2)
        if controllers == "":
            mount, names = root / "sys/fs/cgroup", ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            mount = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        # Inside a container the path may be one of the host's: the mount itself then holds
        # the limit, and is the last of the parents.
        inner = PurePosixPath(path.lstrip("/"))
        left += [_group_memory(mount / group, *names) for group in (inner, *inner.parents)]
    return min(left)


def _group_memory(group: Path, limit_name: str, usage_name: str) -> int:
    try:
        limit = int((group / limit_name).read_text())
        used = int((group / usage_name).read_text())
        statistics = (group / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):  # no such group, or its limit reads "max"
        return _NO_LIMIT
    # Idle file pages count as used, yet the kernel gives them up on demand.
    idle = sum(int(line.split()[1]) for line in statistics if line.startswith("inactive_file "))
    return max(0, limit - used + idle)
