"""What a wheel holds."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="needs hatchling to build a wheel"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hatchling import build

    folder = tmp_path_factory.mktemp("wheel")
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        return folder / build.build_wheel(str(folder))
    finally:
        os.chdir(here)
        sys.modules.pop("hatchling.build", None)


def test_wheel_is_pure_and_small(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 3_000_000


def test_wheel_has_the_manifest_the_data_and_the_notices(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (n for n in names if n.endswith("entry_points.txt"))
        declared = archive.read(entry_points).decode()
        (metadata,) = (archive.read(n).decode() for n in names if n.endswith("METADATA"))
    for name in ("napari.yaml", "py.typed", "data/mni152/t1.nii.gz", "data/mni152/NOTICE.txt"):
        assert f"napari_segsuite/{name}" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests")]
    assert "napari-segsuite = napari_segsuite.cli:main" in declared
    assert "napari-segsuite = napari_segsuite:napari.yaml" in declared
    assert "Classifier: Framework :: napari" in metadata
    assert "License-Expression: BSD-3-Clause" in metadata
    assert sum(name.endswith(("LICENSE", "licenses/src/napari_segsuite/data/mni152/NOTICE.txt"))
               for name in names) == 2  # fmt: skip


def test_no_qt_binding_and_no_viewer_in_the_base_requirements(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("METADATA"))
        lines = archive.read(name).decode().lower().splitlines()
    required = [
        line for line in lines if line.startswith("requires-dist:") and "extra ==" not in line
    ]
    assert required
    assert not [
        line for line in required if "pyqt" in line or "pyside" in line or " napari" in line
    ]
