"""Output files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from ..errors import FormatError

_serial = count()


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a scratch file to write that takes the place of `path` once all went well.

    The scratch file lies in the same folder and ends like `path`, for writers that look
    at the extension. It is flushed to the disk before it replaces `path`; on any error,
    an interruption included, it is removed and `path` stays as it was.

    Parameters
    ----------
    path : path
        The file to write. A symbolic link is followed, not replaced.

    Yields
    ------
    Path
        The file to write to.

    Raises
    ------
    FormatError
        If the folder is missing or cannot be written to, `path` is write-protected, or the
        disk is full.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with atomic_path(target) as scratch:
    ...     _ = scratch.write_text("a,b")
    >>> target.read_text()
    'a,b'
    """
    given = Path(path)
    target = Path(os.path.realpath(given))
    if not target.parent.is_dir():
        raise FormatError(
            f"cannot write {given.name}: the folder {target.parent} does not exist; "
            "create it or choose another one"
        )
    if target.is_file() and not os.access(target, os.W_OK):
        raise FormatError(
            f"cannot write {given}: the file is write-protected; choose another name, "
            "or make it writable first"
        )
    if target.is_dir():
        raise FormatError(f"cannot write {given}: it is a folder; give the name of a file")
    suffixes = "".join(target.suffixes)
    stem = target.name.removesuffix(suffixes)
    scratch = target.with_name(f".{stem}.tmp-{os.getpid()}-{next(_serial)}{suffixes}")
    try:
        yield scratch
        _flush_to_disk(scratch)
        os.replace(scratch, target)
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise FormatError(
            f"cannot write {given}: {reason}; check the folder's permissions and free space"
        ) from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    # Windows syncs only files opened for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
