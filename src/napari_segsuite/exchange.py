"""How requests and results travel between two processes.

Records become JSON, their arrays one block of shared memory. The parent creates and
unlinks every block, the other process only attaches: whichever of the two dies, no
segment stays behind.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import prod
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, OutOfMemoryError
from .image import Image, LabelClass, Segmentation
from .provenance import Provenance
from .space import Axis, Space

Layout = Sequence[tuple[str, Sequence[int], int]]

BLOCK_PREFIX = "segsuite_"
_ALIGNMENT = 64
_RECORDS: dict[str, type] = {
    record.__name__: record for record in (Axis, Image, LabelClass, Provenance, Segmentation, Space)
}


def pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Turn `value` into JSON-able data; its arrays are appended to `arrays`.

    Raises
    ------
    InputError
        If something in it cannot travel.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and type(value).__name__ in _RECORDS:
        parts = {field.name: pack(getattr(value, field.name), arrays) for field in fields(value)}
        return {"record": type(value).__name__, "fields": parts}
    if isinstance(value, Mapping):
        return {"mapping": {str(key): pack(item, arrays) for key, item in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [pack(item, arrays) for item in value]}
    if isinstance(value, list):
        return [pack(item, arrays) for item in value]
    if hasattr(value, "__array__"):
        return {"array": _append(np.asarray(value), arrays)}
    raise InputError(
        f"expected numbers, text and arrays, got {type(value).__name__}, which cannot be handed "
        f"to the compute process."
    )


def _append(array: NDArray[Any], arrays: list[NDArray[Any]]) -> int:
    if array.dtype.hasobject:
        raise InputError(f"expected an array of numbers, got {array.dtype}; convert it first.")
    arrays.append(array)
    return len(arrays) - 1


def unpack(value: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    """Inverse of `pack`."""
    if isinstance(value, list):
        return [unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = [(k, v) for k, v in value.items() if k != "fields"]
    if kind == "array":
        return arrays[content]
    if kind == "tuple":
        return tuple(unpack(item, arrays) for item in content)
    if kind == "mapping":
        return {key: unpack(item, arrays) for key, item in content.items()}
    parts = {key: unpack(item, arrays) for key, item in value["fields"].items()}
    return _RECORDS[content](**parts)


def layout_of(arrays: Sequence[NDArray[Any]]) -> Layout:
    """Dtype, shape and offset of each array in a block that holds them all."""
    layout: list[tuple[str, Sequence[int], int]] = []
    offset = 0
    for array in arrays:
        layout.append((array.dtype.str, list(array.shape), offset))
        offset += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    return layout


@contextlib.contextmanager
def new_block(layout: Layout) -> Iterator[SharedMemory]:
    """A block large enough for `layout`, gone when the context ends.

    Raises
    ------
    OutOfMemoryError
        If the machine has no room for it.
    """
    size = max((offset + _size(dtype, shape) for dtype, shape, offset in layout), default=0)
    name = f"{BLOCK_PREFIX}{os.getpid()}_{secrets.token_hex(6)}"
    try:
        block = SharedMemory(name, create=True, size=max(size, 1))
    except OSError as error:
        raise _no_room(size) from error
    try:
        _reserve(block, size)
        yield block
    finally:
        _close(block)
        block.unlink()


@contextlib.contextmanager
def attached_block(name: str) -> Iterator[SharedMemory]:
    """The block `name` of another process, which alone may unlink it."""
    if sys.version_info >= (3, 13):
        block = SharedMemory(name, track=False)
    else:
        block = SharedMemory(name)
        if os.name == "posix":
            # Before Python 3.13 attaching registers the block with this process's own
            # tracker, which would unlink it under its owner at exit.
            resource_tracker.unregister(f"/{block.name}", "shared_memory")
    try:
        yield block
    finally:
        _close(block)


def views(block: SharedMemory, layout: Layout) -> list[NDArray[Any]]:
    """The arrays in a block, not copied."""
    return [
        np.ndarray(tuple(shape), np.dtype(dtype), buffer=block.buf, offset=offset)
        for dtype, shape, offset in layout
    ]


def fill(block: SharedMemory, layout: Layout, arrays: Sequence[NDArray[Any]]) -> None:
    """Copy `arrays` into a block."""
    for view, array in zip(views(block, layout), arrays, strict=True):
        np.copyto(view, array)


def _size(dtype: str, shape: Sequence[int]) -> int:
    return np.dtype(dtype).itemsize * prod(shape)


def _reserve(block: SharedMemory, size: int) -> None:
    # A segment larger than what is left of /dev/shm (64 MB in a default container) is
    # created without complaint, and the first write beyond ends the process with SIGBUS.
    path = Path("/dev/shm", block.name)
    if not size or not hasattr(os, "posix_fallocate") or not path.exists():
        return
    handle = os.open(path, os.O_RDWR)
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        raise _no_room(size) from error
    finally:
        os.close(handle)


def _no_room(size: int) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"the arrays need {size / 2**20:.0f} MiB of shared memory, and the system has less; crop "
        f"or downsample the image, or enlarge shared memory (/dev/shm; docker run --shm-size)."
    )


def _close(block: SharedMemory) -> None:
    # A method that keeps an array of an earlier job keeps its memory mapped; that is its
    # right and no reason to fail.
    with contextlib.suppress(BufferError):
        block.close()
