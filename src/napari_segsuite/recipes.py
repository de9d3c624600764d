"""Recipes: what was done to one image, to be done to others.

A recipe is a sequence of steps, read from the provenance of a result or from a file in
which somebody wrote them down. A model that was saved is a recipe of one step.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import jobs, saved_models
from .errors import FormatError, InputError
from .image import LabelClass, Segmentation
from .io import format_of, read
from .io.formats import stem_of
from .job_frames import Frames
from .job_inputs import Source, as_image
from .method import Method
from .progress import SILENT, Progress, part_of
from .provenance import Provenance
from .registry import get_method


@dataclass(frozen=True)
class Step:
    """One run of a method.

    Attributes
    ----------
    method : Method
    settings : mapping
        All of them, checked.
    inputs : frozenset of str
        Names of the image-like inputs it needs, "image" among them.
    rng : int
        Seed of random numbers.
    channel_axis : int, optional
        Axis that held channels when it was recorded.
    frames : {"each", "together", "channels"}, optional
        How the time points of a series were taken.
    """

    method: Method
    settings: Mapping[str, Any]
    inputs: frozenset[str]
    rng: int = 0
    channel_axis: int | None = None
    frames: Frames | None = None

    @classmethod
    def of_method(cls, method: Method) -> Step:
        """A method with its defaults."""
        required = frozenset(entry.name for entry in method.inputs if entry.required)
        return cls(method, method.check({}), required)

    @classmethod
    def from_record(cls, record: Provenance) -> Step:
        """The step that a record is of; settings that it leaves out are the defaults.

        Raises
        ------
        ParameterError
            If there is no such method, or a setting is not what it allows.
        InputError
            If a saved model was applied, which a record cannot hold.
        """
        if record.method == saved_models.METHOD_ID:
            raise InputError(
                f"expected steps that can be done again, got labels that were made with the model "
                f"{record.settings.get('model')}; give that file instead"
            )
        step = cls.of_method(get_method(record.method))
        rng, axis = record.injected.get("rng", 0), record.injected.get("channel_axis")
        if not isinstance(rng, int) or not isinstance(axis, int | None):
            raise InputError(
                f"{step.method.title}: expected whole numbers as rng and channel_axis, got "
                f"{rng!r} and {axis!r}; correct the step"
            )
        return replace(
            step,
            settings=step.method.check(record.settings),
            inputs=step.inputs | {*record.inputs},
            rng=rng,
            channel_axis=axis,
            frames=record.injected.get("frames"),
        )

    @property
    def continues_from(self) -> str:
        """The input that takes the labels of a step before: itself, seeds, or regions."""
        if self.method.takes_labels:
            return "image"
        takes_regions = self.takes("labels") and not self.takes("seeds")
        return "labels" if takes_regions or "labels" in self.inputs else "seeds"

    def takes(self, name: str) -> bool:
        """Whether its method has an input of that name."""
        return any(entry.name == name for entry in self.method.inputs)

    def run(self, inputs: Mapping[str, Source], **options: Any) -> Segmentation:
        """Run the method on those of the inputs that it takes."""
        taken = {name: source for name, source in inputs.items() if self.takes(name)}
        return jobs.segment(
            self.method,
            rng=self.rng,
            frames=self.frames,
            **options,
            **taken,
            **self.settings,
        )


@dataclass(frozen=True)
class Recipe:
    """Steps from an image to labels.

    The first step works on the image. A later one works on the labels of the one before
    it or, where its method takes an image, grows from them as seeds or takes them as regions.

    Attributes
    ----------
    steps : tuple of Step
    classes : tuple of LabelClass
        Names and colours for classes to which the inputs give none.

    Raises
    ------
    InputError
        If there are no steps, or one of them cannot go on from the step before it.
    """

    steps: tuple[Step, ...]
    classes: tuple[LabelClass, ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise InputError("expected a recipe of at least one step, got none; add a step")
        for step in self.steps:
            if step.method.output == "image":
                raise InputError(
                    f"expected steps that make labels, got {step.method.title}, which makes an "
                    "image; leave it out"
                )
        on_labels = self.steps[0].method.takes_labels
        for step in self.steps[1:]:
            lacks_image = on_labels and not step.method.takes_labels
            if lacks_image or not step.takes(step.continues_from):
                raise InputError(
                    f"{step.method.title} works on an image, not on the labels of the step before "
                    "it; make it the first step of a recipe of its own"
                )

    @property
    def needs(self) -> frozenset[str]:
        """Names of what it has to be given beside the image."""
        first, *later = self.steps
        needed = first.inputs.union(*(step.inputs - {step.continues_from} for step in later))
        return needed - {"image"}

    def takes(self, name: str) -> bool:
        """Whether a further input, such as "seeds" or "mask", is of use to it."""
        first, *later = self.steps
        return first.takes(name) or any(
            step.takes(name) and step.continues_from != name for step in later
        )

    def apply(
        self,
        image: Source,
        *,
        device: str = "auto",
        memory_limit: int | None = None,
        progress: Progress = SILENT,
        **inputs: Source,
    ) -> Segmentation:
        """Make labels from an image.

        Parameters
        ----------
        image : (M, N[, P]) array, Image, Segmentation or path
            Labels where the first step works on labels.
        device : str
            "auto", "cpu", "cuda", "cuda:1", "mps".
        memory_limit : int, optional
            Bytes a step may use; by default what the machine has free.
        progress : callable
            Called with (fraction, message); raises `Cancelled` to stop.
        **inputs : array, Image, Segmentation or path
            Seeds or labels for the first step, a mask for all that take one, on the grid of
            `image`.

        Returns
        -------
        Segmentation
            Its provenance holds those of the steps before, each with the input it made.

        Raises
        ------
        SegSuiteError
            As `jobs.segment` does.

        Examples
        --------
        >>> import numpy as np, napari_segsuite as nss
        >>> dim, bright = np.array([[0, 0, 9, 9]]), np.array([[1, 90, 90, 90]])
        >>> result = nss.run("global_threshold", dim, algorithm="manual", value=5)
        >>> Recipe((Step.from_record(result.provenance),)).apply(bright).labels
        array([[0, 1, 1, 1]], dtype=uint8)
        """
        first, *later = self.steps
        if not first.method.takes_labels:
            image = as_image(image, channel_axis=first.channel_axis)
        given: dict[str, Source] = {"image": image, **inputs}
        options = {"device": device, "memory_limit": memory_limit}
        n = len(self.steps)
        result = first.run(given, progress=part_of(progress, 0, 1 / n), **options)
        for number, step in enumerate(later, 1):
            made = step.run(
                given | {step.continues_from: result},
                progress=part_of(progress, number / n, (number + 1) / n),
                **options,
            )
            result = _with_history(made, step.continues_from, result)
        # Instances are numbered anew in each image.
        lasting = self.steps[-1].method.output == "labels"
        return with_names(result, self.classes) if lasting else result


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """Read the steps that a file holds.

    Parameters
    ----------
    path : path
        Labels written by this package, or their side file ``NAME.labels.json``; a JSON file
        with a record, or with a list of records of which only "method" is required; or a
        model.

    Returns
    -------
    Recipe

    Raises
    ------
    FormatError
        If the file cannot be read, or says nothing about how its labels were made.
    InputError
        If a step cannot be done, or not after the one before it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "tidy.json"
    >>> _ = path.write_text('[{"method": "clean_labels", "settings": {"keep_largest": true}}]')
    >>> [step.method.title for step in read_recipe(path).steps]
    ['Clean labels']
    """
    path = Path(path)
    if saved_models.is_model(path):
        model = saved_models.load(path)
        return Recipe((Step.of_method(model.method),), model.classes)
    entries, classes = _from_json(path) if path.suffix.lower() == ".json" else _from_labels(path)
    try:
        records = [record for entry in entries for record in _with_earlier(entry)]
        return Recipe(tuple(Step.from_record(record) for record in records), classes)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path.name}: {error}") from error


def with_names(result: Segmentation, known: Iterable[LabelClass]) -> Segmentation:
    """A result in which classes that have no name of their own take that of a known one."""
    table = {entry.id: entry for entry in known}
    unnamed = {LabelClass(entry.id, f"class {entry.id}") for entry in result.classes}
    classes = (
        table.get(entry.id, entry) if entry in unnamed else entry for entry in result.classes
    )
    return replace(result, classes=tuple(classes))


def _from_labels(path: Path) -> tuple[list[dict[str, Any]], tuple[LabelClass, ...]]:
    try:
        format_of(path)
    except FormatError as error:
        raise FormatError(
            f"{path.name}: expected labels with their side file, a .json file of steps or a "
            "saved model, got a name that ends like none of them; give such a file"
        ) from error
    labels = read(path, kind="labels")
    if not isinstance(labels, Segmentation) or labels.provenance is None:
        raise FormatError(
            f"{path.name}: expected labels with a record of how they were made, got labels "
            f"without one; keep their side file {stem_of(path)}.labels.json beside them"
        )
    return [labels.provenance.to_dict()], labels.classes


def _from_json(path: Path) -> tuple[list[dict[str, Any]], tuple[LabelClass, ...]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "provenance" in content:
            entries = [content["provenance"]]
            classes = tuple(LabelClass(**entry) for entry in content["classes"])
        else:
            entries, classes = content if isinstance(content, list) else [content], ()
        return [dict(entry) for entry in entries], classes
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FormatError(
            f"{path.name}: expected steps such as "
            '[{"method": "clean_labels", "settings": {"keep_largest": true}}], or the side file '
            "of labels that say how they were made, got something else"
        ) from error


def _with_earlier(entry: Mapping[str, Any]) -> list[Provenance]:
    """A record after those of the steps before it, which `_with_history` left in it."""
    unknown = sorted(entry.keys() - Provenance.__dataclass_fields__.keys())
    if unknown:
        raise InputError(
            f"expected steps of a method, settings and injected, got {unknown[0]!r} in one; "
            "correct or remove it"
        )
    record = Provenance.from_dict({"settings": {}, **entry})
    earlier = [made["provenance"] for made in record.inputs.values() if "provenance" in made]
    return [*(step for before in earlier for step in _with_earlier(before)), record]


def _with_history(result: Segmentation, name: str, before: Segmentation) -> Segmentation:
    """A result that says how its input `name` was made."""
    record = result.provenance
    assert record is not None
    assert before.provenance is not None
    made = {**record.inputs[name], "provenance": before.provenance.to_dict()}
    return replace(result, provenance=replace(record, inputs={**record.inputs, name: made}))
