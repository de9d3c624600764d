"""Superpixels against scikit-image: time taken in turns, and how well they keep to borders.

Run ``python benchmarks/superpixels.py --repeats 3``. SLIC is given the same number of
superpixels, ten iterations and the same compactness, 10 of an intensity range of 100; under
"matched" it is also given as many superpixels as scikit-image's came out at.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from brain_volumes import brain_volume
from numpy.typing import NDArray
from scipy import ndimage
from skimage import segmentation
from skimage.io import imread

import napari_segsuite as nss

Labels = NDArray[Any]
Image = NDArray[np.uint8]
N_IMAGES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", default=["64", "128", "192", "native"])
    parser.add_argument("--parts", nargs="+", default=["slic", "quality", "felzenszwalb"])
    options = parser.parse_args()
    colours = tiled(next(stained()), 2048)
    if "slic" in options.parts:
        print(f"{'SLIC':24}{'ours s':>9}{'skimage s':>11}{'ratio':>7}{'K':>7}{'K skimage':>11}")
        for size in options.sizes:
            volume = brain_volume(size).image
            compare(f"brain {size}", (slic, skimage_slic), volume, 1000, options.repeats)
        compare("stained 2048 x 2048", (slic, skimage_slic), colours, 1000, options.repeats)
    if "quality" in options.parts:
        print(f"\n{'quality':24}{'':14}{'recall':>8}{'UE':>8}{'K':>7}")
        for name, pairs, number in quality_sets():
            compare_quality(name, list(pairs), number)
    if "felzenszwalb" in options.parts:
        print(f"\n{'Felzenszwalb':24}{'ours s':>9}{'skimage s':>11}{'ratio':>7}")
        grey = tiled(next(axons())[0], 1024)
        for name, image in (("axons 1024 x 1024", grey), ("stained 2048 x 2048", colours)):
            compare(name, (felzenszwalb, skimage_felzenszwalb), image, 100, options.repeats)
        for connectivity in (1, 2, 3):
            start = time.perf_counter()
            nss.felzenszwalb(brain_volume("128").image, connectivity=connectivity)
            print(f"brain 128, connectivity {connectivity}{time.perf_counter() - start:8.2f}")


def compare(
    name: str,
    solvers: tuple[Callable[[Image, int], Labels], Callable[[Image, int], Labels]],
    image: Image,
    number: int,
    repeats: int,
) -> None:
    solvers[0](image, number)  # compiles
    times: tuple[list[float], list[float]] = [], []
    counts = [0, 0]
    for _ in range(repeats):
        for i, solver in enumerate(solvers):
            start = time.perf_counter()
            labels = solver(image, number)
            times[i].append(time.perf_counter() - start)
            counts[i] = int(labels.max())
    ours, theirs = map(statistics.median, times)
    print(f"{name:24}{ours:9.3f}{theirs:11.3f}{theirs / ours:7.1f}{counts[0]:7}{counts[1]:11}")


def compare_quality(name: str, pairs: list[tuple[Image, Labels]], number: int) -> None:
    rows: dict[str, list[tuple[float, float, int]]] = {}
    for image, truth in pairs:
        theirs = skimage_slic(image, number)
        found = {
            "skimage": theirs,
            "ours": slic(image, number),
            "ours, matched": slic(image, max(2, int(theirs.max()))),
        }
        for solver, labels in found.items():
            scores = boundary_recall(labels, truth), undersegmentation(labels, truth)
            rows.setdefault(solver, []).append((*scores, int(labels.max())))
    for solver, scores in rows.items():
        recall, error, count = np.mean(scores, axis=0)
        print(f"{name:24}{solver:14}{recall:8.4f}{error:8.4f}{count:7.0f}")


def slic(image: Image, number: int) -> Labels:
    return nss.slic(image, n_superpixels=number, channel_axis=colour_axis(image))


def skimage_slic(image: Image, number: int) -> Labels:
    axis = colour_axis(image)
    # Grey images are scaled to 0 … 1 there, colours to L* of 0 … 100.
    compactness = 0.1 if axis is None else 10.0
    labels: Labels = segmentation.slic(
        image, number, compactness, max_num_iter=10, channel_axis=axis, start_label=1
    )
    return labels


def felzenszwalb(image: Image, scale: int) -> Labels:
    return nss.felzenszwalb(image, scale=scale, channel_axis=colour_axis(image))


def skimage_felzenszwalb(image: Image, scale: int) -> Labels:
    labels: Labels = segmentation.felzenszwalb(
        image, scale=scale, sigma=0.8, min_size=20, channel_axis=colour_axis(image)
    )
    return labels + 1


def colour_axis(image: Image) -> int | None:
    return -1 if image.shape[-1] == 3 else None


def boundary_recall(labels: Labels, truth: Labels, tolerance: float = 2.0) -> float:
    """Share of the true border within `tolerance` voxels of a border of superpixels.

    After P. Neubert, P. Protzel, "Superpixel benchmark and comparison", Forum Bildverarbeitung
    2012, section 3.
    """
    true, found = borders(truth), borders(labels)
    return float((ndimage.distance_transform_edt(~found)[true] <= tolerance).mean())


def borders(labels: Labels) -> NDArray[np.bool_]:
    """Voxels whose next neighbour along some axis has another label."""
    border = np.zeros(labels.shape, dtype=bool)
    for axis in range(labels.ndim):
        before = np.moveaxis(border, axis, 0)[:-1]
        before |= np.moveaxis(np.diff(labels.astype(np.int64), axis=axis) != 0, axis, 0)
    return border


def undersegmentation(labels: Labels, truth: Labels) -> float:
    """Share of voxels that superpixels have on the smaller side of a true border they cross.

    The corrected error of P. Neubert, P. Protzel (2012): over all pairs of a true segment S
    and a superpixel P that meet, the sum of min(|P inside S|, |P outside S|), per voxel.
    """
    pairs = truth.astype(np.int64) * (int(labels.max()) + 1) + labels
    values, inside = np.unique(pairs, return_counts=True)
    whole = np.bincount(labels.ravel())[values % (int(labels.max()) + 1)]
    return float(np.minimum(inside, whole - inside).sum() / labels.size)


def quality_sets() -> Iterator[tuple[str, Iterator[tuple[Image, Labels]], int]]:
    volume = brain_volume("128")
    yield "brain 128, tissue", iter([(volume.image, volume.truth)]), 1000
    yield "brain 128, tissue", iter([(volume.image, volume.truth)]), 8000
    yield "axons and myelin", axons(), 1000
    yield "nuclei, fluorescence", nuclei(2), 500
    yield "nuclei, stained", nuclei(3), 500


def axons() -> Iterator[tuple[Image, Labels]]:
    return pairs_in("em_axon_myelin/train", 2)


def nuclei(ndim: int) -> Iterator[tuple[Image, Labels]]:
    return pairs_in("nuclei_dsb2018/train", ndim)


def stained() -> Iterator[Image]:
    return (image for image, _ in nuclei(3))


def pairs_in(folder: str, ndim: int) -> Iterator[tuple[Image, Labels]]:
    """The first images of so many axes, with their labels."""
    default = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("SEGSUITE_TEST_DATA", default)) / folder
    found = 0
    for path in sorted((root / "images").iterdir()):
        image = np.asarray(imread(path))
        if image.ndim == ndim and found < N_IMAGES:
            found += 1
            yield image[..., :3] if ndim == 3 else image, imread(root / "labels" / path.name)


def tiled(image: Image, side: int) -> Image:
    """An image mirrored at its borders until it fills a square."""
    rest = [(0, max(0, side - n)) for n in image.shape[:2]] + [(0, 0)] * (image.ndim - 2)
    return np.pad(image, rest, mode="symmetric")[:side, :side]


if __name__ == "__main__":
    main()
