"""Settings that are remembered for each image, by its name and shape."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import FormatError
from ..io.atomic import atomic_path

_DIGITS = 12


def remember(name: str, shape: Sequence[int], settings: Mapping[str, Any]) -> None:
    """Keep settings for an image in the user's settings folder.

    Parameters
    ----------
    name : str
    shape : sequence of int
    settings : mapping
        Plain values: numbers, text, None, lists and mappings of them.

    Raises
    ------
    FormatError
        If they cannot be written.
    """
    path = _path(name, shape)
    text = json.dumps(settings, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as scratch:
            scratch.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FormatError(
            f"cannot keep the settings for '{name}' in {path.parent}: "
            f"{(error.strerror or '').lower()}; save the session to keep them"
        ) from error


def recall(name: str, shape: Sequence[int]) -> dict[str, Any]:
    """The settings that were kept for an image; {} where there are none, or none to be read."""
    try:
        found = json.loads(_path(name, shape).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _path(name: str, shape: Sequence[int]) -> Path:
    import platformdirs

    facts = json.dumps([name, [int(n) for n in shape]])
    digest = hashlib.sha256(facts.encode()).hexdigest()[:_DIGITS]
    readable = re.sub(r"[^\w.-]+", "_", name)[:40]
    folder = Path(platformdirs.user_config_dir("napari-segsuite"), "images")
    return folder / f"{readable}-{digest}.json"
