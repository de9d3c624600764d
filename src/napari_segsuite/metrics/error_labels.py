"""Where a prediction errs, as labels that can be shown on the image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError
from ..image import CLASS_COLOURS, LabelClass, Segmentation
from ..progress import SILENT, Progress
from ..space import Space
from .blocks import array_or_lazy, read_blocks
from .catalogue import as_tuple
from .grids import Labels, OtherGrid, classes_of, labels_of, load_labels, on_one_grid
from .label_numbers import is_among, label_number
from .label_pairs import as_unsigned
from .mapping import check_mapping, map_labels

RIGHT, TOO_MUCH, MISSED, CONFUSED = 1, 2, 3, 4
_GREEN, _BLUE, _VERMILLION, _PURPLE = (CLASS_COLOURS[i] for i in (2, 4, 5, 6))
_CLASSES = (
    LabelClass(RIGHT, "right", _GREEN),
    LabelClass(TOO_MUCH, "too much", _VERMILLION),
    LabelClass(MISSED, "missed", _BLUE),
    LabelClass(CONFUSED, "confused", _PURPLE),
)
_Codes = NDArray[np.uint8]
_Judge = Callable[[NDArray[Any], NDArray[Any]], _Codes]


def error_labels(
    prediction: Labels,
    reference: Labels,
    *,
    label: int | None = None,
    predicted: int | None = None,
    objects: tuple[int, int] | None = None,
    ignore: int | Iterable[int] = (),
    mapping: Mapping[int, int] | None = None,
    other_grid: OtherGrid = "refuse",
    progress: Progress = SILENT,
) -> Segmentation:
    """Mark where a prediction agrees with a reference, and where it errs and how.

    The marks are 1 right, 2 too much (predicted, but not there), 3 missed (there, but not
    predicted) and 4 confused (one class taken for another). 0 is where nothing is.

    Parameters
    ----------
    prediction, reference : (M, N[, P]) array_like, Segmentation, Image, or path
        Labels, taken as `evaluate` takes them; lazy arrays are read block by block.
    label : int, optional
        Mark this class alone: right, too much, and missed. By default all that is labelled.
    predicted : int, optional
        With `label`: mark only the voxels of class `label` that are predicted as this one.
    objects : (int, int), optional
        Mark one object alone: its label in the reference and that in the prediction, 0 for
        none.
    ignore : int or iterable of int
        Voxels that the reference gives one of these labels stay unmarked.
    mapping : mapping of int to int, optional
        Class of the reference that a predicted label counts as.
    other_grid : {"refuse", "nearest"}
        What to do with a prediction on another grid.
    progress : Progress
        Told "block 3 of 40"; raises `Cancelled` to stop.

    Returns
    -------
    Segmentation
        uint8 labels on the reference's grid, one byte per voxel, with names and colours for
        the marks that can occur; also the colour-blind can tell these apart.

    Raises
    ------
    InputError
        If the shapes differ or values are no labels.
    SpaceMismatchError
        If the two do not lie on one grid.
    ParameterError
        If `predicted` comes without `label`, or `objects` with either of them.

    Examples
    --------
    >>> errors = error_labels([[1, 1, 0, 2]], [[1, 0, 1, 1]])
    >>> errors.labels.tolist(), [entry.name for entry in errors.classes]
    ([[1, 2, 3, 4]], ['right', 'too much', 'missed', 'confused'])
    >>> error_labels([[1, 1, 0, 2]], [[1, 0, 1, 1]], label=1, predicted=2).labels.tolist()
    [[0, 0, 0, 4]]
    """
    judge = _judge(label, predicted, objects)
    renamed = check_mapping(mapping)
    left_out = tuple(label_number(label, "ignore") for label in as_tuple(ignore))
    first, second = on_one_grid(load_labels(prediction), load_labels(reference), other_grid)
    expected_all = array_or_lazy(labels_of(second), "reference")
    marks = np.zeros(expected_all.shape, np.uint8)
    for box, found, expected in read_blocks(labels_of(first), expected_all, progress):
        codes = judge(map_labels(as_unsigned(found), renamed), expected)
        if left_out:
            codes[is_among(expected, left_out)] = 0
        marks[box] = codes
    space = second.space if isinstance(second, Segmentation) else Space.regular(marks.ndim)
    known = (*classes_of(first), *classes_of(second))
    names = {0: "background"} | {entry.id: entry.name for entry in known}
    return Segmentation(marks, space, _classes(label, predicted, objects, names), name="errors")


def _judge(label: int | None, predicted: int | None, objects: tuple[int, int] | None) -> _Judge:
    """What makes marks out of the predicted and the expected labels of a block."""
    if predicted is not None and label is None:
        raise ParameterError(
            f"expected 'label' with predicted={predicted}, got none; name the class of the "
            "reference that was taken for it",
            name="label",
        )
    if objects is not None:
        if label is not None:
            raise ParameterError(
                f"expected 'label' or 'objects', got both, {label} and {objects}; leave one out",
                name="objects",
            )
        return lambda p, r: _one(_is_object(p, objects[1]), _is_object(r, objects[0]))
    if label is None:
        return _all
    if predicted is None or predicted == label:
        return lambda p, r: _one(p == label, r == label)
    return lambda p, r: ((r == label) & (p == predicted)).view(np.uint8) * np.uint8(CONFUSED)


def _is_object(labels: NDArray[Any], label: int) -> NDArray[np.bool_]:
    return labels == label if label else np.zeros(labels.shape, np.bool_)


def _one(found: NDArray[np.bool_], expected: NDArray[np.bool_]) -> _Codes:
    """Marks of a single class or object."""
    right, too_much, missed, nothing = np.array([RIGHT, TOO_MUCH, MISSED, 0], np.uint8)
    codes: _Codes = np.where(
        expected, np.where(found, right, missed), np.where(found, too_much, nothing)
    )
    return codes


def _all(found: NDArray[Any], expected: NDArray[Any]) -> _Codes:
    """Marks of all that is labelled."""
    codes = _one(found > 0, expected > 0)
    codes[(codes == RIGHT) & (found != expected)] = CONFUSED
    return codes


def _classes(
    label: int | None,
    predicted: int | None,
    objects: tuple[int, int] | None,
    names: Mapping[int, str],
) -> tuple[LabelClass, ...]:
    """The marks that can occur."""
    if label is None and objects is None:
        return _CLASSES
    if predicted is None or predicted == label:
        return _CLASSES[:3]
    first, second = (
        names.get(id_, f"class {id_}") for id_ in (label, predicted) if id_ is not None
    )
    return (LabelClass(CONFUSED, f"{first} taken for {second}", _PURPLE),)
