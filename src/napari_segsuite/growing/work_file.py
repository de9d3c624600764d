"""A session saved in one file: seeds, result, settings, classes, and of which image.

A ``.segsuite.zip`` holds ``work.json``, one ``.npy`` per array, and perhaps the file of a
learned guide; `numpy.load` opens its arrays too.
"""

from __future__ import annotations

import json
import math
import operator
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..boxes import slabs, whole
from ..errors import FormatError, InputError
from ..image import Image, LabelClass
from ..io.atomic import atomic_path
from ..io.gzip_stream import MAX_RATIO
from ..io.memory import require_memory
from ..label_values import compact_labels
from ..provenance import describe_input
from ..space import Axis, AxisKind, Matrix, Space
from ..typing import LabelArray

FORMAT = 1
_KIND = "napari-segsuite work"
_RECORD = "work.json"
_GUIDE = "guide.bin"
_LARGEST_RECORD = 16 << 20
_LARGEST_HEADER = 1 << 12
# What zipfile, json and the checks below raise on damaged or made-up content.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, TypeError, ValueError,
    AttributeError, OverflowError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class ImageIdentity:
    """Which image a work belongs to.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Channels included.
    dtype : str
    sha256 : str
        Digest of the values, as a provenance has it.
    path : str or None
        Where the image was, as far as it is known.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    sha256: str
    path: str | None = None

    @classmethod
    def of(cls, image: Image, path: str | os.PathLike[str] | None = None) -> ImageIdentity:
        """Identity of an image; reads all its values once, plane by plane."""
        facts = describe_input(image.name, image.data)
        facts["shape"] = tuple(facts["shape"])
        return cls(**facts, path=None if path is None else str(Path(path).absolute()))

    def is_same_image(self, other: ImageIdentity) -> bool:
        """Whether the values are the same, whatever the image is called and wherever it lies."""
        return self.sha256 == other.sha256


@dataclass(frozen=True, eq=False)
class Work:
    """Everything a session needs to go on where it stopped.

    Attributes
    ----------
    image : ImageIdentity
    space : Space
        Of seeds and result.
    seeds : (M, N[, P]) or (T, M, N[, P]) unsigned integer array
    result : array like `seeds`, or None
    settings : mapping of str to plain values
        Numbers, text, None, and lists and mappings of them; tuples come back as lists.
    classes, result_classes : tuple of LabelClass
        Class tables of seeds and result.
    guide : bytes or None
        The file of a learned guide.

    Raises
    ------
    InputError
        If seeds or result are no labels, or do not fit each other or the space.
    """

    image: ImageIdentity
    space: Space
    seeds: LabelArray
    result: LabelArray | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[LabelClass, ...] = ()
    result_classes: tuple[LabelClass, ...] = ()
    guide: bytes | None = None

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            object.__setattr__(self, name, compact_labels(array))
            if array.shape != np.shape(self.seeds) or array.ndim != self.space.ndim:
                raise InputError(
                    f"expected seeds and result on one grid with {self.space.ndim} axes, as the "
                    f"space has, got {name} of shape {array.shape} beside seeds of shape "
                    f"{np.shape(self.seeds)}; put both on the grid of the image"
                )

    def arrays(self) -> dict[str, LabelArray]:
        """Seeds, and the result where there is one, by name."""
        named = {"seeds": self.seeds, "result": self.result}
        return {name: array for name, array in named.items() if array is not None}


def save_work(path: str | os.PathLike[str], work: Work) -> None:
    """Write a work into one file, whole or not at all.

    No copy of an array is made; equal works give equal bytes.

    Raises
    ------
    InputError
        If the settings hold something that is not plain.
    FormatError
        If the file cannot be written.
    """
    record = {
        "kind": _KIND,
        "format": FORMAT,
        "image": asdict(work.image),
        "space": work.space.to_dict(),
        "arrays": {
            name: {"dtype": array.dtype.str, "shape": array.shape}
            for name, array in work.arrays().items()
        },
        "settings": work.settings,
        "classes": [asdict(entry) for entry in work.classes],
        "result_classes": [asdict(entry) for entry in work.result_classes],
        "has_guide": work.guide is not None,
    }
    text = json.dumps(record, indent=1, default=_plain).encode()
    with (
        atomic_path(path) as scratch,
        zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        _write_bytes(archive, _RECORD, text)
        for name, array in work.arrays().items():
            _write_array(archive, name, array)
        if work.guide is not None:
            _write_bytes(archive, _GUIDE, work.guide)


def load_work(path: str | os.PathLike[str]) -> Work:
    """Read what `save_work` wrote.

    Nothing is allocated before the sizes in the file agree with each other and with the
    memory that is free; nothing in it is executed.

    Raises
    ------
    FormatError
        If it is no such file, is damaged, or comes from a newer version.
    """
    with _opened(path) as (archive, record):
        arrays = {
            name: _read_array(archive, name, record["arrays"][name])
            for name in ("seeds", "result")
            if name in record["arrays"]
        }
        return Work(
            image=_identity(record),
            space=_space(record["space"]),
            settings=dict(record["settings"].items()),
            classes=_classes(record["classes"]),
            result_classes=_classes(record["result_classes"]),
            guide=_read_guide(archive) if record["has_guide"] else None,
            **arrays,
        )


def read_identity(path: str | os.PathLike[str]) -> ImageIdentity:
    """Which image a saved work belongs to, without reading its arrays.

    Raises
    ------
    FormatError
        As `load_work`.
    """
    with _opened(path) as (_, record):
        return _identity(record)


# --- writing --------------------------------------------------------------------------
def _write_array(archive: zipfile.ZipFile, name: str, array: LabelArray) -> None:
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for slab in slabs(whole(array.shape)):
            file.write(np.ascontiguousarray(array[slab]).data)


def _write_bytes(archive: zipfile.ZipFile, member: str, content: bytes) -> None:
    with archive.open(member, "w", force_zip64=True) as file:
        file.write(content)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise InputError(
        f"expected settings of numbers, text, lists and mappings, got {type(value).__name__}, "
        f"which cannot be saved; leave it out"
    )


# --- reading --------------------------------------------------------------------------
@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """The archive and its record; whatever is wrong with them becomes a `FormatError`."""
    name = Path(path).name
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive, _record(archive, name)
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}; "
            f"check that the file is there and that you may read it"
        ) from error
    except _DAMAGE as error:
        raise FormatError(
            f"{name}: expected work saved by napari-segsuite, got a damaged or a different "
            f"file; choose another one, or an older copy"
        ) from error


def _record(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    info = _member(archive, _RECORD)
    if info.file_size > _LARGEST_RECORD:
        raise ValueError("record too large")
    record = json.loads(archive.read(info))
    if record["kind"] != _KIND or not isinstance(record["format"], int):
        raise ValueError("record of something else")
    if record["format"] > FORMAT:
        raise FormatError(
            f"{name}: expected saved work of format {FORMAT} or older, got "
            f"{record['format']}; update napari-segsuite"
        )
    return dict(record)


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """A member whose declared size can be true."""
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        raise ValueError("unknown compression")
    if info.file_size > MAX_RATIO * (info.compress_size + 1):
        raise ValueError("no compression shrinks that far")
    return info


def _read_array(archive: zipfile.ZipFile, name: str, declared: Mapping[str, Any]) -> LabelArray:
    dtype, shape = np.dtype(declared["dtype"]), _shape(declared["shape"])
    if dtype.kind != "u":
        raise ValueError("labels of another type")
    size = math.prod(shape) * dtype.itemsize
    info = _member(archive, f"{name}.npy")
    if not size < info.file_size <= size + _LARGEST_HEADER:
        raise ValueError("size and shape disagree")
    require_memory(size, Path(str(archive.filename)).name)
    with archive.open(info) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("unknown array format")
        if np.lib.format.read_array_header_1_0(file) != (shape, False, dtype):
            raise ValueError("header and record disagree")
        array = np.empty(shape, dtype)
        for slab in slabs(whole(shape)):
            part = array[slab]
            part[...] = np.frombuffer(file.read(part.nbytes), dtype).reshape(part.shape)
        # Reading to the end is what compares the checksum.
        if file.read(1):
            raise ValueError("more values than the shape holds")
    return array


def _read_guide(archive: zipfile.ZipFile) -> bytes:
    info = _member(archive, _GUIDE)
    require_memory(info.file_size, Path(str(archive.filename)).name)
    return archive.read(info)


def _identity(record: Mapping[str, Any]) -> ImageIdentity:
    facts = record["image"]
    name, dtype, sha256 = (str(facts[key]) for key in ("name", "dtype", "sha256"))
    path = facts["path"]
    return ImageIdentity(
        name, _shape(facts["shape"]), dtype, sha256, None if path is None else str(path)
    )


def _shape(numbers: Sequence[Any]) -> tuple[int, ...]:
    shape = tuple(operator.index(n) for n in numbers)
    if not all(n > 0 for n in shape):
        raise ValueError("a shape without voxels")
    return shape


def _classes(entries: Sequence[Mapping[str, Any]]) -> tuple[LabelClass, ...]:
    return tuple(
        LabelClass(
            operator.index(entry["id"]),
            str(entry["name"]),
            entry["colour"],
            bool(entry["visible"]),
            bool(entry["locked"]),
        )
        for entry in entries
    )


def _space(data: Mapping[str, Any]) -> Space:
    space = Space(
        tuple(_axis(entry) for entry in data["axes"]),
        _matrix(data["rotate"]),
        None if data["shear"] is None else tuple(float(value) for value in data["shear"]),
        _matrix(data["affine"]),
    )
    if not np.isfinite(np.linalg.inv(space.matrix)).all():
        raise ValueError("a grid without extent")
    return space


def _axis(entry: Mapping[str, Any]) -> Axis:
    kind, unit = entry["kind"], entry["unit"]
    if kind not in get_args(AxisKind):
        raise ValueError("an axis of another kind")
    return Axis(
        str(entry["name"]),
        kind,
        float(entry["scale"]),
        float(entry["translate"]),
        None if unit is None else str(unit),
    )


def _matrix(rows: Any) -> Matrix | None:
    return None if rows is None else tuple(tuple(float(v) for v in row) for row in rows)
