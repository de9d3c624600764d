"""The one declaration: a plain function under ``@method`` is a segmentation method.

Its signature and docstring are read once. Forms, command line, provenance, manifest,
documentation and the conformance tests all follow from the `Method` record made here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar, get_type_hints

from .errors import ParameterError
from .inputs import check_image, check_on_grid, check_spacing
from .label_values import unsigned_labels
from .params import Param, read_param

P = ParamSpec("P")
R = TypeVar("R")

FAMILIES: Mapping[str, str] = {
    "threshold": "Thresholds",
    "color": "Colour",
    "edges": "Edges",
    "clustering": "Clustering",
    "superpixels": "Superpixels",
    "seeds": "Automatic seeds",
    "seeded": "From seeds",
    "contours": "Contours",
    "postprocessing": "Post-processing",
    "deep": "Networks",
    "effects": "Effects",
}

# Families whose "image" is a label array to work on.
_ON_LABELS = ("postprocessing",)

# Keywords that the pipeline fills in from the image, the user's device choice and so on.
INJECTED = ("spacing", "channel_axis", "device", "progress", "rng", "extras")


class Extras(dict[str, Any]):
    """Collects the further outputs that were asked for.

    A method tests ``"strength" in extras.wanted`` before it computes something only for
    this, and stores it with ``extras["strength"] = …``.
    """

    def __init__(self, wanted: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.wanted = frozenset(wanted)


@dataclass(frozen=True)
class Input:
    """An image-like argument of a method: "image", "seeds", "labels", "mask" or "reference"."""

    name: str
    required: bool
    help: str


@dataclass(frozen=True, eq=False)
class Method:
    """A declared method; see `method` for the meaning of the fields."""

    id: str
    title: str
    family: str
    ndim: tuple[int, ...]
    channels: Literal["single", "any"]
    output: Literal["labels", "instances", "image"]
    extras: tuple[str, ...]
    requires: tuple[str, ...]
    devices: tuple[str, ...]
    bytes_per_voxel: float
    bytes_per_channel: float
    bytes_by_setting: Mapping[str, Mapping[Any, tuple[float, float]]]
    stacked_by: str | None
    is_pixelwise: bool
    preview: Literal["none", "slice", "volume"]
    references: tuple[str, ...]
    function: Callable[..., Any]

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @functools.cached_property
    def _doc(self) -> tuple[str, str, dict[str, str]]:
        from docstring_parser import DocstringStyle, parse

        doc = parse(inspect.getdoc(self.function) or "", style=DocstringStyle.NUMPYDOC)
        helps: dict[str, str] = {}
        for entry in doc.params:
            for name in entry.arg_name.split(","):
                helps[name.strip()] = " ".join((entry.description or "").split())
        return doc.short_description or "", doc.long_description or "", helps

    @property
    def takes_labels(self) -> bool:
        """Whether its "image" is a label array to work on."""
        return self.family in _ON_LABELS

    def memory_per_voxel(self, n_channels: int, settings: Mapping[str, Any]) -> float:
        """Bytes per voxel at the peak of a run, beyond the inputs.

        Parameters
        ----------
        n_channels : int
        settings : mapping
            Those that are not named have their defaults.
        """
        per_voxel, per_channel = self.bytes_per_voxel, self.bytes_per_channel
        values = {param.name: param.default for param in self.params} | dict(settings)
        for name, costs in self.bytes_by_setting.items():
            further = costs.get(values[name], (0, 0))
            per_voxel, per_channel = per_voxel + further[0], per_channel + further[1]
        return per_voxel + per_channel * (n_channels - 1)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self._doc[0]

    @property
    def description(self) -> str:
        """The docstring's text between the summary and the parameters."""
        return self._doc[1]

    @functools.cached_property
    def inputs(self) -> tuple[Input, ...]:
        """Image-like arguments, in order."""
        return tuple(
            Input(p.name, p.default is p.empty, self._doc[2].get(p.name, ""))
            for p in self._signature.parameters.values()
            if p.kind is p.POSITIONAL_OR_KEYWORD
        )

    @functools.cached_property
    def injected(self) -> frozenset[str]:
        """Keywords that the pipeline fills in."""
        return frozenset(INJECTED) & frozenset(self._signature.parameters)

    @functools.cached_property
    def params(self) -> tuple[Param, ...]:
        """Settings, in order of declaration."""
        hints = get_type_hints(inspect.unwrap(self.function), include_extras=True)
        return tuple(
            read_param(p.name, hints[p.name], p.default, self._doc[2].get(p.name, ""))
            for p in self._signature.parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.name not in INJECTED
        )

    def check(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Complete `settings` with defaults and validate them.

        Raises
        ------
        ParameterError
            For an unknown name or a value outside its declared bounds.
        """
        known = {param.name: param for param in self.params}
        for name in settings:
            if name not in known:
                raise ParameterError(
                    f"{self.title} has no setting '{name}'; it has {', '.join(known) or 'none'}.",
                    name=name,
                )
        return {
            name: param.check(settings.get(name, param.default), self.title)
            for name, param in known.items()
        }


_registry: dict[str, Method] = {}


def method(
    *,
    title: str,
    family: str,
    ndim: tuple[int, ...] = (2, 3),
    channels: Literal["single", "any"] = "single",
    output: Literal["labels", "instances", "image"] = "labels",
    extras: tuple[str, ...] = (),
    requires: tuple[str, ...] = (),
    devices: tuple[str, ...] = ("cpu",),
    bytes_per_voxel: float,
    bytes_per_channel: float = 0.0,
    bytes_by_setting: Mapping[str, Mapping[Any, tuple[float, float]]] | None = None,
    stacked_by: str | None = None,
    is_pixelwise: bool = False,
    preview: Literal["none", "slice", "volume"] = "none",
    references: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a segmentation method.

    Positional parameters of the function are image-like inputs (`image`, `seeds`, `labels`,
    `mask`, `reference`); keyword-only ones are settings, with bounds and units in their
    annotation and help in the numpydoc entry. The keywords `spacing`, `channel_axis`,
    `device`, `progress`, `rng` and `extras` are filled in by the pipeline.

    Parameters
    ----------
    title : str
        Name shown in menus, 3 to 90 characters.
    family : str
        A key of `FAMILIES`; the submenu.
    ndim : tuple of int
        Numbers of spatial axes the method takes.
    channels : {"single", "any"}
        Whether several channels may come at once.
    output : {"labels", "instances", "image"}
        What is returned. Of a method whose `image` is labels, "labels" are of the same
        classes; "instances" are numbered anew, but for classes left out of its `classes`.
    extras : tuple of str
        Further outputs the method can store in `extras`.
    requires : tuple of str
        Import names of optional libraries; "torch" sends the job of a viewer to the
        compute process.
    devices : tuple of str
        "cpu", "cuda", "mps": where the method can run.
    bytes_per_voxel : float
        Peak memory beyond the inputs, results included, for one channel.
    bytes_per_channel : float
        What each further channel adds to it, per voxel.
    bytes_by_setting : mapping, optional
        What values of settings take beyond that, per voxel and per voxel and further channel:
        ``{"guide": {"auto": (64, 40)}}``.
    stacked_by : str, optional
        Setting that, when not empty, makes the method return one frame per entry, as a
        time stack.
    is_pixelwise : bool
        Whether the place of a voxel among its neighbours plays no part, so that the frames
        of a time series can be taken together as one image.
    preview : {"none", "slice", "volume"}
        Whether the method is fast enough to follow a slider: on the slice seen, where this
        and its surroundings say all; on the whole image, where statistics over it decide.
    references : tuple of str
        DOIs or addresses.

    Raises
    ------
    ValueError
        If the id (the function's name) is taken, or the family is unknown.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; known: {', '.join(FAMILIES)}")

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            call = signature.bind(*args, **kwargs)
            _check_call(record, call.arguments)
            return function(*call.args, **call.kwargs)

        record = Method(
            id=function.__name__,
            title=title,
            family=family,
            ndim=ndim,
            channels=channels,
            output=output,
            extras=extras,
            requires=requires,
            devices=devices,
            bytes_per_voxel=bytes_per_voxel,
            bytes_per_channel=bytes_per_channel,
            bytes_by_setting=bytes_by_setting or {},
            stacked_by=stacked_by,
            is_pixelwise=is_pixelwise,
            preview=preview,
            references=references,
            function=checked,
        )
        if record.id in _registry:
            raise ValueError(f"a method with the id '{record.id}' is declared already")
        _registry[record.id] = record
        return checked

    return declare


def _check_call(method: Method, arguments: dict[str, Any]) -> None:
    """Validate the arguments of a direct call, in place."""
    given = {param.name: param for param in method.params if param.name in arguments}
    for name, param in given.items():
        arguments[name] = param.check(arguments[name], method.title)
    axis = arguments.get("channel_axis")
    image = check_image(method.title, arguments["image"], method.ndim, axis)
    if method.takes_labels:
        image = unsigned_labels(image)
    arguments["image"] = image
    if arguments.get("spacing") is not None:
        n_spatial = image.ndim - (axis is not None)
        arguments["spacing"] = check_spacing(arguments["spacing"], n_spatial)
    for entry in method.inputs[1:]:
        if arguments.get(entry.name) is not None:
            arguments[entry.name] = check_on_grid(
                method.title, entry.name, arguments[entry.name], image, axis
            )


def declared() -> Mapping[str, Method]:
    """The methods declared so far, by id; `registry.methods` loads them first."""
    return _registry
