"""How well the classical methods do on real images, without training and without tuning.

Run ``python benchmarks/accuracy.py [--markdown FILE]``. Every method has its defaults, but
for the number of classes. Clusters are matched to the classes of the reference by optimal
assignment.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.io import imread
from skimage.segmentation import watershed

import napari_segsuite as nss
from napari_segsuite.metrics.matching import match_labels

DATA = Path(os.environ.get("SEGSUITE_TEST_DATA", "../shared/data"))
NOISE_SHARE = 0.05
BIAS_SHARE = 0.4
SPECK_PIXELS = 20

HEAD = """# Accuracy on real images

What the classical methods find without strokes, without training and without tuning: every method
has its defaults, but for the number of classes. Clusters are matched to the classes of the
reference by optimal assignment. Written by `python benchmarks/accuracy.py --markdown
docs/accuracy.md`; seconds are those of two cores, without the first run, which compiles.
"""

Labels = NDArray[Any]


@dataclass(frozen=True)
class Row:
    """One method on one kind of image.

    Attributes
    ----------
    name : str
    scores : mapping of str to float
    seconds : float
        Median over the images.
    """

    name: str
    scores: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class Task:
    """Images of one kind and what is to be found in them.

    Attributes
    ----------
    title : str
    about : str
    rows : callable
        Makes the table's rows.
    """

    title: str
    about: str
    rows: Callable[[], Iterator[Row]]


# --- brain --------------------------------------------------------------------------------
def brain() -> tuple[nss.Image, Labels, NDArray[np.bool_]]:
    """T1 template with noise and a smooth bias field, its tissues, and where the brain is."""
    clean = nss.read(DATA / "brain_mni152" / "t1_1mm.nii.gz")
    tissue = nss.read(DATA / "brain_mni152" / "tissue_1mm.nii.gz", kind="labels")
    rng = np.random.default_rng(0)
    shape = clean.data.shape
    ramps = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    bias = 1 + BIAS_SHARE / 2 * sum(
        weight * ramp for weight, ramp in zip((0.5, 0.3, 0.2), ramps, strict=True)
    )
    noise = rng.normal(0, NOISE_SHARE * float(clean.data.max()), shape)
    data = np.clip(clean.data * bias + noise, 0, 255).astype(np.uint8)
    return nss.Image(data, clean.space, "brain"), tissue.labels, tissue.labels > 0


def brain_rows() -> Iterator[Row]:
    """Tissue Dice; everything works inside the brain only."""
    image, tissue, inside = brain()
    runs: dict[str, Callable[[], Labels]] = {
        "Multi-Otsu": lambda: labels_of("multi_otsu", image, mask=inside, n_classes=3),
        "K-means": lambda: labels_of("kmeans", image, mask=inside, n_clusters=3),
        "K-medoids": lambda: labels_of("kmedoids", image, mask=inside, n_clusters=3),
        "Gaussian mixture": lambda: labels_of("gaussian_mixture", image, mask=inside, n_clusters=3),
        "SLIC, then K-means of the superpixels": lambda: labels_of(
            "kmeans",
            image,
            labels=labels_of("slic", image, mask=inside, n_superpixels=8000),
            mask=inside,
            n_clusters=3,
        ),
        "Spectral clustering": lambda: labels_of(
            "spectral_clustering", image, mask=inside, n_clusters=3
        ),
        **{
            f"Automatic seeds, then {title}": lambda method=method: labels_of(
                method,
                image,
                seeds=labels_of("entropy_seeds", image, mask=inside, n_classes=3),
                mask=inside,
            )
            for method, title in SEEDED.items()
        },
    }
    for name, work in runs.items():
        labels, seconds = timed(work)
        dice = matched_dice(labels, tissue, inside)
        scores = dict(zip(("CSF", "grey", "white"), dice, strict=True))
        yield Row(name, {**scores, "mean": statistics.mean(dice)}, seconds)


SEEDED = {"growcut": "GrowCut", "watershed": "watershed", "random_walker": "random walker"}


# --- Landsat --------------------------------------------------------------------------------
def landsat() -> tuple[NDArray[np.int16], Labels]:
    """Six reflectance bands, channels first, and the training polygons on their grid."""
    folder = DATA / "satellite_landsat7"
    stack = tifffile.imread(folder / "LE70220491999322_stack.tif")
    bands = stack if stack.shape[0] == 8 else np.moveaxis(stack, -1, 0)
    return bands[:6], tifffile.imread(folder / "training_labels.tif")


def landsat_rows() -> Iterator[Row]:
    """Accuracy on the polygons, with several clusters to a class."""
    bands, polygons = landsat()
    common: dict[str, Any] = {"channel_axis": 0}
    clusters: dict[str, Any] = {**common, "n_clusters": 8}
    slic = {**common, "n_superpixels": 4000}
    runs: dict[str, Callable[[], Labels]] = {
        "K-means": lambda: labels_of("kmeans", bands, **clusters),
        "K-medoids": lambda: labels_of("kmedoids", bands, **clusters),
        "Gaussian mixture": lambda: labels_of("gaussian_mixture", bands, **clusters),
        "SLIC, then K-means of the superpixels": lambda: labels_of(
            "kmeans", bands, labels=labels_of("slic", bands, **slic), **clusters
        ),
        "Spectral clustering": lambda: labels_of(
            "spectral_clustering", bands, n_superpixels=4000, **clusters
        ),
        **{
            f"Automatic seeds, then {title}": lambda method=method: labels_of(
                method,
                bands,
                seeds=labels_of("entropy_seeds", bands, n_classes=8, **common),
                **common,
            )
            for method, title in SEEDED.items()
        },
    }
    known = polygons > 0
    for name, work in runs.items():
        labels, seconds = timed(work)
        matches = match_labels(labels[known], polygons[known], many_to_one=True)
        named = renamed(labels[known], matches)
        truth = polygons[known]
        recalls = [float((named[truth == i] == i).mean()) for i in np.unique(truth)]
        scores = {"accuracy": float((named == truth).mean()), "per class": statistics.mean(recalls)}
        yield Row(name, scores, seconds)


# --- nuclei ---------------------------------------------------------------------------------
def nuclei() -> Iterator[tuple[NDArray[Any], Labels, str]]:
    """Fluorescence images, their nuclei, and which part of the extract they belong to."""
    folder = DATA / "nuclei_dsb2018"
    with (folder / "index.csv").open() as table:
        for entry in csv.DictReader(table):
            if entry["group"].startswith("fluo"):
                parts = (folder / entry["split"] / kind for kind in ("images", "labels"))
                image, labels = (imread(part / f"{entry['file']}.png") for part in parts)
                yield image, labels, entry["split"]


def nuclei_rows() -> Iterator[Row]:
    """Dice of the foreground, and objects found with an overlap of at least a half."""
    images = list(nuclei())
    foregrounds: dict[str, Callable[[NDArray[Any]], Labels]] = {
        "Otsu": lambda image: labels_of("global_threshold", smoothed(image)),
        "Triangle": lambda image: labels_of(
            "global_threshold", smoothed(image), algorithm="triangle"
        ),
        "Local threshold": lambda image: labels_of("local_threshold", smoothed(image), radius=40),
        "K-means": lambda image: labels_of("kmeans", smoothed(image), n_clusters=2) - 1,
        "Chan–Vese": lambda image: labels_of("chan_vese", smoothed(image)),
    }
    runs = {
        f"{name}, then split touching": lambda image, work=work: split(work(image))
        for name, work in foregrounds.items()
    }
    otsu = foregrounds["Otsu"]
    runs["Otsu, then peaks and watershed of scikit-image"] = lambda image: split_by_peaks(
        otsu(image)
    )
    for name, work in runs.items():
        timings = [timed(lambda work=work, image=image: work(image)) for image, _, _ in images]
        pairs = [(timing[0], truth) for timing, (_, truth, _) in zip(timings, images, strict=True)]
        validation = [
            pair for pair, (_, _, part) in zip(pairs, images, strict=True) if part == "val"
        ]
        scores = {
            "Dice": statistics.mean(dice_of(labels > 0, truth > 0) for labels, truth in pairs),
            "AP50": average_precision(pairs),
            "AP50, validation part": average_precision(validation),
        }
        yield Row(name, scores, statistics.median(seconds for _, seconds in timings))


def smoothed(image: NDArray[Any]) -> NDArray[np.float32]:
    """What thresholds are commonly taken of."""
    return ndimage.gaussian_filter(image.astype(np.float32), 1)


def split(foreground: Labels) -> Labels:
    """Objects that touch, each under a number of its own; specks are removed."""
    return labels_of(
        "clean_labels", labels_of("split_touching", foreground), min_volume=SPECK_PIXELS
    )


def split_by_peaks(foreground: Labels) -> Labels:
    """What is commonly done: peaks of the smoothed distance transform, flooded."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), 1)
    parts = ndimage.label(foreground)[0]
    peaks = peak_local_max(depth, min_distance=5, labels=parts)
    markers = np.zeros(foreground.shape, dtype=np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    flooded = watershed(-depth, markers, mask=foreground > 0)
    sizes = np.bincount(flooded.ravel())
    return np.where(sizes[flooded] < SPECK_PIXELS, 0, flooded)


def average_precision(pairs: list[tuple[Labels, Labels]], overlap: float = 0.5) -> float:
    """TP / (TP + FP + FN) over all images; an object is found if its IoU is above `overlap`."""
    hits = found = expected = 0
    for labels, truth in pairs:
        n, m = int(labels.max()) + 1, int(truth.max()) + 1
        joint = np.bincount(
            truth.ravel().astype(np.int64) * n + labels.ravel(), minlength=n * m
        ).reshape(m, n)
        union = joint.sum(1, keepdims=True) + joint.sum(0, keepdims=True) - joint
        iou = joint[1:, 1:] / np.maximum(union[1:, 1:], 1)
        # Above one half, each object has one partner at most.
        hits += int((iou > overlap).sum())
        found += len(np.unique(labels[labels > 0]))
        expected += len(np.unique(truth[truth > 0]))
    return hits / (found + expected - hits)


# --- electron microscopy ----------------------------------------------------------------
def axons() -> Iterator[tuple[NDArray[np.uint8], Labels]]:
    """Scans with background, myelin and axons."""
    folder = DATA / "em_axon_myelin"
    for split_name in ("train", "val"):
        for path in sorted((folder / split_name / "images").glob("*.png")):
            yield imread(path), imread(folder / split_name / "labels" / path.name)


def axon_rows() -> Iterator[Row]:
    """Dice of myelin and of the rest; grey values alone do not tell axons from background."""
    runs: dict[str, Callable[[NDArray[Any]], Labels]] = {
        "Multi-Otsu": lambda image: labels_of("multi_otsu", image, n_classes=2),
        "K-means": lambda image: labels_of("kmeans", image, n_clusters=2),
        "K-medoids": lambda image: labels_of("kmedoids", image, n_clusters=2),
        "Gaussian mixture": lambda image: labels_of("gaussian_mixture", image, n_clusters=2),
        "Local threshold": lambda image: 2 - labels_of("local_threshold", image, radius=50),
        "SLIC, then K-means of the superpixels": lambda image: labels_of(
            "kmeans",
            image,
            labels=labels_of("slic", image, n_superpixels=4000),
            n_clusters=2,
        ),
        "Spectral clustering": lambda image: labels_of(
            "spectral_clustering", image, n_superpixels=2000, n_clusters=2
        ),
        "Chan–Vese": lambda image: labels_of("chan_vese", image) + 1,
    }
    images = list(axons())
    everything = np.ones(images[0][0].shape, dtype=bool)
    for name, work in runs.items():
        scores, times = [], []
        for image, truth in images:
            labels, seconds = timed(lambda image=image, work=work: work(image))
            scores.append(matched_dice(labels, np.where(truth == 1, 1, 2), everything))
            times.append(seconds)
        myelin, rest = (statistics.mean(values) for values in zip(*scores, strict=True))
        yield Row(name, {"myelin": myelin, "the rest": rest}, statistics.median(times))


# --- what they share ----------------------------------------------------------------------
def labels_of(method: str, image: Any, **options: Any) -> Labels:
    """Labels that a method makes."""
    return nss.run(method, image, **options).labels


def timed(work: Callable[[], Labels]) -> tuple[Labels, float]:
    """The labels and what they took; compiling is not counted."""
    work()
    start = time.perf_counter()
    labels = work()
    return labels, time.perf_counter() - start


def matched_dice(labels: Labels, truth: Labels, where: NDArray[np.bool_]) -> list[float]:
    """Dice of each class of the reference after optimal assignment of the clusters."""
    labels, truth = labels[where], truth[where]
    named = renamed(labels, match_labels(labels, truth))
    return [dice_of(named == i, truth == i) for i in np.unique(truth[truth > 0])]


def renamed(labels: Labels, names: Mapping[int, int]) -> Labels:
    """Labels under the ids of what they were matched to; 0 for those without a partner."""
    table = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    for label, name in names.items():
        table[label] = name
    return table[labels]


def dice_of(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Overlap of two masks; 1 if both are empty."""
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


TASKS = (
    Task(
        "Tissues of the brain",
        "MNI152 T1 template at 1 mm with 5 % noise and a bias field of 40 % across the volume, "
        "inside the brain; Dice.",
        brain_rows,
    ),
    Task(
        "Land cover",
        "Landsat 7, six bands, 250 × 250 pixels; 8 clusters, each given to the class of most of "
        "its training pixels; accuracy on the training polygons, and its mean over the classes.",
        landsat_rows,
    ),
    Task(
        "Nuclei in fluorescence",
        "All fluorescence images of the DSB 2018 extract, smoothed with σ = 1 pixel; mean Dice of "
        f"the foreground, and TP / (TP + FP + FN) of nuclei at an IoU above 0.5. Specks of less "
        f"than {SPECK_PIXELS} pixels are removed.",
        nuclei_rows,
    ),
    Task(
        "Myelin in electron microscopy",
        "Six scans of axons; Dice, mean over the scans.",
        axon_rows,
    ),
)


def table(task: Task) -> str:
    """The rows of a task as Markdown; they are printed as they come."""
    lines = [f"## {task.title}", "", task.about, ""]
    print("\n".join(lines), flush=True)
    for number, row in enumerate(task.rows()):
        new = []
        if number == 0:
            names = ["Method", *row.scores, "seconds"]
            new += [f"| {' | '.join(names)} |", "|---" + "|---:" * (len(names) - 1) + "|"]
        scores = (f"{score:.3f}" for score in row.scores.values())
        new.append(f"| {' | '.join([row.name, *scores, f'{row.seconds:.2g}'])} |")
        print("\n".join(new), flush=True)
        lines += new
    print()
    return "\n".join(lines)


def main() -> None:
    """Print all tables, and write them to a file if one is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--markdown", type=Path, help="file to write the tables to")
    parser.add_argument("--only", type=int, nargs="*", default=range(len(TASKS)), help="tables")
    options = parser.parse_args()
    text = "\n\n".join(table(TASKS[number]) for number in options.only)
    if options.markdown is not None:
        options.markdown.write_text(f"{HEAD}\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
