"""What is loaded when: sets of modules, never seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "torchvision",
    "numba",
    "llvmlite",
    "nibabel",
    "isal",
    "matplotlib",
    "skimage",
    "tqdm",
}
VIEWER = {"napari", "qtpy", "superqt", "magicgui", "vispy", "PyQt5", "PyQt6", "PySide6"}
CLASSICAL_CLI = "from napari_segsuite.cli import main; main({!r})"


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running `code`."""
    script = (
        f"{code}\nimport sys; print('\\n' + ' '.join({{m.partition('.')[0] for m in sys.modules}}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(run.stdout.splitlines()[-1].split())


def test_the_package_itself_loads_next_to_nothing() -> None:
    assert not loaded_by("import napari_segsuite") & (HEAVY | VIEWER | {"numpy", "scipy"})


@pytest.mark.parametrize(
    "code",
    [
        "import napari_segsuite as nss; nss.methods()",
        "import napari_segsuite as nss; [m.params for m in nss.methods()]; nss.growcut",
        "from napari_segsuite import docs_gen; docs_gen.build_manifest()",
        CLASSICAL_CLI.format(["methods", "--json"]),
        CLASSICAL_CLI.format(["info", "growcut"]),
        CLASSICAL_CLI.format(["samples"]),
    ],
)
def test_declarations_load_no_heavy_library(code: str) -> None:
    assert not loaded_by(code) & (HEAVY | VIEWER)


def test_a_classical_run_loads_neither_torch_nor_the_viewer() -> None:
    code = (
        "import numpy as np, napari_segsuite as nss\n"
        "nss.run('global_threshold', np.arange(12).reshape(3, 4), algorithm='otsu')"
    )
    assert not loaded_by(code) & (VIEWER | {"torch", "torchvision"})


def test_finding_a_reader_loads_no_heavy_library() -> None:
    code = "from napari_segsuite.napari_ui.reader import get_reader; get_reader('nothing.nii.gz')"
    assert not loaded_by(code) & (HEAVY | VIEWER)


def test_torch_stays_away_from_a_form() -> None:
    code = (
        "import os; os.environ.setdefault('QT_QPA_PLATFORM', 'offscreen')\n"
        "from napari_segsuite.napari_ui import widgets; widgets.growcut, widgets.hub"
    )
    assert not loaded_by(code) & {"torch", "torchvision", "triton"}
