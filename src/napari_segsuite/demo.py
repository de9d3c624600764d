"""The main job on the bundled brain: grow seeds, measure the labels, draw a picture."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import FormatError
from .image import Image, LabelClass, Segmentation
from .progress import SILENT, Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

METHOD = "growcut"
CONNECTIVITY = 3
BACKGROUND = 1

_PAPER, _INK, _FAINT = "black", "#f2f4f7", "#98a2b3"
_OVERLAY_ALPHA = 0.5
_BRIGHTEST = 320


@dataclass(frozen=True)
class Row:
    """Scores of one class: Dice against the reference and volume in millilitres."""

    name: str
    dice: float
    millilitres: float


@dataclass(frozen=True)
class Outcome:
    """What the demo found and where it put it.

    Attributes
    ----------
    rows : tuple of Row
        One per class.
    n_voxels, n_painted : int
    prepare_seconds : float
        Making the machine code ready; next to nothing from the second time on.
    seconds : float
        The segmentation itself.
    peak_bytes : int
        Highest memory use of the whole process.
    files : tuple of Path
    """

    rows: tuple[Row, ...]
    n_voxels: int
    n_painted: int
    prepare_seconds: float
    seconds: float
    peak_bytes: int
    files: tuple[Path, ...]

    def to_text(self) -> str:
        """The outcome as a table to read in a terminal."""
        lines = [
            f"GrowCut on the MNI152 brain: {self.n_voxels / 1e6:.1f} million voxels, "
            f"{self.n_painted / self.n_voxels:.2%} of them painted",
            "",
            f"{'class':<16}{'Dice':>7}{'volume (ml)':>14}",
            *(f"{row.name:<16}{row.dice:>7.3f}{row.millilitres:>14.1f}" for row in self.rows),
            "",
            f"segmented in    {self.seconds:.2f} s",
            f"prepared in     {self.prepare_seconds:.2f} s (first run compiles, later ones load)",
            f"peak memory     {self.peak_bytes / 2**20:.0f} MiB (Python and libraries included)",
            *(f"wrote           {path}" for path in self.files),
        ]
        return "\n".join(lines)


def run(folder: Path, progress: Progress = SILENT) -> Outcome:
    """Segment the sample and write labels, scores and a picture to `folder`.

    Raises
    ------
    FormatError
        If the folder cannot be written to.
    """
    from . import jobs, samples
    from .io import write
    from .metrics import evaluate

    _make(folder)
    sample = samples.load("brain")
    image, seeds, reference = sample["image"], sample["seeds"], sample["reference"]
    grow = partial(jobs.segment, METHOD, connectivity=CONNECTIVITY)

    started = time.perf_counter()
    corner, strokes = _corner(image, seeds)
    grow(corner, seeds=strokes)
    prepared = time.perf_counter()
    result = grow(image, seeds=seeds, progress=progress)
    finished = time.perf_counter()

    report = evaluate(result, reference)
    millilitres = float(np.prod(image.space.spacing)) / 1000
    counts = np.bincount(result.labels.ravel(), minlength=len(seeds.classes) + 1)
    rows = tuple(
        Row(entry.name, float(report.per_class["dice"][entry.id]), counts[entry.id] * millilitres)
        for entry in seeds.classes
    )
    files = (folder / "labels.nii.gz", folder / "metrics.csv", folder / "demo.png")
    write(files[0], result)
    report.to_csv(files[1])
    draw(files[2], image, seeds, result, rows)
    return Outcome(
        rows=rows,
        n_voxels=image.data.size,
        n_painted=int(np.count_nonzero(seeds.labels)),
        prepare_seconds=prepared - started,
        seconds=finished - prepared,
        peak_bytes=peak_memory(),
        files=files,
    )


def peak_memory() -> int:
    """Highest memory use of this process so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A folder that was there before may still be closed to us: only trying tells.
        probe = folder / f".tmp-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FormatError(
            f"cannot write to {folder}: {error.strerror}; choose another folder with -o"
        ) from error


def _corner(image: Image, seeds: Segmentation) -> tuple[Image, Segmentation]:
    """A small piece of the same types, painted with two classes."""
    box = (slice(0, 8),) * image.data.ndim
    space = image.space.crop(box)
    strokes = np.zeros_like(seeds.labels[box])
    strokes[0], strokes[-1] = 1, 2
    return Image(image.data[box], space), Segmentation(strokes, space)


# --- the picture ----------------------------------------------------------------------


def draw(
    path: Path, image: Image, seeds: Segmentation, result: Segmentation, rows: tuple[Row, ...]
) -> None:
    """Draw three slices with the painted seeds above and the labels below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from .io.atomic import atomic_path

    _, height, width = np.multiply(image.data.shape, image.space.spacing)
    # One scale for all panels: axial and coronal are as wide as the head, sagittal as long.
    ratios = (width, width, height)
    inches = 11.0 / sum(ratios)
    figure = Figure(figsize=(12.0, 2 * inches * height + 1.6), facecolor=_PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2,
        3,
        width_ratios=ratios,
        left=0.05,
        right=0.99,
        top=0.915,
        bottom=0.09,
        wspace=0.02,
        hspace=0.03,
    )
    for column, (title, index, step) in enumerate(_middle_slices(image)):
        cell = grid[0, column].get_position(figure)
        middle = (cell.x0 + cell.x1) / 2
        figure.text(middle, 0.93, title, color=_INK, fontsize=12, ha="center")
        for line, labels in enumerate((seeds, result)):
            axes = figure.add_subplot(grid[line, column])
            alpha = 1.0 if labels is seeds else _OVERLAY_ALPHA
            _show(axes, image.data[index], labels.labels[index], labels.classes, step, alpha)
            if column == 0:
                word = "painted seeds" if labels is seeds else "GrowCut"
                axes.set_ylabel(word, color=_INK, fontsize=12, labelpad=8)
    _legend(figure, seeds.classes, rows)
    with atomic_path(path) as scratch:
        figure.savefig(scratch, dpi=110, facecolor=_PAPER)


def _middle_slices(image: Image) -> tuple[tuple[str, Any, tuple[float, float]], ...]:
    """Name, index and pixel size (rows, columns) of three orthogonal slices."""
    z, y, x = (n // 2 for n in image.data.shape)
    dz, dy, dx = image.space.spacing
    return (
        ("axial", np.s_[z, :, :], (dy, dx)),
        ("coronal", np.s_[:, y, :], (dz, dx)),
        # Beside the midline: the cleft between the halves shows little tissue.
        ("sagittal", np.s_[:, :, x - x // 5], (dz, dy)),
    )


def _show(
    axes: Axes,
    image: NDArray[Any],
    labels: NDArray[Any],
    classes: tuple[LabelClass, ...],
    step: tuple[float, float],
    alpha: float,
) -> None:
    extent = (0, image.shape[1] * step[1], 0, image.shape[0] * step[0])
    axes.set_facecolor(_PAPER)
    # The brightest tissue stays a light grey, so that every colour shows on it.
    axes.imshow(
        image, cmap="gray", vmax=_BRIGHTEST, origin="lower", extent=extent, interpolation="bilinear"
    )
    overlay = np.zeros((*labels.shape, 4))
    for entry in classes:
        if entry.id != BACKGROUND and entry.colour is not None:
            overlay[labels == entry.id] = (*entry.colour[:3], alpha)
    axes.imshow(overlay, origin="lower", extent=extent, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _legend(figure: Figure, classes: tuple[LabelClass, ...], rows: tuple[Row, ...]) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(
            color=entry.colour, label=f"{row.name}   Dice {row.dice:.3f}   {row.millilitres:.0f} ml"
        )
        for entry, row in zip(classes, rows, strict=True)
        if entry.id != BACKGROUND
    ]
    figure.legend(
        handles=patches,
        loc="lower center",
        ncols=len(patches),
        frameon=False,
        labelcolor=_INK,
        fontsize=12,
        handlelength=1.1,
        columnspacing=3.0,
    )
    figure.text(0.05, 0.97, "MNI152 T1 average, 1 mm", color=_FAINT, fontsize=10)
