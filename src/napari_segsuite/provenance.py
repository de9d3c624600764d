"""How a result came about: enough to make it again, bit for bit."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from . import __version__
from .errors import InputError
from .typing import ImageArray

FORMAT = 1
_LIBRARIES = ("numpy", "numba", "scipy", "scikit-image")


@dataclass(frozen=True)
class Provenance:
    """Record of one run.

    Attributes
    ----------
    method : str
        Method id.
    settings : mapping
        All validated settings.
    injected : mapping
        What the pipeline filled in: spacing, channel axis, device, rng.
    extras : tuple of str
        Further outputs that were asked for.
    inputs : mapping
        Per image-like input: name, shape, dtype and SHA-256 digest of its values.
    versions : mapping
        Of this package, Python and the libraries that computed.
    """

    method: str
    settings: Mapping[str, Any]
    injected: Mapping[str, Any] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON and for ``layer.metadata``."""
        return _plain(asdict(self))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Provenance:
        """Inverse of `to_dict`.

        Raises
        ------
        InputError
            If the record was written by a newer version of this package, or is none.
        """
        version = data.get("format") if isinstance(data, Mapping) else None
        if isinstance(version, int) and version > FORMAT:
            raise InputError(
                f"expected a provenance record of format {FORMAT} or older, "
                f"got {version}; update napari-segsuite"
            )
        if not _is_record(data):
            raise InputError(
                "expected a provenance record of a result, got something else; take it from "
                "a result's provenance, from a layer's metadata or from a file of labels"
            )
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        fields["extras"] = tuple(fields.get("extras", ()))
        return cls(**fields)


def _is_record(data: Any) -> bool:
    """Whether plain data, perhaps from somebody else's file, have the form of a record."""
    if not isinstance(data, Mapping) or not isinstance(data.get("method"), str):
        return False
    inputs = data.get("inputs", {})
    return (
        isinstance(data.get("settings"), Mapping)
        and isinstance(data.get("injected", {}), Mapping)
        and isinstance(data.get("extras", ()), list | tuple)
        and isinstance(data.get("format", 0), int)
        and isinstance(inputs, Mapping)
        and all(
            isinstance(entry, Mapping) and {"shape", "dtype", "sha256"} <= entry.keys()
            for entry in inputs.values()
        )
    )


def describe_input(name: str, data: ImageArray, *, are_labels: bool = False) -> dict[str, Any]:
    """Name, shape, dtype and digest of an array.

    The digest of labels is that of their values alone: stored in another integer type
    they are the same labels.
    """
    return {
        "name": name,
        "shape": list(data.shape),
        "dtype": str(data.dtype),
        "sha256": digest(data, "<u4" if are_labels else data.dtype.str),
    }


def digest(data: ImageArray, dtype: str) -> str:
    """SHA-256 of an array's values as `dtype` in C order, read plane by plane."""
    sha = hashlib.sha256(f"{dtype}{data.shape}".encode())
    for plane in data if data.ndim > 2 else (data,):
        sha.update(np.ascontiguousarray(plane, dtype=dtype).data)
    return sha.hexdigest()


def current_versions() -> dict[str, str]:
    """Versions that a result depends on."""
    versions = {"napari-segsuite": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value
