"""Medical images into the viewer."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_SNIFFED = 1024
_EXTENSIONS = (".nii", ".nii.gz")
# First field of the header of NIfTI-1 and NIfTI-2, in either byte order.
_HEADER_SIZES = (348, 540)

Reader = Callable[[Any], list[Any]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """A function that reads `path`, or None if the first bytes say it is no NIfTI file."""
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    return read_layers if paths and all(map(_is_nifti, paths)) else None


def read_layers(path: str | Sequence[str]) -> list[Any]:
    """Read files as layers, turned so that their axes run along those of the body."""
    from ..io import read
    from ..orientation import closest_canonical
    from .adapters import layer_data

    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    return [layer_data(closest_canonical(read(entry))) for entry in paths]


def _is_nifti(path: str | os.PathLike[str]) -> bool:
    file = Path(path)
    if not file.name.lower().endswith(_EXTENSIONS):
        return False
    try:
        with file.open("rb") as stream:
            start = stream.read(_SNIFFED)
        if start[:2] == b"\x1f\x8b":
            start = zlib.decompressobj(wbits=31).decompress(start, 4)
    except (OSError, zlib.error):
        return False
    sizes = (int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big"))
    return any(size in _HEADER_SIZES for size in sizes)
