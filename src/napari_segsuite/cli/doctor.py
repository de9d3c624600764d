"""What an installation has, and what in it wants mending."""

from __future__ import annotations

import os
import platform
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
_TORCH = {"torch": "torch", "torchvision": "torchvision"}
_VIEWER = ("napari", "PyQt6", "PySide6", "PyQt5")


def examine() -> dict[str, Any]:
    """Versions, devices and problems, as plain data.

    Each library is imported, since one that is installed can still be broken.
    """
    problems: list[str] = []
    libraries = {name: _try(name, module, problems) for name, module in _NEEDED.items()}
    libraries |= {name: _try(name, module, problems) for name, module in _TORCH.items()}
    libraries |= {name: _version(name) or "not installed" for name in _VIEWER}
    devices = _devices()
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
            f"({type(error).__name__}: {' '.join(str(error).split())}); {_remedy(name)}"
        )
        return f"{installed} (broken)" if installed else "not installed"
    return installed or "unknown version"


def _remedy(name: str) -> str:
    if name in _TORCH:
        return (
            "methods that run on the CPU work without it; "
            "`pip install --force-reinstall torch torchvision` installs a pair that fits"
        )
    return f"`pip install --force-reinstall {name}` mends it"


def _devices() -> dict[str, str]:
    devices = {"cpu": platform.processor() or platform.machine()}
    torch = sys.modules.get("torch")
    if torch is None:
        return devices
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            devices[f"cuda:{index}"] = torch.cuda.get_device_name(index)
    if torch.backends.mps.is_available():
        devices["mps"] = "Apple GPU"
    return devices


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
