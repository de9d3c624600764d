"""Correct a segmentation stroke by stroke; only what a stroke changes is computed.

Run with ``python examples/live_editing.py``.
"""

from __future__ import annotations

import numpy as np

import napari_segsuite as nss

rng = np.random.default_rng(0)
image = np.zeros((40, 60, 60), dtype=np.float32)
image[10:30, 15:45, 15:45] = 1.0
image += rng.normal(0, 0.05, image.shape).astype(np.float32)

seeds = np.zeros(image.shape, dtype=np.uint8)
seeds[20, 28:32, 28:32] = 1  # the bright box
seeds[2, :, :] = 2  # its surroundings

session = nss.GrowSession(image, seeds)
print("box:", int((session.labels == 1).sum()), "voxels")

stroke = np.nonzero(np.pad(np.ones((1, 6, 6), bool), ((20, 19), (20, 34), (20, 34))))
changed = session.paint(stroke, 3)
print("a third class changed", changed)

session.paint(stroke, 0)  # erase it again: exactly as if it had never been painted
print("after erasing:", np.unique(session.labels))

session.undo()
print("after undo:", np.unique(session.labels))
