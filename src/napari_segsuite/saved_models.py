"""Models in files: what was learned once, as a method that takes nothing but an image."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import is_zipfile

from .image import LabelClass
from .method import Extras, Method
from .progress import SILENT, Progress
from .typing import ImageArray, LabelArray, Spacing

if TYPE_CHECKING:
    from .families.seeded.pixel_classifier_model import PixelClassifier

METHOD_ID = "saved_model"

# A classifier's need of memory is stated for so many classes; a further one takes one byte
# and one float per voxel.
_CLASSES_COUNTED, _BYTES_PER_CLASS = 2, 5


@dataclass(frozen=True, eq=False)
class Model:
    """A model that was read from a file.

    Attributes
    ----------
    method : Method
        Applies it to an image; its settings say which file it came from.
    classes : tuple of LabelClass
        What its labels mean.
    """

    method: Method
    classes: tuple[LabelClass, ...] = ()


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file may be a saved model: these are archives, other files of ours are not."""
    return is_zipfile(path)


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model.

    Parameters
    ----------
    path : path
        What `PixelClassifier.save` wrote.

    Returns
    -------
    Model

    Raises
    ------
    FormatError
        If the file is missing, damaged or no model.
    """
    from .families.seeded import pixel_classifier_model as pixels

    classifier = pixels.PixelClassifier.load(path)
    n_further = len(classifier.classes) - _CLASSES_COUNTED
    apply = _application(classifier, Path(path).name, _checksum(Path(path)))
    return Model(
        Method(
            id=METHOD_ID,
            title="Saved pixel classifier",
            family="seeded",
            ndim=(2, 3),
            channels="any",
            output="labels",
            extras=("probabilities",),
            requires=("numba",),
            devices=("cpu",),
            bytes_per_voxel=pixels.BYTES_PER_VOXEL + _BYTES_PER_CLASS * n_further,
            bytes_per_channel=pixels.BYTES_PER_CHANNEL,
            bytes_by_setting={},
            stacked_by=None,
            is_pixelwise=False,
            preview="none",
            references=(),
            function=apply,
        ),
    )


def _application(classifier: PixelClassifier, name: str, checksum: str) -> Callable[..., Any]:
    """A method's function; its settings serve the record of what was run."""

    def apply_model(
        image: ImageArray,
        *,
        model: str = name,
        sha256: str = checksum,
        spacing: Spacing | None = None,
        channel_axis: int | None = None,
        extras: Extras | None = None,
        progress: Progress = SILENT,
    ) -> LabelArray:
        """Label an image with what was learned from the strokes in another."""
        probabilities = classifier.probabilities(image, spacing, channel_axis, progress=progress)
        if extras is not None and "probabilities" in extras.wanted:
            extras["probabilities"] = probabilities
        return classifier.labels(probabilities)

    return apply_model


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
