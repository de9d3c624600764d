"""What a saved session holds, taken from the dock and put back into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from ...errors import SegSuiteError
from ...growing.work_file import ImageIdentity, Work
from ...image import Image, Segmentation
from ..adapters import classes_in, layer_data, space_of
from ..runner import runner_for
from .work_panel import Snapshot, WorkPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .dock import GrowDock


class WorkDesk(QObject):
    """Saves and restores the session of a dock.

    Parameters
    ----------
    viewer : ViewerModel
    dock : GrowDock

    Attributes
    ----------
    panel : WorkPanel
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, dock: GrowDock) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._dock = dock
        self.panel = WorkPanel(runner_for(viewer), self.snapshot)
        self.panel.said.connect(self.said)
        self.panel.restored.connect(self.restore)

    def look_for(self, layer: Any) -> None:
        """Look for saved work on an image layer."""
        image = None if layer is None else _in_memory(layer)
        self.panel.look_for(image, None if layer is None else layer.source.path)

    def snapshot(self) -> Snapshot | None:
        """What there is to save now; None while there are no seeds."""
        layer, seeds = self._dock.inputs.image.value, self._dock.inputs.seeds.value
        image = None if layer is None else _in_memory(layer)
        if image is None or seeds is None or not isinstance(seeds.data, np.ndarray):
            return None
        result = self._dock.applying.target.value
        if result is not None and result.data.shape != seeds.data.shape:
            result = None
        space, settings = space_of(seeds), self._settings()
        classes = classes_in(seeds.features, seeds.colormap)
        seed_labels = seeds.data.copy()
        result_labels = None if result is None else np.array(result.data)
        result_classes = () if result is None else classes_in(result.features, result.colormap)

        def make(identity: ImageIdentity) -> Work:
            return Work(
                image=identity,
                space=space,
                seeds=seed_labels,
                result=result_labels,
                settings=settings,
                classes=classes,
                result_classes=result_classes,
            )

        return Snapshot(image, layer.source.path, make)

    def restore(self, work: Work) -> None:
        """Add the layers of a saved session, and show its settings."""
        try:
            source = self._dock.inputs.source()
            if work.seeds.shape not in (source.labels_shape, source.grid_shape):
                raise SegSuiteError(
                    f"expected a session on an image of shape {source.labels_shape}, got one of "
                    f"shape {work.seeds.shape}; open its image '{work.image.name}' first."
                )
        except SegSuiteError as error:
            self.said.emit(str(error), True)
            return
        name = work.image.name
        self._dock.cancel()
        if work.result is not None:
            target = self._add(
                Segmentation(work.result, work.space, work.result_classes, name=f"{name} result")
            )
            self._dock.applying.target.value = target
        self._dock.inputs.seeds.value = self._add(
            Segmentation(work.seeds, work.space, work.classes, name=f"{name} seeds")
        )
        self._show(work.settings)
        self.said.emit(f"The session on '{name}' is back; press Preview to go on.", False)

    # --- parts ------------------------------------------------------------------------
    def _add(self, segmentation: Segmentation) -> Any:
        from napari.layers import Layer

        layer = Layer.create(*layer_data(segmentation))
        self._viewer.add_layer(layer)
        return layer

    def _settings(self) -> dict[str, Any]:
        dock = self._dock
        try:
            engine = dock.engine.values()
        except SegSuiteError:
            engine = {}
        return {
            "engine": engine,
            "limits": dock.limits.values(),
            "applying": dock.applying.values(),
        }

    def _show(self, settings: Any) -> None:
        for name in ("engine", "limits", "applying"):
            values = settings.get(name)
            if isinstance(values, dict):
                getattr(self._dock, name).set_values(values)


def _in_memory(layer: Any) -> Image | None:
    """The image of a layer, None if reading all its values would take long."""
    if layer.multiscale or not isinstance(layer.data, np.ndarray):
        return None
    return Image(layer.data, space_of(layer), str(layer.name))
