"""Image segmentation for napari, Python and the terminal.

Everything here is loaded on first use: importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Comparison": "comparing",
    "Entry": "comparing",
    "GrowSession": "families.seeded.grow_session",
    "GuidedSession": "families.seeded.guided_session",
    "Image": "image",
    "LabelClass": "image",
    "PixelClassifier": "families.seeded.pixel_classifier_model",
    "Provenance": "provenance",
    "Report": "metrics",
    "Segmentation": "image",
    "Space": "space",
    "compare": "comparing",
    "consensus": "metrics.raters.consensus",
    "error_labels": "metrics.error_labels",
    "evaluate": "metrics",
    "evaluate_folders": "metrics.folders.evaluation",
    "evaluate_probabilities": "metrics.probability.curves",
    "get_method": "registry",
    "match_labels": "metrics.matching",
    "methods": "registry",
    "rank_folders": "metrics.folders.evaluation",
    "read": "io",
    "read_class_table": "io.class_tables",
    "replay": "jobs",
    "run": "jobs",
    "score_intervals": "metrics.statistics.score_intervals",
    "slice_scores": "metrics.slices",
    "surface_distances": "metrics.surfaces.surface_metrics",
    "sweep_clusters": "cluster_sweep",
    "write": "io",
    "write_class_table": "io.class_tables",
}

__all__ = [*_WHERE, "__version__"]  # noqa: PLE0604 - the table's keys are names


def __getattr__(name: str) -> Any:
    from importlib import import_module
    from importlib.util import find_spec

    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    # ``from . import module`` asks here before it imports; methods are not loaded for that.
    if not name.startswith("_") and find_spec(f"{__name__}.{name}") is None:
        from .registry import methods

        for method in methods():
            if method.id == name:
                return method.function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from .registry import methods

    return sorted({*__all__, *(method.id for method in methods())})
