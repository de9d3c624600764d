"""Output files, looked at before anything is computed for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations

from ..errors import FormatError

AnyPath = str | os.PathLike[str]


class _Enough(Exception):  # noqa: N818 - not an error: the file could be written
    pass


def check_outputs(outputs: Sequence[AnyPath], inputs: Sequence[AnyPath]) -> None:
    """Refuse outputs that would replace an input or each other, or cannot be written.

    Raises
    ------
    FormatError
        For the first of them.
    """
    for output in outputs:
        for source in inputs:
            if _is_same(output, source):
                raise FormatError(f"cannot write {output}: it is an input; choose another name")
    for first, second in combinations(outputs, 2):
        if _is_same(first, second):
            raise FormatError(
                f"cannot write two outputs to {second}; choose a name of its own for each"
            )
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


def _is_same(first: AnyPath, second: AnyPath) -> bool:
    if _resolved(first) == _resolved(second):
        return True
    # Hard links, and letter case where the disk does not care.
    with suppress(OSError):
        return os.path.samefile(first, second)
    return False


def _resolved(path: AnyPath) -> str:
    return os.path.normcase(os.path.realpath(path))


def _check_writable(path: AnyPath) -> None:
    from ..io.atomic import atomic_path

    # What permissions say and what a disk allows can differ: only trying tells.
    with suppress(_Enough), atomic_path(path) as scratch:
        scratch.touch()
        raise _Enough
