"""A run of a method as a Python script, for "Copy as Python"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..method import Method
from ..space import Space
from .adapters import space_of
from .settings import PLUGIN

if TYPE_CHECKING:
    import napari.layers


def python_script(
    method: Method,
    layers: Mapping[str, napari.layers.Layer],
    settings: Mapping[str, Any],
    *,
    extras: tuple[str, ...] = (),
    device: str = "auto",
    frames: str = "each",
) -> str:
    """A script that does what the form does.

    Layers that this plugin opened from a file are read from it again; for any other the
    script says how to save it first.
    """
    sources = {name: _source(name, layer) for name, layer in layers.items()}
    imports = {"import napari_segsuite as nss"}
    imports |= {"import numpy as np" for line in sources.values() if "np.load" in line}
    if any("closest_canonical" in line for line in sources.values()):
        imports.add("from napari_segsuite.orientation import closest_canonical")
    arguments = [f'"{method.id}"', "image"]
    arguments += [f"{name}={name}" for name in layers if name != "image"]
    arguments += [f"{name}={value!r}" for name, value in settings.items()]
    arguments += [f"extras={extras!r}"] if extras else []
    arguments += [f'device="{device}"'] if len(method.devices) > 1 else []
    arguments += [f'frames="{frames}"'] if frames != "each" else []
    call = "".join(f"    {argument},\n" for argument in arguments)
    lines = sorted(imports, key=lambda line: (line.startswith("from"), -len(line)))
    return (
        "\n".join(lines)
        + "\n\n"
        + "\n".join(sources.values())
        + f"\nresult = nss.run(\n{call})\n"
        + 'nss.write("result.nii.gz", result)\n'
    )


def _source(name: str, layer: napari.layers.Layer) -> str:
    path = layer.source.path
    if path is not None and layer.source.reader_plugin == PLUGIN:
        kind = "image" if name == "image" and not _is_labels(layer) else "labels"
        return f'{name} = closest_canonical(nss.read({str(path)!r}, kind="{kind}"))'
    file = f"{re.sub(r'[^0-9A-Za-z_.-]+', '_', layer.name)}.npy"
    comment = f"# first, in napari's console: np.save({file!r}, viewer.layers[{layer.name!r}].data)"
    array = f'np.load("{file}")'
    if name == "image":
        array = _with_geometry(array, layer)
    return f"{comment}\n{name} = {array}"


def _with_geometry(array: str, layer: napari.layers.Layer) -> str:
    space = space_of(layer)
    facts = []
    if space.is_physical:
        facts.append(f"spacing={space.spacing!r}")
    if space.unit is not None:
        facts.append(f"unit={space.unit!r}")
    if space.channel_axis is not None:
        facts.append(f"channel_axis={space.channel_axis}")
    if not _is_regular(space):
        return f"nss.Image({array}, {_exactly(space)})"
    return f"nss.Image.from_array({', '.join([array, *facts])})" if facts else array


def _is_regular(space: Space) -> bool:
    """Whether spacing and unit alone tell where it is."""
    if any(axis.kind == "time" for axis in space.axes):
        return False
    return space.is_close(Space.regular(space.ndim, space.spacing, space.unit, space.channel_axis))


def _exactly(space: Space) -> str:
    """Expression of a space that spacing and unit alone do not tell."""
    kwargs = {
        name: value.tolist() if hasattr(value, "tolist") else value
        for name, value in space.to_layer_kwargs().items()
    }
    return f"nss.Space.from_layer_kwargs({kwargs!r}, {space.channel_axis})"


def _is_labels(layer: napari.layers.Layer) -> bool:
    return hasattr(layer, "selected_label")
