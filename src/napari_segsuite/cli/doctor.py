"""What an installation has, and what in it wants mending."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__
from ..device import available_memory
from ..errors import SegSuiteError
from ..registry import methods

# Distribution and import names of what the package needs, and of what it can do without.
_NEEDED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-image": "skimage",
    "numba": "numba",
    "nibabel": "nibabel",
    "isal": "isal.igzip",
    "matplotlib": "matplotlib",
}
_TORCH = ("torch", "torchvision")
_VIEWER = ("napari", "PyQt6", "PySide6", "PyQt5")

# Asked in a process of its own: beside some graphics drivers torchvision takes the process down.
_PROBE = """
import json, torch
devices = {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
if torch.backends.mps.is_available():
    devices["mps"] = "Apple GPU"
print(json.dumps(devices), flush=True)
import torchvision
"""
_PROBE_SECONDS = 120
_TORCH_REMEDY = (
    "methods that run on the CPU work without them; "
    "`pip install --force-reinstall torch torchvision` installs a pair that fits"
)


def examine() -> dict[str, Any]:
    """Versions, devices and problems, as plain data.

    Each library is imported, since one that is installed can still be broken.
    """
    problems: list[str] = []
    libraries = {name: _try(name, module, problems) for name, module in _NEEDED.items()}
    devices = {"cpu": platform.processor() or platform.machine()} | _ask_torch(problems)
    libraries |= {name: _version(name) or "not installed" for name in _TORCH}
    libraries |= {name: _version(name) or "not installed" for name in _VIEWER}
    try:
        n_methods = len(methods())
    except SegSuiteError as error:
        n_methods = 0
        problems.append(str(error))
    return {
        "system": {
            "napari-segsuite": __version__,
            "python": f"{platform.python_version()} ({sys.executable})",
            "platform": platform.platform(),
            "cores": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "free memory": f"{available_memory() / 2**30:.1f} GiB",
            "methods": n_methods,
        },
        "libraries": libraries,
        "devices": devices,
        "problems": problems,
    }


def _try(name: str, module: str, problems: list[str]) -> str:
    installed = _version(name)
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        problems.append(
            f"{name} {installed or 'is not installed'}: cannot be imported "
            f"({type(error).__name__}: {' '.join(str(error).split())}); "
            f"`pip install --force-reinstall {name}` mends it"
        )
        return f"{installed} (broken)" if installed else "not installed"
    return installed or "unknown version"


def _ask_torch(problems: list[str]) -> dict[str, str]:
    """The GPUs that torch can use; what keeps torch or torchvision from loading is a problem."""
    command = [sys.executable, "-c", _PROBE]
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        problems.append(f"torch does not load within {_PROBE_SECONDS} s; {_TORCH_REMEDY}")
        return {}
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or [f"exit status {asked.returncode}"])[-1]
        problems.append(f"torch and torchvision do not load together ({reason}); {_TORCH_REMEDY}")
    return dict(json.loads(asked.stdout)) if asked.stdout else {}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
