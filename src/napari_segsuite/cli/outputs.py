"""Output files: looked at before anything is computed for them, and written."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import FormatError
from ..image import Image, Segmentation

AnyPath = str | os.PathLike[str]

_MOST_NAMES = 10


class _Enough(Exception):  # noqa: N818 - not an error: the file could be written
    pass


def check_outputs(outputs: Sequence[AnyPath], inputs: Sequence[AnyPath]) -> None:
    """Refuse outputs that would replace an input or each other, or cannot be written.

    Raises
    ------
    FormatError
        For the first of them.
    """
    read = {identity for source in inputs for identity in _identities(source)}
    written: set[Hashable] = set()
    for output in outputs:
        identities = _identities(output)
        if read & identities:
            raise FormatError(f"cannot write {output}: it is an input; choose another name")
        if written & identities:
            raise FormatError(
                f"cannot write two outputs to {output}; choose a name of its own for each"
            )
        written |= identities
    for output in outputs:
        _check_writable(output)


def check_table(path: AnyPath) -> None:
    """Refuse the name of an image for a table.

    Raises
    ------
    FormatError
        If `path` ends like an image or labels.
    """
    from ..io.formats import formats

    name = os.fspath(path).lower()
    for entry in formats():
        if name.endswith(entry.extensions):
            raise FormatError(
                f"cannot write a table to {path}: that is the name of a {entry.name} file; "
                "choose one such as scores.csv"
            )


def check_reports(
    tables: Sequence[Path | None], pictures: Sequence[Path | None], inputs: Sequence[AnyPath]
) -> None:
    """Refuse names of tables and pictures, None where one is not wanted, that cannot be used.

    Raises
    ------
    FormatError
        If one is that of another kind of file or of an input, is given twice, or cannot be
        written.
    """
    from ..metrics.pictures import check_picture

    wanted = [path for path in tables if path is not None]
    drawn = [path for path in pictures if path is not None]
    check_outputs([*wanted, *drawn], inputs)
    for path in wanted:
        check_table(path)
    for path in drawn:
        check_picture(path)


def make_folder(path: Path) -> None:
    """Make a folder, and those it lies in, where it is not there yet.

    Raises
    ------
    FormatError
        If it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(
            f"cannot write to {path}: {(error.strerror or str(error)).lower()}; "
            "choose another folder"
        ) from error


def write_result(
    path: AnyPath, result: Segmentation | Image, extras: Mapping[str, AnyPath] | None = None
) -> None:
    """Write labels, and further outputs by name; those of one plane per class get channels.

    Of a method that makes an image, the image.

    Raises
    ------
    FormatError
        If a file cannot be written.
    """
    from .. import io
    from ..io.nifti_geometry import with_channels

    if isinstance(result, Image):
        io.write(path, result)
        return
    for name, target in (extras or {}).items():
        values = result.extras[name]
        per_class = values.ndim > result.space.ndim
        space = with_channels(result.space, 0) if per_class else result.space
        io.write(target, Image(values, space, name))
    io.write(path, result)


def summary(result: Segmentation | Image) -> str:
    """The classes of a result in a few words."""
    if isinstance(result, Image):
        return f"an image of shape {result.data.shape}"
    names = [entry.name for entry in result.classes]
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) or "no class"
    return f"{shown}, … and {more} more" if more > 0 else shown


def _identities(path: AnyPath) -> set[Hashable]:
    """What two names of the same file have in common."""
    found: set[Hashable] = {os.path.normcase(os.path.realpath(path))}
    # Hard links, and letter case where the disk does not care.
    with suppress(OSError):
        status = os.stat(path)
        found.add((status.st_dev, status.st_ino))
    return found


def _check_writable(path: AnyPath) -> None:
    from ..io.atomic import atomic_path

    # What permissions say and what a disk allows can differ: only trying tells.
    with suppress(_Enough), atomic_path(path) as scratch:
        scratch.touch()
        raise _Enough
