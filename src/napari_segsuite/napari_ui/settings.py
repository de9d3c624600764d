"""What the user set on the plugin's Preferences page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PLUGIN = "napari-segsuite"
GROUP = "general"


@dataclass(frozen=True)
class Preferences:
    """Defaults of every form.

    Attributes
    ----------
    device : str
        "auto", "cpu", "cuda" or "mps".
    memory_limit : int or None
        Bytes a job may use; None for what the machine has free.
    undo_steps : int
        Steps of results that can be taken back, at most.
    undo_bytes : int
        Memory for them, per result.
    """

    device: str = "auto"
    memory_limit: int | None = None
    undo_steps: int = 50
    undo_bytes: int = 256 << 20


def preferences() -> Preferences:
    """Read the Preferences page; its defaults where napari is older than 0.9."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return Preferences()
    try:
        group: Any = getattr(get_plugin_settings(PLUGIN), GROUP)
    except (KeyError, AttributeError):
        return Preferences()
    gib = float(getattr(group, "memory_limit_gib", 0))
    return Preferences(
        device=str(getattr(group, "device", Preferences.device)),
        memory_limit=int(gib * 2**30) if gib > 0 else None,
        undo_steps=int(getattr(group, "undo_steps", Preferences.undo_steps)),
        undo_bytes=int(getattr(group, "undo_memory_mib", Preferences.undo_bytes >> 20)) << 20,
    )
