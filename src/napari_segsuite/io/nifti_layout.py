"""What a NIfTI header says of the values: their type, shape, place and scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ..errors import FormatError

RGB, RGBA = 128, 2304
DTYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
    1024: "i8", 1280: "u8", RGB: "u1", RGBA: "u1",
}  # fmt: skip
CHANNELS = {RGB: 3, RGBA: 4}


@dataclass(frozen=True)
class Layout:
    """Where and how the values lie in a file.

    Attributes
    ----------
    shape : tuple of int
        Slowest axis first: (c, t, z, y, x), leading ones left out.
    channels : int
        Of RGB(A) values; 0 for scalars.
    dtype : dtype
        With the byte order of the file.
    offset : int
        First byte of the values.
    slope, intercept : float
        Scaling of the values; 1 and 0 for none.
    """

    shape: tuple[int, ...]
    channels: int
    dtype: np.dtype[Any]
    offset: int
    slope: float
    intercept: float

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Shape with the channels of RGB(A) last."""
        return (*self.shape, self.channels) if self.channels else self.shape

    @property
    def count(self) -> int:
        """Number of scalars."""
        total = max(self.channels, 1)
        for size in self.shape:  # Python integers do not overflow
            total *= size
        return total

    @property
    def nbytes(self) -> int:
        """Bytes of the values in the file."""
        return self.count * self.dtype.itemsize

    @property
    def scaled(self) -> bool:
        """Whether the values have to be scaled."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def read_header(stream: IO[bytes], name: str) -> Any:
    """Header as nibabel has it, in the byte order of the file, nothing in it mended.

    Raises
    ------
    FormatError
        If the stream does not start with the header of a NIfTI file.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    start = stream.read(4)
    for header_type in (Nifti1Header, Nifti2Header):
        size = header_type.sizeof_hdr
        for order in "<>":
            if start != size.to_bytes(4, "little" if order == "<" else "big"):
                continue
            block = start + stream.read(size - 4)
            if len(block) < size:
                raise FormatError(wrong_length(name, size, len(block)))
            header = header_type(block, order, check=False)
            if header["magic"].item().rstrip(b"\0")[:3] not in (b"n+1", b"n+2"):
                raise FormatError(
                    f"{name}: expected a NIfTI file with header and values in one, got magic "
                    f"{header['magic'].item()!r}; a header of a .hdr/.img pair or an Analyze "
                    "file must be converted first"
                )
            return header
    got = "an empty file" if not start else f"a file that starts with {start!r}"
    raise FormatError(
        f"{name}: expected a NIfTI file, got {got}; check that it was downloaded completely "
        "and that its extension is right"
    )


def read_layout(header: Any, name: str) -> Layout:
    """Layout that a header declares.

    Raises
    ------
    FormatError
        If it makes no sense, or values are of a type that images do not have.
    """
    code = int(header["datatype"])
    if code not in DTYPES:
        raise FormatError(
            f"{name}: expected whole or real numbers or RGB, got NIfTI data type {code}; "
            "convert the values first, or get the file again if its header is damaged"
        )
    number = _header_numbers(header, name)
    scaled = code not in CHANNELS and number["slope"] != 0
    return Layout(
        shape=_shape(header, name),
        channels=CHANNELS.get(code, 0),
        dtype=np.dtype(DTYPES[code]).newbyteorder(header.endianness),
        offset=int(number["offset"]),
        slope=number["slope"] if scaled else 1.0,
        intercept=number["intercept"] if scaled else 0.0,
    )


def _header_numbers(header: Any, name: str) -> dict[str, float]:
    first = int(header.sizeof_hdr) + 4
    offset = float(header["vox_offset"]) or float(first)
    if not (np.isfinite(offset) and first <= offset < 2**62 and offset == int(offset)):
        raise FormatError(
            f"{name}: expected values to start at byte {first} or later, got {offset}; "
            "the header is damaged"
        )
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    slope = slope if np.isfinite(slope) else 0.0
    intercept = intercept if np.isfinite(intercept) else 0.0
    return {"offset": offset, "slope": slope, "intercept": intercept}


def _shape(header: Any, name: str) -> tuple[int, ...]:
    """Sizes with the slowest axis first: (z, y, x), and before them t, then c, if any."""
    dim = [int(size) for size in header["dim"]]
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1:
        raise FormatError(
            f"{name}: expected 1 to 7 axes of positive length, got dim {dim}; the header is damaged"
        )
    sizes = [*dim[1 : dim[0] + 1], 1, 1][: max(3, dim[0])]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 5:
        raise FormatError(
            f"{name}: expected space, time and channels, got axes of lengths {sizes}; "
            "split the file first"
        )
    if len(sizes) == 5 and sizes[3] == 1:
        del sizes[3]
        return (sizes[3], 1, *sizes[2::-1])
    return tuple(reversed(sizes))


def wrong_length(name: str, expected: int, got: int | None) -> str:
    """Sentence for a file of another length than declared; None for longer by an unknown lot."""
    found = "more" if got is None else str(got)
    fault = "cut short" if got is not None and got < expected else "not what its header says"
    return (
        f"{name}: expected {expected} bytes of header and values, got {found}; "
        f"the file is {fault}, get it again from its source"
    )
