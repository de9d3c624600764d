"""PNG and JPEG: pictures without geometry, and labels as grey or palette PNG."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FormatError
from ...image import Image, Segmentation
from ...space import Space
from ..atomic import atomic_path
from ..nifti_geometry import GeometryWarning
from . import Contents, Format, stem_of

# Modes of PIL that do not hold the values that they show, or more than those.
_CONVERTED = {"1": "L", "LA": "L", "La": "L", "CMYK": "RGB", "YCbCr": "RGB", "I;16B": "I;16"}


def read(path: Path) -> Contents:
    """Read a picture, turned as the camera says.

    Grey pictures are (M, N), without their transparency; coloured ones (M, N, 3) or
    (M, N, 4) with a channel axis. A palette that starts with black is a table of labels, whose
    indices are read; any other one belongs to a picture.

    Raises
    ------
    FormatError
        If the file is no picture, damaged, or in colours of 16 bits, of which 8 would be lost.
    """
    import PIL.Image
    import PIL.ImageOps

    try:
        with PIL.Image.open(path) as file:
            _check_depth(path, file)
            picture = PIL.ImageOps.exif_transpose(file)
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise FormatError(
            f"{path.name}: expected a PNG or JPEG picture, got one that cannot be read "
            f"({error}); get an undamaged copy"
        ) from error
    is_labels = picture.mode == "P" and _starts_with_black(picture)
    data = np.asarray(picture if is_labels else _plain(picture))
    channel_axis = -1 if data.ndim == 3 else None
    space = Space.regular(data.ndim, channel_axis=channel_axis)
    return Contents(Image(data, space, stem_of(path)), is_labels)


def _check_depth(path: Path, file: Any) -> None:
    """Refuse what PIL reads with half of its bits: several channels of 16 bits."""
    if file.mode != "I;16" and any(";16" in str(tile[3]) for tile in file.tile):
        raise FormatError(
            f"{path.name}: expected colours of 8 bits in a PNG picture, got 16 bits; convert it "
            "to 8 bits, or split it into grey pictures of 16 bits"
        )


def write_image(path: Path, image: Image) -> None:
    """Write a 2D image of bytes, in grey or colour, or of 16 bits in grey.

    Raises
    ------
    FormatError
        If the format cannot hold it.
    """
    axis = image.space.channel_axis
    data = image.data if axis is None else np.moveaxis(image.data, axis, -1)
    n_channels = 1 if axis is None else data.shape[-1]
    fits = data.dtype == np.uint8 or (data.dtype == np.uint16 and n_channels == 1)
    if data.ndim - (axis is not None) != 2 or n_channels not in (1, 3, 4) or not fits:
        raise FormatError(
            f"{path.name}: expected a 2D image of uint8 in grey, RGB or RGBA, or of uint16 in "
            f"grey, got {data.dtype} of shape {data.shape}; use another format"
        )
    _write(path, data[..., 0] if axis is not None and n_channels == 1 else data, image.space)


def write_labels(path: Path, labels: Segmentation) -> None:
    """Write 2D labels as grey values.

    Raises
    ------
    FormatError
        If the format cannot hold them.
    """
    values = labels.labels
    largest = int(values.max()) if values.size else 0
    if values.ndim != 2 or largest > np.iinfo(np.uint16).max or _is_jpeg(path):
        raise FormatError(
            f"{path.name}: expected 2D labels up to {np.iinfo(np.uint16).max} for a .png file, "
            f"got labels up to {largest} of shape {values.shape}; use another format"
        )
    dtype = np.uint8 if largest <= np.iinfo(np.uint8).max else np.uint16
    _write(path, values.astype(dtype, copy=False), labels.space)


def _write(path: Path, data: NDArray[Any], space: Space) -> None:
    import PIL.Image

    if _is_jpeg(path):
        raise FormatError(f"{path.name}: JPEG changes values; write a .png file instead")
    if space.is_physical:
        warnings.warn(
            f"{path.name}: a picture holds no geometry; voxel size and place are not written",
            GeometryWarning,
            stacklevel=2,
        )
    with atomic_path(path) as scratch:
        PIL.Image.fromarray(np.ascontiguousarray(data)).save(scratch, format="PNG")


def _is_jpeg(path: Path) -> bool:
    return path.suffix.lower() != ".png"


def _plain(picture: Any) -> Any:
    """The picture in a mode whose values are those shown."""
    if picture.mode == "P":
        return picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    mode = _CONVERTED.get(picture.mode)
    return picture if mode is None else picture.convert(mode)


def _starts_with_black(picture: Any) -> bool:
    """Whether a palette gives 0 the colour of a background, as tables of labels do."""
    return not any(picture.getpalette("RGB")[:3])


FORMAT = Format(
    "PNG, JPEG", (".png", ".jpg", ".jpeg"), read, write_image, write_labels, in_viewer=False
)
