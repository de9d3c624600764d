"""Make the bundled brain from the MNI152 template: image, tissue labels, painted seeds.

Usage: python scripts/make_sample_data.py

Reads ``brain_mni152`` below the folder that SEGSUITE_TEST_DATA names (default
``../shared/data``) and writes ``src/napari_segsuite/data/mni152``. The same input gives
the same voxels.

Seeds stand for what a person would paint: small blobs well inside each class, on about
0.5 % of the voxels. As 0 means "not painted", the background is a class of its own and
every tissue number of the template is raised by one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import scipy.ndimage as ndi

import napari_segsuite as nss
from napari_segsuite.image import LabelClass

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(os.environ.get("SEGSUITE_TEST_DATA", ROOT / "../shared/data")) / "brain_mni152"
TARGET = ROOT / "src/napari_segsuite/data/mni152"

# Okabe and Ito's colours, which people with any colour vision tell apart.
CLASSES = (
    LabelClass(1, "background", (0.45, 0.45, 0.45, 1.0)),
    LabelClass(2, "CSF and rest", (0.34, 0.71, 0.91, 1.0)),
    LabelClass(3, "grey matter", (0.90, 0.62, 0.00, 1.0)),
    LabelClass(4, "white matter", (0.00, 0.62, 0.45, 1.0)),
)
PAINTED_FRACTION = 0.005
# Share of the painted voxels per class: folded classes need more strokes than their volume.
SHARES = {1: 0.10, 2: 0.30, 3: 0.38, 4: 0.22}
BLOB = ndi.generate_binary_structure(3, 1)
RNG_SEED = 152


def main() -> None:
    """Write the sample."""
    TARGET.mkdir(parents=True, exist_ok=True)
    image = nss.read(SOURCE / "t1_1mm.nii.gz")
    tissue = nss.read(SOURCE / "tissue_1mm.nii.gz", kind="labels")
    reference = (tissue.labels + 1).astype(np.uint8)
    seeds = paint(reference)
    nss.write(TARGET / "t1.nii.gz", nss.Image(image.data.astype(np.uint8), image.space, "t1"))
    for name, labels in (("tissue", reference), ("seeds", seeds)):
        segmentation = nss.Segmentation(labels, image.space, CLASSES)
        nss.write(TARGET / f"{name}.nii.gz", segmentation)
    print(f"painted {np.count_nonzero(seeds) / seeds.size:.2%} of the voxels")


def paint(reference: np.ndarray) -> np.ndarray:
    """Blobs of every class, none of which touches another class."""
    rng = np.random.default_rng(RNG_SEED)
    seeds = np.zeros_like(reference)
    n_painted = PAINTED_FRACTION * reference.size
    for label, share in SHARES.items():
        inside = ndi.binary_erosion(reference == label, BLOB)
        centres = np.flatnonzero(inside)
        n_blobs = int(share * n_painted / BLOB.sum())
        chosen = rng.choice(centres, size=min(n_blobs, len(centres)), replace=False)
        blobs = np.zeros(reference.shape, dtype=bool)
        blobs.flat[chosen] = True
        seeds[ndi.binary_dilation(blobs, BLOB)] = label
    return seeds


if __name__ == "__main__":
    main()
