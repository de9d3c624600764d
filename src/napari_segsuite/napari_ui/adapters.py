"""Between napari's layers and the values that methods work on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import InputError
from ..image import RGBA, Image, LabelClass, Segmentation
from ..space import Axis, Space

if TYPE_CHECKING:
    import napari.layers
    from numpy.typing import NDArray

METADATA_KEY = "napari_segsuite"

LayerData = tuple[Any, dict[str, Any], Literal["image", "labels"]]
_GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
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


def classes_in(features: Any, colormap: Any) -> tuple[LabelClass, ...]:
    """Classes that the features of a labels layer name, or else its direct colormap lists."""
    ids: dict[int, str] = {}
    if features is not None and {"index", "name"} <= set(features):
        pairs = zip(features["index"], features["name"], strict=True)
        ids = {int(index): str(name) for index, name in pairs if int(index) > 0}
    if not ids:
        listed = getattr(colormap, "color_dict", {})
        ids = {index: f"class {index}" for index in listed if index}
    return tuple(LabelClass(i, name, _colour_in(colormap, i)) for i, name in sorted(ids.items()))


def layer_data(value: Image | Segmentation) -> LayerData:
    """What napari needs to show an image or labels, geometry and history included."""
    metadata = dict(value.metadata)
    kwargs = {"name": value.name, "metadata": metadata}
    if isinstance(value, Image):
        return _image_data(value.data, value.space, kwargs)
    if value.provenance is not None:
        metadata[METADATA_KEY] = value.provenance.to_dict()
    kwargs |= value.space.to_layer_kwargs()
    if value.classes:
        kwargs["features"] = class_features(value.classes)
    if any(entry.colour is not None for entry in value.classes):
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


def class_features(classes: tuple[LabelClass, ...]) -> dict[str, list[Any]]:
    """Columns of a layer's features that name the classes."""
    return {
        "index": [0, *(entry.id for entry in classes)],
        "name": ["background", *(entry.name for entry in classes)],
    }


def class_colormap(classes: tuple[LabelClass, ...]) -> Any:
    """Direct colormap of the classes; those without a colour get napari's usual one."""
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    usual = label_colormap()
    ids = {*range(1, _N_LISTED_COLOURS), *(entry.id for entry in classes)}
    colours: dict[int | None, Any] = {index: usual.map(index) for index in ids}
    colours |= {entry.id: entry.colour for entry in classes if entry.colour is not None}
    return DirectLabelColormap(color_dict={None: (0.5, 0.5, 0.5, 1.0), 0: "transparent", **colours})


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


def _colour_in(colormap: Any, index: int) -> RGBA | None:
    if colormap is None:
        return None
    red, green, blue, alpha = (float(part) for part in colormap.map(index))
    return red, green, blue, alpha
