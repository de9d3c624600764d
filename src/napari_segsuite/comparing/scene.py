"""What is compared, on what, and how it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np

from ..compute import JobRequest
from ..errors import InputError, ParameterError, SegSuiteError, SpaceMismatchError
from ..image import Image, LabelClass, Segmentation
from ..inputs import check_same_shape
from ..job_memory import estimate_memory
from ..label_values import present_labels
from ..method import Method
from ..metrics import evaluate
from ..metrics.matching import match_labels, rename_labels
from ..registry import get_method
from ..typing import LabelArray
from .report import Match, Row, distinct

OVERLAP_AND_VOLUMES = ("overlap", "volume")
# More labels than that are objects or superpixels, which are no classes.
_MOST_NAMED = 32
_BACKGROUND = LabelClass(0, "background", (0.0, 0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Entry:
    """A method with its settings, to be compared with others.

    Attributes
    ----------
    method : str
        Method id.
    settings : mapping
        Those that are not named have their defaults.
    name : str
        What the entry is called; by default the method's title with the settings that
        differ from the defaults.

    Raises
    ------
    ParameterError
        If there is no such method, a setting is not what it allows, or it gives an image.

    Examples
    --------
    >>> Entry("watershed", {"compactness": 0.5}).title
    'Watershed (compactness=0.5)'
    """

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        record = get_method(self.method)
        if record.output == "image":
            raise ParameterError(
                f"expected methods that give labels, got {record.title}, which gives an image; "
                "leave it out",
                name="entries",
            )
        object.__setattr__(self, "settings", record.check(self.settings))

    @property
    def record(self) -> Method:
        """The declared method."""
        return get_method(self.method)

    @property
    def title(self) -> str:
        """Its name."""
        changed = {
            param.name: self.settings[param.name]
            for param in self.record.params
            if self.settings[param.name] != param.default
        }
        words = ", ".join(f"{name}={_word(value)}" for name, value in changed.items())
        return self.name or f"{self.record.title}{f' ({words})' if words else ''}"


def names_of(entries: Iterable[Entry]) -> list[str]:
    """A name of its own for each entry.

    Examples
    --------
    >>> names_of([Entry("watershed"), Entry("watershed"), Entry("watershed", name="mine")])
    ['Watershed', 'Watershed 2', 'mine']
    """
    return distinct(entry.title for entry in entries)


@dataclass(frozen=True, eq=False)
class Scene:
    """What is the same for all methods of a comparison.

    Attributes
    ----------
    image : Image
    inputs : mapping of str to Segmentation
        "seeds", "labels" and "mask", as far as there are any. A method is given what it
        takes; one that works on labels is given the labels in place of the image.
    reference : Segmentation or None
        Labels held to be true.
    metrics : str or tuple of str
        As `evaluate` takes them.
    match : {"auto", "none"}
        "auto" assigns the labels of methods without seeds, whose numbers are arbitrary, to
        the classes of the reference; "none" compares all labels as they are.

    Raises
    ------
    InputError, SpaceMismatchError
        If the inputs or the reference do not lie on the image's grid.
    ParameterError
        If `match` is another word.
    """

    image: Image
    inputs: Mapping[str, Segmentation] = field(default_factory=dict)
    reference: Segmentation | None = None
    metrics: str | tuple[str, ...] = OVERLAP_AND_VOLUMES
    match: Match = "auto"

    def __post_init__(self) -> None:
        if self.match not in get_args(Match):
            raise ParameterError(
                f"expected match 'auto' or 'none', got {self.match!r}; choose one", name="match"
            )
        for name, labels in self.inputs.items():
            if labels.labels.ndim == len(self.image.spatial_shape):  # else of one time point
                _check_grid(self.image, name, labels)
        if self.reference is not None:
            _check_grid(self.image, "reference", self.reference)

    def request(
        self, entry: Entry, device: str = "auto", rng: int = 0, memory_limit: int | None = None
    ) -> JobRequest:
        """The run of an entry.

        Raises
        ------
        InputError
            If its method works on labels and there are none.
        """
        method = entry.record
        image: Image | Segmentation = self.image
        if method.takes_labels:
            if "labels" not in self.inputs:
                raise InputError(f"{method.title} works on labels; give labels, or leave it out.")
            image = self.inputs["labels"]
        taken = {entry.name for entry in method.inputs} - {"image"}
        return JobRequest(
            method.id,
            image,
            inputs={name: labels for name, labels in self.inputs.items() if name in taken},
            settings=entry.settings,
            device=device if device.partition(":")[0] in method.devices else "auto",
            memory_limit=memory_limit,
            rng=rng,
        )

    def row(self, name: str, entry: Entry, error: str = "") -> Row:
        """What is known of an entry before it has run, or after it failed."""
        memory = estimate_memory(entry.record, self.image, entry.settings)
        return Row(name, entry.method, entry.settings, memory, error=error)

    def judge(
        self, name: str, entry: Entry, result: Segmentation, seconds: float
    ) -> tuple[Row, Segmentation]:
        """Count and score the labels of an entry, and name them after what they are matched to."""
        row = replace(
            self.row(name, entry), seconds=seconds, n_labels=len(present_labels(result.labels))
        )
        result = replace(result, name=f"{self.image.name} {name}")
        if self.reference is None:
            return row, result
        try:
            return self._scored(row, entry, result, self.reference)
        except SegSuiteError as error:
            return replace(row, error=f"not scored: {error}"), result

    def _scored(
        self, row: Row, entry: Entry, result: Segmentation, reference: Segmentation
    ) -> tuple[Row, Segmentation]:
        classes = _classes_of(reference)
        judged = result
        if self._is_matched(entry):
            matching = _matching(result.labels, reference.labels)
            row = replace(row, matching=matching)
            judged = replace(result, labels=rename_labels(result.labels, matching))
            if len(matching) <= _MOST_NAMED:
                result = replace(result, classes=_named_after(result.classes, matching, classes))
        report = evaluate(judged, reference, metrics=self.metrics, classes=classes)
        return replace(row, report=report), result

    def _is_matched(self, entry: Entry) -> bool:
        """Whether the numbers of its labels mean nothing."""
        method = entry.record
        is_seeded = "seeds" in self.inputs and any(e.name == "seeds" for e in method.inputs)
        return self.match == "auto" and not method.takes_labels and not is_seeded


def _check_grid(image: Image, name: str, labels: Segmentation) -> None:
    channels = image.space.channel_axis
    check_same_shape("Comparison", name, labels.labels.shape, image.data.shape, channels)
    grid = image.space.without("channel")
    if not labels.space.is_close(grid):
        raise SpaceMismatchError(
            f"expected the {name} on the grid of the image, but they lie at different places in "
            f"the world: the image has {grid}, the {name} {labels.space}; resample the {name} "
            "onto the image's grid first."
        )


def _classes_of(reference: Segmentation) -> tuple[LabelClass, ...]:
    """The classes that occur in a reference, background included."""
    known = {entry.id: entry for entry in reference.classes}
    present = present_labels(reference.labels)
    classes = tuple(known.get(i, LabelClass(i, f"class {i}")) for i in present)
    return classes if reference.labels.all() else (_BACKGROUND, *classes)


def _matching(labels: LabelArray, reference: LabelArray) -> dict[int, int]:
    """The class of each label but 0.

    What has no label is taken for one more label: where it suits the background best, no
    other label takes that place, however much of the background it covers.
    """
    unlabelled = int(labels.max()) + 1
    all_labelled = np.where(labels == 0, unlabelled, labels.astype(np.uint32))
    matching = match_labels(all_labelled, reference)
    if matching.pop(unlabelled, 0) != 0:
        return match_labels(labels, reference)
    return matching


def _named_after(
    found: tuple[LabelClass, ...], matching: Mapping[int, int], classes: tuple[LabelClass, ...]
) -> tuple[LabelClass, ...]:
    """The classes of a result with the names and colours of those they are matched to."""
    known = {entry.id: entry for entry in (_BACKGROUND, *classes)}
    return tuple(
        replace(known[matching[entry.id]], id=entry.id) if entry.id in matching else entry
        for entry in found
    )


def _word(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
