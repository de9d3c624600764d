"""The masks of single labels, cut out of two label arrays on one grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...inputs import check_spacing
from ...typing import Box, LabelArray
from ..label_numbers import is_among

Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LabelGrid:
    """Two label arrays as volumes; a flat image is a volume of one plane.

    Attributes
    ----------
    prediction, reference : (M, N, P) unsigned integer array
        Views, with the axes in the order that memory has them.
    spacing : tuple of 3 float
    is_flat : bool
        Whether nothing bounds a mask above and below.
    """

    prediction: LabelArray
    reference: LabelArray
    spacing: tuple[float, ...]
    is_flat: bool

    @classmethod
    def of(cls, prediction: Any, reference: Any, spacing: Sequence[float]) -> LabelGrid:
        """Check two arrays and take them for volumes.

        Raises
        ------
        InputError
            If shapes differ, are not 2D or 3D, or values are no labels.
        """
        first, second = np.asarray(prediction), np.asarray(reference)
        if first.shape != second.shape:
            raise InputError(
                f"expected prediction and reference of one shape, got {first.shape} and "
                f"{second.shape}; resample one onto the grid of the other"
            )
        if first.ndim not in (2, 3) or first.size == 0:
            raise InputError(
                f"expected 2D or 3D labels for surface metrics, got the shape {first.shape}; "
                "measure one time point at a time"
            )
        for array in (first, second):
            if array.dtype.kind not in "bu":
                raise InputError(
                    f"expected labels as unsigned integers, got {array.dtype}; "
                    "convert them with astype"
                )
        sizes = check_spacing(spacing, first.ndim)
        if first.ndim == 2:
            return cls(_integers(first[None]), _integers(second[None]), (1.0, *sizes), True)
        order = np.argsort(-np.abs(second.strides), kind="stable")
        first, second = _integers(first.transpose(order)), _integers(second.transpose(order))
        return cls(first, second, tuple(sizes[axis] for axis in order), False)

    @property
    def diagonal(self) -> float:
        """Length of the image's diagonal."""
        sides = zip(self.prediction.shape, self.spacing, strict=True)
        return math.hypot(*[n * step for n, step in list(sides)[self.is_flat :]])

    def boxes(self, classes: tuple[int, ...]) -> list[Box]:
        """Where each class occurs in either array; the first voxel for classes in neither."""
        from ...kernels.cpu.surface_boxes import label_boxes

        begin, end = label_boxes(self.prediction, classes)
        other_begin, other_end = label_boxes(self.reference, classes)
        begin, end = np.minimum(begin, other_begin), np.maximum(end, other_end)
        nowhere = end[:, 0] == 0
        begin[nowhere], end[nowhere] = 0, 1
        return [
            tuple(slice(a, b) for a, b in zip(*sides, strict=True))
            for sides in zip(begin.tolist(), end.tolist(), strict=True)
        ]

    def masks(self, label: int, box: Box, ignore: Sequence[int] = ()) -> tuple[Mask, Mask]:
        """Prediction and reference of one label in a box: 0 and 1, framed by zeros.

        Parameters
        ----------
        label : int
        box : tuple of 3 slice
        ignore : sequence of int
            Where the reference has one of these labels, both are 0.

        Returns
        -------
        two (m + 2, n + 2, p + 2), or flat (1, n + 2, p + 2), uint8 arrays
        """
        expected = self.reference[box]
        left_out = is_among(expected, ignore) if len(ignore) else None
        masks = [
            self._framed(values, label, left_out) for values in (self.prediction[box], expected)
        ]
        return masks[0], masks[1]

    def unframed(self, mask: Mask) -> Mask:
        """The view of a mask without its frame."""
        return mask[:, 1:-1, 1:-1] if self.is_flat else mask[1:-1, 1:-1, 1:-1]

    def _framed(self, values: LabelArray, label: int, left_out: NDArray[np.bool_] | None) -> Mask:
        depth, height, width = values.shape
        mask = np.zeros((depth if self.is_flat else depth + 2, height + 2, width + 2), np.uint8)
        inside = self.unframed(mask)
        np.equal(values, label, out=inside.view(np.bool_))
        if left_out is not None:
            inside[left_out] = 0
        return mask


def _integers(labels: NDArray[Any]) -> LabelArray:
    return labels.view(np.uint8) if labels.dtype == np.bool_ else labels
