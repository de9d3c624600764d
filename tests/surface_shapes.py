"""Shapes whose surfaces are measured, and the five distances of two of them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_segsuite.metrics.surfaces.surface_metrics import (
    assd,
    hausdorff,
    hd95,
    masd,
    measure_surfaces,
    nsd,
)

NAMES = ("hausdorff", "hd95", "assd", "masd", "nsd", "boundary_iou")
ISOTROPIC, THICK = (1, 1, 1), (3, 0.7, 0.7)


def box(shape, low, high):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def ball(shape, radius, spacing):
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    centred = ((x - n // 2) * s for x, n, s in zip(grid, shape, spacing, strict=True))
    return sum(x**2 for x in centred) <= radius**2


def blobs(shape, seed):
    return ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2) > 0.03


def values(d, tolerance=1.0):
    return hausdorff(d), hd95(d), assd(d), masd(d), nsd(d, tolerance)


CUBE = box((64,) * 3, (20,) * 3, (40,) * 3)
ALONG_X = box((64,) * 3, (20, 20, 24), (40, 40, 44))
ALONG_Z = box((64,) * 3, (22, 20, 20), (42, 40, 40))
AROUND = box((64,) * 3, (17,) * 3, (43,) * 3)


def all_values(prediction, reference, spacing, surface):
    found = measure_surfaces(prediction, reference, (1,), spacing, surface=surface, tolerance=0.9,
                             boundary_width=max(spacing))  # fmt: skip
    return [getattr(found, name)[0] for name in NAMES]
