"""Settings that are kept for each image."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from napari_segsuite.errors import FormatError
from napari_segsuite.growing.remembered import recall, remember

SETTINGS = {"engine": {"method": "growcut", "settings": {"classes": [1, 2], "mask": None}}}


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "settings"
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_: str(folder))
    return folder


def test_come_back_for_the_same_name_and_shape_alone() -> None:
    remember("brain: T1/a", (3, 4), SETTINGS)
    assert recall("brain: T1/a", (3, 4)) == SETTINGS
    assert recall("brain: T1/a", (4, 3)) == {}
    assert recall("brain_ T1_a", (3, 4)) == {}
    remember("brain: T1/a", (3, 4), {})
    assert recall("brain: T1/a", (3, 4)) == {}


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff\xfe", b"null"])
def test_damaged_ones_count_as_none(config: Path, content: bytes) -> None:
    remember("a", (3,), SETTINGS)
    (path,) = config.rglob("*.json")
    path.write_bytes(content)
    assert recall("a", (3,)) == {}


def test_a_folder_that_cannot_be_made_is_said(config: Path) -> None:
    config.write_text("in the way")
    with pytest.raises(FormatError, match="save the session"):
        remember("a", (3,), SETTINGS)
    assert recall("a", (3,)) == {}
