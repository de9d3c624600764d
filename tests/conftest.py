"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import napari_segsuite as nss
from builders import two_halves, two_strokes
from napari_segsuite import method as method_module
from napari_segsuite import registry
from napari_segsuite.space import Space


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real sample data; tests that need it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SEGSUITE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real test data not found at {folder}; set SEGSUITE_TEST_DATA")
    return folder


@pytest.fixture
def scratch_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods declared during the test are gone after it."""
    registry.methods()
    monkeypatch.setattr(method_module, "_registry", dict(method_module._registry))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with image.nii.gz and seeds.nii.gz."""
    monkeypatch.chdir(tmp_path)
    space, shape = Space.regular(3, (3.0, 0.7, 0.5), "mm"), (9, 11, 12)
    nss.write(tmp_path / "image.nii.gz", nss.Image(two_halves(shape), space))
    nss.write(tmp_path / "seeds.nii.gz", nss.Segmentation(two_strokes(shape), space))
    return tmp_path
