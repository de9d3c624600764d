"""Which cluster stands for which class of a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..label_values import compact_labels, present_labels, smallest_label_dtype
from ..typing import LabelArray
from .confusion import confusion_matrix


def match_labels(
    prediction: ArrayLike,
    reference: ArrayLike,
    *,
    many_to_one: bool = False,
    ignore: tuple[int, ...] = (),
) -> dict[int, int]:
    """Assign predicted labels to the classes of a reference so that most voxels agree.

    Clusters are numbered without regard to classes; this finds the names that suit them
    best. One label is given to each class at most (the assignment problem solved by
    Kuhn 1955, doi:10.1002/nav.3800020109). Labels left over, because there are more of them
    than classes or they meet none of the classes left, each go to the one they overlap most.

    Parameters
    ----------
    prediction : (M, N[, P]) array_like
        Labels to match; 0 is unlabelled and stays so.
    reference : (M, N[, P]) array_like
        Classes, 0 among them.
    many_to_one : bool
        Whether each label goes to the class it overlaps most, even if another one does too.
        The agreement is then never lower, but classes may be left without a label.
    ignore : tuple of int
        Classes whose voxels are left out.

    Returns
    -------
    dict of int to int
        Class of each predicted label but 0; of labels in ignored voxels alone, 0.

    Raises
    ------
    InputError
        As `confusion_matrix`.

    Examples
    --------
    >>> match_labels([1, 1, 2, 2, 3], [0, 0, 5, 5, 5])
    {1: 0, 2: 5, 3: 5}
    """
    confusion = confusion_matrix(prediction, reference, ignore=ignore)
    labels, counts = np.array(confusion.labels), confusion.counts
    predicted = np.flatnonzero(counts.any(axis=0) & (labels != 0))
    classes = np.flatnonzero(counts.any(axis=1))
    joint = counts[np.ix_(classes, predicted)]
    mapping = dict.fromkeys(present_labels(compact_labels(prediction)), 0)
    if joint.size:
        chosen = joint.argmax(axis=0)
        if not many_to_one:
            from scipy.optimize import linear_sum_assignment

            rows, columns = linear_sum_assignment(joint, maximize=True)
            meet = joint[rows, columns] > 0
            chosen[columns[meet]] = rows[meet]
        mapping |= dict(
            zip(labels[predicted].tolist(), labels[classes][chosen].tolist(), strict=True)
        )
    return mapping


def rename_labels(labels: ArrayLike, mapping: dict[int, int]) -> LabelArray:
    """Replace labels by what a mapping says, and those it does not name by 0.

    Parameters
    ----------
    labels : (M, N[, P]) array_like
        Labels from 0 up, without large gaps: a table as long as the largest is made.
    mapping : dict of int to int
        As `match_labels` returns it.

    Examples
    --------
    >>> rename_labels([1, 2, 3], {1: 4, 2: 300})
    array([  4, 300,   0], dtype=uint16)
    """
    array = compact_labels(labels)
    dtype = smallest_label_dtype(max(mapping.values(), default=0))
    table = np.zeros(1 + max(int(array.max()), *mapping, 0), dtype)
    for label, replacement in mapping.items():
        table[label] = replacement
    return table[array]
