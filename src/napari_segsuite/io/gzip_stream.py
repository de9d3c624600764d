"""Gzip streams through ISA-L where it is installed, through the standard library where not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

# Deflate cannot shrink further than this; a header that promises more is wrong or hostile.
MAX_RATIO = 1032
GZIP_MAGIC = b"\x1f\x8b"


def inflater(file: IO[bytes]) -> IO[bytes]:
    """Inflating stream over an open file; CRC and length are checked where the data end."""
    try:
        from isal import igzip
    except ImportError:
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    return cast("IO[bytes]", igzip.IGzipFile(fileobj=file, mode="rb"))


@contextmanager
def deflater(path: Path) -> Iterator[IO[bytes]]:
    """Compressing stream into a file.

    It holds neither name nor time stamp, so that equal data give equal bytes.
    """
    with path.open("wb") as file:
        try:
            from isal import igzip
        except ImportError:
            stream = gzip.GzipFile("", "wb", 1, file, mtime=0)
        else:
            stream = igzip.IGzipFile("", "wb", 1, file, mtime=0)
        with stream:
            yield cast("IO[bytes]", stream)


def inflate_errors() -> tuple[type[Exception], ...]:
    """What an inflating stream raises on damaged data."""
    errors: list[type[Exception]] = [EOFError, gzip.BadGzipFile, zlib.error]
    try:
        from isal import isal_zlib
    except ImportError:
        pass
    else:
        errors.append(cast("type[Exception]", isal_zlib.error))
    return tuple(errors)
