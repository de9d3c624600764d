"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_segsuite import method as method_module
from napari_segsuite import registry


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
