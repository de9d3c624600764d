"""What a method returned becomes a segmentation or an image, with its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import JobFailedError
from .image import Image, LabelClass, Segmentation, classes_present
from .job_frames import Calls
from .label_values import present_labels
from .method import Extras, Method
from .provenance import Provenance
from .space import Axis, Space
from .typing import ImageArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished run of a method.

    Attributes
    ----------
    method : Method
    settings : mapping
    source : Image
        What it ran on.
    calls : Calls
    array : array
        What the method returned.
    extras : Extras
    provenance : Provenance
    """

    method: Method
    settings: Mapping[str, Any]
    source: Image
    calls: Calls
    array: ImageArray
    extras: Extras
    provenance: Provenance

    def segmentation(self, known: tuple[LabelClass, ...]) -> Segmentation:
        """The labels with their classes.

        Raises
        ------
        JobFailedError
            If the method did not return what it declares.
        """
        steps = self._steps()
        shape, space = self._grid()
        if steps:
            shape, space = (len(steps), *shape), space.with_leading(Axis("t", "time"))
        if self.array.shape != shape or self.array.dtype.kind != "u":
            raise self._broken_contract(f"unsigned labels of shape {shape}")
        missing = self.extras.wanted - set(self.extras)
        if missing:
            raise JobFailedError(
                f"{self.method.title} did not return {', '.join(sorted(missing))}; "
                "please report it."
            )
        name = f"{self.source.name} {self.method.title}"
        return Segmentation(
            self.array,
            space,
            classes_present(self.array, known),
            self.provenance,
            dict(self.extras),
            name=f"{name} steps" if steps else name,
            metadata=self.source.metadata,
        )

    def image(self) -> Image:
        """The image, whose channels are on its last axis.

        Raises
        ------
        JobFailedError
            If the method did not return an image of that shape.
        """
        shape, space = self._grid()
        n_axes = len(shape)
        if self.array.shape[:n_axes] != shape or self.array.ndim > n_axes + 1:
            raise self._broken_contract(f"an image of shape {shape}, channels last")
        if self.array.ndim > n_axes:
            space = replace(space, axes=(*space.axes, Axis("c", "channel")))
        name = f"{self.source.name} {self.method.title}"
        return Image(self.array, space, name, self.source.metadata, self.provenance)

    def _grid(self) -> tuple[tuple[int, ...], Space]:
        return self.calls.result_shape(self.source.data.shape), self.calls.result_space

    def _steps(self) -> tuple[Any, ...]:
        stacked_by = self.method.stacked_by
        return () if stacked_by is None else tuple(self.settings[stacked_by])

    def _broken_contract(self, expected: str) -> JobFailedError:
        return JobFailedError(
            f"{self.method.title} broke its contract: expected {expected}, got "
            f"{self.array.dtype} of shape {self.array.shape}; please report this defect."
        )


def lasting_classes(
    method: Method, settings: Mapping[str, Any], image: Segmentation
) -> tuple[LabelClass, ...]:
    """Classes of labels whose ids mean the same in what a method made of them."""
    if method.output != "instances":
        return tuple(image.classes)
    split = settings["classes"]
    kept = set(present_labels(image.labels)) - set(split) if split else set()
    return tuple(entry for entry in image.classes if entry.id in kept)
