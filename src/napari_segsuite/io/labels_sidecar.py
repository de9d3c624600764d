"""Class names, colours and provenance beside label files that cannot hold them.

For ``NAME.nii.gz`` the side file is ``NAME.labels.json``. It is written only when the
segmentation has classes or a provenance, and says which file it belongs to: should
``NAME.nii`` have taken that name already, it becomes ``NAME.nii.gz.labels.json``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, InputError
from ..image import LabelClass, Segmentation
from .atomic import atomic_path
from .formats import stem_of

if TYPE_CHECKING:
    from ..provenance import Provenance

_KIND = "napari-segsuite labels"


def write_sidecar(path: Path, segmentation: Segmentation) -> None:
    """Write the side file of `path`; with nothing to say, remove one left from before."""
    provenance = segmentation.provenance
    if not segmentation.classes and provenance is None:
        remove_sidecar(path)
        return
    content = {
        "kind": _KIND,
        "file": path.name,
        "classes": [asdict(entry) for entry in segmentation.classes],
        "provenance": None if provenance is None else provenance.to_dict(),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, default=float)
    first, second = _candidates(path)
    side = first if not first.exists() or _belongs(first, path) else second
    with atomic_path(side) as scratch:
        scratch.write_text(text, encoding="utf-8")


def remove_sidecar(path: Path) -> None:
    """Remove the side file of `path`; one of another file or program stays."""
    side = find_sidecar(path)
    if side is None:
        return
    try:
        side.unlink()
    except OSError as error:
        raise FormatError(
            f"cannot remove {side}, the class table of an earlier {path.name}: "
            f"{error.strerror}; remove it yourself, or choose another name"
        ) from error


def find_sidecar(path: Path) -> Path | None:
    """The side file that belongs to `path`, or None."""
    return next((side for side in _candidates(path) if _belongs(side, path)), None)


def read_sidecar(path: Path) -> tuple[tuple[LabelClass, ...], Provenance | None] | None:
    """Classes and provenance stored beside `path`; None if there is no side file of it.

    Raises
    ------
    FormatError
        If there is one, but it is damaged.
    """
    side = find_sidecar(path)
    if side is None:
        return None
    from ..provenance import Provenance

    try:
        content = _load(side)
        classes = tuple(_label_class(entry) for entry in content["classes"])
        record = content.get("provenance")
        provenance = None if record is None else Provenance.from_dict(record)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise FormatError(
            f"{side.name}: the class table of {path.name} is damaged; mend or remove it"
        ) from error
    return classes, provenance


def _candidates(path: Path) -> tuple[Path, Path]:
    names = (stem_of(path), path.name)
    first, second = (path.with_name(f"{name}.labels.json") for name in names)
    return first, second


def _belongs(side: Path, path: Path) -> bool:
    if not side.is_file():
        return False
    content = _load(side)
    if content.get("kind") != _KIND:
        return False
    owner = Path(str(content.get("file"))).name
    # Files renamed together keep their classes: the old name is then gone.
    return owner == path.name or not (side.parent / owner).is_file()


def _load(side: Path) -> dict[str, Any]:
    """Content of a side file; empty where it is not a JSON object."""
    try:
        content = json.loads(side.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(
            f"cannot read {side}, which may hold classes: {error.strerror}; "
            "give yourself access to it, or remove it"
        ) from error
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _label_class(entry: dict[str, Any]) -> LabelClass:
    visible, locked = bool(entry.get("visible", True)), bool(entry.get("locked", False))
    return LabelClass(int(entry["id"]), str(entry["name"]), entry.get("colour"), visible, locked)
