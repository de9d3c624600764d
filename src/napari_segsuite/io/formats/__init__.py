"""The file formats: one module each, found by being in this folder.

A module declares ``FORMAT = Format(...)``; nothing else has to know it. It must be light
to import: the libraries a format needs are imported inside its functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from ...errors import FormatError
from ...image import Image, LabelClass, Segmentation


@dataclass(frozen=True)
class Contents:
    """What a file holds, before anyone decides whether it is an image or labels.

    Attributes
    ----------
    image : Image
        Values as stored, with geometry and metadata.
    is_labels : bool
        Whether the file itself says that its values are labels.
    classes : tuple of LabelClass
        Class table stored in the file.
    """

    image: Image
    is_labels: bool = False
    classes: tuple[LabelClass, ...] = ()


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : str
        As users know it.
    extensions : tuple of str
        With the leading dot, lower case; the first one is the one to suggest.
    read : callable
        Path to `Contents`; None for a format that is only written.
    write_image, write_labels : callable
        Path and value to a file, which appears whole or not at all; None where the format
        cannot hold such values.
    keeps_classes : bool
        Whether files hold class names and colours themselves; where not, they go to a
        side file.
    in_viewer : bool
        Whether the plugin offers the format in the viewer, which has readers and writers of
        its own for common pictures.
    """

    name: str
    extensions: tuple[str, ...]
    read: Callable[[Path], Contents] | None = None
    write_image: Callable[[Path, Image], None] | None = None
    write_labels: Callable[[Path, Segmentation], None] | None = None
    keeps_classes: bool = False
    in_viewer: bool = True


@cache
def formats() -> tuple[Format, ...]:
    """Every known format, by name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (module.FORMAT for module in modules if hasattr(module, "FORMAT"))
    return tuple(sorted(found, key=lambda entry: entry.name))


def format_of(path: str | os.PathLike[str]) -> Format:
    """The format that a file name stands for: the longest extension wins, in any case.

    Raises
    ------
    FormatError
        If no format has the extension.

    Examples
    --------
    >>> format_of("brain.NII.GZ").name
    'NIfTI'
    """
    return _match(Path(path).name)[1]


def stem_of(path: str | os.PathLike[str]) -> str:
    """File name without folder and extension.

    Examples
    --------
    >>> stem_of("/data/sub.01.nii.gz")
    'sub.01'
    """
    name = Path(path).name
    return name[: len(name) - len(_match(name)[0])]


def _match(name: str) -> tuple[str, Format]:
    table = {extension: entry for entry in formats() for extension in entry.extensions}
    for extension in sorted(table, key=len, reverse=True):
        if name.lower().endswith(extension) and len(name) > len(extension):
            return extension, table[extension]
    known = ", ".join(sorted(table))
    raise FormatError(
        f"expected a file name ending in one of {known}, got {name!r}; "
        "choose such a name, or convert the file first"
    )
