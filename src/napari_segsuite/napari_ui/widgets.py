"""The widgets that the manifest names: one per method, by its id, and those with more to them."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from ..registry import get_method, methods

if TYPE_CHECKING:
    import napari.viewer


_DOCKS = {
    "clusters": ("compare.clusters_dock", "ClustersDock"),
    "compare": ("compare.dock", "CompareDock"),
    "folders": ("folders.dock", "FolderDock"),
    "grow": ("grow.dock", "GrowDock"),
    "hub": ("hub", "HubWidget"),
    "measure": ("measure.dock", "MeasureDock"),
    "raters": ("raters.dock", "RatersDock"),
}


def __getattr__(name: str) -> Any:
    if name in _DOCKS:
        module, dock = _DOCKS[name]
        return getattr(import_module(f".{module}", __package__), dock)
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return widget_class(get_method(name).id)
    except ParameterError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted([*_DOCKS, *(method.id for method in methods())])


@functools.cache
def widget_class(method_id: str) -> type[Any]:
    """The form of a method as a class that napari can make with the viewer alone."""
    from .method_widget import MethodWidget

    class Form(MethodWidget):
        # napari finds out by this very annotation that the viewer is wanted.
        def __init__(self, viewer: napari.viewer.Viewer) -> None:
            super().__init__(viewer, get_method(method_id))

    Form.__name__ = Form.__qualname__ = method_id
    Form.__doc__ = get_method(method_id).summary
    return Form
