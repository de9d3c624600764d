"""Surface metrics against surface-distance and MONAI: times taken in turns, median of ratios.

Run ``python benchmarks/surface.py [SIZE] [REPEATS] [DATA]``. DATA, by default the environment's
SEGSUITE_TEST_DATA, is the folder with the MNI152 brain; without one the masks are smooth random
shapes. Peers that are not installed are left out. All six metrics are measured here; a peer
computes those of them that it has.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_segsuite.metrics.surfaces.surface_metrics import measure_surfaces

Labels = NDArray[np.uint8]
Steps = tuple[float, float, float]
ISOTROPIC, THICK = (1.0, 1.0, 1.0), (3.0, 0.7, 0.7)
TOLERANCE = 2.0
N_PARCELS = 34


def white_matter(size: int, data: str) -> Labels:
    """1 in the white matter of the MNI152 brain, or in a smooth random shape."""
    path = Path(data, "brain_mni152", "wm_prob255_1mm.nii.gz")
    if not (data and path.is_file()):
        noise = np.random.default_rng(0).standard_normal((size,) * 3)
        smooth = ndimage.gaussian_filter(noise, size / 50)
        return (smooth > 0.5 * smooth.std()).astype(np.uint8)
    import nibabel

    native = np.asarray(nibabel.load(path).dataobj) > 127
    factors = [size / n for n in native.shape]
    return ndimage.zoom(native.astype(np.uint8), factors, order=0)


def parcels(mask: Labels) -> Labels:
    """The neighbourhood of a mask in 34 parts, by the nearest of as many points."""
    within = ndimage.binary_closing(mask, iterations=4) | (mask > 0)
    places = np.argwhere(within)
    seeds = np.random.default_rng(0).choice(places, N_PARCELS, replace=False)
    labels = np.zeros(mask.shape, np.uint8)
    labels[within] = cKDTree(seeds).query(places, workers=-1)[1] + 1
    return labels


def deformed(labels: Labels, seed: int) -> Labels:
    """Moved by a smooth random field of up to 5 voxels."""
    rng, places = np.random.default_rng(seed), []
    for axis, n in enumerate(labels.shape):
        coarse = rng.standard_normal((16, 16, 16)).astype(np.float32)
        shift = ndimage.zoom(coarse, [n / 16 for n in labels.shape], order=3)
        along = np.arange(n, dtype=np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
        places.append(shift * (5 / np.abs(shift).max()) + along)
    return ndimage.map_coordinates(labels, places, order=0, mode="nearest")


def far_balls(size: int) -> tuple[Labels, Labels]:
    """Two balls at opposite corners."""
    grid = np.ogrid[:size, :size, :size]
    near, far, radius = 0.24 * size, 0.74 * size, 0.16 * size
    balls = [sum((x - centre) ** 2 for x in grid) <= radius**2 for centre in (near, far)]
    return balls[0].astype(np.uint8), balls[1].astype(np.uint8)


def ours(
    prediction: Labels, reference: Labels, spacing: Steps, surface: Any = "marching"
) -> NDArray[np.float64]:
    """All metrics; of these Hausdorff distance, HD95, MASD (ASSD for "voxel") and NSD, (4, C)."""
    classes = tuple(range(1, int(reference.max()) + 1))
    found = measure_surfaces(
        prediction, reference, classes, spacing, surface=surface, tolerance=TOLERANCE
    )
    mean = found.masd if surface == "marching" else found.assd
    return np.array([found.hausdorff, found.hd95, mean, found.nsd])


def by_surface_distance(
    prediction: Labels, reference: Labels, spacing: Steps
) -> NDArray[np.float64]:
    """One label after the other, as its functions take masks."""
    import surface_distance as peer

    rows = []
    for label in range(1, int(reference.max()) + 1):
        masks = reference == label, prediction == label
        found = peer.compute_surface_distances(*masks, spacing)
        rows.append(
            (
                peer.compute_robust_hausdorff(found, 100),
                peer.compute_robust_hausdorff(found, 95),
                np.mean(peer.compute_average_surface_distance(found)),
                peer.compute_surface_dice_at_tolerance(found, TOLERANCE * (1 + 1e-6)),
            )
        )
    return np.array(rows).T


def by_monai(prediction: Labels, reference: Labels, spacing: Steps) -> NDArray[np.float64]:
    """Of one label, on border voxels."""
    import torch
    from monai import metrics as peer

    masks = [torch.from_numpy(labels)[None, None].float() for labels in (prediction, reference)]
    options: dict[str, Any] = {"include_background": True, "spacing": list(spacing)}
    values = (
        peer.compute_hausdorff_distance(*masks, **options),
        peer.compute_hausdorff_distance(*masks, percentile=95, **options),
        peer.compute_average_surface_distance(*masks, symmetric=True, **options),
        peer.compute_surface_dice(*masks, [TOLERANCE], **options),
    )
    return np.array([[float(value)] for value in values])


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def peak_megabytes(work: Callable[..., object], *arguments: object) -> float:
    """Resident memory beyond that before the call, sampled every few milliseconds."""
    from threading import Event, Thread

    process, stop = psutil.Process(), Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.002):
            peak = max(peak, process.memory_info().rss)

    watcher = Thread(target=watch)
    watcher.start()
    work(*arguments)
    stop.set()
    watcher.join()
    return (peak - before) / 1e6


def compare(name: str, mine: Callable[..., Any], peer: Callable[..., Any], repeats: int,
            data: tuple[Any, ...]) -> None:  # fmt: skip
    """Print a line of the table, after making sure that both find the same."""
    np.testing.assert_allclose(mine(*data), peer(*data), rtol=1e-5, atol=1e-6)
    memory = peak_megabytes(mine, *data)
    pairs = [(seconds(mine, *data), seconds(peer, *data)) for _ in range(repeats)]
    fast, slow = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:<46} {fast:>8.0f} {slow:>9.0f} {ratio:>7.1f} {memory:>8.0f}", flush=True)


def main(size: int = 256, repeats: int = 3, data: str = "") -> None:
    """Print one line per case and peer."""
    warnings.simplefilter("ignore")
    white = white_matter(size, data or os.environ.get("SEGSUITE_TEST_DATA", ""))
    one = deformed(white, 1), white
    regions = parcels(white)
    many = deformed(regions, 2), regions
    has = {name: importlib.util.find_spec(name) for name in ("surface_distance", "monai")}
    print(f"{'case, peer':<46} {'ours ms':>8} {'peer ms':>9} {'ratio':>7} {'extra MB':>8}")
    if has["surface_distance"]:
        for name, labels, spacing in (
            ("1 label (1, 1, 1), surface-distance", one, ISOTROPIC),
            ("1 label (3, .7, .7), surface-distance", one, THICK),
            ("34 labels (1, 1, 1), surface-distance", many, ISOTROPIC),
            ("balls far apart (1, 1, 1), surface-distance", far_balls(size), ISOTROPIC),
        ):
            compare(name, ours, by_surface_distance, repeats, (*labels, spacing))
    if has["monai"]:
        for text, spacing in (("(1, 1, 1)", ISOTROPIC), ("(3, .7, .7)", THICK)):
            compare(
                f"1 label {text}, voxel, MONAI",
                lambda *arguments: ours(*arguments, surface="voxel"),
                by_monai,
                repeats,
                (*one, spacing),
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
