"""Where saved work lies: beside its image, or in the user's data folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import FormatError
from .work_file import ImageIdentity, read_identity

ENDING = ".segsuite.zip"
_DIGITS = 16


def work_path_for(image_path: str | os.PathLike[str]) -> Path:
    """Where work on an image file is saved: next to it, under its whole name.

    Examples
    --------
    >>> work_path_for("scans/brain.nii.gz").name
    'brain.nii.gz.segsuite.zip'
    """
    path = Path(image_path)
    return path.with_name(path.name + ENDING)


def autosave_path(name: str, digest: str) -> Path:
    """Where work is saved unasked: in the user's data folder, which is made if it is missing.

    Parameters
    ----------
    name : str
        Of the image; for people who look into the folder.
    digest : str
        SHA-256 of the image's values, which tells images of one name apart.

    Raises
    ------
    FormatError
        If the folder cannot be made.
    """
    folder = _autosaves()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(
            f"cannot make the folder {folder} for saved work: {(error.strerror or '').lower()}; "
            f"save next to the image instead"
        ) from error
    readable = re.sub(r"[^\w.-]+", "_", name)[:40]
    return folder / f"{readable}-{digest[:_DIGITS]}{ENDING}"


def matching_work(image: ImageIdentity) -> Path | None:
    """The newest saved work on the same image, to offer going on with it.

    Looked for next to the image, if its path is known, and among what was saved unasked,
    by the digest of its values. Files that cannot be read count as none.
    """
    matches = [path for path in _candidates(image) if _is_of(path, image)]
    return max(matches, key=lambda path: path.stat().st_mtime, default=None)


def _autosaves() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("napari-segsuite"), "autosave")


def _candidates(image: ImageIdentity) -> Iterator[Path]:
    if image.path is not None:
        yield work_path_for(image.path)
    yield from sorted(_autosaves().glob(f"*-{image.sha256[:_DIGITS]}{ENDING}"))


def _is_of(path: Path, image: ImageIdentity) -> bool:
    try:
        return read_identity(path).is_same_image(image)
    except FormatError:
        return False
