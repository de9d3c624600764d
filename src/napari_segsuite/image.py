"""The values that travel: images, segmentations and their class table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .inputs import as_array, check_channel_axis, check_spacing
from .label_values import present_labels
from .space import Space
from .typing import ImageArray, LabelArray

if TYPE_CHECKING:
    from .provenance import Provenance

RGBA = tuple[float, float, float, float]

# Okabe and Ito's colours, which also the colour-blind tell apart.
CLASS_COLOURS: tuple[RGBA, ...] = tuple(
    (red / 255, green / 255, blue / 255, 1.0)
    for red, green, blue in (
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
    )
)


@dataclass(frozen=True)
class LabelClass:
    """A class of a segmentation.

    Attributes
    ----------
    id : int
        Value in the label array; 0 is background.
    name : str
    colour : (4,) tuple of float in [0, 1] or None
        RGBA, opaque where only RGB is given; None leaves the choice to the display.
    visible : bool
        Whether the display shows it.
    locked : bool
        Whether its voxels are to stay as they are when others grow or are merged.
    """

    id: int
    name: str
    colour: RGBA | None = None
    visible: bool = True
    locked: bool = False

    def __post_init__(self) -> None:
        if self.colour is not None:
            object.__setattr__(self, "colour", _rgba(self.colour))


@dataclass(frozen=True, eq=False)
class Image:
    """An intensity array in (Z)YX order with its geometry.

    Attributes
    ----------
    data : (M, N[, P]) array, or one with a channel axis named in `space`
    space : Space
    name : str
    metadata : mapping
        What the source file said beyond geometry; carried along, never interpreted.
    provenance : Provenance or None
        How it was made, if a method made it.
    """

    data: ImageArray
    space: Space
    name: str = "image"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        if not hasattr(self.data, "dtype"):
            object.__setattr__(self, "data", np.asarray(self.data))
        if np.ndim(self.data) != self.space.ndim:
            raise InputError(
                f"expected data with {self.space.ndim} axes, as its space has, "
                f"got shape {np.shape(self.data)}; give a space with one axis per array axis"
            )

    @classmethod
    def from_array(
        cls,
        data: ImageArray,
        *,
        spacing: tuple[float, ...] | None = None,
        unit: str | None = None,
        channel_axis: int | None = None,
        name: str = "image",
    ) -> Image:
        """Wrap a bare array.

        Raises
        ------
        InputError
            If it is no array of numbers, or has not these axes.
        """
        data = data if hasattr(data, "dtype") else as_array(data, "image: ")
        if channel_axis is not None:
            check_channel_axis(channel_axis, data.shape)
        if spacing is not None:
            spacing = check_spacing(spacing, data.ndim - (channel_axis is not None))
        return cls(data, Space.regular(data.ndim, spacing, unit, channel_axis), name)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Shape without channels."""
        kinds = (axis.kind for axis in self.space.axes)
        return tuple(n for n, kind in zip(self.data.shape, kinds, strict=True) if kind != "channel")


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A label array with its geometry, classes and history.

    Attributes
    ----------
    labels : (M, N[, P]) unsigned integer array, 0 = background
    space : Space
    classes : tuple of LabelClass
    provenance : Provenance or None
    extras : mapping of str to array
        Further outputs by name (strength, probabilities, …), on the same grid.
    """

    labels: LabelArray
    space: Space
    classes: tuple[LabelClass, ...] = ()
    provenance: Provenance | None = None
    extras: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    name: str = "labels"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not hasattr(self.labels, "dtype"):
            object.__setattr__(self, "labels", np.asarray(self.labels))
        if not self.classes:
            object.__setattr__(self, "classes", ())
        if np.ndim(self.labels) != self.space.ndim:
            raise InputError(
                f"expected labels with {self.space.ndim} axes, as their space has, "
                f"got shape {np.shape(self.labels)}"
            )


def _rgba(colour: Iterable[float]) -> RGBA:
    try:
        red, green, blue, *rest = (float(value) for value in colour)
        (alpha,) = rest or (1.0,)
    except (TypeError, ValueError):
        red = green = blue = alpha = float("nan")
    if not all(0 <= value <= 1 for value in (red, green, blue, alpha)):
        raise InputError(
            f"expected a colour as red, green, blue and alpha from 0 to 1, got {colour!r}; "
            "give for instance (1, 0.5, 0, 1) for orange"
        )
    return red, green, blue, alpha


def colour_to_hex(colour: RGBA) -> str:
    """Write a colour as #rrggbb, or as #rrggbbaa where it is not opaque.

    Examples
    --------
    >>> colour_to_hex((1.0, 0.5, 0.0, 1.0))
    '#ff8000'
    """
    parts = [round(255 * part) for part in colour]
    return "#" + bytes(parts if parts[3] < 255 else parts[:3]).hex()


def colour_from_hex(text: str) -> RGBA:
    """Inverse of `colour_to_hex`, up to the 8 bits of each part.

    Raises
    ------
    InputError
        If it is no such text.
    """
    if re.fullmatch(r"#?([0-9a-fA-F]{2}){3,4}", text) is None:
        raise InputError(f"expected a colour as #rrggbb or #rrggbbaa, got {text!r}")
    return _rgba(part / 255 for part in bytes.fromhex(text.removeprefix("#")))


def classes_present(labels: LabelArray, known: Iterable[LabelClass] = ()) -> tuple[LabelClass, ...]:
    """Table of the classes that occur in `labels`, with known names and colours kept."""
    table = {entry.id: entry for entry in known}
    return tuple(table.get(i, LabelClass(i, f"class {i}")) for i in present_labels(labels))
