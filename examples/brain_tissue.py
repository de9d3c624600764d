"""Segment the bundled brain from its seeds, measure the result and save it.

Run with ``python examples/brain_tissue.py [folder]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import napari_segsuite as nss
from napari_segsuite import samples

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()

brain = samples.load("brain")
result = nss.run("growcut", brain["image"], seeds=brain["seeds"], extras=("strength",))

report = nss.evaluate(result, brain["reference"])
for tissue in result.classes:
    print(f"{tissue.name:14s} Dice {report.per_class['dice'][tissue.id]:.3f}")

nss.write(folder / "tissue.nii.gz", result)

# The provenance makes the same labels again, from the same inputs.
again = nss.replay(result.provenance, brain["image"], seeds=brain["seeds"])
print("replay identical:", bool((again.labels == result.labels).all()))
