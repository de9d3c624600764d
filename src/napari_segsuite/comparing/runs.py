"""Several methods, or one with several settings, run on one image and scored alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..compute import JobRequest
from ..errors import InputError, SegSuiteError
from ..image import Image, Segmentation
from ..job_inputs import Source, as_image
from ..label_values import compact_labels
from ..progress import SILENT, Progress, part_of
from ..warmup import miniature
from .report import Comparison, Match, Row
from .scene import OVERLAP_AND_VOLUMES, Entry, Scene, names_of


def compare(
    image: Source,
    entries: Sequence[Entry | str],
    *,
    seeds: Source | None = None,
    labels: Source | None = None,
    mask: Source | None = None,
    reference: Source | None = None,
    channel_axis: int | None = None,
    spacing: tuple[float, ...] | None = None,
    metrics: str | tuple[str, ...] = OVERLAP_AND_VOLUMES,
    match: Match = "auto",
    device: str = "auto",
    rng: int = 0,
    memory_limit: int | None = None,
    progress: Progress = SILENT,
) -> Comparison:
    """Run methods on one image, one after the other, and score them alike.

    Each method is run on a few voxels first, so that its time has neither compiling nor
    loading of libraries in it. One that fails does not stop the others: its row says why.

    Parameters
    ----------
    image : (M, N[, P]) array, Image or path
    entries : sequence of Entry or str
        What to compare; the id of a method stands for its defaults. A method may come
        several times, with different settings.
    seeds, labels, mask : array, Image, Segmentation or path, optional
        On the grid of `image`; given to the methods that take them.
    reference : array, Image, Segmentation or path, optional
        Labels held to be true.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    spacing : tuple of float, optional
        Voxel size per spatial axis for a bare array; an `Image` brings its own.
    metrics : str or tuple of str
        What to score, as `evaluate` takes it.
    match : {"auto", "none"}
        Whether labels of methods without seeds, whose numbers are arbitrary, are assigned
        to the classes of the reference so that the most voxels agree, or all labels are
        compared as they are.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps"; for methods that can choose.
    rng : int
        Seed of methods that draw random numbers.
    memory_limit : int, optional
        Bytes a run may use; by default what the machine has free.
    progress : callable
        Called with (fraction, message); raises `Cancelled` to stop.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError, SpaceMismatchError
        If the image cannot be used, nothing is to be compared, or an input lies on another
        grid.
    ParameterError
        If a method is not known, or a setting is not what it allows.
    FormatError
        If a file cannot be read.
    Cancelled
        If `progress` raised it.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[10, 30, 90, 90]], dtype=np.uint8)
    >>> low = Entry("global_threshold", {"algorithm": "manual", "value": 20.0})
    >>> found = compare(image, [low, "global_threshold"], reference=[[0, 0, 1, 1]])
    >>> [(row.name, row.report.mean["dice"]) for row in found.rows]
    [('Global threshold (algorithm=manual, value=20.0)', 0.8), ('Global threshold', 1.0)]
    """
    chosen = [Entry(entry) if isinstance(entry, str) else entry for entry in entries]
    if not chosen:
        raise InputError("expected at least one method to compare, got none; name some")
    picture = as_image(image, spacing, channel_axis)
    sources = {"seeds": seeds, "labels": labels, "mask": mask}
    scene = Scene(
        picture,
        {name: _on_grid(picture, value) for name, value in sources.items() if value is not None},
        None if reference is None else _on_grid(picture, reference, "reference"),
        metrics,
        match,
    )
    rows: list[Row] = []
    results: dict[str, Segmentation] = {}
    for i, (name, entry) in enumerate(zip(names_of(chosen), chosen, strict=True)):
        part = part_of(progress, i / len(chosen), (i + 1) / len(chosen))
        row, result = _run(scene, name, entry, device, rng, memory_limit, part)
        rows.append(row)
        if result is not None:
            results[name] = result
    return Comparison(picture, tuple(rows), results, scene.reference, match)


def warm_up(request: JobRequest) -> None:
    """Have compiled and loaded what a run needs, by one on a few voxels."""
    # What is wrong with the job, the job itself says best.
    with suppress(SegSuiteError):
        miniature(request).run()


def _run(
    scene: Scene,
    name: str,
    entry: Entry,
    device: str,
    rng: int,
    memory_limit: int | None,
    progress: Progress,
) -> tuple[Row, Segmentation | None]:
    progress(0.0, f"{name} …")
    try:
        request = scene.request(entry, device, rng, memory_limit)
        warm_up(request)
        start = time.perf_counter()
        result = request.run(progress)
        seconds = time.perf_counter() - start
        assert isinstance(result, Segmentation)
    except SegSuiteError as error:
        return scene.row(name, entry, str(error)), None
    return scene.judge(name, entry, result, seconds)


def _on_grid(image: Image, source: Source, name: str = "labels") -> Segmentation:
    """Whatever holds labels as a Segmentation; a bare array lies where the image does."""
    if isinstance(source, str | Path):
        from ..io import read

        source = read(source, kind="labels")
    if isinstance(source, Segmentation):
        return source
    if isinstance(source, Image):
        return Segmentation(compact_labels(source.data), source.space, name=source.name)
    values = compact_labels(source)
    grid = image.space.without("channel")
    if values.ndim < grid.ndim:
        grid = grid.without("time")
    return Segmentation(values, grid, name=name)
