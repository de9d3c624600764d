"""Opening the files of a case in the viewer."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import QObject, Signal

from ...image import Segmentation
from ...io import read
from ...metrics.folders.report import Case
from ...orientation import closest_canonical
from ..adapters import LayerData, layer_data
from ..runner import runner_for

if TYPE_CHECKING:
    from napari.components import ViewerModel

_OUTLINE = 1


class CaseLayers(QObject):
    """Reads prediction and reference of a case, and shows both as layers.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject

    Attributes
    ----------
    said : signal of (str, bool)
        What became of it, in a sentence, and whether that is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._opened: dict[Any, list[weakref.ref[Any]]] = {}

    def open(self, case: Case) -> None:
        """Show a case; one whose layers are still there is selected."""
        layers = [reference() for reference in self._opened.get(case.pair, [])]
        if layers and all(layer in self._viewer.layers for layer in layers):
            self._viewer.layers.selection = set(layers)
            self.said.emit(f"'{case.name}' is open already.", False)
            return
        self.said.emit(f"opening {case.name} …", False)
        job = runner_for(self._viewer).run_in_background(
            lambda _progress: _read(case), "Open a case", self, uses_kernels=False
        )
        job.finished.connect(lambda found: self._show(case, found))
        job.failed.connect(lambda sentence: self.said.emit(sentence, True))

    def _show(self, case: Case, found: tuple[LayerData, ...]) -> None:
        layers = [self._viewer.add_labels(data, **kwargs) for data, kwargs, _kind in found]
        layers[-1].contour = _OUTLINE  # the reference shows through
        self._opened[case.pair] = [weakref.ref(layer) for layer in layers]
        self.said.emit(f"Opened reference and prediction of '{case.name}'.", False)


def _read(case: Case) -> tuple[LayerData, ...]:
    """The reference, and the prediction above it."""
    found = []
    for path, role in ((case.pair.reference, "reference"), (case.pair.prediction, "prediction")):
        labels = cast("Segmentation", closest_canonical(read(path, kind="labels")))
        data, kwargs, kind = layer_data(labels)
        kwargs["name"] = f"{case.name} {role}"
        found.append((data, kwargs, kind))
    return tuple(found)
