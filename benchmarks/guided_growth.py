"""Accuracy from simulated strokes, round by round, for every engine and the same strokes.

Run ``python benchmarks/guided_growth.py [--quick] [--seeds N]``. Volumes come from
``SEGSUITE_TEST_DATA`` (default ``../shared/data``), each cut to one object and 20 voxels
around it. Every engine corrects its own errors, from the same first strokes. Prints a
Markdown table: mean Dice after the first strokes and after each of three corrections, and
how much of the object was painted in the end. Engines that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from strokes import Labels, dice, rounds

import napari_segsuite as nss

MARGIN = 20
MAX_VOXELS = 600_000


class Case(NamedTuple):
    """An object to find: its volume, its truth, and the size of a voxel."""

    group: str
    image: NDArray[Any]
    truth: Labels
    spacing: tuple[float, ...]


Engine = Callable[[Case, Labels], Labels]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two objects of each data set")
    parser.add_argument("--seeds", type=int, default=2, help="times that strokes are drawn")
    arguments = parser.parse_args()
    found = list(cases(2 if arguments.quick else 99))
    print("| data | engine | first | +1 | +2 | +3 | painted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for group in dict.fromkeys(case.group for case in found):
        members = [case for case in found if case.group == group]
        for name, engine in engines().items():
            rows = [play(engine, case, seed) for case in members for seed in range(arguments.seeds)]
            *overlaps, painted = np.mean(rows, axis=0)
            numbers = " | ".join(f"{overlap:.3f}" for overlap in overlaps)
            label = f"{group} ({len(members)})"
            print(f"| {label} | {name} | {numbers} | {100 * painted:.1f} % |", flush=True)


def play(engine: Engine, case: Case, seed: int) -> list[float]:
    """Dice after each round, and the share of the object that was painted in the end."""
    row = []
    painted = 0.0
    for seeds, labels in rounds(lambda painted: engine(case, painted), case.truth, seed):
        row.append(dice(labels, case.truth))
        painted = np.count_nonzero(seeds > 1) / np.count_nonzero(case.truth)
    return [*row, painted]


def engines() -> dict[str, Engine]:
    """Every engine, by name."""
    known: dict[str, Engine] = {
        "GrowCut": lambda case, seeds: nss.growcut(
            case.image, seeds, connectivity=3, spacing=case.spacing
        ),
        "GrowCut, guided": lambda case, seeds: nss.growcut(
            case.image, seeds, connectivity=3, guide="auto", spacing=case.spacing
        ),
        "pixel classifier": lambda case, seeds: nss.pixel_classifier(
            case.image, seeds, spacing=case.spacing
        ),
        "random walker (scikit-image)": walk,
        "watershed": lambda case, seeds: nss.watershed(case.image, seeds, spacing=case.spacing),
    }
    if find_spec("itk") and hasattr(importlib.import_module("itk"), "FastGrowCut"):
        known["itk-growcut"] = grow_itk
    return known


def walk(case: Case, seeds: Labels) -> Labels:
    """Random walker of scikit-image, on intensities between their 1st and 99th percentile."""
    from skimage.segmentation import random_walker

    low, high = np.percentile(case.image, (1, 99))
    scaled = np.clip((case.image - low) / (high - low), 0, 1)
    found = random_walker(
        scaled, seeds.astype(np.int32), beta=130, mode="cg_j", tol=1e-3, spacing=case.spacing
    )
    return np.asarray(found, dtype=np.uint8)


def grow_itk(case: Case, seeds: Labels) -> Labels:
    """GrowCut of the Insight Toolkit, as its users call it."""
    import itk

    image = itk.image_from_array(case.image.astype(np.float32))
    painted = itk.image_from_array(seeds.astype(np.uint8))
    growing = itk.FastGrowCut.New(image, SeedImage=painted)
    growing.Update()
    return np.asarray(itk.array_from_image(growing.GetOutput()), dtype=np.uint8)


def cases(most: int) -> Iterator[Case]:
    """Objects of every labelled volume that is found, up to `most` of each."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SEGSUITE_TEST_DATA", default))
    for group, image, labels, classes in (
        ("CT organs", "ct_mr_multiorgan/ct", "ct_mr_multiorgan/ct_organs", [1, 2, 3, 5, 6, 52]),
        ("MR organs", "ct_mr_multiorgan/mr", "ct_mr_multiorgan/mr_organs", [1, 2, 5, 6, 4, 15]),
        ("CT aorta", "ct_aorta/ct", "ct_aorta/labels", [1, 2, 3]),
        (
            "T2 brain, thick slices",
            "brain_t2_parcellated/t2",
            "brain_t2_parcellated/parcellation_gif_on_t2grid",
            [35, 39, 53, 61, 59],
        ),
    ):
        paths = [folder / f"{name}.nii.gz" for name in (image, labels)]
        if not all(path.is_file() for path in paths):
            continue
        volume, parts = nss.read(paths[0]), nss.read(paths[1])
        for label in classes[:most]:
            yield cut(group, volume, np.asarray(parts.data) == label)


def cut(group: str, volume: Any, truth: NDArray[np.bool_]) -> Case:
    """The object and what is around it, in fewer slices where it is long."""
    places = np.nonzero(truth)
    box = [slice(max(0, p.min() - MARGIN), p.max() + 1 + MARGIN) for p in places]
    plane = np.prod([part.stop - part.start for part in box[1:]])
    depth = max(1, int(MAX_VOXELS // plane))
    middle = int(np.median(places[0]))
    box[0] = slice(max(box[0].start, middle - depth // 2), min(box[0].stop, middle + depth // 2))
    image = np.ascontiguousarray(volume.data[tuple(box)])
    inside = truth[tuple(box)].astype(np.uint8)
    return Case(group, image, inside, tuple(volume.space.spacing))


if __name__ == "__main__":
    main()
