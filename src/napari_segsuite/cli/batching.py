"""The verb for many images: batch."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import FormatError, InputError, SegSuiteError
from ..progress import SILENT, Progress, part_of
from ..recipes import Recipe, read_recipe
from .arguments import count
from .listing import AddVerb, print_json
from .outputs import check_outputs, make_folder, summary, write_result
from .running import add_device, progress_bar
from .terminal import complain, reason, say
from .workers import share_out

_FURTHER = ("seeds", "labels", "mask")
_EXTENSION = ".nii.gz"
_DIED = (
    "its process ended before it was through, perhaps because memory ran out; "
    "try again with fewer --jobs"
)


class _Task(NamedTuple):
    """An image, what goes with it, and where its labels go."""

    image: str
    inputs: Mapping[str, str]
    output: str


class _Outcome(NamedTuple):
    """The classes of an image, in short and by name, or why there are none."""

    summary: str = ""
    classes: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class _Segmenter:
    """Performs tasks; the recipe is read once in each process, since it may be large."""

    recipe_file: str
    device: str
    memory_limit: int | None
    debug: bool

    @cached_property
    def recipe(self) -> Recipe:
        return read_recipe(self.recipe_file)

    def __call__(self, task: _Task, progress: Progress = SILENT) -> _Outcome:
        try:
            result = self.recipe.apply(
                task.image,
                device=self.device,
                memory_limit=self.memory_limit,
                progress=progress,
                **task.inputs,
            )
            write_result(task.output, result)
        except Exception as error:  # noqa: BLE001 - the other images shall have their turn
            if self.debug:
                traceback.print_exc()
            return _Outcome(error=reason(error))
        return _Outcome(summary(result), tuple(entry.name for entry in result.classes))


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this module."""
    batch = add("batch", run_batch, "do to many images what was done to one")
    batch.add_argument(
        "recipe",
        metavar="RECIPE",
        help="labels whose side file NAME.labels.json says how they were made, that side file, "
        "a JSON file with a list of steps, or a saved model",
    )
    batch.add_argument("images", metavar="INPUT", nargs="+", help="image file")
    batch.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder to write to, one label file for each image, in its format",
    )
    batch.add_argument(
        "--suffix",
        metavar="TEXT",
        default="_labels",
        help="what label files have in their names after those of the images (default _labels)",
    )
    for name in _FURTHER:
        batch.add_argument(
            f"--{name}",
            metavar="PATTERN",
            help=f"{name} file of each image: {{stem}} in it is the image's name without its "
            f"extension, {{name}} the whole of it, as in {name}/{{stem}}.nii.gz",
        )
    batch.add_argument(
        "--jobs",
        metavar="N",
        type=count,
        default=1,
        help="images to work on at once, each in a process of its own (default 1)",
    )
    add_device(batch)
    batch.add_argument("--json", action="store_true", help="print one JSON document")


def run_batch(arguments: argparse.Namespace) -> None:
    """`batch`: labels for each image; one that fails does not stop the others."""
    patterns = {name: getattr(arguments, name) for name in _FURTHER if getattr(arguments, name)}
    _check_given(read_recipe(arguments.recipe), patterns)
    make_folder(arguments.output)
    tasks = [_plan(arguments, patterns, image) for image in arguments.images]
    sources = [path for task in tasks for path in (task.image, *task.inputs.values())]
    check_outputs([task.output for task in tasks], [arguments.recipe, *sources])
    n_jobs = min(arguments.jobs, len(tasks))
    segment = _Segmenter(arguments.recipe, arguments.device, _memory_each(n_jobs), arguments.debug)
    with progress_bar() as progress, closing(_perform(segment, tasks, n_jobs, progress)) as pairs:
        found = dict(pairs)
    outcomes = [found[index] for index in range(len(tasks))]
    if arguments.json:
        print_json(_document(tasks, outcomes))
    else:
        for task, outcome in zip(tasks, outcomes, strict=True):
            if not outcome.error:
                say(f"{task.output}: {outcome.summary}")
    _tell_failures(tasks, outcomes)


def _check_given(recipe: Recipe, patterns: Mapping[str, str]) -> None:
    """Refuse a call that lacks what the recipe needs, or gives what it has no use for."""
    for name in sorted(recipe.needs - patterns.keys()):
        raise InputError(
            f"expected {name} for each image, as the recipe has them, got none; "
            f"give --{name} PATTERN, such as {name}/{{stem}}.nii.gz"
        )
    for name in patterns:
        if not recipe.takes(name):
            raise InputError(f"expected no {name}, since the recipe takes none; leave it out")


def _plan(arguments: argparse.Namespace, patterns: Mapping[str, str], image: str) -> _Task:
    stem, extension = _split(image)
    name = Path(image).name
    return _Task(
        image,
        {
            which: pattern.replace("{stem}", stem).replace("{name}", name)
            for which, pattern in patterns.items()
        },
        str(arguments.output / f"{stem}{arguments.suffix}{extension}"),
    )


def _split(image: str) -> tuple[str, str]:
    """File name without extension, and the extension for its labels."""
    from ..io.formats import format_of, stem_of

    name = Path(image).name
    try:
        stem, entry = stem_of(name), format_of(name)
    except FormatError:
        # It fails when its turn comes.
        return Path(name).stem, _EXTENSION
    return stem, name[len(stem) :] if entry.write_labels is not None else _EXTENSION


def _memory_each(n_jobs: int) -> int | None:
    """Bytes for each of several jobs, which would all count on the same free memory."""
    from ..device import available_memory

    return available_memory() // n_jobs if n_jobs > 1 else None


def _perform(
    segment: _Segmenter, tasks: Sequence[_Task], n_jobs: int, progress: Progress
) -> Generator[tuple[int, _Outcome]]:
    """Outcomes with the numbers of their tasks, as they come in."""
    if n_jobs == 1:
        n = len(tasks)
        for index, task in enumerate(tasks):
            yield index, segment(task, part_of(progress, index / n, (index + 1) / n))
        return
    progress(0.0, f"{len(tasks)} images …")
    with closing(share_out(segment, tasks, n_jobs)) as answers:
        for n_done, (index, outcome) in enumerate(answers, 1):
            progress(n_done / len(tasks), f"{n_done} of {len(tasks)} images")
            yield index, outcome or _Outcome(error=_DIED)


def _document(tasks: Sequence[_Task], outcomes: Sequence[_Outcome]) -> list[dict[str, Any]]:
    return [
        {"input": task.image, "error": outcome.error}
        if outcome.error
        else {"input": task.image, "output": task.output, "classes": outcome.classes}
        for task, outcome in zip(tasks, outcomes, strict=True)
    ]


def _tell_failures(tasks: Sequence[_Task], outcomes: Sequence[_Outcome]) -> None:
    failed = [pair for pair in zip(tasks, outcomes, strict=True) if pair[1].error]
    for task, outcome in failed:
        complain(f"failed: {task.image}: {outcome.error}")
    if failed:
        raise SegSuiteError(
            f"{len(failed)} of {len(tasks)} images failed for the reasons above; the labels of "
            "the others are written"
        )
