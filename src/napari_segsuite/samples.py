"""The data that comes with the package, for trying things out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypedDict, cast

from .errors import FormatError, ParameterError
from .image import Image, Segmentation

_DATA = Path(__file__).with_name("data")
_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "brain": "T1 average of 152 heads (MNI152, 1 mm) with painted seeds and tissue labels; "
        "NOTICE.txt has its licence",
    }
)


class Sample(TypedDict):
    """An image with what to try on it, all on one grid."""

    image: Image
    seeds: Segmentation
    reference: Segmentation


def names() -> tuple[str, ...]:
    """Names of the samples.

    Examples
    --------
    >>> names()
    ('brain',)
    """
    return tuple(_ABOUT)


def about(name: str) -> str:
    """What a sample is, in one line.

    Raises
    ------
    ParameterError
        If there is no such sample.
    """
    if name not in _ABOUT:
        raise ParameterError(
            f"expected a sample among {', '.join(_ABOUT)}, got {name!r}", name="sample"
        )
    return _ABOUT[name]


def load(name: str) -> Sample:
    """Read a sample.

    Returns
    -------
    Sample
        "image", "seeds" and "reference" on one grid. Seeds and reference share a class
        table with names and colours; the background is class 1, so that it can be painted.

    Raises
    ------
    ParameterError
        If there is no such sample.
    """
    from .io import read

    about(name)
    folder = _DATA / "mni152"
    return {
        "image": cast("Image", read(folder / "t1.nii.gz", kind="image")),
        "seeds": cast("Segmentation", read(folder / "seeds.nii.gz", kind="labels")),
        "reference": cast("Segmentation", read(folder / "tissue.nii.gz", kind="labels")),
    }


def write(name: str, folder: Path) -> tuple[Path, ...]:
    """Copy the files of a sample, licence notice included, and return their paths.

    Raises
    ------
    ParameterError
        If there is no such sample.
    FormatError
        If the folder cannot be written to.
    """
    from .io.atomic import atomic_path

    about(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(
            f"cannot write to {folder}: {error.strerror}; choose another folder"
        ) from error
    written = []
    for source in sorted((_DATA / "mni152").iterdir()):
        with atomic_path(folder / source.name) as scratch:
            shutil.copyfile(source, scratch)
        written.append(folder / source.name)
    return tuple(written)
