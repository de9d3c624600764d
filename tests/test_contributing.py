"""The recipe of CONTRIBUTING.md: one file and its test are enough for a method."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CONTRIBUTING = Path(__file__).resolve().parents[1] / "CONTRIBUTING.md"

# Stands for dropping the file into the family's folder.
FACES = """
import json, sys
import numpy as np
import napari_segsuite as nss
from napari_segsuite.families import threshold

threshold.__path__.append(sys.argv[1])

from napari_segsuite import cli, docs_gen

method = nss.get_method("band")
assert [(p.name, p.minimum, p.maximum, p.unit) for p in method.params] == [
    ("low", -32768, 65535, "intensity"),
    ("high", -32768, 65535, "intensity"),
]
assert all(p.help for p in method.params)

nss.write("image.nii.gz", nss.Image(np.arange(24).reshape(2, 3, 4), nss.Space.regular(3)))
settings = ["--low", "3", "--high", "7"]
assert cli.main(["run", "band", "image.nii.gz", *settings, "-o", "out.nii.gz"]) == 0
written = nss.read("out.nii.gz", kind="labels")
again = nss.replay(written.provenance, "image.nii.gz")
assert written.labels.sum() == again.labels.sum() == 5

points = docs_gen.build_manifest()["contributions"]
assert "napari-segsuite.band" in [widget["command"] for widget in points["widgets"]]
assert {"command": "napari-segsuite.band"} in points["menus"]["napari-segsuite/threshold"]
assert "| `band` |" in docs_gen.methods_table()

tests = {}
exec(open("test_band.py").read(), tests)
for name, test in tests.items():
    if name.startswith("test_"):
        test()
"""


def test_following_the_recipe_gives_every_face(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", CONTRIBUTING.read_text(), flags=re.M | re.S)
    method, test = blocks
    family = tmp_path / "threshold"
    family.mkdir()
    (family / "band.py").write_text(method, encoding="utf-8")
    (tmp_path / "test_band.py").write_text(test, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", FACES, str(family)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
