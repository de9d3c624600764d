"""Files in and out, with their geometry.

`read` and `write` choose the format by extension. Arrays are in (Z)YX order; geometry is
in the `Space` of what is read, and written from it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from ..errors import FormatError, InputError
from ..image import Image, Segmentation
from ..label_values import compact_labels
from ..typing import LabelArray
from .atomic import atomic_path
from .formats import Contents, Format, format_of, formats
from .labels_sidecar import read_sidecar, remove_sidecar, write_sidecar
from .nifti_geometry import GeometryWarning

__all__ = ["Format", "GeometryWarning", "atomic_path", "format_of", "formats", "read", "write"]

Kind = Literal["image", "labels"]


def read(path: str | os.PathLike[str], kind: Kind | None = None) -> Image | Segmentation:
    """Read an image or a segmentation from a file.

    Parameters
    ----------
    path : path
        The extension says the format.
    kind : {"image", "labels"}, optional
        What the values are. By default labels where the file says so (in NIfTI by its
        intent code, or by a side file ``NAME.labels.json``), and an image otherwise.

    Returns
    -------
    Image or Segmentation
        Values in (Z)YX order as the file holds them, without reorientation, with their
        geometry. Images keep their type unless the file declares a scaling; labels come as
        uint8, uint16 or uint32.

    Raises
    ------
    FormatError
        If the file is missing, damaged, of an unknown format, or does not hold labels
        where ``kind="labels"``.
    InputError
        If `kind` is another word.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from napari_segsuite import Image
    >>> path = Path(tempfile.mkdtemp()) / "brain.nii.gz"
    >>> write(path, Image.from_array(np.ones((2, 3, 4), np.int16), spacing=(3, 1, 1), unit="mm"))
    >>> image = read(path)
    >>> image.data.shape, image.space.spacing
    ((2, 3, 4), (3.0, 1.0, 1.0))
    """
    if kind not in (None, "image", "labels"):
        raise InputError(
            f"expected kind 'image' or 'labels', got {kind!r}; leave it out to let the file decide"
        )
    source = Path(path)
    _require_file(source)
    reader = format_of(source).read
    if reader is None:
        raise FormatError(
            f"{source.name}: expected a file that can be read, got a format that is only written; "
            "use another format"
        )
    try:
        contents = reader(source)
    except OSError as error:
        raise FormatError(f"cannot read {source}: {error.strerror or error}") from error
    beside = None if kind == "image" else read_sidecar(source)
    if kind == "image" or (kind is None and not contents.is_labels and beside is None):
        return contents.image
    try:
        labels = _labels_of(contents, source.name)
    except FormatError:
        if kind is None and not contents.is_labels:
            # The side file is left from labels that another program wrote this image over.
            return contents.image
        raise
    classes, provenance = beside or (contents.classes, None)
    image = contents.image
    return Segmentation(
        labels,
        image.space,
        classes,
        provenance,
        name=image.name,
        metadata=image.metadata,
    )


def write(path: str | os.PathLike[str], value: Image | Segmentation) -> None:
    """Write an image or a segmentation; the file appears whole or not at all.

    Class names and colours that the format cannot hold go to ``NAME.labels.json`` beside
    it, with the provenance.

    Parameters
    ----------
    path : path
        The extension says the format. An existing file is replaced.
    value : Image or Segmentation

    Raises
    ------
    FormatError
        If the format cannot hold the value, or the folder cannot be written to.
    """
    target = Path(path)
    entry = format_of(target)
    if isinstance(value, Segmentation):
        if entry.write_labels is None:
            raise _cannot_hold(entry, "labels")
        try:
            entry.write_labels(target, value)
        except InputError as error:
            raise FormatError(f"cannot write {target.name}: {error}") from error
        if not entry.keeps_classes:
            write_sidecar(target, value)
    elif isinstance(value, Image):
        if entry.write_image is None:
            raise _cannot_hold(entry, "images")
        entry.write_image(target, value)
        # Left from labels of the same name, it would turn this image into labels.
        remove_sidecar(target)
    else:
        raise InputError(
            f"expected an Image or a Segmentation, got {type(value).__name__}; "
            "wrap arrays with Image.from_array(array, spacing=…)"
        )


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise FormatError(f"{path}: expected a file, got a folder; give the name of a file in it")
    if not path.exists():
        raise FormatError(f"{path}: there is no such file; check the path")


def _labels_of(contents: Contents, name: str) -> LabelArray:
    if contents.image.space.channel_axis is not None:
        raise FormatError(f"{name}: expected labels, got an image with channels")
    try:
        return compact_labels(contents.image.data)
    except InputError as error:
        raise FormatError(f"{name}: {error}") from error


def _cannot_hold(entry: Format, what: str) -> FormatError:
    able = [
        extension
        for other in formats()
        if (other.write_labels if what == "labels" else other.write_image) is not None
        for extension in other.extensions
    ]
    return FormatError(f"{entry.name} files cannot hold {what}; use one of {', '.join(able)}")
