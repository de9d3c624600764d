"""The widgets that the manifest names: one per method, by its id, and those with more to them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from ..registry import get_method, methods

if TYPE_CHECKING:
    import napari.viewer


def __getattr__(name: str) -> Any:
    if name == "clusters":
        from .compare.clusters_dock import ClustersDock

        return ClustersDock
    if name == "compare":
        from .compare.dock import CompareDock

        return CompareDock
    if name == "grow":
        from .grow.dock import GrowDock

        return GrowDock
    if name == "hub":
        from .hub import HubWidget

        return HubWidget
    if name == "measure":
        from .measure_widget import MeasureWidget

        return MeasureWidget
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return widget_class(get_method(name).id)
    except ParameterError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted(
        ["clusters", "compare", "grow", "hub", "measure", *(method.id for method in methods())]
    )


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
