"""Layers into files, where the viewer shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from ..image import Image, Segmentation
from ..provenance import Provenance
from ..space import Space
from .adapters import METADATA_KEY, classes_in


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write an image layer."""
    from ..io import write

    rgb = bool(meta.get("rgb", False))
    space = Space.from_layer_kwargs(meta, -1 if rgb else None)
    write(path, Image(_one_level(data, meta), space, _name(meta), _file_metadata(meta)))
    return [path]


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write a labels layer with its classes and history."""
    from ..io import write

    metadata = meta.get("metadata", {})
    record = metadata.get(METADATA_KEY)
    segmentation = Segmentation(
        _one_level(data, meta),
        Space.from_layer_kwargs(meta),
        classes_in(meta.get("features"), meta.get("colormap")),
        Provenance.from_dict(record) if record else None,
        name=_name(meta),
        metadata=_file_metadata(meta),
    )
    write(path, segmentation)
    return [path]


def _one_level(data: Any, meta: Mapping[str, Any]) -> Any:
    if meta.get("multiscale", False):
        raise InputError(
            f"expected one resolution, got the multiscale layer '{_name(meta)}'; "
            f"add the level you want as a layer of its own and save that."
        )
    return np.asarray(data)


def _name(meta: Mapping[str, Any]) -> str:
    return str(meta.get("name", "layer"))


def _file_metadata(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in meta.get("metadata", {}).items() if key != METADATA_KEY}
