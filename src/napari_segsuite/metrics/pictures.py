"""Picture files of figures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FormatError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ENDINGS = (".png", ".svg", ".pdf")
_DOTS_PER_INCH = 110
# No dates and random names in files: the same numbers give the same picture.
_SALT = {"svg.hashsalt": "napari-segsuite"}
_METADATA = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_picture(path: str | os.PathLike[str]) -> None:
    """Refuse the name of a picture of another format.

    Raises
    ------
    FormatError
        If `path` does not end in .png, .svg or .pdf.

    Examples
    --------
    >>> check_picture("scores.PNG")
    """
    name = Path(path)
    if name.suffix.lower() not in _ENDINGS:
        raise FormatError(
            f"cannot write {name.name}: expected a picture ending in {', '.join(_ENDINGS)}, got "
            f"{name.suffix!r}; choose one of these"
        )


def write_picture(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure into a file; it appears whole or not at all.

    Raises
    ------
    FormatError
        If the file cannot be written, or is to be of another format.
    """
    from matplotlib import rc_context

    from ..io.atomic import atomic_path

    check_picture(path)
    metadata = _METADATA.get(Path(path).suffix.lower())
    with atomic_path(path) as scratch, rc_context(_SALT):
        figure.savefig(scratch, dpi=_DOTS_PER_INCH, metadata=metadata)
