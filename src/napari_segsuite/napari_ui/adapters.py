"""Between napari's layers and the values that methods work on."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import InputError
from ..image import RGBA, Image, LabelClass, Segmentation, colour_from_hex, colour_to_hex
from ..space import Axis, Space

if TYPE_CHECKING:
    import napari.layers
    from numpy.typing import NDArray

METADATA_KEY = "napari_segsuite"
# Marks the layer of a live preview, which is nobody's input.
PREVIEW_KEY = "napari_segsuite_preview"

LayerData = tuple[Any, dict[str, Any], Literal["image", "labels"]]
_GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_CLASS_COLUMNS = ("index", "name", "visible", "locked", "colour")
# A direct colormap shows nothing for labels it does not list. Listing the first ones keeps
# a further class that the user paints visible.
_N_LISTED_COLOURS = 64


def image_from_layer(layer: napari.layers.Image | napari.layers.Labels) -> Image:
    """The image a layer shows, on the layer's own array.

    Raises
    ------
    InputError
        If the layer is lazy or multiscale.
    """
    data = _in_memory(layer)
    return Image(data, space_of(layer), str(layer.name))


def segmentation_from_layer(layer: napari.layers.Labels, *, snapshot: bool = True) -> Segmentation:
    """The labels of a layer with their class table.

    Parameters
    ----------
    layer : Labels
    snapshot : bool
        Copy the labels, so that painting on does not reach a job that reads them.

    Raises
    ------
    InputError
        If the layer is lazy or multiscale, or does not hold integers.
    """
    data = _in_memory(layer)
    if data.dtype.kind not in "uib":
        raise InputError(
            f"expected integer labels in the layer '{layer.name}', got {data.dtype}; "
            f"right-click it and choose Convert to Labels."
        )
    labels = data.copy() if snapshot else data
    classes = classes_in(layer.features, layer.colormap)
    return Segmentation(labels, space_of(layer), classes, name=str(layer.name))


def space_of(layer: napari.layers.Layer) -> Space:
    """Where a layer lies in the world."""
    channel_axis = -1 if getattr(layer, "rgb", False) else None
    return Space.from_layer_kwargs({name: getattr(layer, name) for name in _GEOMETRY}, channel_axis)


def names_classes(features: Any) -> bool:
    """Whether the features of a labels layer have a table of class names."""
    return features is not None and {"index", "name"} <= set(features)


def classes_in(features: Any, colormap: Any) -> tuple[LabelClass, ...]:
    """Classes that the features of a labels layer name, or else its direct colormap lists."""
    colours = None if colormap is None else ColoursOf(colormap)
    if not names_classes(features):
        listed = sorted(index for index in getattr(colormap, "color_dict", {}) if index)
        return tuple(
            LabelClass(index, f"class {index}", None if colours is None else colours[index])
            for index in listed
        )
    nothing = [None] * len(features["index"])
    columns = [features.get(key, nothing) for key in _CLASS_COLUMNS]
    classes = {}
    for index, name, visible, locked, colour in zip(*columns, strict=True):
        if _is_missing(index) or _is_missing(name) or int(index) <= 0:
            continue
        is_visible = _is_missing(visible) or bool(visible)
        own = None
        if is_visible and colours is not None:
            own = colours[int(index)]
        elif not is_visible and not _is_missing(colour):
            own = colour_from_hex(str(colour))
        is_locked = not _is_missing(locked) and bool(locked)
        classes[int(index)] = LabelClass(int(index), str(name), own, is_visible, is_locked)
    return tuple(classes[index] for index in sorted(classes))


def layer_data(value: Image | Segmentation) -> LayerData:
    """What napari needs to show an image or labels, geometry and history included."""
    metadata = dict(value.metadata)
    kwargs = {"name": value.name, "metadata": metadata}
    if value.provenance is not None:
        metadata[METADATA_KEY] = value.provenance.to_dict()
    if isinstance(value, Image):
        return _image_data(value.data, value.space, kwargs)
    kwargs |= value.space.to_layer_kwargs()
    if value.classes:
        kwargs["features"] = class_features(value.classes)
    if any(entry.colour is not None or not entry.visible for entry in value.classes):
        kwargs["colormap"] = class_colormap(value.classes)
    return value.labels, kwargs, "labels"


def extra_data(segmentation: Segmentation, name: str) -> LayerData:
    """What napari needs to show one further output of a method."""
    data = segmentation.extras[name]
    metadata: dict[str, Any] = {}
    if segmentation.provenance is not None:
        metadata[METADATA_KEY] = segmentation.provenance.to_dict()
    kwargs = {"name": f"{segmentation.name} {name}", "metadata": metadata}
    return _image_data(data, _space_for(data, segmentation.space), kwargs)


def class_features(classes: Sequence[LabelClass]) -> dict[str, list[Any]]:
    """Columns of a layer's features that name the classes.

    What is as usual is left empty, and a column without anything left out: napari shows
    every other cell in its tooltip.
    """
    features: dict[str, list[Any]] = {
        "index": [0, *(entry.id for entry in classes)],
        "name": ["background", *(entry.name for entry in classes)],
    }
    states: dict[str, list[Any]] = {
        "visible": [None if entry.visible else False for entry in classes],
        "locked": [True if entry.locked else None for entry in classes],
        # The colormap has the colour of what is shown, and nothing of what is hidden.
        "colour": [
            None if entry.visible or entry.colour is None else colour_to_hex(entry.colour)
            for entry in classes
        ],
    }
    for name, cells in states.items():
        if any(cell is not None for cell in cells):
            features[name] = [None, *cells]
    return features


def features_with_classes(features: Any, classes: Sequence[LabelClass]) -> Any:
    """The features of a labels layer with this class table; other columns stay.

    Parameters
    ----------
    features : DataFrame
    classes : sequence of LabelClass
    """
    table = class_features(classes)
    others = [name for name in features if name not in _CLASS_COLUMNS]
    if not others:
        return table
    rows = features
    if "index" not in features:
        rows = features.assign(index=range(len(features)))  # as napari takes it
    rows = rows.drop_duplicates("index").set_index("index")[others]
    ids = sorted({*table["index"], *rows.index})
    merged = rows.reindex(ids).rename_axis("index").reset_index()
    for name in _CLASS_COLUMNS[1:]:
        if name in table:
            cells = dict(zip(table["index"], table[name], strict=True))
            merged[name] = [cells.get(index) for index in ids]
    return merged


def class_colormap(classes: Sequence[LabelClass], base: Any = None) -> Any:
    """Direct colormap of the classes; hidden ones are transparent.

    Parameters
    ----------
    classes : sequence of LabelClass
        Those without a colour get the one of `base`.
    base : label colormap, optional
        Whose colours all other labels get; napari's usual one by default.
    """
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    colours: dict[int | None, Any] = dict(getattr(base, "color_dict", {}))
    if not colours:
        usual = ColoursOf(label_colormap() if base is None else base)
        ids = {*range(1, _N_LISTED_COLOURS), *(entry.id for entry in classes)}
        colours = {None: (0.5, 0.5, 0.5, 1.0), 0: "transparent"}
        colours |= {index: usual[index] for index in ids}
    for entry in classes:
        if not entry.visible:
            colours[entry.id] = "transparent"
        elif entry.colour is not None:
            colours[entry.id] = entry.colour
    return DirectLabelColormap(color_dict=colours)


class ColoursOf:
    """Colours by label, as a colormap has them when all labels are shown.

    Parameters
    ----------
    colormap : label colormap
    """

    def __init__(self, colormap: Any) -> None:
        if getattr(colormap, "use_selection", False):
            colormap = copy.deepcopy(colormap)
            colormap.use_selection = False
        self._colormap = colormap

    def __getitem__(self, index: int) -> RGBA:
        # What single precision adds to a colour would make it another one each time.
        red, green, blue, alpha = (round(float(part), 6) for part in self._colormap.map(index))
        return red, green, blue, alpha


def _image_data(data: NDArray[Any], space: Space, kwargs: Mapping[str, Any]) -> LayerData:
    axis = space.channel_axis
    rgb = axis is not None and data.shape[axis] in (3, 4)
    if axis is not None:
        data = np.moveaxis(data, axis, -1 if rgb else 0)
    geometry = space.to_layer_kwargs()
    if axis is not None and not rgb:
        stacked = space.without("channel").with_leading(Axis("c"))
        geometry = stacked.to_layer_kwargs()
    return data, {**kwargs, **geometry, "rgb": rgb}, "image"


def _space_for(data: NDArray[Any], space: Space) -> Space:
    """The space of a further output: on the labels' grid, or with fewer or more axes."""
    if data.ndim < space.ndim:
        return space.without("time")
    return space if data.ndim == space.ndim else space.with_leading(Axis("class"))


def _in_memory(layer: napari.layers.Image | napari.layers.Labels) -> NDArray[Any]:
    if layer.multiscale:
        raise InputError(
            f"expected one resolution, got the multiscale layer '{layer.name}' with "
            f"{len(layer.data)} levels; add the level you want as a layer of its own."
        )
    data = layer.data
    if not isinstance(data, np.ndarray):
        raise InputError(
            f"expected an array in memory, but the layer '{layer.name}' is lazy "
            f"({type(data).__module__.partition('.')[0]}); compute it into memory first: "
            f"layer.data = np.asarray(layer.data)."
        )
    return data


def _is_missing(cell: Any) -> bool:
    return cell is None or cell != cell  # pandas marks gaps with nan
