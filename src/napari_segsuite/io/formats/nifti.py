"""NIfTI-1 and NIfTI-2 in one file, plain or compressed (.nii, .nii.gz).

Arrays come in (z, y, x) order, which is the file's own byte order read backwards: reading
takes no copy and no reordering. One plane becomes a 2D image; a fourth axis becomes time
and comes first; RGB(A) values become a last channel axis, a fifth axis a first one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FormatError
from ...image import Image, Segmentation
from ...label_values import compact_labels
from ...space import Space
from ..atomic import atomic_path
from ..gzip_stream import GZIP_MAGIC, MAX_RATIO, deflater, inflate_errors, inflater
from ..memory import require_memory
from ..nifti_geometry import (
    TIME_BITS,
    Placement,
    placement_of,
    read_placement,
    read_space,
    read_time_axis,
    with_channels,
    write_placement,
)
from ..nifti_layout import (
    CHANNELS,
    DTYPES,
    RGB,
    RGBA,
    Layout,
    read_header,
    read_layout,
    wrong_length,
)
from . import Contents, Format, stem_of

_LABEL_INTENT, _VECTOR_INTENT = 1002, 1007
_CODES = {np.dtype(text): code for code, text in DTYPES.items() if code not in (RGB, RGBA)}
_TEXT_FIELDS = ("descrip", "aux_file", "intent_name")
_NUMBER_FIELDS = ("intent_code", "intent_p1", "intent_p2", "intent_p3", "cal_min", "cal_max")
_MAX_NIFTI1_SIZE = 2**15 - 1
_CHUNK = 1 << 22
# Inflated pieces that fit into the processor's cache.
_PIECE = 1 << 18


# --- reading ------------------------------------------------------------------------------
def read(path: Path) -> Contents:
    """Read values, geometry and what else the header says.

    Raises
    ------
    FormatError
        If the file is damaged, cut short, longer than its header says, too large for the
        memory, or of a type that images do not have.
    """
    name = path.name
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(2)
        file.seek(0)
        if magic == GZIP_MAGIC:
            header, layout, data = _read_compressed(file, size, name)
        else:
            header, layout, data = _read_plain(file, size, path)
    if layout.scaled:
        data = _scaled(data, layout)
    placement = read_placement(header, name)
    return Contents(
        _image(data.reshape(layout.array_shape), header, layout, placement, stem_of(path)),
        is_labels=int(header["intent_code"]) == _LABEL_INTENT,
    )


def _read_plain(file: IO[bytes], size: int, path: Path) -> tuple[Any, Layout, NDArray[Any]]:
    header = read_header(file, path.name)
    layout = read_layout(header, path.name)
    declared = layout.offset + layout.nbytes
    if size != declared:
        raise FormatError(wrong_length(path.name, declared, size))
    if layout.scaled or not layout.dtype.isnative:
        require_memory(layout.count * 4 if layout.scaled else layout.nbytes, path.name)
    mapped = np.memmap(path, layout.dtype, "r", layout.offset, (layout.count,))
    data = np.asarray(mapped)
    native = layout.dtype.newbyteorder("=")
    return header, layout, data if layout.dtype.isnative else data.astype(native)


def _read_compressed(file: IO[bytes], size: int, name: str) -> tuple[Any, Layout, NDArray[Any]]:
    with _readable(name), inflater(file) as stream:
        header = read_header(stream, name)
        layout = read_layout(header, name)
        declared = layout.offset + layout.nbytes
        if declared > MAX_RATIO * size:
            raise FormatError(
                f"{name}: the header declares {declared} bytes, more than a compressed file of "
                f"{size} bytes can hold; the file is damaged, get it again from its source"
            )
        scaling = layout.count * 4 if layout.scaled else 0
        require_memory(layout.nbytes + scaling, name)
        _skip(stream, layout.offset - stream.tell(), declared, name)
        data = np.empty(layout.nbytes, np.uint8)
        filled = _fill(stream, data.data)
        if filled < layout.nbytes:
            raise FormatError(wrong_length(name, declared, layout.offset + filled))
        # Reading past the end is what makes the stream compare its checksum.
        if stream.read(1):
            raise FormatError(wrong_length(name, declared, None))
    values = data.view(layout.dtype)
    if not layout.dtype.isnative:
        values = values.byteswap(inplace=True).view(layout.dtype.newbyteorder("="))
    return header, layout, values


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except inflate_errors() as error:
        raise FormatError(
            f"{name}: the compressed data are damaged or cut short ({error}); "
            "get the file again from its source"
        ) from error


def _image(
    data: NDArray[Any], header: Any, layout: Layout, placement: Placement, name: str
) -> Image:
    """Drop axes of one plane or moment and say what the others are."""
    n_leading = len(layout.shape) - 3
    planar = layout.shape[-3] == 1
    vector = n_leading == 2
    series = n_leading > 0 and layout.shape[-4] > 1
    shape = [
        *([layout.shape[0]] if vector else []),
        *([layout.shape[-4]] if series else []),
        *layout.shape[-2 if planar else -3 :],
        *([layout.channels] if layout.channels else []),
    ]
    space = read_space(placement, planar)
    if series:
        space = space.with_leading(read_time_axis(header))
    if vector:
        space = with_channels(space, 0)
    if layout.channels:
        space = with_channels(space, space.ndim)
    return Image(data.reshape(shape), space, name, {"nifti": _metadata(header, placement)})


def _metadata(header: Any, placement: Placement) -> dict[str, Any]:
    texts = {
        field: header[field].item().split(b"\0")[0].decode("latin-1") for field in _TEXT_FIELDS
    }
    numbers = {field: header[field].item() for field in _NUMBER_FIELDS}
    return {**placement.to_metadata(), "xyzt_units": int(header["xyzt_units"]), **texts, **numbers}


def _scaled(data: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """slope · value + intercept, computed in float64 and rounded once."""
    dtype = np.float64 if data.dtype == np.float64 else np.float32
    out = np.empty(data.shape, dtype)
    for start in range(0, data.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        out[part] = data[part].astype(np.float64) * layout.slope + layout.intercept
    return out


def _skip(stream: IO[bytes], count: int, declared: int, name: str) -> None:
    while count > 0:
        got = len(stream.read(min(count, _CHUNK)))
        if not got:
            raise FormatError(wrong_length(name, declared, stream.tell()))
        count -= got


def _fill(stream: IO[bytes], target: memoryview) -> int:
    filled = 0
    while filled < len(target):
        got = stream.readinto(target[filled : filled + _PIECE])  # type: ignore[attr-defined]
        if not got:
            break
        filled += got
    return filled


# --- writing ------------------------------------------------------------------------------
def write_image(path: Path, image: Image) -> None:
    """Write intensities in their own type; booleans as uint8, float16 as float32.

    Raises
    ------
    FormatError
        If the values or axes have no place in NIfTI.
    """
    data, dtype = image.data, _stored_dtype(image.data, image.name)
    known = image.metadata.get("nifti")
    kept = {} if known is None else {f: known[f] for f in (*_TEXT_FIELDS, *_NUMBER_FIELDS)}
    if kept.get("intent_code") == _LABEL_INTENT:
        kept["intent_code"] = 0
    _write(path, data, dtype, image.space, known, kept)


def write_labels(path: Path, segmentation: Segmentation) -> None:
    """Write labels in the smallest of uint8, uint16 and uint32 that holds them all.

    Raises
    ------
    FormatError
        If there is a channel axis or another count of axes than NIfTI has.
    InputError
        If a value is no label or beyond uint32.
    """
    labels, space = compact_labels(segmentation.labels), segmentation.space
    if space.channel_axis is not None:
        raise FormatError("expected labels without a channel axis; write the channels one by one")
    known = segmentation.metadata.get("nifti")
    _write(path, labels, labels.dtype, space, known, {"intent_code": _LABEL_INTENT})


def _write(
    path: Path,
    data: NDArray[Any],
    dtype: np.dtype[Any],
    space: Space,
    known: dict[str, Any] | None,
    fields: dict[str, Any],
) -> None:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    if 0 in data.shape:
        raise FormatError(f"cannot write {path.name}: the array of shape {data.shape} is empty")
    data, shape, code = _file_order(data, dtype, space)
    header = (Nifti1Header if max(shape) <= _MAX_NIFTI1_SIZE else Nifti2Header)()
    header.set_data_shape(shape)
    header["datatype"] = code
    header["bitpix"] = 8 * dtype.itemsize * CHANNELS.get(code, 1)
    header["vox_offset"] = header.sizeof_hdr + 4
    header["scl_slope"], header["scl_inter"] = 1, 0
    time = next((axis for axis in space.axes if axis.kind == "time"), None)
    write_placement(header, placement_of(space, known), time)
    if known is not None and time is None:
        header["xyzt_units"] |= known["xyzt_units"] & TIME_BITS
    for field, value in fields.items():
        header[field] = value.encode("latin-1") if isinstance(value, str) else value
    if len(shape) == 5:
        header["intent_code"] = _VECTOR_INTENT
    with atomic_path(path) as scratch, _sink(scratch) as stream:
        # Four zero bytes: no extensions follow the header.
        stream.write(header.binaryblock + bytes(4))
        for chunk in _chunks(data):
            stream.write(np.ascontiguousarray(chunk, dtype).data.cast("B"))


def _stored_dtype(data: NDArray[Any], name: str) -> np.dtype[Any]:
    dtype = np.dtype(data.dtype).newbyteorder("=")
    if dtype == np.bool_:
        return np.dtype(np.uint8)
    if dtype == np.float16:
        return np.dtype(np.float32)
    if dtype in (np.int64, np.uint64):
        lowest, highest = int(data.min()), int(data.max())
        for smaller in (np.int32, np.uint32):
            bounds = np.iinfo(smaller)
            if bounds.min <= lowest and highest <= bounds.max:
                return np.dtype(smaller)
        raise FormatError(
            f"{name}: values from {lowest} to {highest} need 64-bit integers, which most NIfTI "
            "readers refuse; convert them to float64, or to a smaller range"
        )
    if dtype not in _CODES:
        raise FormatError(
            f"{name}: expected whole or real numbers for NIfTI, got {dtype}; convert them first"
        )
    return dtype


def _file_order(
    data: NDArray[Any], dtype: np.dtype[Any], space: Space
) -> tuple[NDArray[Any], tuple[int, ...], int]:
    """View with the file's slowest axis first, the file's shape (i, j, k, …), its type code."""
    kinds = [axis.kind for axis in space.axes]
    length = dict(zip(kinds, data.shape, strict=True))
    colour = {3: RGB, 4: RGBA}.get(length.get("channel", 0)) if dtype == np.uint8 else None
    rank = {"channel": 3 if colour else 0, "time": 1, "space": 2}
    data = data.transpose(sorted(range(len(kinds)), key=lambda axis: rank[kinds[axis]]))
    spatial = [n for n, kind in zip(data.shape, sorted(kinds, key=rank.__getitem__), strict=True)
               if kind == "space"]  # fmt: skip
    shape = (*reversed(spatial), 1)[:3]
    if "channel" in kinds and not colour:
        shape = (*shape, length.get("time", 1), length["channel"])
    elif "time" in kinds:
        shape = (*shape, length["time"])
    return data, shape, colour or _CODES[dtype]


def _sink(path: Path) -> Any:
    return deflater(path) if path.name.lower().endswith(".gz") else path.open("wb")


def _chunks(data: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Pieces of at most some megabytes, in C order; the array itself is never copied whole."""
    if data.nbytes <= _CHUNK or data.ndim == 0:
        yield data
        return
    step = max(1, _CHUNK * len(data) // data.nbytes)
    for start in range(0, len(data), step):
        part = data[start : start + step]
        yield from _chunks(part[0]) if step == 1 else [part]


FORMAT = Format("NIfTI", (".nii.gz", ".nii"), read, write_image, write_labels)
